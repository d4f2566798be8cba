"""What every driver promises, whatever its device: run over real bytes against each device's simulator.

A new device kind joins by a rig: a context manager that gives a ``Rig``, added to ``RIGS``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers.contract import Driver, Hands
from drivers.load import DriverContext, kinds, load_driver
from drivers.simulators.pn532 import PtyPn532
from drivers.simulators.receipt_printer import ReceiptPrinterSimulator
from drivers.simulators.serial_scanner import PtyScanner
from drivers.simulators.tags import Type2Tag, text_message
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import ConfigError, DeviceAbsent, DeviceLost
from edge_agent.domain.reading import Reading
from tests.support import HalfRandom, wait_until

STOP_SECONDS_MAX = 0.5


@dataclass(frozen=True)
class Rig:
    """One simulated device. ``plug`` and ``unplug`` are the cable; ``act`` makes it read something, and is None where it never reads."""

    kind: str
    config: Mapping[str, object]
    plug: Callable[[], None]
    unplug: Callable[[], None]
    act: Callable[[], None] | None = None


@contextmanager
def serial_scanner(folder: Path) -> Iterator[Rig]:
    with PtyScanner(folder / "scanner") as scanner:
        scanner.unplug()
        yield Rig("serial_scanner", {"port": scanner.path}, scanner.plug, scanner.unplug, lambda: scanner.scan("4006381333931", aim="]E0"))


@contextmanager
def nfc_reader(folder: Path) -> Iterator[Rig]:
    with PtyPn532(folder / "reader") as reader:
        reader.unplug()
        config = {"path": f"port:{reader.path}", "technologies": ["106A"]}
        yield Rig(
            "nfc_reader", config, reader.plug, reader.unplug, lambda: reader.put_tag(Type2Tag(bytes.fromhex("04a1b2c3d4e580"), text_message("4006381333931")))
        )


@contextmanager
def receipt_printer(folder: Path) -> Iterator[Rig]:
    with ReceiptPrinterSimulator(SystemClock()) as printer:
        config = {"host": "127.0.0.1", "port": printer.port}
        printer.unplug()
        yield Rig("receipt_printer", config, printer.plug, printer.unplug)


RIGS: list[Callable[[Path], AbstractContextManager[Rig]]] = [serial_scanner, nfc_reader, receipt_printer]


@pytest.fixture(params=RIGS, ids=lambda rig: rig.__name__)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with request.param(tmp_path) as made:
        yield made


def driver_of(rig: Rig, **more: object) -> Driver:
    context = DriverContext(clock=SystemClock(), random=HalfRandom(), name="the-device", where="edge.toml [devices.the-device]")
    return load_driver(rig.kind, {**rig.config, **more}, context)


@dataclass
class Serving:
    """A session in a thread, as the supervisor runs it."""

    driver: Driver
    generation: int = 1
    readings: list[Reading] = field(default_factory=list)
    ended_with: list[BaseException | None] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Serving:
        self.driver.open()
        clock = SystemClock()
        hands = Hands(self.readings.append, lambda reason, detail: None, self.stop, clock.now_ms, clock.monotonic, self.generation)
        self._thread = threading.Thread(target=self._run, args=(hands,))
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop.set()
        self._thread.join(5.0)
        assert not self._thread.is_alive(), "serve did not end"
        self.driver.close()

    def ended(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self, hands: Hands) -> None:
        try:
            self.driver.serve(hands)
        except BaseException as error:  # handed to the test's own thread
            self.ended_with.append(error)
        else:
            self.ended_with.append(None)


def test_every_kind_has_a_rig() -> None:
    assert {rig.__name__ for rig in RIGS} == set(kinds())


def test_a_driver_says_who_it_is(rig: Rig) -> None:
    driver = driver_of(rig)
    assert (driver.name, driver.kind) == ("the-device", rig.kind)


def test_an_unknown_key_is_refused_with_where_and_what(rig: Rig) -> None:
    with pytest.raises(ConfigError) as caught:
        driver_of(rig, colour="blue")
    assert "edge.toml [devices.the-device]" in caught.value.message
    assert "colour" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("wrong", [7, True, [], {}])
def test_a_value_of_another_type_is_refused_for_every_key(rig: Rig, wrong: object) -> None:
    for key, right in rig.config.items():
        if not isinstance(wrong, type(right)):
            with pytest.raises(ConfigError, match=key):
                driver_of(rig, **{key: wrong})


def test_what_is_not_there_is_absent(rig: Rig) -> None:
    driver = driver_of(rig)
    with pytest.raises(DeviceAbsent) as caught:
        driver.open()
    assert caught.value.hint
    driver.close()


def test_close_may_come_at_any_time_and_twice(rig: Rig) -> None:
    driver = driver_of(rig)
    driver.close()
    rig.plug()
    driver.open()
    driver.close()
    driver.close()


def test_it_serves_until_it_is_told_to_stop_and_then_soon_stops(rig: Rig) -> None:
    rig.plug()
    driver = driver_of(rig)
    assert driver.present()
    with Serving(driver) as serving:
        assert not serving.ended(0.1)
        serving.stop.set()
        assert serving.ended(STOP_SECONDS_MAX + 1.0)
    assert serving.ended_with == [None]


def test_a_reading_names_its_device_and_its_session_and_shows_no_content(rig: Rig) -> None:
    rig.plug()
    with Serving(driver_of(rig), generation=7) as serving:
        if rig.act is None:  # a device that only writes has nothing to say by itself
            assert not serving.ended(0.05)
            assert serving.readings == []
            return
        rig.act()
        wait_until(lambda: len(serving.readings) == 1, "one reading")
    reading = serving.readings[0]
    assert (reading.device, reading.generation) == ("the-device", 7)
    assert abs(reading.at_ms - SystemClock().now_ms()) < 60_000
    assert reading.payload == b"4006381333931"
    assert "4006381333931" not in repr(reading)


def test_a_pulled_plug_ends_the_session_as_lost_and_a_new_plug_opens_again(rig: Rig) -> None:
    rig.plug()
    driver = driver_of(rig)
    with Serving(driver) as serving:
        rig.unplug()
        assert serving.ended(5.0)
    (ended_with,) = serving.ended_with
    assert isinstance(ended_with, DeviceLost)
    assert ended_with.hint
    rig.plug()
    wait_until(driver.present, "present after a new plug")
    with Serving(driver, generation=2) as again:
        if rig.act is not None:
            rig.act()
            wait_until(lambda: len(again.readings) == 1, "a reading in the second session")
        assert not again.ended(0.05)
