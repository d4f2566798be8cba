"""An outbox of 100,000 facts drained to the reference central, synced on both sides, from a standing start to ``next`` acknowledged for all.

``python -m tests.bench.bench_drain [facts]``. Beside it, in turns and each time on a fresh central process with the same register enrolled: a bare
loop of one ``httpx.Client`` that posts the very same compressed batches, made beforehand, and reads nothing from a journal. And PouchDB, whose
replication is the well-known outbox of this kind, with every fifth of the facts as documents (``pouch_peer``). One batch after another each time.

The facts are those of a register that sells: decided by the domain, told by the service's own words, numbered and chained by the journal. Only
making them is hurried: a hundred customers share one commit.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx
import msgspec
import zstandard

from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.demo.processes import CentralProgram
from edge_agent.domain import commands as do
from edge_agent.domain.events import AttemptMoved, Event, SaleCompleted
from edge_agent.domain.tender import Approved, Attempt, CardResult
from edge_agent.ports import Commit, FactDraft, Link, LinkReport, SaleRow
from edge_agent.service.codec import event_row, sale_row, write_state
from edge_agent.service.facts import Origin, facts_of, started
from sync.central.serving import EmbeddedCentral
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector, HttpEnroller
from sync.contract.envelope import BATCH_FACTS_MAX, BATCH_TYPE, join_batch
from sync.contract.messages import PushAck, RegisterCursor
from sync.enrol import enrol
from sync.enrolment import Enrolment, load
from sync.journal import Journal
from sync.keys import Keys
from sync.link import PushAnswer
from sync.push import Push
from tests.bench.measure import Figure, median, skip, tell
from tests.bench.pouch_peer import Absent, Pouch
from tests.support_enrolled import STORES, TENANT
from tests.support_register import AYSE, COAT, MARIA, OMAR, PRALINES, SOCKS, Memory

ROUNDS = 5
CUSTOMERS_A_COMMIT = 100
CUSTOMERS_A_SHIFT = 300
FACTS_AT_ONCE_MAX = 3
"""What one customer, or a night, leads to at most."""
POUCH_EVERY = 5
"""Every so manieth fact is a document of PouchDB's: it takes its time, and what is compared is how many a second."""
DRAIN_SECONDS_MAX = 600.0
STORE, REGISTER = "0001", "02"


class Seller(Memory):
    """A register that sells in memory, and keeps what its journal is to be given."""

    def __init__(self, seed: int, epoch: str) -> None:
        self._ids = ClockIds(SystemClock(), SystemRandom())
        self._dice = Random(seed)
        self._origin = Origin(STORE, REGISTER, epoch, "EUR")
        self._happened: list[Event] = []
        self._facts: list[FactDraft] = []
        self._sales: list[SaleRow] = []
        self._attempts: dict[str, Attempt] = {}
        super().__init__()

    def new_id(self) -> str:
        return self._ids()

    def do(self, command: do.Command) -> tuple[Event, ...]:
        before = self.state
        events = super().do(command)
        self._happened += events
        self._facts += facts_of(before, events, self._origin, self.now_ms, self.new_id)
        self._sales += [sale_row(event.sale) for event in events if isinstance(event, SaleCompleted)]
        self._attempts |= {event.attempt.id: event.attempt for event in events if isinstance(event, AttemptMoved)}
        self.events.clear()
        return events

    def started(self) -> None:
        """The service was started, before the shop opens."""
        self._facts.append(started(self.state, self._origin, self.now_ms, self.new_id(), boot=self.new_id(), version="0", clean_stop=True))

    def night(self) -> None:
        """The shift is closed, the PC goes off and on, the next one is opened: three facts."""
        self.do(do.CloseShift())
        self.started()
        self.do(do.OpenShift(AYSE, 10_000))

    def customer(self) -> None:
        """Somebody buys up to four things, or goes without them: one fact, or two of a known customer."""
        known = self._dice.choices((None, MARIA, OMAR), (7, 2, 1))[0]
        if known is not None:
            self.do(do.AttachCustomer(known, "loyalty"))
        for article in self._dice.choices((COAT, SOCKS, PRALINES), k=self._dice.randint(1, 4)):
            self.add(article)
        self._ends(self._dice.random())

    def stranger(self) -> None:
        """Somebody unknown buys one thing: one fact."""
        self.add(SOCKS)
        self.do(do.PayCash(None))

    def _ends(self, draw: float) -> None:
        if draw < 0.1:
            self.do(do.VoidBasket("customer"))
        elif draw < 0.55:
            self.do(do.PayCash(None))
        else:
            id = self.new_id()
            self.do(do.StartCard(id, id[-10:].upper(), "T1", None))
            (attempt,) = self.state.open_attempts()
            paid = CardResult(provider_ref=id[-6:], brand="visa", last_four="1111")
            self.do(do.Learn(id, Approved(attempt.amount_minor, attempt.currency, paid), "answer"))

    @property
    def waiting(self) -> int:
        """The facts that no commit was taken for yet."""
        return len(self._facts)

    def commit(self) -> Commit:
        """What happened since the last one."""
        events = [event_row(event) for event in self._happened]
        taken = Commit(self.new_id(), events, self._facts, tuple(self._attempts.values()), self._sales, write_state(self.state))
        self._happened, self._facts, self._sales, self._attempts = [], [], [], {}
        return taken


