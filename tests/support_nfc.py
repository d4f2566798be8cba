"""An NFC reader at work for tests, on a simulated device over either of its wires."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.contract import Driver, Hands
from drivers.devices.nfc_reader import build
from drivers.load import DriverContext
from drivers.simulators.nfc_udp import UdpNfc
from drivers.simulators.pn532 import PtyPn532
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import DeviceError
from edge_agent.domain.reading import Reading, TagKind
from tests.support import HalfRandom

SECONDS = 5.0  # a deadline, not a duration
HOLD_SECONDS = 0.7
UID = bytes.fromhex("04a1b2c3d4e580")
OTHER_UID = bytes.fromhex("04f6e7d8c9ba80")
Simulator = PtyPn532 | UdpNfc


class Counter:
    """A reader with a simulated device, served in a thread; its monotonic clock moves only when it is told to."""

    def __init__(self, simulator: Simulator, driver: Driver, generation: int = 1) -> None:
        self.simulator = simulator
        self.driver = driver
        self.readings: list[Reading] = []
        self.reservations: list[tuple[str, str]] = []
        self.ended_with: BaseException | None = None
        self.seconds = 100.0
        self._generation = generation
        self._stop = threading.Event()
        self._news = threading.Condition()

    def __enter__(self) -> Counter:
        self.driver.open()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self.driver.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "serve did not end"

    def ended(self) -> BaseException | None:
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "serve did not end"
        return self.ended_with

    def kinds(self, count: int) -> list[TagKind | None]:
        """The kinds of all readings, once there are ``count``."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.readings) >= count, SECONDS), f"{len(self.readings)} of {count} readings"
            return [reading.tag for reading in self.readings]

    def later(self, seconds: float) -> None:
        self.seconds += seconds

    def looked_in_vain(self, times: int = 9) -> None:
        """Wait until the reader has noticed that nothing is there: a round is three looks, and a failing read has some of its own."""
        before = self.simulator.field.empty_looks
        assert self.simulator.field.wait(lambda field: field.empty_looks >= before + times, SECONDS)

    def talked(self, times: int) -> None:
        """Wait until the reader has sent the tag some more commands."""
        before = self.simulator.field.exchanges
        assert self.simulator.field.wait(lambda field: field.exchanges >= before + times, SECONDS)

    def looked(self, times: int) -> None:
        before = self.simulator.field.looks
        assert self.simulator.field.wait(lambda field: field.looks >= before + times, SECONDS)

    def _serve(self) -> None:
        hands = Hands(
            emit=self._emit,
            degraded=lambda reason, detail: self.reservations.append((reason, detail)),
            stop=self._stop,
            now_ms=lambda: 1_700_000_000_000,
            monotonic=lambda: self.seconds,
            generation=self._generation,
        )
        try:
            self.driver.serve(hands)
        except DeviceError as error:
            self.ended_with = error

    def _emit(self, reading: Reading) -> None:
        with self._news:
            self.readings.append(reading)
            self._news.notify_all()


def configured(simulator: Simulator, **more: object) -> Driver:
    path = simulator.path if isinstance(simulator, UdpNfc) else f"port:{simulator.path}"
    context = DriverContext(SystemClock(), HalfRandom(), "nfc", "edge.toml [devices.nfc]")
    return build({"path": path, "hold_seconds": HOLD_SECONDS, **more}, context)


@pytest.fixture(name="pn532")
def fixture_pn532(tmp_path: Path) -> Iterator[PtyPn532]:
    with PtyPn532(tmp_path / "nfc") as simulator:
        yield simulator


@pytest.fixture(name="simulator", params=["pn532", "udp"])
def fixture_simulator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Simulator]:
    with PtyPn532(tmp_path / "nfc") if request.param == "pn532" else UdpNfc() as made:
        yield made


@pytest.fixture(name="counter")
def fixture_counter(simulator: Simulator) -> Iterator[Counter]:
    with Counter(simulator, configured(simulator)) as serving:
        yield serving
