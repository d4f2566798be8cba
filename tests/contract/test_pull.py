"""What the pull promises, over HTTP, against a central whose network loses, cuts off and falsifies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sync.backoff import Backoff, Pace
from sync.feed_store import FeedState
from sync.pull import QUICK_MAX, QUICK_SECONDS
from tests.support_central import eventually, html, problem
from tests.support_pull import Reading
from tests.support_replica import NOW_MS, article, as_page, customer, gone, gtin, many_articles, price, price_key, put


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


async def test_only_the_tag_of_a_page_without_rows_is_for_the_same_question_again(reading: Reading) -> None:
    reading.shop.change("staff", put("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []}))
    async with reading.running():
        await eventually(lambda: '"1-1"' in reading.shop.named, "tags are used")
        reading.shop.change("staff", put("s2", {"id": "s2", "name": "Bea", "badge": "1002", "rights": []}))
        await eventually(lambda: '"2-2"' in reading.shop.named, "they are used behind the news as well")
    assert reading.shop.named == {'"0-0"', '"1-1"', '"2-2"'}


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


@pytest.mark.parametrize("apart", [1, 7_000])
async def test_what_changes_while_a_feed_is_read_from_its_beginning_holds_as_it_was_last_said(tmp_path: Path, apart: int) -> None:
    reading = Reading(tmp_path, ("catalogue", "prices"))

    async def none(request: httpx.Request) -> httpx.Response:
        return problem(404, "not-found")

    reading.central.routes["/edge/v1/snapshots/"] = none
    first, again, withdrawn = "TS-0000000", "TS-0000001", "TS-0000002"
    changes = [gone(first), put(again, article(again, "Polo", gtin(9_999_999))), gone(withdrawn), put(withdrawn, article(withdrawn, "Back")), gone("never")]
    reading.shop.change("catalogue", *many_articles(apart + 2), *changes, *many_articles(6_000, first=10_000))
    prices = [price(again, 1999), price(first, 500), price(again, 999)]
    reading.shop.change("prices", *(put(price_key(row), row) for row in prices), gone(price_key(prices[1])))
    async with reading.running():
        await reading.current()
    catalogue = reading.replica.catalogue
    assert catalogue.by_sku(first) is None
    assert catalogue.by_gtin(gtin(0)) is None, "what was withdrawn is not sold"
    assert [one.name for one in (catalogue.by_sku(again), catalogue.by_sku(withdrawn)) if one] == ["Polo", "Back"]
    assert catalogue.by_gtin(gtin(1)) is None
    assert catalogue.by_gtin(gtin(15_999)) is not None
    assert [one.sku for one in catalogue.find("TS-0015999", 5)] == ["TS-0015999"]
    assert [one.sku for one in catalogue.find("polo", 5)] == [again]
    assert [row.amount_minor for row in catalogue.prices(again)] == [999]
    assert catalogue.prices(first) == []
    assert all(report.refused == 0 for report in reading.reports)
    await reading.close()


@pytest.mark.parametrize("ends", [["at-0"], ["at-0+"], ["at-1+", "at-0+"], ["at-1+", "at-2+", "at-1+"]], ids=" ".join)
async def test_a_feed_that_leads_nowhere_is_told_and_waited_for(tmp_path: Path, ends: list[str]) -> None:
    """Each page has rows; a plus says that more follow. The cursor of each is the page that is asked for next, without end."""
    reading = Reading(tmp_path, ("staff",))
    reading.pull._pace = Pace(base=3600.0, cap=3600.0)
    row = put("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []})
    reading.replica.apply("staff", [], FeedState("at-0", "", NOW_MS))
    pages = 0

    async def feed(request: httpx.Request) -> httpx.Response:
        nonlocal pages
        end = ends[pages % len(ends)]
        pages += 1
        return httpx.Response(200, content=as_page([row], end.rstrip("+"), more=end.endswith("+")), headers={"content-type": "application/x-ndjson"})

    reading.central.routes["/edge/v1/feeds/"] = feed
    async with reading.running():
        await eventually(lambda: any("does not move on" in report.problem for report in reading.reports), "it is told")
        for _ in range(3):
            before = pages
            reading.pull.retry_now()
            await eventually(lambda before=before: pages > before, "it is asked again")
            await eventually(lambda: reading.reports[-1].phase == "waiting", "it is waited for again")
    assert pages <= len(ends) + 1 + 3 * len(ends)
    await reading.close()


async def test_a_feed_that_is_read_from_its_beginning_and_leads_nowhere_is_told(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("staff",))
    ends = ["at-1", "at-2", "at-1"]

    async def feed(request: httpx.Request) -> httpx.Response:
        ends.append(ends.pop(0))
        return httpx.Response(200, content=as_page([], ends[-1], more=True), headers={"content-type": "application/x-ndjson"})

    reading.central.routes["/edge/v1/feeds/"] = feed
    async with reading.running():
        await eventually(lambda: any("does not move on" in report.problem for report in reading.reports), "it is told")
    assert reading.replica.state("staff").cursor is None
    await reading.close()


async def test_a_central_that_always_has_news_is_not_asked_in_a_busy_loop(tmp_path: Path) -> None:
    reading = Reading(tmp_path, ("staff",))
    reading.pull._pace = Pace(base=3600.0, cap=3600.0)
    reading.replica.apply("staff", [], FeedState("at-0", "", NOW_MS))
    pages = 0

    async def feed(request: httpx.Request) -> httpx.Response:
        nonlocal pages
        pages += 1
        row = put("s1", {"id": "s1", "name": f"Ada {pages}", "badge": "1001", "rights": []})
        return httpx.Response(200, content=as_page([row], f"at-{pages}", more=False), headers={"content-type": "application/x-ndjson"})

    waits: list[float] = []
    turn = reading.pull._turn

    async def noted(feed: str, backoff: Backoff) -> float:
        waits.append(await turn(feed, backoff))
        return waits[-1]

    reading.pull._turn = noted  # type: ignore[method-assign]
    reading.central.routes["/edge/v1/feeds/"] = feed
    async with reading.running():
        await eventually(lambda: any(waits), "it pauses")
    assert waits == [0.0] * QUICK_MAX + [QUICK_SECONDS]
    found = reading.replica.people.operator("1001")
    assert found is not None
    assert found.name == f"Ada {pages}"
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