class Recording(HttpConnector):
    """The connector, which also keeps each batch as the bytes that go over the wire."""

    def __init__(self, settings: Settings, bodies: list[bytes]) -> None:
        super().__init__(settings)
        self._bodies = bodies

    async def push(self, facts: Sequence[bytes]) -> PushAnswer:
        self._bodies.append(zstandard.ZstdCompressor(3).compress(join_batch(list(facts))))
        return await super().push(facts)


async def enrolled(register: Path, central: Path) -> Enrolment:
    """Make a central with one register in it, which is at ``register``; both are at rest afterwards."""
    served = EmbeddedCentral(central, tenant=TENANT)
    served.start()
    try:
        served.central.seed_stores(STORES)
        register.mkdir(mode=0o700)
        enroller = HttpEnroller(Settings(served.url, "", "", SystemClock()))
        return await enrol(served.url, served.central.enrol_code(STORE, REGISTER).code, "bench", Keys(register, SystemRandom()), enroller)
    finally:
        served.stop()


def opened(folder: Path) -> Journal:
    """The register's own journal."""
    clock, random = SystemClock(), SystemRandom()
    return Journal.open(folder, Keys(folder, random).journal_key(), clock=clock, random=random, new_id=ClockIds(clock, random))


async def filled(folder: Path, enrolment: Enrolment, count: int) -> None:
    """Write ``count`` facts, none of which central has."""
    async with opened(folder) as journal:
        await journal.adopt(enrolment.identity)
        seller = Seller(1, enrolment.identity.epoch)
        seller.started()
        left, customers = count, 0
        while left > seller.waiting:
            if left - seller.waiting <= FACTS_AT_ONCE_MAX:
                seller.stranger()
            elif customers % CUSTOMERS_A_SHIFT == CUSTOMERS_A_SHIFT - 1:
                seller.night()
            else:
                seller.customer()
            customers += 1
            if customers % CUSTOMERS_A_COMMIT == 0:
                left -= seller.waiting
                await journal.commit(seller.commit())
        await journal.commit(seller.commit())
        assert sum(status.head for status in journal.streams()) == count


async def drained(folder: Path, central: CentralProgram, bodies: list[bytes] | None = None) -> float:
    """Seconds from the push's start to the word that nothing waits any more; ``bodies`` is given the batches."""
    enrolment = load(folder)
    assert enrolment is not None
    who, clock = enrolment.register, SystemClock()
    settings = Settings(central.url, who.token, who.register, clock)
    connector = HttpConnector(settings) if bodies is None else Recording(settings, bodies)
    done = asyncio.Event()

    def told(report: LinkReport) -> None:
        if report.link is Link.IN_STEP:
            done.set()

    async with opened(folder) as journal:
        push = Push(journal, connector, clock, SystemRandom(), told)
        os.sync()
        start = time.perf_counter()
        sending = asyncio.get_running_loop().create_task(push.run())
        try:
            async with asyncio.timeout(DRAIN_SECONDS_MAX):
                await done.wait()
            took = time.perf_counter() - start
        except TimeoutError:
            raise AssertionError(f"not drained in {DRAIN_SECONDS_MAX:.0f} s: {push.report}") from None
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await connector.aclose()
        assert all(status.head == status.acknowledged for status in journal.streams())
        assert journal.quarantined_count() == 0
        require_there(central, who.token, {status.stream: status.head + 1 for status in journal.streams()})
    return took


