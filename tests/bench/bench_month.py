"""What a month of selling leaves behind in a register that is never restarted: memory, descriptors, threads, and the size of its files.

``python -m tests.bench.bench_month [days] [sales of a day]``. The whole service runs in this process, with its journal on this disk, on a clock that is
put forward from one evening to the next morning. Every day opens, sells through the serial scanner and the local API (cash, cards through a terminal,
customers, baskets set aside and called back), prints, closes, and sends everything to a central. Central, terminal and printer are processes of their
own. Beside what is there at the end stands what was there after WARM_DAYS, when everything was used at least once. What has a bound (SQLite's pages
in memory, ids of commands, written amounts) fills up in the first half of the month; what the second half adds is what would go on growing.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from drivers.simulators.serial_scanner import PtyScanner
from edge_agent import views as v
from edge_agent.bootstrap import Agent, keys_of
from edge_agent.clock import SystemRandom
from edge_agent.config import load_config
from edge_agent.demo.processes import CentralProgram
from edge_agent.demo.sample import SAMPLE_AT_MS, sample_feeds
from edge_agent.demo.shops import SHOPS
from edge_agent.demo.stock import Goods, Stock
from edge_agent.demo.waiting import Screen
from edge_agent.hosting import in_process
from edge_agent.logs import set_up_logs
from edge_agent.ports import Link
from sync.enrolment import load as load_enrolment
from tests.bench.bench_start import configured
from tests.bench.measure import ROOT, Figure, memory_mb, python, tell

WARM_DAYS = 2
DAY_MS = 86_400_000
MB = 1024 * 1024
CARDS, CUSTOMERS, ASIDE, VOIDED = 0.35, 0.15, 0.08, 0.03
"""Of all sales, by chance."""
LINES_MAX = 4


class MonthClock:
    """Wall time that can be put forward; monotonic time is real."""

    def __init__(self, start_ms: int) -> None:
        self._ahead_ms = start_ms - int(time.time() * 1000)

    def now_ms(self) -> int:
        return int(time.time() * 1000) + self._ahead_ms

    def monotonic(self) -> float:
        return time.monotonic()

    def next_morning(self) -> None:
        """Eight o'clock (UTC) of the next day."""
        self._ahead_ms += DAY_MS - self.now_ms() % DAY_MS + 8 * 3_600_000


class Device:
    """A simulated device as a program of its own; ``port`` is where it listens."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(python("-m", module, "--port", "0", *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._process.stdout is not None
        said = re.search(rb"127\.0\.0\.1:(\d+)", self._process.stdout.readline())
        assert said is not None, module
        self.port = int(said[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True)
class Held:
    """What the process holds: memory (MB), descriptors, threads; and its files (MB): the journal, and the largest write-ahead log that there was."""

    memory: float
    descriptors: int
    threads: int
    journal: float
    log: float


def memory() -> float:
    """What is left (MB) when everything was given back that can be."""
    for _ in range(2):
        gc.collect()
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    return memory_mb(os.getpid())


def count(kind: str) -> int:
    """How many there are of this process's ``fd`` or ``task``."""
    return len(list(Path("/proc/self", kind).iterdir()))


class Month:
    """The associate of one register, day after day."""

    def __init__(self, agent: Agent, screen: Screen, scanner: PtyScanner, stock: Stock, clock: MonthClock, state: Path) -> None:
        self._agent = agent
        self._screen = screen
        self._scanner = scanner
        self._stock = stock
        self._clock = clock
        self._state = state
        self._random = Random(1)
        self._cards = [person.loyalty for person in stock.people.values() if person.loyalty]
        self._log_bytes_max = 0
        self.sold = 0

    def held(self) -> Held:
        return Held(memory(), count("fd"), count("task"), (self._state / "journal.db").stat().st_size / MB, self._log_bytes_max / MB)

    async def day(self, sales: int) -> None:
        """Open, sell, close, and be in step with central."""
        await self._screen.send(v.OpenShift(SHOPS["DE"].badge, 15_000))
        for _ in range(sales):
            await self._serve()
            self._log_bytes_max = max([self._log_bytes_max, *(path.stat().st_size for path in self._state.rglob("*-wal"))])
        await self._printed()
        await self._screen.send(v.CloseShift())
        await self._screen.until("in step with central", lambda seen: (seen.link.state, seen.link.waiting) == (Link.IN_STEP.value, 0), 60.0)
        self._clock.next_morning()

    async def _serve(self) -> None:
        random = self._random
        if random.random() < CUSTOMERS:
            await self._customer(random.choice(self._cards))
        for count in range(1, 1 + random.randint(1, LINES_MAX)):
            await self._scan(random.choice(self._stock.by_piece), count)
        if random.random() < VOIDED:
            await self._screen.send(v.VoidBasket("gone"))
            return
        if random.random() < ASIDE:
            basket = self._screen.now.basket
            assert basket is not None
            await self._screen.send(v.Suspend("forgot something"))
            await self._screen.send(v.Recall(basket.id))
        await self._pay(v.PayCard() if random.random() < CARDS else v.PayCash())

    async def _scan(self, goods: Goods, pieces: int) -> None:
        self._scanner.scan(goods.gtin)
        await self._screen.until(f"{pieces} pieces with {goods.label}", lambda seen: seen.basket is not None and seen.basket.articles == pieces)

    async def _customer(self, card: str) -> None:
        self._scanner.scan(card)
        await self._screen.until(f"customer {card}", lambda seen: seen.customer is not None)

    async def _pay(self, how: v.PayCard | v.PayCash) -> None:
        before = self._agent.core.state.receipts
        if isinstance(how, v.PayCard):
            await self._screen.until("the terminal ready", lambda seen: any(device.name == "terminal-1" and device.state == "ready" for device in seen.devices))
        await self._screen.send(how)
        await self._screen.until("sold", lambda seen: seen.basket is None and self._agent.core.state.receipts == before + 1)
        self.sold += 1

    async def _printed(self) -> None:
        await self._screen.until("printed", lambda seen: seen.last_sale is None or seen.last_sale.print_state == "printed")


