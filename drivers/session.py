"""One device's life in one thread: ABSENT, OPENING, READY, DEGRADED, LOST, and back."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import TypeVar

import structlog
from msgspec import Struct
from msgspec.structs import replace

from drivers.contract import Counting, DeviceReport, DeviceState, Driver, Hands
from edge_agent.clock import Clock, Random
from edge_agent.domain.errors import DeviceAbsent, DeviceError
from edge_agent.domain.reading import Reading

_T = TypeVar("_T", Reading, DeviceReport)


class Pace(Struct, frozen=True):
    """How often and how long a session waits, in seconds.

    ``presence_seconds`` between looks for a port that is not there. ``backoff_first_seconds`` doubles up to ``backoff_seconds_max``
    with each failure (less up to half of it, at random, so that not all devices of a hub try at once); a session of
    ``steady_seconds`` starts it anew. ``stop_seconds_max`` is how long ``Supervisor.stop`` waits for all devices together.
    """

    presence_seconds: float = 1.0
    backoff_first_seconds: float = 0.5
    backoff_seconds_max: float = 10.0
    steady_seconds: float = 5.0
    stop_seconds_max: float = 3.0


class _Trouble(Struct, frozen=True):
    """Why a device does not work: where it stands now, the stable key, a sentence, what to do, and whether opening it was tried."""

    state: DeviceState
    reason: str
    detail: str
    hint: str
    tried: bool = True


class Session:
    """The supervisor's thread for one driver. A driver's bug (any exception) makes its device LOST with ``driver_failed``, and is retried."""

    def __init__(
        self,
        driver: Driver,
        clock: Clock,
        random: Random,
        on_reading: Callable[[Reading], None],
        on_report: Callable[[DeviceReport], None],
        pace: Pace,
    ) -> None:
        self._driver = driver
        self._clock = clock
        self._random = random
        self._on_reading = on_reading
        self._on_report = on_report
        self._pace = pace
        self._log = structlog.get_logger().bind(device=driver.name, kind=driver.kind)
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._report = DeviceReport(driver.name, driver.kind, DeviceState.ABSENT, generation=0, since_ms=clock.now_ms(), reason="starting")
        self._readings = 0
        self._failures = 0
        self._brief = False  # the last session ended before it was steady
        self._logged_down = False
        self._thread = threading.Thread(target=self._run, name=f"device-{driver.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """End soon; ``ended`` waits for it."""
        self._stop.set()
        self._wake.set()

    def ended(self, deadline: float) -> bool:
        """Whether the thread ended by ``deadline``, in monotonic seconds."""
        if self._thread.ident is not None:  # a thread that was never started has nothing to end
            self._thread.join(max(0.0, deadline - self._clock.monotonic()))
        return not self._thread.is_alive()

    def poke(self) -> None:
        """Try now instead of waiting on."""
        self._wake.set()

    def report(self) -> DeviceReport:
        """How the device stands now."""
        with self._lock:
            report, readings = self._report, self._readings
        return replace(report, readings=readings, dropped=self._driver.dropped if isinstance(self._driver, Counting) else 0)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            trouble = self._attempt()
            if self._stop.is_set():
                return
            self._failures = self._failures + 1 if trouble.tried else 0
            self._down(trouble)
            self._wake.wait(self._wait_seconds(trouble))

    def _attempt(self) -> _Trouble:
        """One life of the device, from looking for it to losing it; what ended it."""
        try:
            if not self._driver.present():
                return replace(self._absent("It is not plugged in.", "Plug it in; it comes back by itself."), tried=False)
            if self._failures == 0:
                self._announce(DeviceState.OPENING)
            try:
                self._driver.open()
                self._serve()
            finally:
                self._driver.close()
        except DeviceAbsent as error:
            return self._absent(error.message, error.hint)
        except DeviceError as error:
            return _Trouble(DeviceState.LOST, error.reason or error.code, error.message, error.hint)
        except Exception as error:  # whatever a driver does, the other devices go on; told without its message, which may quote what was read
            where = traceback.extract_tb(error.__traceback__)[-1]
            detail = f"The driver failed with {type(error).__name__} at {PurePath(where.filename).name}:{where.lineno}."
            return _Trouble(DeviceState.LOST, "driver_failed", detail, "It is tried again by itself; report this if it goes on.")
        return _Trouble(DeviceState.LOST, "session_ended", "The driver ended its session.", "It is tried again by itself.")

    def _serve(self) -> None:
        generation = self._report.generation + 1
        hands = Hands(
            emit=self._emit,
            degraded=self._degraded,
            stop=self._stop,
            now_ms=self._clock.now_ms,
            monotonic=self._clock.monotonic,
            generation=generation,
        )
        self._announce(DeviceState.READY, generation=generation)
        if not self._brief:  # a device that opens and fails over and over is not up yet
            self._up()
        ready_at = self._clock.monotonic()
        try:
            self._driver.serve(hands)
        finally:
            self._brief = self._clock.monotonic() - ready_at < self._pace.steady_seconds
            if not self._brief:
                self._up()
                self._failures = 0

    def _emit(self, reading: Reading) -> None:
        with self._lock:
            self._readings += 1
        self._up()
        self._tell(self._on_reading, reading)

    def _degraded(self, reason: str, detail: str) -> None:
        self._announce(DeviceState.DEGRADED if reason else DeviceState.READY, reason=reason, detail=detail)

    def _absent(self, detail: str, hint: str) -> _Trouble:
        """ABSENT when it never was there; what was LOST stays LOST, which says more."""
        state = DeviceState.LOST if self._report.generation else DeviceState.ABSENT
        return _Trouble(state, DeviceAbsent.code, detail, hint)

    def _wait_seconds(self, trouble: _Trouble) -> float:
        if not trouble.tried:
            return self._pace.presence_seconds
        return backoff_seconds(self._pace, self._failures, self._random.fraction())

    def _up(self) -> None:
        if self._logged_down:
            self._log.info("device up", generation=self._report.generation)
        self._logged_down = False

    def _down(self, trouble: _Trouble) -> None:
        self._announce(trouble.state, reason=trouble.reason, detail=trouble.detail, hint=trouble.hint)
        if not self._logged_down:
            self._log.warning("device down", state=trouble.state.value, reason=trouble.reason, detail=trouble.detail, hint=trouble.hint)
        self._logged_down = True

    def _announce(self, state: DeviceState, *, generation: int | None = None, reason: str = "", detail: str = "", hint: str = "") -> None:
        """Take the new state; tell it when state, reason, generation or the count of dropped frames differ from what was told last."""
        old = self._report
        new = replace(
            old,
            state=state,
            generation=old.generation if generation is None else generation,
            since_ms=old.since_ms if state is old.state else self._clock.now_ms(),
            reason=reason,
            detail=detail,
            hint=hint,
            dropped=self._driver.dropped if isinstance(self._driver, Counting) else 0,
        )
        with self._lock:
            self._report = new
        if (new.state, new.reason, new.generation, new.dropped) != (old.state, old.reason, old.generation, old.dropped):
            self._tell(self._on_report, self.report())

    def _tell(self, callback: Callable[[_T], None], news: _T) -> None:
        """Call back; a listener's bug is not the device's and does not end its session."""
        try:
            callback(news)
        except Exception as error:  # the program outside is at fault: said without its message, which may quote what was read
            if not self._stop.is_set():
                self._log.error("listener failed", news=type(news).__name__, error=type(error).__name__)


def backoff_seconds(pace: Pace, failures: int, fraction: float) -> float:
    """How long to wait after ``failures`` (1 or more) in a row, for a random ``fraction`` from 0 to 1.

    >>> [backoff_seconds(Pace(), failures, 0.0) for failures in range(1, 8)]
    [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    >>> backoff_seconds(Pace(), 1, 0.99) > 0.25, backoff_seconds(Pace(), 10_000, 0.5)
    (True, 7.5)
    """
    doublings = min(failures - 1, 16)
    return min(pace.backoff_first_seconds * (1 << doublings), pace.backoff_seconds_max) * (1 - fraction / 2)