def posted(central: CentralProgram, token: str, bodies: Sequence[bytes], nexts: dict[str, int]) -> float:
    """Seconds for a plain client to post ``bodies`` one after another and read each answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH_TYPE, "Content-Encoding": "zstd"}
    with httpx.Client(base_url=central.url, headers=headers, timeout=30, trust_env=False) as http:
        os.sync()
        start = time.perf_counter()
        answers = [http.post("/edge/v1/events", content=body) for body in bodies]
        took = time.perf_counter() - start
    for answer in answers:
        assert answer.status_code == 200, answer.text
        acks = msgspec.json.decode(answer.content, type=PushAck)
        assert not any(stream.quarantined for register in acks.registers.values() for stream in register.streams.values())
    require_there(central, token, nexts)
    return took


def require_there(central: CentralProgram, token: str, nexts: dict[str, int]) -> None:
    """Central says itself that it has everything."""
    answer = httpx.get(f"{central.url}/edge/v1/registers/{REGISTER}/cursor", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    cursor = msgspec.json.decode(answer.content, type=RegisterCursor)
    assert {stream: one.next for stream, one in cursor.streams.items()} == nexts, (cursor, nexts)


class Bench:
    """A full outbox and a central that knows its register, both at rest: every round works on copies."""

    def __init__(self, folder: Path, facts: int) -> None:
        self._folder = folder
        self._count = facts
        self._register, self._central = folder / "register", folder / "central"
        self.bodies: list[bytes] = []
        self.documents: list[bytes] = []
        self.nexts: dict[str, int] = {}
        self.token = ""

    async def make(self) -> None:
        """Sell, then drain once, to warm up and to keep the batches."""
        enrolment = await enrolled(self._register, self._central)
        self.token = enrolment.register.token
        await filled(self._register, enrolment, self._count)
        async with opened(self._register) as journal:
            self.nexts = {status.stream: status.head + 1 for status in journal.streams()}
            every = (wire for stream, next in self.nexts.items() for _, wire in journal.facts_after(stream, 0, next, 1 << 40))
            self.documents = [wire for at, wire in enumerate(every) if at % POUCH_EVERY == 0]
        await self.ours(self.bodies)

    async def ours(self, bodies: list[bytes] | None = None) -> float:
        """Seconds for the push."""
        copy = self._folder / "draining"
        shutil.copytree(self._register, copy)
        try:
            with self._fresh() as central:
                return await drained(copy, central, bodies)
        finally:
            shutil.rmtree(copy)

    def bare(self) -> float:
        """Seconds for the bare loop."""
        with self._fresh() as central:
            return posted(central, self.token, self.bodies, self.nexts)

    def pouch(self, pouch: Pouch) -> float:
        """Seconds for PouchDB."""
        folder = self._folder / "pouch"
        try:
            return pouch.replicated(folder, self.documents, BATCH_FACTS_MAX)
        finally:
            shutil.rmtree(folder)

    @contextmanager
    def _fresh(self) -> Iterator[CentralProgram]:
        """A central process of its own that has no fact yet."""
        folder = self._folder / "serving"
        shutil.copytree(self._central, folder)
        try:
            with CentralProgram(folder, self._folder / "central.log") as central:
                central.serve()
                yield central
        finally:
            shutil.rmtree(folder)


def installed(folder: Path, what: str) -> Pouch | None:
    """PouchDB, or None, which is told."""
    try:
        return Pouch.installed(folder)
    except Absent as problem:
        skip(f"{what}, beside PouchDB", str(problem))
        return None


def main(facts: int) -> None:
    what = f"{facts:,} facts drained, synced on both sides"
    ours: list[float] = []
    bare: list[float] = []
    others: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as name:
        bench = Bench(Path(name), facts)
        asyncio.run(bench.make())
        pouch = installed(Path(name) / "node", what)
        for number in range(ROUNDS):
            turns = [lambda: ours.append(facts / asyncio.run(bench.ours())), lambda: bare.append(facts / bench.bare())]
            for turn in turns if number % 2 == 0 else turns[::-1]:
                turn()
            if pouch is not None:
                others.append(len(bench.documents) / bench.pouch(pouch))
    tell(Figure(what, median(ours), f"its {len(bench.bodies)} batches posted by a bare httpx.Client", median(bare), "/s", "at least 0.7"))
    if others:
        beside = f"PouchDB to express-pouchdb, every write synced, {len(bench.documents):,} of the facts as documents"
        tell(Figure(f"{what}, beside PouchDB", median(ours), beside, median(others), "/s", "above 1"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
