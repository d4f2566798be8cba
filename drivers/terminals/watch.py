"""Keeps an eye on a terminal while nobody pays, and tells how it stands in the words of every other device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from msgspec.structs import replace

from drivers.contract import DeviceReport, DeviceState
from drivers.terminals.contract import Health, TerminalDriver
from edge_agent.clock import Clock

LOOK_SECONDS = 10.0
"""How often a terminal is asked how it is."""


class TerminalWatch:
    """One terminal's state on the status line. ``on_report`` is called on the event loop with every change of state or reason.

    ABSENT: never answered since start. READY: answers, maybe busy. LOST: answered before and does not now; ``since_ms`` says since when.
    """

    def __init__(self, terminal: TerminalDriver, clock: Clock, on_report: Callable[[DeviceReport], None], look_seconds: float = LOOK_SECONDS) -> None:
        self._terminal = terminal
        self._clock = clock
        self._on_report = on_report
        self._look_seconds = look_seconds
        self._wake = asyncio.Event()
        self._log = structlog.get_logger().bind(device=terminal.name, kind=terminal.kind)
        self._report = DeviceReport(terminal.name, terminal.kind, DeviceState.OPENING, generation=0, since_ms=clock.now_ms(), reason="starting")

    @property
    def report(self) -> DeviceReport:
        """How it stood when it was last looked at."""
        return self._report

    async def run(self) -> None:
        """Look now and every ``look_seconds``, until cancelled."""
        while True:
            await self.look()
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    def poke(self) -> None:
        """Look now rather than at the next turn: a payment just said that the terminal is gone, or is back."""
        self._wake.set()

    async def look(self) -> DeviceReport:
        """Ask once, and report what changed."""
        before, now = self._report, self._after(await self._terminal.health())
        if (now.state, now.reason) != (before.state, before.reason):
            self._report = now
            self._tell(before, now)
        return self._report

    def _after(self, health: Health) -> DeviceReport:
        old = self._report
        if health.answers:
            generation = old.generation if old.state is DeviceState.READY else old.generation + 1
            return replace(old, state=DeviceState.READY, generation=generation, since_ms=self._since(DeviceState.READY), reason="", detail="", hint="")
        state = DeviceState.LOST if old.generation else DeviceState.ABSENT
        return replace(old, state=state, since_ms=self._since(state), reason=health.reason, detail=health.detail, hint=health.hint)

    def _since(self, state: DeviceState) -> int:
        """When ``state`` began: another reason for the same state does not begin it anew."""
        return self._report.since_ms if self._report.state is state else self._clock.now_ms()

    def _tell(self, before: DeviceReport, now: DeviceReport) -> None:
        if now.state is not before.state:
            if now.state is DeviceState.READY:
                self._log.info("terminal up", generation=now.generation)
            else:
                self._log.warning("terminal down", reason=now.reason, detail=now.detail, hint=now.hint)
        self._on_report(now)
