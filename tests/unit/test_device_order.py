"""Devices are shown in the order in which they are configured, whichever of them is up first, with what they have read so far."""

from __future__ import annotations

import asyncio

from drivers.contract import DeviceReport, DeviceState
from edge_agent.counter_devices import Devices
from edge_agent.domain.reading import Reading


async def test_devices_stand_where_they_are_configured():
    changes: list[int] = []
    devices = Devices(asyncio.get_running_loop(), lambda: changes.append(1), lambda: None)
    devices.expect(["scanner", "nfc", "card"])
    for name in ("card", "somebody_elses", "scanner", "nfc", "card"):
        devices.report(DeviceReport(name, "kind", DeviceState.READY, 1, 0))
    async with asyncio.timeout(5):
        while len(changes) < 5:
            await asyncio.sleep(0)
    assert [view.name for view in devices.views()] == ["scanner", "nfc", "card", "somebody_elses"]


async def test_readings_are_counted_as_they_come_and_a_report_s_own_count_is_the_one_to_go_on_from():
    loop = asyncio.get_running_loop()
    devices = Devices(loop, lambda: None, lambda: None)
    devices.report(DeviceReport("scanner", "kind", DeviceState.READY, 1, 0, readings=3))
    for _ in range(2):
        devices.reading(Reading(b"4006381333931", "scanner", 0))
    devices.reading(Reading(b"4006381333931", "nobody", 0))
    counts: list[int] = []
    loop.call_soon_threadsafe(lambda: counts.append(devices.views()[0].readings))
    devices.report(DeviceReport("scanner", "kind", DeviceState.LOST, 1, 0, readings=6))
    loop.call_soon_threadsafe(lambda: counts.append(devices.views()[0].readings))
    async with asyncio.timeout(5):
        while len(counts) < 2:
            await asyncio.sleep(0)
    assert counts == [5, 6]
