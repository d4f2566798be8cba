"""Keeps every configured device alive: one thread each that opens, serves, closes and tries again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from drivers.contract import Beeper, DeviceReport, Driver
from drivers.session import Pace, Session
from edge_agent.clock import Clock, Random
from edge_agent.domain.reading import Reading

EVERY_DAY: Final = Pace()


class Supervisor:
    """All devices of one register.

    ``on_reading`` and ``on_report`` are called from the devices' threads, in order per device; they must be quick and not raise
    (an asyncio program posts with ``loop.call_soon_threadsafe``). A report comes with every change of state or reason, never for
    a retry that changes nothing. Names of drivers are unique. ``start`` and ``stop`` are called once each, from one thread;
    everything else from any.
    """

    def __init__(
        self,
        drivers: Sequence[Driver],
        clock: Clock,
        random: Random,
        on_reading: Callable[[Reading], None],
        on_report: Callable[[DeviceReport], None],
        *,
        pace: Pace = EVERY_DAY,
    ) -> None:
        names = [driver.name for driver in drivers]
        assert len(set(names)) == len(names), names
        self._clock = clock
        self._pace = pace
        self._beepers = {driver.name: driver for driver in drivers if isinstance(driver, Beeper)}
        self._sessions = {driver.name: Session(driver, clock, random, on_reading, on_report, pace) for driver in drivers}

    def start(self) -> None:
        """Start a thread per device and return at once."""
        for session in self._sessions.values():
            session.start()

    def stop(self) -> tuple[str, ...]:
        """End all sessions; the names of devices that did not end within ``pace.stop_seconds_max`` (their threads die with the process)."""
        for session in self._sessions.values():
            session.ask_to_stop()
        deadline = self._clock.monotonic() + self._pace.stop_seconds_max
        stuck = tuple(name for name, session in self._sessions.items() if not session.ended(deadline))
        if stuck:
            structlog.get_logger().error("devices do not stop", devices=stuck)
        return stuck

    def poke(self, name: str = "") -> None:
        """Something may have been plugged in: try ``name`` (or all) now rather than at the next poll. A session that works is left alone."""
        for session in self._sessions.values() if not name else filter(None, [self._sessions.get(name)]):
            session.poke()

    def reports(self) -> tuple[DeviceReport, ...]:
        """How every device stands now, with its counts, in the order of the configuration."""
        return tuple(session.report() for session in self._sessions.values())

    def beep(self, device: str, good: bool) -> bool:
        """Let ``device`` say good or bad; False where it cannot."""
        beeper = self._beepers.get(device)
        return beeper is not None and beeper.beep(good)
