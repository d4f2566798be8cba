"""The register's PC: a disk that outlives every run of the real service on it, and those runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

import sync.journal
from edge_agent.api.idempotency import Once
from edge_agent.clock import ClockIds
from edge_agent.domain.code import DEFAULT_RULES
from edge_agent.domain.errors import StorageError
from edge_agent.domain.labels import labels
from edge_agent.domain.market import GERMANY
from edge_agent.domain.sale_receipt import Letterhead
from edge_agent.formats import Formats
from edge_agent.payments.card_terminal import CardTerminal
from edge_agent.payments.cash import Cash
from edge_agent.ports import LinkReport
from edge_agent.service.core import Core, Ports, Shop
from edge_agent.service.till import Till
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector, HttpEnroller
from sync.enrol import request_of
from sync.identity import Identity
from sync.journal import Journal
from sync.journal_disk import JournalDisk
from sync.push import Push
from tests.simulation.sim_central import SimCentral, SimNetwork
from tests.simulation.sim_disk import BALLAST_BYTES, Room, SimJournalDisk
from tests.simulation.sim_loop import Life, Seeded, SimClock, SimTurns
from tests.simulation.sim_terminal import SimTerminal
from tests.simulation.sim_world import START_MS, World, as_after_a_crash
from tests.support_shop import MemoryCatalogue, MemoryPeople, PaperTray

KEY = bytes(range(32))
JOURNAL_WATCH_SECONDS = 1.0


class SimPC:
    """The register's PC: its disk outlives every run of the service on it."""

    def __init__(self, world: World, central: SimCentral, terminal: SimTerminal, register: str = "01") -> None:
        self._world = world
        self._central = central
        self._terminal = terminal
        self._register = register
        self._generation = 0
        self.clock = SimClock(world.loop, START_MS)
        self.random = Seeded(f"pc-{register}-{world.seed}")
        self.folder = world.folder / f"pc-{register}-0"
        self.room = Room(lambda: self.folder)
        self.catalogue = MemoryCatalogue()
        self.people = MemoryPeople()
        self.token = ""
        self.identity = Identity("", "")
        self.paper = PaperTray()
        self.links: list[LinkReport] = []
        self.life: Life | None = None
        self.context = Context()
        self.dies_again_at: int | None = None
        self.died: asyncio.Future[None] | None = None
        self.journal: Journal | None = None
        self.till: Till | None = None
        self.push: Push | None = None
        self.once: Once | None = None

    async def enrol(self) -> None:
        """Become a register at central; nothing goes wrong meanwhile."""
        code = self._central.enrol_code(self._register)
        settings = Settings("http://central", "", "", self.clock, transport=SimNetwork(self._world, self._central))
        told = await HttpEnroller(settings).enrol(request_of(self.random.token_bytes(32), code, "simulated"))
        self.token = told.token
        self.identity = Identity(f"/t/{told.tenant}/s/{told.store}/r/{told.register}", told.epoch)

    async def boot(self, steps_left: int | None = None) -> bool:
        """Start the service; False when it died while starting (``steps_left``, or ``dies_again_at`` for one start, plans that). Raises StorageError
        when it cannot start."""
        if steps_left is None:
            steps_left, self.dies_again_at = self.dies_again_at, None
        self.life = life = Life("register")
        life.steps_left = steps_left
        self.died = died = self._world.loop.create_future()
        life.on_death = self._dead
        self.context = life.context()
        booting = self._world.loop.create_task(self._open(life), context=self.context.copy())
        await asyncio.wait([booting, died], return_when=asyncio.FIRST_COMPLETED)
        if not life.alive:
            return False
        booting.result()
        return True

    async def _open(self, life: Life) -> None:
        world, clock, random = self._world, self.clock, self.random
        new_id = ClockIds(clock, random)
        turns = SimTurns(world.loop, life, lambda: random.between(0.0002, 0.004))
        sync.journal.JournalDisk = self._disk  # type: ignore[assignment,misc] # the one seam that only a failing disk needs
        journal = Journal.open(self.folder, KEY, clock=clock, random=random, new_id=new_id, ballast_bytes=BALLAST_BYTES, turns=turns)
        self.journal = journal
        settings = Settings("http://central", self.token, self._register, clock, transport=SimNetwork(world, self._central))
        connector = HttpConnector(settings)
        self.push = push = Push(journal, connector, clock, random, self.links.append, in_use=lambda: core.in_use())
        shop = Shop("acme", "0001", "Berlin Mitte", self._register, self.identity.epoch, GERMANY, DEFAULT_RULES)
        methods = (Cash(), CardTerminal(self._terminal, lambda: ""))
        ports = Ports(journal, self.catalogue, self.people, clock, new_id, methods, central=connector, printer=self.paper, wake_push=push.wake)
        core = Core(shop, ports, journal.boot)
        core.load()
        formats = Formats(GERMANY)
        self.till = Till(core, Letterhead(("Berlin Mitte",), labels("de_DE"), formats.decimal, formats.amount, formats.moment))
        self.once = Once(journal.known_command, journal.said)
        if journal.stopped is not None:
            core.stop_selling(journal.stopped)
        await self._adopted(journal)
        world.loop.create_task(push.run())
        world.loop.create_task(_watched(journal, core))
        await self.till.start("0", clean_stop=journal.clean_start)
        world.loop.create_task(self.till.holding.run())

    async def _adopted(self, journal: Journal) -> None:
        while True:
            try:
                await journal.adopt(self.identity)
            except StorageError:  # as systemd would: the service starts again until it can
                await asyncio.sleep(1.0)
                await _reopened(journal)
            else:
                return

    def _disk(self, *given: Any) -> JournalDisk:
        return SimJournalDisk(self._world, self.room, *given)

    def plan_death(self, steps: int) -> None:
        """Die in so many steps of the program's own, wherever that is."""
        if self.life is not None:
            self.life.steps_left = steps

    def kill(self) -> None:
        """Die now."""
        if self.life is not None:
            self.life.end()

    def _dead(self) -> None:
        self._world.count("register killed")
        self._generation += 1
        there, self.folder = self.folder, self._world.folder / f"pc-{self._register}-{self._generation}"
        as_after_a_crash(there, self.folder)
        self.life = self.till = self.push = self.once = self.journal = None
        assert self.died is not None
        self.died.set_result(None)

    async def ask(self, work: Callable[[], Any]) -> Any:
        """The result of ``work()`` done by the service; Gone when it died before it answered."""
        died = self.died
        if self.life is None or died is None:
            raise Gone
        task = self._world.loop.create_task(work(), context=self.context.copy())
        await asyncio.wait([task, died], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        return task.result()


class Gone(Exception):
    """The service died before it answered."""


async def _watched(journal: Journal, core: Core) -> None:
    """As ``bootstrap`` does: what fails beside selling, an acknowledgement, stops selling as well, and so the journal is opened again."""
    while True:
        await asyncio.sleep(JOURNAL_WATCH_SECONDS)
        await journal.look_after()
        if journal.stopped is not None and core.desk.stopped is None:
            core.stop_selling(journal.stopped)


async def _reopened(journal: Journal) -> None:
    try:
        await journal.reopen()
    except StorageError:
        return
