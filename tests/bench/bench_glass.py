"""How soon an article is on the glass: from its scanner's bytes on the serial line to its name in what the counter writes to its terminal.

``python -m tests.bench.bench_glass [scans of a round] [articles] [facts]``. Nothing is played: the service, the counter (``edge-agent till``, 120
columns and 40 rows) and central are processes of their own, and the scanner is a pseudo-terminal that the service opens as its port. The register
knows a million articles and, while it sells, sends an outbox of sales to central as fast as the two can; that there was something to send to the end
of the last round is checked. Beside it ``bare_line``: one widget of the same terminal library that looks the code up in the same file and draws the
name, in turns with ours and beside the same drain. Then both again with the cable out. The files take 6 GB for that time.

The articles get into the register's copy by its own import, but not over the wire, for which central would have to publish a million rows first:
its copy of the sample shop is replaced under the cursor that central gave for it, so that central has nothing to add and sends nothing.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from time import perf_counter

from drivers.simulators.serial_scanner import PtyScanner
from edge_agent import views as v
from edge_agent.attach import open_client
from edge_agent.client import AgentClient
from edge_agent.config import load_config
from edge_agent.demo.processes import CentralProgram, ServiceProgram
from sync.enrolment import load as load_enrolment
from tests.bench.bare_line import LINES, OPENING
from tests.bench.bench_import import gtin_of
from tests.bench.bench_start import answered, configured
from tests.bench.glass_shop import Terminal, Watch, fill_catalogue, fill_outbox, named
from tests.bench.measure import Figure, median, percentile, python, tell

ROUNDS, QUIET_ROUNDS = 5, 2
GAP_SECONDS = (0.06, 0.12)
BADGE = "1001"
SETTLE_SECONDS = 0.3


class Glass:
    """One way from a scanner to a screen, and how long each scan took on it (ms)."""

    def __init__(self, scanner: PtyScanner, terminal: Terminal, watch: Watch) -> None:
        self._scanner = scanner
        self._terminal = terminal
        self._watch = watch

    def scan(self, number: int) -> float:
        """Milliseconds from the bytes on the line to the name on the screen."""
        start = perf_counter()
        self._scanner.scan(gtin_of(number)[1:])
        return (self._watch.until(self._terminal, named(number).name.encode()) - start) * 1000


class Rounds:
    """Scans in turns, never the same article twice, at a person's pace so that each is alone."""

    def __init__(self, watch: Watch, rows: int, empty: Callable[[], None]) -> None:
        self._watch = watch
        self._random = Random(1)
        self._numbers = iter(self._random.sample(range(rows), rows if rows < 100_000 else 100_000))
        self._empty = empty

    def run(self, glass: Glass, scans: int) -> list[float]:
        """How long each of ``scans`` took; the basket begins anew, outside what is measured, before it is longer than LINES."""
        took = []
        for count in range(scans):
            if count % LINES == 0:
                self._empty()
                self._watch.rest(SETTLE_SECONDS)
            self._watch.rest(self._random.uniform(*GAP_SECONDS))
            took.append(glass.scan(next(self._numbers)))
        return took


class Counter:
    """The register's own API, for what is not measured."""

    def __init__(self, config: Path) -> None:
        self._config = load_config(config)

    def open(self) -> None:
        self._ask(lambda client: client.send(v.OpenShift(BADGE, 0)))

    def empty(self) -> None:
        """Void the basket, if there is one."""
        if self._ask(lambda client: client.snapshot()).basket is not None:
            self._ask(lambda client: client.send(v.VoidBasket("bench")))

    def waiting(self) -> int:
        """Facts that central does not have yet."""
        return self._ask(lambda client: client.snapshot()).link.waiting

    def _ask(self, question: Callable[[AgentClient], object]) -> v.Snapshot:
        async def ask() -> v.Snapshot:
            async with open_client(self._config) as client:
                return await question(client)  # type: ignore[misc]

        return asyncio.run(ask())


def opened(exits: ExitStack, folder: Path, rows: int, facts: int) -> tuple[Path, PtyScanner, CentralProgram]:
    """A configured register with everything in it, its scanner, and central, which is not running yet."""
    config = configured(folder)
    fill_catalogue(config, rows)
    asyncio.run(fill_outbox(config, facts))
    scanner = exits.enter_context(PtyScanner(folder / "scanner"))
    with config.open("a") as file:
        file.write(f'\n[devices.scanner]\nkind = "serial_scanner"\nport = "{scanner.path}"\n')
    enrolment = load_enrolment(load_config(config).folder)
    assert enrolment is not None
    central = exits.enter_context(CentralProgram(folder / "central", folder / "central.log"))
    central.address = ("127.0.0.1", int(enrolment.url.rpartition(":")[2]))
    return config, scanner, central


def main(scans: int, rows: int, facts: int) -> None:
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd())))
        config, scanner, central = opened(exits, folder, rows, facts)
        state = load_config(config).folder
        central.serve()
        service = exits.enter_context(ServiceProgram(config, folder / "service.log"))
        service.start()
        answered(folder)
        counter = Counter(config)
        counter.open()
        till = exits.enter_context(Terminal(python("-m", "edge_agent", "--config", str(config), "till"), folder))
        other = exits.enter_context(PtyScanner(folder / "other"))
        line = exits.enter_context(Terminal(python("-m", "tests.bench.bare_line", str(state / "replica"), other.path), folder))
        watch = Watch(till, line)
        watch.until(till, b"Berlin")
        watch.until(line, OPENING.encode())
        measure(Rounds(watch, rows, counter.empty), Glass(scanner, till, watch), Glass(other, line, watch), counter, central, scans, facts)


def measure(rounds: Rounds, ours: Glass, theirs: Glass, counter: Counter, central: CentralProgram, scans: int, facts: int) -> None:
    rounds.run(ours, LINES)
    rounds.run(theirs, LINES)
    before, began = counter.waiting(), perf_counter()
    with_drain = list(turns(rounds, ours, theirs, scans, ROUNDS))
    left, seconds = counter.waiting(), perf_counter() - began
    print(f"outbox: {facts} at first, {before} before the rounds, {left} after them, {(before - left) / seconds:.0f} facts/s")
    assert left > 0, "the outbox was empty before the rounds were over: give more facts"
    central.kill()
    quiet = list(turns(rounds, ours, theirs, scans, QUIET_ROUNDS))
    for how, found in (("while an outbox drains", with_drain), ("with the cable out", quiet)):
        mine, bare = ([took for pair in found for took in pair[side]] for side in (0, 1))
        tell(Figure(f"a scan on the glass {how}, p50 of {len(mine)}", median(mine), "a bare line", median(bare), "ms", "5 ms, ratio 2"))
        tell(Figure(f"a scan on the glass {how}, p99", percentile(mine, 0.99), "a bare line", percentile(bare, 0.99), "ms", "20 ms"))


def turns(rounds: Rounds, ours: Glass, theirs: Glass, scans: int, count: int) -> Iterator[tuple[list[float], list[float]]]:
    for _ in range(count):
        yield rounds.run(ours, scans), rounds.run(theirs, scans)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [60, 1_000_000, 750_000][len(given) :]))
