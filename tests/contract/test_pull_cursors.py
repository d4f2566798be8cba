"""What the pull does with a cursor that central does not take, and with an end of a page that cannot be true."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from sync.backoff import Backoff, Pace
from sync.feed_store import FeedLine, FeedState
from sync.pull import WAIT_SECONDS
from tests.support_central import eventually, problem
from tests.support_pull import Reading, WallAt
from tests.support_replica import NOW_MS, as_page, gone, price, price_key, put


@pytest.mark.parametrize("feed", ["prices", "staff"])
@pytest.mark.parametrize("refusal", [(400, "invalid"), (410, "cursor-expired")], ids=str)
async def test_a_cursor_that_central_does_not_take_leads_to_a_fresh_copy(tmp_path: Path, feed: str, refusal: tuple[int, str]) -> None:
    """A page lied: its rows are there, and central does not know the cursor it ended at."""
    reading = Reading(tmp_path, (feed,))
    row = price("A", 999)
    line = put(price_key(row), row) if feed == "prices" else put("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []})
    reading.shop.change(feed, line)
    reading.replica.apply(feed, [], FeedState("nobody's", "", NOW_MS))
    good = reading.shop.feed

    async def strict(request: httpx.Request) -> httpx.Response:
        return problem(*refusal) if request.url.params["after"] == "nobody's" else await good(request)

    reading.central.routes["/edge/v1/feeds/"] = strict
    async with reading.running():
        await reading.current()
    assert reading.replica.catalogue.prices("A") or reading.replica.people.operator("1001")
    await reading.close()


@pytest.mark.parametrize("refusal", [(400, "invalid"), (410, "cursor-expired")], ids=str)
async def test_a_central_that_takes_no_cursor_is_not_copied_in_a_busy_loop(tmp_path: Path, refusal: tuple[int, str]) -> None:
    reading = Reading(tmp_path, ("staff",))
    reading.pull._pace = Pace(base=0.001, cap=30.0)
    reading.replica.apply("staff", [], FeedState("nobody's", "", NOW_MS))
    reading.shop.change("staff", put("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []}))
    copies = 0
    good = reading.shop.feed

    async def stubborn(request: httpx.Request) -> httpx.Response:
        nonlocal copies
        copies += not request.url.params["after"]
        return problem(*refusal) if request.url.params["after"] else await good(request)

    reading.central.routes["/edge/v1/feeds/"] = stubborn
    waits: list[float] = []
    turn = reading.pull._turn

    async def noted(feed: str, backoff: Backoff) -> float:
        waits.append(await turn(feed, backoff))
        return waits[-1]

    reading.pull._turn = noted  # type: ignore[method-assign]
    async with reading.running():
        await eventually(lambda: any(waits), "it waits")
        assert reading.reports[-1].phase == "waiting"
        assert "cursor" in reading.reports[-1].problem
    assert (copies, waits[0]) == (1, 0.0)
    assert 20 < waits[1] <= 30
    assert reading.replica.people.operator("1001") is not None, "the copy is there, and is sold from"
    await reading.close()


async def test_a_request_without_a_cursor_that_central_refuses_is_told_as_it_is(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("staff",))

    async def refusing(request: httpx.Request) -> httpx.Response:
        return problem(400, "invalid")

    reading.central.routes["/edge/v1/feeds/"] = refusing
    async with reading.running():
        await eventually(lambda: any("because invalid" in report.problem for report in reading.reports), "it is told")
    assert reading.replica.state("staff").cursor is None
    await reading.close()


DAY_MS = 24 * 3_600_000
BROKEN_ENDS = {
    "no cursor": {"cursor": ""},
    "an endless cursor": {"cursor": "x" * 1_025},
    "as of 1970": {"asOfMs": 0},
    "as of the day after tomorrow": {"asOfMs": NOW_MS + 2 * DAY_MS},
    "as of the year 9999": {"asOfMs": 253_402_300_799_999},
}


def ending(rows: list[FeedLine], **end: object) -> bytes:
    *lines, last = as_page(rows, "at-1").splitlines()
    return b"\n".join([*lines, json.dumps(json.loads(last) | end).encode()]) + b"\n"


@pytest.mark.parametrize("at_first", [True, False], ids=["at first", "later"])
@pytest.mark.parametrize("broken", BROKEN_ENDS.values(), ids=BROKEN_ENDS)
async def test_a_page_whose_end_cannot_be_true_changes_nothing(tmp_path: Path, broken: dict[str, object], at_first: bool) -> None:
    reading = Reading(tmp_path, ("staff",))
    reading.pull._clock = WallAt(NOW_MS)  # as central's, by the Date of its answers
    row = put("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []})
    if not at_first:
        reading.replica.apply("staff", [row], FeedState("at-0", "", NOW_MS))

    async def feed(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=ending([gone("s1")], **broken), headers={"content-type": "application/x-ndjson"})

    reading.central.routes["/edge/v1/feeds/"] = feed
    async with reading.running():
        await eventually(lambda: any(report.phase == "waiting" for report in reading.reports), "it is told")
    assert reading.replica.state("staff") == (FeedState() if at_first else FeedState("at-0", "", NOW_MS))
    assert (reading.replica.people.operator("1001") is None) == at_first
    await reading.close()


@pytest.mark.parametrize("end", [{"cursor": "x" * 1_024}, {"asOfMs": NOW_MS + DAY_MS}, {"asOfMs": 1}], ids=str)
async def test_a_page_whose_end_may_just_be_true_is_taken(tmp_path: Path, end: dict[str, object]) -> None:
    reading = Reading(tmp_path, ("staff",))
    reading.pull._clock = WallAt(NOW_MS)
    row = put("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []})

    async def feed(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=ending([row] if not request.url.params["after"] else [], **end), headers={"content-type": "application/x-ndjson"})

    reading.central.routes["/edge/v1/feeds/"] = feed
    async with reading.running():
        await eventually(lambda: reading.replica.state("staff").cursor is not None, "it is taken")
    await reading.close()


async def test_a_register_whose_clock_is_years_behind_believes_centrals(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("staff",))
    reading.pull._clock = WallAt(NOW_MS - 2_000 * DAY_MS)
    reading.shop.change("staff", put("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []}))
    async with reading.running():
        await reading.current()
    await reading.close()


async def test_the_first_question_after_a_failure_is_answered_soon_so_that_nothing_is_said_to_wait_any_more(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("staff",))
    reading.replica.apply("staff", [], FeedState("at-0", "", NOW_MS))
    waits: list[int] = []

    async def feed(request: httpx.Request) -> httpx.Response:
        waits.append(int(request.url.params["wait"]))
        if len(waits) == 2:
            return httpx.Response(503)
        await asyncio.sleep(0.01 if len(waits) < 5 else 60)
        return httpx.Response(200, content=as_page([], "at-0", more=False), headers={"content-type": "application/x-ndjson"})

    reading.central.routes["/edge/v1/feeds/"] = feed
    async with reading.running():
        await eventually(lambda: len(waits) >= 4, "it is asked again")
        assert (waits[2], waits[3]) == (1, WAIT_SECONDS)
    await reading.close()
