"""The panel that F12 opens: everything a customer, a cable or a bank can do to the counter, each on one key."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import httpx

from drivers.simulators._card_plan import Plan
from drivers.simulators.tags import BankCard, Phone, Tag, Type2Tag, uri_message
from edge_agent.clock import Random
from edge_agent.demo.dice import Dice
from edge_agent.demo.goods import GS1_DATA_MATRIX, UNKNOWN_GTIN
from edge_agent.demo.operations import Operations
from edge_agent.demo.stock import Goods, OnlineCart, Person, Stock, spoilt, weight_label
from edge_agent.demo.visitors import LOYALTY_LINK
from edge_agent.demo.words import Words
from edge_agent.demo.world import World
from edge_agent.domain.errors import EdgeError
from tui.panel import PanelAction

HOLD_SECONDS = 0.9
"""So long a person holds a card to a reader."""
SLOW_PAYMENT_SECONDS = 10.0
LITTLE_MINOR = 100
"""What a card has left that has almost nothing."""
SLOW_NETWORK_SECONDS = 1.5
"""Longer than the second that central is given at the counter."""


@dataclass(frozen=True, slots=True)
class Act:
    """One key: ``name`` is its text's, ``do`` does it and says what was done."""

    key: str
    group: str
    name: str
    do: Callable[[], str]


