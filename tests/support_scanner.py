"""A supervised serial scanner on a pseudo-terminal for tests, and what it told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from drivers.contract import DeviceState
from drivers.devices.serial_scanner import build
from drivers.load import DriverContext
from drivers.session import Pace
from drivers.simulators.serial_scanner import PtyScanner
from drivers.supervisor import Supervisor
from edge_agent.clock import SystemClock
from tests.support import HalfRandom, Listener, wait_until

QUICK = Pace(presence_seconds=0.02, backoff_first_seconds=0.02, backoff_seconds_max=0.05, steady_seconds=0.2)


@dataclass
class Counter:
    """A supervised scanner and what it told."""

    scanner: PtyScanner
    supervisor: Supervisor
    news: Listener = field(default_factory=Listener)

    def payloads(self, count: int) -> list[bytes]:
        return [reading.payload for reading in self.news.wait_readings(count)]

    def wait_dropped(self, count: int) -> None:
        wait_until(lambda: self.supervisor.reports()[0].dropped == count, f"{count} frames dropped")

    def wait_heard(self, expected: bytes) -> None:
        assert self.scanner.wait_heard(lambda heard: heard == expected, 5.0), self.scanner.heard()


@contextmanager
def counter(folder: Path, scanner: PtyScanner | None = None, **config: object) -> Iterator[Counter]:
    scanner = scanner or PtyScanner(folder / "scanner")
    news = Listener()
    driver = build({"port": str(folder / "scanner"), **config}, DriverContext(SystemClock(), HalfRandom(), "scanner", "edge.toml [devices.scanner]"))
    supervisor = Supervisor([driver], SystemClock(), HalfRandom(), news.reading, news.report, pace=QUICK)
    with scanner:
        supervisor.start()
        try:
            news.wait_state("scanner", DeviceState.READY)
            yield Counter(scanner, supervisor, news)
        finally:
            assert supervisor.stop() == ()
