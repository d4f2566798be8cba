"""A copy that is still coming in can be closed, and one of more rows than were announced is left: central cannot hold a register up with it."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import httpx
import msgspec
import zstandard

from edge_agent.clock import SystemClock, SystemRandom
from sync.contract.messages import SnapshotManifest
from sync.pull import FeedReport, Pull
from sync.replica import Replica
from tests.contract.test_attack_network import QUICK
from tests.support_central import FakeCentral, eventually
from tests.support_journal import KEY
from tests.support_replica import NOW_MS, as_page, customer, put


async def test_the_copy_can_be_closed_while_a_page_of_it_is_awaited(tmp_path: Path) -> None:
    central, asked = FakeCentral(), asyncio.Event()

    async def feed(request: httpx.Request) -> httpx.Response:
        if not request.url.params["after"]:
            page = as_page([put("c1", customer("c1", "Maria"))], "at-1", more=True)
            return httpx.Response(200, content=page, headers={"content-type": "application/x-ndjson"})
        asked.set()
        await asyncio.sleep(3600)
        raise AssertionError

    central.routes["/edge/v1/feeds/"] = feed
    replica, connector = Replica(tmp_path, KEY, SystemClock()), central.connector()
    pull = Pull(connector, replica, ("customers",), tmp_path, SystemClock(), SystemRandom(), pace=QUICK)
    task = asyncio.create_task(pull.run())
    async with asyncio.timeout(10):
        await asked.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(replica.close)
    await connector.aclose()


async def test_a_snapshot_of_more_rows_than_announced_is_left_where_it_exceeds_them(tmp_path: Path) -> None:
    line = msgspec.json.encode(put("A", {"sku": "A"})) + b"\n"
    body = zstandard.ZstdCompressor().compress(line * 200_000)
    central, reports = FakeCentral(), list[FeedReport]()

    async def snapshot(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/file"):
            return httpx.Response(200, content=body)
        told = SnapshotManifest("catalogue", 1, "c", hashlib.sha256(body).hexdigest(), len(body), 10, NOW_MS, "/edge/v1/snapshots/catalogue/file")
        return httpx.Response(200, content=msgspec.json.encode(told), headers={"content-type": "application/json"})

    central.routes["/edge/v1/snapshots/"] = snapshot
    replica, connector = Replica(tmp_path, KEY, SystemClock()), central.connector()
    pull = Pull(connector, replica, ("catalogue",), tmp_path, SystemClock(), SystemRandom(), reports.append, pace=QUICK)
    task = asyncio.create_task(pull.run())
    try:
        await eventually(lambda: any("has more rows" in report.problem for report in reports), "the copy is refused")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connector.aclose()
        replica.close()
    assert max(report.rows for report in reports) < 10_000
