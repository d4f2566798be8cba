"""Small fakes and waiting that several tests share."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable

import pytest

from drivers.contract import DeviceReport, DeviceState
from edge_agent.domain.reading import Reading


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 5.0) -> None:
    """Wait for ``condition``, polling; AssertionError with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {seconds} s: {what}"
        time.sleep(0.002)


class HalfRandom:
    """A Random without chance: zeros, and the middle of every range."""

    def token_bytes(self, count: int) -> bytes:
        return bytes(count)

    def fraction(self) -> float:
        return 0.5


class Listener:
    """Keeps the readings and reports that a supervisor tells, and waits for them."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.reports: list[DeviceReport] = []
        self._news = threading.Condition()

    def reading(self, reading: Reading) -> None:
        with self._news:
            self.readings.append(reading)
            self._news.notify_all()

    def report(self, report: DeviceReport) -> None:
        with self._news:
            self.reports.append(report)
            self._news.notify_all()

    def wait_readings(self, count: int, seconds: float = 5.0) -> list[Reading]:
        """The readings once there are ``count``; AssertionError after ``seconds``."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.readings) >= count, seconds), f"{len(self.readings)} of {count} readings"
            return list(self.readings)

    def wait_state(self, name: str, state: DeviceState, *, reason: str = "", generation: int = 0, seconds: float = 5.0) -> DeviceReport:
        """The newest report of ``name`` once it has ``state`` (and ``reason``, and at least ``generation``); AssertionError after ``seconds``."""

        def newest() -> DeviceReport | None:
            return next((report for report in reversed(self.reports) if report.name == name), None)

        def there() -> bool:
            report = newest()
            return report is not None and report.state is state and reason in ("", report.reason) and report.generation >= generation

        with self._news:
            assert self._news.wait_for(there, seconds), f"{name} is not {state}, {reason}: {newest()}"
            report = newest()
            assert report is not None
            return report

    def states(self, name: str) -> list[tuple[str, str]]:
        """Every (state, reason) that was reported for ``name``, oldest first."""
        with self._news:
            return [(report.state.value, report.reason) for report in self.reports if report.name == name]


def need_program(name: str, package: str) -> str:
    """The path of a program that we did not write; without it the test is skipped, or fails where EDGE_REQUIRE_PEERS=1 says that it has to be there."""
    found = shutil.which(name)
    if found is None:
        reason = f"{name} is not installed (Debian package {package})"
        if os.environ.get("EDGE_REQUIRE_PEERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found
