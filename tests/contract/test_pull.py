"""What the pull promises, over HTTP, against a central whose network loses, cuts off and falsifies."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
import zstandard

from edge_agent.clock import SystemClock, SystemRandom
from sync.backoff import Pace
from sync.feed_store import FeedLine
from sync.pull import FeedReport, Pull
from sync.replica import Replica
from tests.support_central import FakeCentral, eventually, html, problem
from tests.support_journal import KEY
from tests.support_replica import NOW_MS, article, as_page, customer, gone, gtin, many_articles, put

QUICK = Pace(base=0.002, cap=0.01, idle=5.0, frozen=5.0)


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


@pytest.fixture
async def reading(tmp_path: Path) -> AsyncIterator[Reading]:
    made = Reading(tmp_path)
    yield made
    await made.close()


async def test_the_first_start_copies_everything_and_then_follows(reading: Reading, tmp_path: Path) -> None:
    reading.shop.change("catalogue", *many_articles(6_000))
    reading.shop.change("customers", *(put(f"k{number}", customer(f"k{number}", f"Name {number}")) for number in range(2_500)))
    async with reading.running():
        await reading.current()
        assert len(reading.replica.people.find("name", 200)) == 100
        assert reading.replica.catalogue.by_gtin(gtin(5_999)) is not None
        reading.shop.change("catalogue", put("NEW", article("NEW", "Polo", gtin(9_999_999))), gone("TS-0000001"))
        reading.shop.change("customers", gone("k1"))
        await reading.current()
        assert reading.replica.catalogue.by_gtin(gtin(9_999_999)) is not None
        assert reading.replica.catalogue.by_sku("TS-0000001") is None
        assert reading.replica.people.customer("k1") is None
        await eventually(lambda: not list(tmp_path.glob("*.part")), "nothing is left lying about")
    assert {report.phase for report in reading.reports if report.feed == "catalogue"} == {"importing", "current"}
    assert (6_000, 6_000) in [(report.rows, report.rows_total) for report in reading.reports]
    assert {"catalogue", "customers"} <= set(reading.changed)
    asked = [path for _, path in reading.central.requests]
    assert not any("/snapshots/customers" in path for path in asked)  # people never lie in a file


async def test_an_answer_without_news_is_asked_for_by_its_tag_and_makes_the_copy_younger(reading: Reading) -> None:
    reading.shop.change("staff", put("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []}))
    async with reading.running():
        await eventually(lambda: reading.shop.etags > 5, "tags are used")
    assert reading.replica.state("staff").as_of_ms == 1_795_388_409_500
    assert reading.shop.pages < 200


@pytest.mark.parametrize("fault", ["lose", "lose_answer", "html", "redirect", "busy", "unauthorised", "error"])
async def test_a_feed_survives_whatever_the_network_does(tmp_path: Path, fault: str) -> None:
    reading = Reading(tmp_path, ("catalogue", "customers"))
    reading.shop.change("catalogue", *many_articles(50))
    reading.shop.change("customers", *(put(f"k{number}", customer(f"k{number}", "Anna")) for number in range(2_100)))
    reading.central.faults.extend([fault] * 5 + [""] * 3 + [fault] * 3)
    async with reading.running():
        await reading.current()
        reading.central.faults.extend([fault] * 4)
        reading.shop.change("catalogue", gone("TS-0000003"))
        await reading.current()
    assert reading.replica.catalogue.by_sku("TS-0000003") is None
    assert reading.replica.catalogue.by_sku("TS-0000004") is not None
    assert reading.replica.people.customer("k2099") is not None
    assert any(report.phase == "waiting" and report.problem for report in reading.reports)
    await reading.close()


async def test_a_page_that_was_cut_off_changes_nothing_and_is_asked_for_again(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("catalogue",))
    reading.shop.change("catalogue", *many_articles(10))
    async with reading.running():
        await reading.current()
        line = put("CUT", article("CUT", "Cut", gtin(77_777)))
        whole = as_page([line, gone("TS-0000001")], "at-12")
        reading.shop.mangle = [whole[: len(whole) // 2], whole.splitlines()[0] + b"\n", html().content]
        reading.shop.change("catalogue", gone("TS-0000002"))
        await reading.current()
    assert reading.replica.catalogue.by_sku("CUT") is None
    assert reading.replica.catalogue.by_sku("TS-0000001") is not None
    assert reading.replica.catalogue.by_sku("TS-0000002") is None
    assert any("cut off" in report.problem for report in reading.reports)
    await reading.close()


async def test_a_cursor_that_central_forgot_leads_to_a_fresh_copy_of_everything(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("catalogue", "customers"))
    reading.shop.change("catalogue", *many_articles(10))
    reading.shop.change("customers", put("k1", customer("k1", "Anna")), put("k2", customer("k2", "Bela")))
    async with reading.running():
        await reading.current()
    reading.shop.log["catalogue"] = [*many_articles(20, first=5), *(gone("never was") for _ in range(9))]
    reading.shop.log["customers"] = [put("k2", customer("k2", "Bela")), *(gone("never was") for _ in range(20))]
    reading.shop.oldest = 15
    async with reading.running():
        await reading.current()
    assert reading.replica.catalogue.by_sku("TS-0000001") is None
    assert reading.replica.catalogue.by_sku("TS-0000024") is not None
    assert reading.replica.people.customer("k1") is None
    assert reading.replica.people.customer("k2") is not None
    await reading.close()


async def test_a_snapshot_is_fetched_in_ranges_taken_up_again_and_checked(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("catalogue",))
    reading.shop.change("catalogue", *many_articles(3_000))
    reading.shop.cut_at = 4_000
    reading.central.faults.extend(["", "", "lose_answer", "", "lose"])
    async with reading.running():
        await reading.current()
    firsts = [first for first, _ in reading.shop.snapshot_sizes]
    assert len(firsts) > 3
    assert max(firsts) > 8_000
    assert firsts.count(0) <= 2  # nothing that had arrived was fetched again
    assert reading.replica.catalogue.by_gtin(gtin(2_999)) is not None
    await reading.close()


async def test_a_snapshot_that_is_not_what_was_announced_is_refused_and_fetched_again(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("catalogue",))
    reading.shop.change("catalogue", *many_articles(100))
    good = reading.shop.snapshot
    spoilt: list[int] = []

    async def spoil(request: httpx.Request) -> httpx.Response:
        answer = await good(request)
        if request.url.path.endswith("/file") and len(spoilt) < 2:
            spoilt.append(1)
            return httpx.Response(206, content=bytes(len(answer.content)), headers=answer.headers)
        return answer

    reading.central.routes["/edge/v1/snapshots/"] = spoil
    async with reading.running():
        await reading.current()
        await eventually(lambda: not list(tmp_path.glob("*.part")), "nothing is left lying about")
    assert any("not the one that was announced" in report.problem for report in reading.reports)
    assert reading.replica.catalogue.by_gtin(gtin(99)) is not None
    await reading.close()


async def test_a_platform_without_snapshots_is_read_from_its_beginning(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("catalogue",))

    async def none(request: httpx.Request) -> httpx.Response:
        return problem(404, "not-found")

    reading.central.routes["/edge/v1/snapshots/"] = none
    reading.shop.change("catalogue", *many_articles(2_500))
    async with reading.running():
        await reading.current()
    assert reading.replica.catalogue.by_gtin(gtin(2_499)) is not None
    assert reading.shop.pages >= 3
    await reading.close()


async def test_a_row_that_cannot_be_read_does_not_hold_up_the_others(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("catalogue",))
    reading.shop.change("catalogue", put("BAD", {"sku": 5}), *many_articles(3))
    async with reading.running():
        await reading.current()
        await eventually(lambda: any(report.refused == 1 for report in reading.reports), "it is counted")
        assert reading.replica.catalogue.by_gtin(gtin(2)) is not None
    await reading.close()


async def test_the_loop_goes_on_while_a_large_copy_comes_in(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("catalogue",))
    reading.shop.change("catalogue", *many_articles(20_000))
    turns = 0
    async with reading.running():
        while reading.replica.state("catalogue").cursor is None:
            await asyncio.sleep(0.001)
            turns += any(report.rows for report in reading.reports)
    assert turns > 10
    await reading.close()
