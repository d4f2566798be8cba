"""A central that stops in the middle, with its connections open: the register does not go on saying that it is in step with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.ports import Link
from sync.backoff import Pace
from sync.feed_store import FeedState
from sync.link import PageAnswer, Unchanged
from sync.pull import WAIT_SECONDS, Pull
from tests.support_central import eventually
from tests.support_push import a_till

PACE = Pace(base=0.002, cap=0.01, idle=60.0, frozen=5.0, quiet=0.2, answer=0.1)


async def test_a_central_that_answers_nothing_any_more_is_found_out_without_any_news(tmp_path: Path) -> None:
    async with a_till(tmp_path, PACE) as till:
        till.start()
        await till.in_step()
        till.central.calm.clear()  # it accepts, and never answers
        began = asyncio.get_running_loop().time()
        await eventually(lambda: till.push.report.link is Link.OFFLINE, "it is not in step any more")
        assert asyncio.get_running_loop().time() - began < 5.0, "long before the idle question, and before that is given up"
        assert till.links()[-2:] == [("in_step", ""), ("offline", "unreachable")]
        till.central.calm.set()
        await till.in_step("its answer, late as it is, says that it is there")
        assert till.links()[-3:] == [("in_step", ""), ("offline", "unreachable"), ("in_step", "")]


def test_the_default_pace_finds_it_out_within_eleven_seconds() -> None:
    assert Pace().quiet + Pace().answer <= 11.0


async def test_while_central_is_heard_of_otherwise_it_is_not_asked(tmp_path: Path) -> None:
    async with a_till(tmp_path, PACE) as till:
        till.start()
        await till.in_step()
        asked = len(till.central.requests)
        for _ in range(40):
            till.push.heard()
            await asyncio.sleep(PACE.quiet / 10)
        assert len(till.central.requests) == asked
        await eventually(lambda: len(till.central.requests) > asked, "once nothing is heard, it is asked")


async def test_a_quiet_central_that_is_there_stays_in_step_without_a_word(tmp_path: Path) -> None:
    async with a_till(tmp_path, PACE) as till:
        till.start()
        await till.in_step()
        asked, told = len(till.central.requests), len(till.reports)
        await eventually(lambda: len(till.central.requests) >= asked + 3, "it is asked now and again")
        assert len(till.reports) == told


class Waits:
    """Feeds and their copies in one: every question is news-less, and answered when the next one may come."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def state(self, feed: str) -> FeedState:
        return FeedState("cursor", "tag", 1)

    def touch(self, feed: str, as_of_ms: int) -> None:
        """Nothing changed."""

    async def page(self, feed: str, after: str, etag: str = "", wait_seconds: int = 0) -> PageAnswer:
        self.asked.append((feed, wait_seconds))
        if len([one for one in self.asked if one[0] == feed]) > 2:
            await asyncio.Event().wait()
        return Unchanged(1)


async def test_central_is_heard_from_every_few_seconds_and_not_by_all_feeds_at_once(tmp_path: Path) -> None:
    feeds, central = ("catalogue", "prices", "customers", "carts", "staff"), Waits()
    pull = Pull(central, central, feeds, tmp_path, SystemClock(), SystemRandom(), pace=PACE)  # type: ignore[arg-type] # as much of both as is asked here
    task = asyncio.create_task(pull.run())
    try:
        await eventually(lambda: len(central.asked) == 15, "each feed is asked for three times")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    first = {feed: next(wait for asked, wait in central.asked if asked == feed) for feed in feeds}
    assert sorted(first.values()) == [5, 10, 15, 20, WAIT_SECONDS]
    assert [wait for _, wait in central.asked].count(WAIT_SECONDS) == 11