@asynccontextmanager
async def opened(folder: Path, config: Path) -> AsyncIterator[Month]:
    """The register with its devices and its central."""
    enrolment = load_enrolment(load_config(config).folder)
    assert enrolment is not None
    async with AsyncExitStack() as exits:
        scanner = exits.enter_context(PtyScanner(folder / "scanner"))
        terminal = exits.enter_context(Device("drivers.simulators.card_terminal", "--ledger", str(folder / "terminal.jsonl"), "--step-seconds", "0"))
        printer = exits.enter_context(Device("drivers.simulators.receipt_printer"))
        with config.open("a") as file:
            file.write(devices(scanner.path, terminal.port, printer.port))
        central = exits.enter_context(CentralProgram(folder / "central", folder / "central.log"))
        central.address = ("127.0.0.1", int(enrolment.url.rpartition(":")[2]))
        central.serve()
        clock, random = MonthClock(SAMPLE_AT_MS), SystemRandom()
        loaded = load_config(config)
        agent = await Agent.start(loaded, keys_of(loaded, random), clock, random)
        exits.push_async_callback(agent.stop)
        screen = await exits.enter_async_context(Screen(in_process(agent)))
        await screen.until_device("scanner", "ready")
        yield Month(agent, screen, scanner, Stock(sample_feeds(1), SHOPS["DE"].rules, clock.now_ms), clock, loaded.folder)


def devices(scanner: str, terminal: int, printer: int) -> str:
    """Their part of the configuration."""
    return f"""
tenders = [{{kind = "cash"}}, {{kind = "card_terminal", terminal = "terminal-1"}}]
[devices.scanner]
kind = "serial_scanner"
port = "{scanner}"
[devices.printer]
kind = "receipt_printer"
host = "127.0.0.1"
port = {printer}
columns = 42
[terminals.terminal-1]
kind = "counter_link"
host = "127.0.0.1"
port = {terminal}
"""


async def lived(folder: Path, config: Path, days: int, sales: int) -> dict[int, Held]:
    """What is held after WARM_DAYS, in the middle, and at the end."""
    kept: dict[int, Held] = {}
    async with opened(folder, config) as month:
        began = time.monotonic()
        for day in range(1, days + 1):
            await month.day(sales)
            if day in (1, WARM_DAYS, days // 2, days) or day % 7 == 0:
                kept[day] = month.held()
                print(f"day {day:3}, {month.sold:5} sales, {time.monotonic() - began:4.0f} s: {kept[day]}", flush=True)
    return kept


def main(days: int, sales: int) -> None:
    assert days >= 2 * WARM_DAYS
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as name:
        config = configured(Path(name))
        with (Path(name) / "service.log").open("a") as log:
            set_up_logs(log)
            kept = asyncio.run(lived(Path(name), config, days, sales))
    first, middle, last = (kept[day] for day in (WARM_DAYS, days // 2, days))
    how, beside = f"{days} days of {sales} sales", f"after {WARM_DAYS} days"
    halves = f"days {WARM_DAYS + 1} to {days // 2}"
    tell(Figure(f"memory of the service after {how}", last.memory, beside, first.memory, "MB", "1 MB more"))
    tell(Figure(f"memory that days {days // 2 + 1} to {days} add", last.memory - middle.memory, halves, middle.memory - first.memory, "MB", "1 MB"))
    tell(Figure(f"open descriptors after {how}", last.descriptors, beside, first.descriptors, "", "the same"))
    tell(Figure(f"threads after {how}", last.threads, beside, first.threads, "", "the same"))
    tell(Figure(f"the largest write-ahead log in {how}", last.log, f"in {WARM_DAYS} days", first.log, "MB", "8 MB"))
    tell(Figure(f"the journal after {how}", last.journal, beside, first.journal, "MB", "-"))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [30, 150][len(given) :]))
