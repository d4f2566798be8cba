"""A replica with its pull, beside feeds as a central keeps them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import zstandard

from edge_agent.clock import SystemClock, SystemRandom
from sync.backoff import Pace
from sync.feed_store import FeedLine
from sync.pull import FeedReport, Pull
from sync.replica import Replica
from tests.support_central import FakeCentral, eventually, problem
from tests.support_journal import KEY
from tests.support_replica import NOW_MS, as_page

QUICK = Pace(base=0.002, cap=0.01, idle=5.0, frozen=5.0)


class WallAt(SystemClock):
    """A clock whose wall time stands still."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms


class Shop:
    """Feeds as a central keeps them: rows by key, a log of changes, snapshots as files."""

    def __init__(self, central: FakeCentral) -> None:
        self.log: dict[str, list[FeedLine]] = {feed: [] for feed in ("catalogue", "prices", "customers", "carts", "staff")}
        self.news = asyncio.Event()
        self.oldest = 0
        self.page_rows = 1_000
        self.snapshots: dict[str, bytes] = {}
        self.snapshot_sizes: list[tuple[int, int]] = []
        self.cut_at = 0
        self.mangle: list[bytes] = []
        self.pages = 0
        self.etags = 0
        self.named: set[str] = set()
        """The tags that were asked with."""
        central.routes["/edge/v1/feeds/"] = self.feed
        central.routes["/edge/v1/snapshots/"] = self.snapshot

    def change(self, feed: str, *lines: FeedLine) -> None:
        self.log[feed] += lines
        self.news.set()
        self.news = asyncio.Event()

    async def feed(self, request: httpx.Request) -> httpx.Response:
        name, after = request.url.path.rsplit("/", 1)[1], request.url.params["after"]
        start = int(after.removeprefix("at-") or 0)
        self.pages += 1
        if after and start < self.oldest:
            return problem(410, "cursor-expired")
        if start == len(self.log[name]) and request.url.params["wait"] != "0":
            try:
                async with asyncio.timeout(0.2):
                    await self.news.wait()
            except TimeoutError:
                pass
        rows = self.log[name][start : start + self.page_rows]
        end = start + len(rows)
        etag = f'"{start}-{end}"'
        self.named |= {request.headers["if-none-match"]} if "if-none-match" in request.headers else set()
        if request.headers.get("if-none-match") == etag:
            self.etags += 1
            return httpx.Response(304, headers={"etag": etag, "date": "Sun, 22 Nov 2026 23:00:09 GMT"})
        body = as_page(rows, f"at-{end}", more=end < len(self.log[name]))
        if self.mangle:
            body = self.mangle.pop(0)
        return httpx.Response(200, content=body, headers={"content-type": "application/x-ndjson", "etag": etag})

    async def snapshot(self, request: httpx.Request) -> httpx.Response:
        feed, _, name = request.url.path.removeprefix("/edge/v1/snapshots/").partition("/")
        if not name:
            rows = [msgspec.json.encode(line) + b"\n" for line in {line.key: line for line in self.log[feed]}.values() if line.put is not None]
            body = self.snapshots[feed] = zstandard.ZstdCompressor().compress(b"".join(rows))
            manifest = {
                "feed": feed, "schema": 1, "cursor": f"at-{len(self.log[feed])}", "sha256": hashlib.sha256(body).hexdigest(), "size": len(body),
                "rows": len(rows), "issuedMs": NOW_MS, "url": f"/edge/v1/snapshots/{feed}/file",
            }  # fmt: skip
            return httpx.Response(200, json=manifest)
        body = self.snapshots[feed]
        first = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        last = min(len(body), first + (self.cut_at or len(body)))
        self.snapshot_sizes.append((first, last))
        headers = {"content-range": f"bytes {first}-{last - 1}/{len(body)}", "content-type": "application/zstd"}
        return httpx.Response(206, content=body[first:last], headers=headers)


class Reading:
    """A replica, a shop and the pull between them."""

    def __init__(self, folder: Path, feeds: tuple[str, ...] = ("catalogue", "prices", "customers", "carts", "staff")) -> None:
        self.central = FakeCentral()
        self.shop = Shop(self.central)
        self.replica = Replica(folder, KEY, SystemClock())
        self.reports: list[FeedReport] = []
        self.changed: list[str] = []
        self.connector = self.central.connector()
        self.pull = Pull(self.connector, self.replica, feeds, folder, SystemClock(), SystemRandom(), self.reports.append, self.changed.append, QUICK)
        self.feeds = feeds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.pull.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def current(self) -> None:
        def reached() -> bool:
            return all(self.replica.state(feed).cursor == f"at-{len(self.shop.log[feed])}" for feed in self.feeds)

        await eventually(reached, "every feed is in step")

    async def close(self) -> None:
        await self.connector.aclose()
        self.replica.close()
