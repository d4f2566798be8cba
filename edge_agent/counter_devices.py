"""The devices' side of the service: readings from their threads into the till, one after another, and reports for the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog
from msgspec.structs import replace

from drivers.contract import DeviceReport
from edge_agent.domain.reading import Reading
from edge_agent.views import DeviceView

READINGS_WAITING_MAX = 64
"""Readings that wait while one is dealt with; beyond it the newest is refused and the associate told: nobody scans so fast, a stuck device does."""

log = structlog.get_logger(__name__)


class Devices:
    """Hands readings over from device threads to the event loop, in order, and keeps the newest report of every device."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, changed: Callable[[], None], refused: Callable[[], None], dropped: Callable[[str, str], None] = lambda *_: None
    ) -> None:
        """``refused``: readings came too fast. ``dropped``: the device of that name sent what is no reading, for that reason."""
        self._loop = loop
        self._changed = changed
        self._refused = refused
        self._dropped = dropped
        self._reports: dict[str, DeviceReport] = {}
        self._places: dict[str, int] = {}
        self._readings: asyncio.Queue[Reading] = asyncio.Queue(READINGS_WAITING_MAX)
        self._refusing = False

    def expect(self, names: Sequence[str]) -> None:
        """The configured devices in the order in which they are shown, whichever of them is up first."""
        self._places = {name: at for at, name in enumerate(names)}

    def reading(self, reading: Reading) -> None:
        """A device read something. From any thread."""
        self._post(self._enqueue, reading)

    def report(self, report: DeviceReport) -> None:
        """A device's state changed. From any thread."""
        self._post(self._keep, report)

    def _post(self, call: Callable[..., None], value: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, value)

    def _enqueue(self, reading: Reading) -> None:
        """Said once, until all that waited was dealt with: a stuck device sends thousands a second, and a log of them would fill the disk."""
        report = self._reports.get(reading.device)
        if report is not None:  # its own reports come with a change of state only
            self._reports[reading.device] = replace(report, readings=report.readings + 1)
        self._refusing = self._refusing and not self._readings.empty()
        try:
            self._readings.put_nowait(reading)
        except asyncio.QueueFull:
            if not self._refusing:
                self._refusing = True
                log.warning("readings refused", device=reading.device, reason="too_many")
                self._refused()

    def _keep(self, report: DeviceReport) -> None:
        before = self._reports.get(report.name)
        self._reports[report.name] = report
        self._changed()
        if report.dropped > (before.dropped if before is not None else 0):
            self._dropped(report.name, report.reason)

    async def serve(self, scanned: Callable[[Reading], object]) -> None:
        """Deal with readings one after another until cancelled; ``scanned`` is a coroutine function."""
        while True:
            reading = await self._readings.get()
            done = scanned(reading)
            assert asyncio.iscoroutine(done)
            await done

    def reports(self) -> Sequence[DeviceReport]:
        """The newest report of every device, the expected ones in their order, then others as they came."""
        return sorted(self._reports.values(), key=lambda report: self._places.get(report.name, len(self._places)))

    def views(self) -> list[DeviceView]:
        """The same for clients."""
        return [device_view(report) for report in self.reports()]

    def unwell(self, name: str) -> str:
        """Why device ``name`` would not work now, as a key; ``""`` when it would, or was not looked at yet."""
        report = self._reports.get(name)
        return report.reason if report is not None and report.state.value in ("absent", "lost") else ""


def device_view(report: DeviceReport) -> DeviceView:
    """A device's report for clients."""
    return DeviceView(
        report.name,
        report.kind,
        report.state.value,
        report.since_ms,
        report.reason,
        report.detail,
        report.hint,
        report.generation,
        report.readings,
        report.dropped,
    )
