"""One scripted day from its morning to its evening: central, service and world are opened, the script is played, all books are compared."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from msgspec import Struct

from drivers.simulators._card_ledger import read_ledger
from edge_agent import views as v
from edge_agent.client import RESEND_SECONDS, AgentClient
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.config import load_config
from edge_agent.demo.clerk import Clerk
from edge_agent.demo.dice import Dice
from edge_agent.demo.expected import Books
from edge_agent.demo.goods import Shelves
from edge_agent.demo.ledgers import expected_ledger, exported_facts, ledger_of, with_tables
from edge_agent.demo.operations import Operations
from edge_agent.demo.paper import Paper
from edge_agent.demo.power import Power
from edge_agent.demo.processes import CentralProgram, Program, ServiceProgram
from edge_agent.demo.purse import Purse
from edge_agent.demo.reconciling import Reconciliation, add_carts, add_paper, add_soundness, add_terminal, compare
from edge_agent.demo.sample import sample_feeds, write_folder
from edge_agent.demo.script import Script
from edge_agent.demo.shops import FLOAT_MINOR, SHOPS
from edge_agent.demo.stock import Stock
from edge_agent.demo.troubles import Troubles
from edge_agent.demo.visitors import Visitors
from edge_agent.demo.waiting import NotSeen, Screen
from edge_agent.demo.world import World
from edge_agent.hosting import enrol_register

REPLICA_SECONDS_MAX = 60.0
ARRIVAL_SECONDS_MAX = 120.0
"""After the last sale: the longest pause between attempts is half a minute, and then everything has to be sent."""
SAY_EVERY_SALES = 25

Plant = Callable[[Books], None]


class Plan(Struct, frozen=True):
    """What is to be played. ``troubles`` off is a quiet day; ``plant`` changes the expected books before they are compared, to prove the comparison."""

    seed: int
    sales: int
    market: str
    troubles: bool = True
    plant: Plant | None = None


@dataclass(slots=True)
class Outcome:
    """What became of it."""

    found: Reconciliation = field(default_factory=Reconciliation)
    faults: Counter[str] = field(default_factory=Counter)
    sales: int = 0
    total_minor: int = 0
    failed: str = ""


class Day:
    """One day in one folder."""

    def __init__(self, plan: Plan, folder: Path, outcome: Outcome) -> None:
        self._plan = plan
        self._folder = folder
        self._outcome = outcome
        self._shop = SHOPS[plan.market]
        self._clock = SystemClock()
        self._random = SystemRandom()
        self._began = self._clock.monotonic()

    async def run(self) -> None:
        """Open, sell, close, compare. Raises NotSeen and whatever else a day can fail by."""
        async with AsyncExitStack() as exits:
            central = exits.enter_context(CentralProgram(self._folder / "central", self._folder / "central.log"))
            stock, operations = await asyncio.to_thread(self._open_central, central)
            world = exits.enter_context(World(self._folder, self._clock, central.address, language=self._shop.language))
            await asyncio.to_thread(self._enrol, world, operations)
            service = exits.enter_context(ServiceProgram(world.config_path, self._folder / "service.log"))
            transport = httpx.AsyncHTTPTransport(uds=str(world.socket))
            client = AgentClient(transport, new_id=ClockIds(self._clock, self._random), resend_seconds=RESEND_SECONDS[:1])  # the clerk looks after a power cut
            screen = await exits.enter_async_context(Screen(client))
            clerk = Clerk(world, stock, screen, Books(self._shop.rules, FLOAT_MINOR), Paper(world.printer), self._clock)
            script = Script(clerk, Shelves(clerk), Visitors(clerk, self._random), Purse(clerk), self._plan.seed)
            power = Power(script, service, self._outcome.faults)
            troubles = Troubles(script, power, central, operations, self._outcome.faults)
            await self._open(power, screen)
            await self._sell(script, troubles)
            await troubles.over()
            await self._close(screen)
            if self._plan.plant is not None:
                self._plan.plant(clerk.books)
            self._outcome.found = await self._compare(clerk, operations, power.excused)
            await asyncio.to_thread(service.stop)
            self._outcome.found.differences += await asyncio.to_thread(self._verified, world)

    def _open_central(self, central: CentralProgram) -> tuple[Stock, Operations]:
        """Central with the sample in it, and what the script knows of it."""
        at_ms = self._clock.now_ms()
        write_folder(self._folder / "sample", self._plan.seed, at_ms)
        seeding = Program(
            ["-m", "sync.central.cli", "seed", "--data", str(self._folder / "central"), "--folder", str(self._folder / "sample")], self._folder / "central.log"
        )
        with seeding:
            seeding.start()
            seeding.wait()
        central.serve()
        return Stock(sample_feeds(self._plan.seed, at_ms), self._shop.rules, self._clock.now_ms), Operations(central.url, central.token)

    def _enrol(self, world: World, operations: Operations) -> None:
        code = operations.enrol_code(self._shop.store, self._shop.register)
        enrol_register(load_config(world.config_path), world.network.url, code)

    async def _open(self, power: Power, screen: Screen) -> None:
        """The morning: the service starts, has the sample, and the shift is opened."""
        await power.on()
        deadline = self._clock.monotonic() + REPLICA_SECONDS_MAX
        while None in ((status := await screen.client.status()).catalogue_as_of_ms, status.people_as_of_ms):
            if self._clock.monotonic() > deadline:
                raise NotSeen(f"waited {REPLICA_SECONDS_MAX:g} s for articles, prices and customers to arrive")
            await asyncio.sleep(0.05)
        await screen.send(v.OpenShift(self._shop.badge, FLOAT_MINOR))
        await screen.until("the shift opened", lambda snapshot: snapshot.phase == "ready")
        self._tell(0, "open")

    async def _sell(self, script: Script, troubles: Troubles) -> None:
        """Customers and troubles until there are enough sales, and on a day with troubles every kind of customer was there."""
        sold, ahead = script.clerk.books.sold, troubles.day() if self._plan.troubles else []
        kinds = len(script.kinds()) if self._plan.troubles else 0
        goal = max(self._plan.sales, kinds + len(ahead))
        number = said = 0
        while len(sold) < goal or ahead or number < kinds:
            if ahead and len(sold) * 100 >= ahead[0][0] * goal:
                _, title, happens = ahead.pop(0)
                self._tell(len(sold), title)
                await happens(Dice(self._plan.seed, f"trouble {title}"))
            else:
                await script.customer(number)
                number += 1
            if len(sold) // SAY_EVERY_SALES > said:
                said = len(sold) // SAY_EVERY_SALES
                self._tell(len(sold), "")
            self._outcome.sales, self._outcome.total_minor = len(sold), sum(sale.total for sale in sold)

    def _tell(self, sales: int, what: str) -> None:
        say(f"{self._clock.monotonic() - self._began:>6.1f} s {sales:>6} sales   {what}".rstrip())

    async def _close(self, screen: Screen) -> None:
        """The evening: the shift is closed, and central has everything."""
        await screen.send(v.CloseShift())
        await screen.until("the shift closed", lambda snapshot: snapshot.phase == "closed")
        deadline = self._clock.monotonic() + ARRIVAL_SECONDS_MAX
        while waiting := sum(stream.waiting for stream in (await screen.client.status()).streams):
            if self._clock.monotonic() > deadline:
                raise NotSeen(f"waited {ARRIVAL_SECONDS_MAX:g} s for central to have everything; {waiting} facts wait, link {screen.now.link}")
            await asyncio.sleep(0.05)

    async def _compare(self, clerk: Clerk, operations: Operations, excused: set[str]) -> Reconciliation:
        """All the books there are."""
        client, books = clerk.screen.client, clerk.books
        register = ledger_of(exported_facts(b"".join([piece async for piece in client.journal_export()])))
        reconciliation = await asyncio.to_thread(operations.reconciliation)
        central = with_tables(ledger_of(await asyncio.to_thread(operations.facts)), reconciliation)
        found = compare(expected_ledger(books), register, central)
        await asyncio.to_thread(clerk.world.terminal.wait, lambda terminal: terminal.payment is None)
        add_terminal(found, books, register, read_ledger(clerk.world.terminal.ledger_path), books.rules.currency)
        clerk.paper.look()
        add_paper(found, books, register, clerk.paper, excused)
        carts = {cart: await asyncio.to_thread(operations.cart, cart) for cart in books.carts_left}
        add_carts(found, books, {cart: tuple(sorted(line["line"] for line in row["lines"])) if row else () for cart, row in carts.items()})
        verified = await client.verification()
        add_soundness(found, verified.problems, verified.events, reconciliation)
        return found

    def _verified(self, world: World) -> list[str]:
        """What is wrong with the journal's files, once nobody has them open."""
        verify = Program(["-m", "edge_agent", "--config", str(world.config_path), "journal", "verify"], self._folder / "verify.log")
        with verify:
            verify.start()
            try:
                verify.wait()
            except NotSeen as wrong:
                return [str(wrong)]
        return []


def say(line: str) -> None:
    """One line on standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
