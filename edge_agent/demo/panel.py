"""The panel that F12 opens: everything a customer, a cable or a bank can do to the counter, each on one key."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import httpx
from msgspec import Struct
from msgspec.structs import replace

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
SCANNED_FOR_CUSTOMER = "345"
"""The customer's acts that need the scanner too."""
SLOW_NETWORK_SECONDS = 1.5
"""Longer than the second that central is given at the counter."""


def _nothing() -> str:
    return ""


class Scan(Struct, frozen=True):
    """What lies under the scanner: its code, how a person calls it, and the symbol's identifier where it needs one."""

    code: str
    label: str
    aim: str = ""


class Act(Struct, frozen=True):
    """One key: ``name`` is its text's, ``do`` does it and says what was done; ``what`` is the thing that it would now be done with."""

    key: str
    group: str
    name: str
    do: Callable[[], str]
    what: Callable[[], str] = _nothing


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
        amount: Callable[[int], str],
        leaving: str,
    ) -> None:
        self._world = world
        self._stock = stock
        self._operations = operations
        self._restart_central = restart_central
        self._badges = list(badges)
        self._random = random
        self._dice = dice
        self._words = words
        self._amount = amount
        self._leaving = leaving
        self._visits = [cart for cart in stock.carts if stock.people[cart.customer].uid and stock.people[cart.customer].loyalty]
        self._piece, self._batch, self._weighed = self._any_piece(), self._any_batch(), self._any_weighed()
        self._last: Scan | None = None
        self._goods = self._piece[0]
        self._picked = 0
        self._turned: set[str] = set()
        self._armed = ""
        self._turn = asyncio.Lock()
        self._acts = {act.key: act for act in (*self._customer(), *self._shelf(), *self._devices(), *self._payments(), *self._network())}

    @property
    def title(self) -> str:
        """What the panel calls itself."""
        return self._words("title")

    def actions(self) -> list[PanelAction]:
        """Every act as it would now be done: what is said to be scanned is what the key scans."""
        return [PanelAction(act.key, self._text(act), self._words(act.group, person=self._person.name)) for act in self._acts.values()]

    async def perform(self, key: str) -> str:
        """Do what is on ``key``."""
        try:
            if (self._acts[key].group == "goods" or key in SCANNED_FOR_CUSTOMER) and not self._world.scanner.plugged:
                return self._words("scanner.away")
            async with self._turn:  # a second tag is not held to the reader while the first one is
                return await asyncio.to_thread(self._acts[key].do)
        except (httpx.HTTPError, EdgeError, OSError) as error:
            return self._words("failed", what=str(error) or type(error).__name__)

    def _text(self, act: Act) -> str:
        text = self._words(f"{act.name}.back" if act.name in self._turned else act.name, what=act.what())
        armed = act.name == self._armed and self._world.terminal.planned
        return text[0].upper() + text[1:] + (f" ({self._words('armed')})" if armed else "")

    @property
    def leaving(self) -> str:
        """What becomes of the shop when the screen is left."""
        return self._leaving

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
            Act("5", "customer", "pick", self._pick, lambda: self._wanted.label),
            Act("6", "customer", "edit", self._edit),
            Act("7", "customer", "next", self._next, lambda: self._stock.people[self._visits[1 % len(self._visits)].customer].name),
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

    @property
    def _wanted(self) -> Goods:
        """What is picked next for the online cart: its articles come round in turn."""
        wanted = [self._stock.goods[line.sku] for line in self._cart.lines if line.sku in self._stock.goods]
        return wanted[self._picked % len(wanted)]

    def _pick(self) -> str:
        goods = self._wanted
        self._picked += 1
        return self._scan_goods(goods, _symbol(goods))

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
            Act("a", "goods", "article", self._scan_piece, lambda: self._piece[1].label),
            Act("s", "goods", "again", self._scan_again, lambda: self._again.label),
            Act("w", "goods", "weight", self._weigh, lambda: self._weighed.label),
            Act("b", "goods", "batch", self._scan_batch, lambda: self._batch[1].label),
            Act("x", "goods", "spoilt", lambda: self._scan(Scan(spoilt(self._goods.gtin), "")), lambda: self._goods.label),
            Act("u", "goods", "unknown", lambda: self._scan(Scan(UNKNOWN_GTIN, ""))),
            Act("m", "goods", "staff", self._scan_badge, lambda: f"STAFF-{self._badges[0]}"),
        ]

    def _any_piece(self) -> tuple[Goods, Scan]:
        goods = self._dice.pick(self._stock.by_piece)
        return goods, _symbol(goods)

    def _any_batch(self) -> tuple[Goods, Scan]:
        goods, batch = self._dice.pick(self._stock.by_piece), f"B{self._dice.between(100, 999)}"
        return goods, Scan(f"01{goods.gtin14}10{batch}", f"{goods.label}, {batch}", GS1_DATA_MATRIX)

    def _any_weighed(self) -> Scan:
        goods, grams = self._dice.pick(self._stock.by_weight), self._dice.between(50, 1500)
        return Scan(weight_label(goods, grams), f"{goods.label}, {grams} g")

    def _scan_piece(self) -> str:
        (goods, scan), self._piece = self._piece, self._any_piece()
        return self._scan_goods(goods, scan)

    def _scan_batch(self) -> str:
        (goods, scan), self._batch = self._batch, self._any_batch()
        return self._scan_goods(goods, scan)

    def _weigh(self) -> str:
        scan, self._weighed = self._weighed, self._any_weighed()
        self._last = scan
        return self._scan(scan)

    @property
    def _again(self) -> Scan:
        """The very code that was scanned last, whatever kind it was; the next article before anything was."""
        return self._last or self._piece[1]

    def _scan_again(self) -> str:
        return self._scan_piece() if self._last is None else self._scan(self._last)

    def _scan_badge(self) -> str:
        self._badges.append(self._badges.pop(0))
        return self._scan(Scan(f"STAFF-{self._badges[-1]}", ""))

    def _scan_goods(self, goods: Goods, scan: Scan) -> str:
        self._goods, self._last = goods, scan
        return self._scan(scan)

    def _scan(self, scan: Scan) -> str:
        self._world.scanner.scan(scan.code, aim=scan.aim)
        return self._words("scanned", what=f"{scan.label} ({scan.code})" if scan.label and not scan.aim else scan.label or scan.code)

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
            self._planned("h", "partial", lambda: Plan(booked=LITTLE_MINOR), lambda: self._amount(LITTLE_MINOR)),
            self._planned("f", "slow", lambda: Plan(slow=SLOW_PAYMENT_SECONDS)),
            self._planned("l", "lost", lambda: Plan(answer="drop")),
            Act("r", "payments", "red", lambda: self._words("red.done" if self._world.terminal.customer_cancels() else "red.late")),
            self._switch("k", "payments", "dead", self._world.terminal.dead),
        ]

    def _planned(self, key: str, name: str, plan: Callable[[], Plan], what: Callable[[], str] = _nothing) -> Act:
        def agree() -> str:
            self._world.terminal.plan_only(plan())
            self._armed = name
            return self._words("planned", what=self._words(name, what=what()))

        return Act(key, "payments", name, agree, what)

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


def _symbol(goods: Goods) -> Scan:
    """An article's own symbol."""
    return Scan(goods.gtin, goods.label)