class WorldPanel:
    """A ``tui.panel.Panel`` over the world. Acts run beside the event loop; what central or a cable refuses is said, never raised."""

    def __init__(
        self,
        world: World,
        stock: Stock,
        operations: Operations,
        restart_central: Callable[[], None],
        badges: Sequence[str],
        random: Random,
        dice: Dice,
        words: Words,
    ) -> None:
        self._world = world
        self._stock = stock
        self._operations = operations
        self._restart_central = restart_central
        self._badges = list(badges)
        self._random = random
        self._dice = dice
        self._words = words
        self._visits = [cart for cart in stock.carts if stock.people[cart.customer].uid and stock.people[cart.customer].loyalty]
        self._goods = stock.by_piece[0]
        self._picked = 0
        self._turned: set[str] = set()
        self._turn = asyncio.Lock()
        self._acts = {act.key: act for act in (*self._customer(), *self._shelf(), *self._devices(), *self._payments(), *self._network())}

    @property
    def title(self) -> str:
        """What the panel calls itself."""
        return self._words("title")

    def actions(self) -> list[PanelAction]:
        """Every act as it would now be done."""
        return [PanelAction(act.key, self._text(act), self._words(act.group)) for act in self._acts.values()]

    async def perform(self, key: str) -> str:
        """Do what is on ``key``."""
        try:
            async with self._turn:  # a second tag is not held to the reader while the first one is
                return await asyncio.to_thread(self._acts[key].do)
        except (httpx.HTTPError, EdgeError, OSError) as error:
            return self._words("failed", what=str(error) or type(error).__name__)

    def _text(self, act: Act) -> str:
        text = self._words(f"{act.name}.back" if act.name in self._turned else act.name, person=self._person.name)
        return text[0].upper() + text[1:]

    # --- the customer ----------------------------------------------------------------------------------------------------------

    @property
    def _cart(self) -> OnlineCart:
        return self._visits[0]

    @property
    def _person(self) -> Person:
        return self._stock.people[self._cart.customer]

    def _customer(self) -> list[Act]:
        return [
            Act("1", "customer", "tap", lambda: self._held(Type2Tag(bytes.fromhex(self._person.uid), None), "tap")),
            Act("2", "customer", "pass", lambda: self._held(Phone(self._random, uri_message(LOYALTY_LINK + self._person.loyalty), wallet=True), "pass")),
            Act("3", "customer", "card", lambda: self._scanned(self._person.loyalty, "card.done")),
            Act("4", "customer", "cart", lambda: self._scanned(self._cart.id, "cart.done")),
            Act("5", "customer", "pick", self._pick),
            Act("6", "customer", "edit", self._edit),
            Act("7", "customer", "next", self._next),
            Act("8", "customer", "bank", lambda: self._held(BankCard(bytes.fromhex("5d3c2b1a")), "bank")),
            Act("9", "customer", "phone", lambda: self._held(Phone(self._random), "phone")),
        ]

    def _held(self, tag: Tag, name: str) -> str:
        self._world.reader.put_tag(tag)
        threading.Event().wait(HOLD_SECONDS)
        self._world.reader.remove_tag()
        return self._words(f"{name}.done", person=self._person.name)

    def _next(self) -> str:
        self._visits.append(self._visits.pop(0))
        self._picked = 0
        return self._words("next.done", person=self._person.name)

    def _pick(self) -> str:
        lines = [line for line in self._cart.lines if line.sku in self._stock.goods]
        line = lines[self._picked % len(lines)]
        self._picked += 1
        return self._scan_goods(self._stock.goods[line.sku])

    def _edit(self) -> str:
        row = self._operations.cart(self._cart.id)
        if row is None:
            return self._words("edit.none", person=self._person.name)
        first, *others = row["lines"]
        self._operations.edit_cart(row, [first | {"pieces": first["pieces"] + 1}, *others])
        goods = self._stock.goods.get(first["sku"])
        return self._words("edit.done", person=self._person.name, what=goods.label if goods else first["sku"])

    # --- goods -----------------------------------------------------------------------------------------------------------------

    def _shelf(self) -> list[Act]:
        return [
            Act("a", "goods", "article", lambda: self._scan_goods(self._dice.pick(self._stock.by_piece))),
            Act("s", "goods", "again", lambda: self._scan_goods(self._goods)),
            Act("w", "goods", "weight", self._weigh),
            Act("b", "goods", "batch", self._scan_batch),
            Act("x", "goods", "spoilt", lambda: self._scan(spoilt(self._goods.gtin))),
            Act("u", "goods", "unknown", lambda: self._scan(UNKNOWN_GTIN)),
            Act("m", "goods", "staff", lambda: self._scan(f"STAFF-{self._badge()}")),
        ]

    def _badge(self) -> str:
        self._badges.append(self._badges.pop(0))
        return self._badges[-1]

    def _scan_goods(self, goods: Goods) -> str:
        self._goods = goods
        return self._scan(goods.gtin, goods.label)

    def _weigh(self) -> str:
        goods, grams = self._dice.pick(self._stock.by_weight), self._dice.between(50, 1500)
        return self._scan(weight_label(goods, grams), f"{goods.label}, {grams} g")

    def _scan_batch(self) -> str:
        goods, batch = self._dice.pick(self._stock.by_piece), f"B{self._dice.between(100, 999)}"
        self._world.scanner.scan(f"01{goods.gtin14}10{batch}", aim=GS1_DATA_MATRIX)
        return self._words("scanned", what=f"{goods.label}, {batch}")

    def _scan(self, code: str, label: str = "") -> str:
        self._world.scanner.scan(code)
        return self._words("scanned", what=f"{label} ({code})" if label else code)

    def _scanned(self, code: str, done: str) -> str:
        self._world.scanner.scan(code)
        return self._words(done, person=self._person.name)

    # --- devices ---------------------------------------------------------------------------------------------------------------

    def _devices(self) -> list[Act]:
        world = self._world
        return [
            self._switch("c", "devices", "scanner", lambda on: world.scanner.unplug() if on else world.scanner.plug()),
            self._switch("n", "devices", "reader", lambda on: world.reader.unplug() if on else world.reader.plug()),
            self._switch("t", "devices", "printer", lambda on: world.printer.unplug() if on else world.printer.plug()),
            self._switch("p", "devices", "paper", self._paper),
            self._switch("o", "devices", "cover", self._cover),
        ]

    def _paper(self, out: bool) -> None:
        self._world.printer.set(replace(self._world.printer.switches, paper_out=out))

    def _cover(self, is_open: bool) -> None:
        self._world.printer.set(replace(self._world.printer.switches, cover_open=is_open))

    # --- payments --------------------------------------------------------------------------------------------------------------

    def _payments(self) -> list[Act]:
        return [
            self._planned("d", "decline", lambda: Plan(decline="insufficient_funds")),
            self._planned("h", "partial", lambda: Plan(booked=LITTLE_MINOR)),
            self._planned("f", "slow", lambda: Plan(slow=SLOW_PAYMENT_SECONDS)),
            self._planned("l", "lost", lambda: Plan(answer="drop")),
            Act("r", "payments", "red", lambda: self._words("red.done" if self._world.terminal.customer_cancels() else "red.late")),
            self._switch("k", "payments", "dead", self._world.terminal.dead),
        ]

    def _planned(self, key: str, name: str, plan: Callable[[], Plan]) -> Act:
        def agree() -> str:
            self._world.terminal.plan(plan())
            return self._words("planned", what=self._words(name))

        return Act(key, "payments", name, agree)

    # --- network ---------------------------------------------------------------------------------------------------------------

    def _network(self) -> list[Act]:
        network = self._world.network
        return [
            self._switch("y", "network", "cut", lambda on: network.cut() if on else network.restore()),
            self._switch("z", "network", "drag", self._drag),
            self._switch("v", "network", "lose", network.lose_answers),
            Act("q", "network", "restart", self._restart),
        ]

    def _drag(self, on: bool) -> None:
        self._world.network.delay_seconds = SLOW_NETWORK_SECONDS if on else 0.0

    def _restart(self) -> str:
        self._restart_central()
        return self._words("restart.done")

    def _switch(self, key: str, group: str, name: str, turn: Callable[[bool], None]) -> Act:
        def flip() -> str:
            back = name in self._turned
            turn(not back)
            self._turned ^= {name}
            return self._words("done", what=self._words(f"{name}.back" if back else name))

        return Act(key, group, name, flip)
