"""What something between the register and central does not let pass holds up its own stream alone, and is never taken for central's word."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
import zstandard

from edge_agent.ports import Link
from sync.backoff import Pace
from tests.support_central import eventually, html
from tests.support_push import Till, a_till

ON_THE_WAY = "too_large_on_the_way"
PROXY_BYTES_MAX = 20_000
SLOW = Pace(base=0.002, cap=0.01, idle=5.0, frozen=600.0, withhold=0.02)


def noise(count: int) -> str:
    """So many characters that no compression makes smaller than the half."""
    return os.urandom(count // 2).hex()


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    async with a_till(tmp_path, SLOW) as made:
        yield made


def posts(till: Till) -> int:
    return till.central.requests.count(("POST", "/edge/v1/events"))


async def held_up(till: Till) -> None:
    await eventually(lambda: till.push.report.reason == ON_THE_WAY, "it is told")


async def test_a_fact_that_is_too_large_for_a_proxy_holds_up_its_own_stream_alone(till: Till) -> None:
    till.central.proxy_bytes_max = PROXY_BYTES_MAX
    await till.sell(2)
    await till.sell(1, filler=noise(60_000))
    await till.sell(4)
    await till.sell(30, "people")
    await till.sell(3, "ops")
    till.start()
    await held_up(till)
    await eventually(lambda: till.push.report.waiting == 5, "all but the stream's rest is sent")
    assert [till.central.stream(name).next for name in ("trade", "people", "ops")] == [3, 31, 4]
    assert till.push.report.link is Link.SENDING
    await till.sell(2, "people")
    await eventually(lambda: (till.central.stream("people").next, till.push.report.waiting) == (33, 5), "what is added to another stream is sent as well")
    assert (till.push.report.withheld, till.push.report.quarantined) == (0, 0)


async def test_it_is_told_as_what_it_is_with_the_size_of_the_fact_and_who_has_to_see_to_it(till: Till) -> None:
    till.central.proxy_bytes_max = PROXY_BYTES_MAX
    await till.sell(1, filler=noise(60_000))
    size = len(till.journal.facts_after("trade", 0, 1, 1)[0][1])
    till.start()
    await held_up(till)
    assert f"Something on the way to central does not let fact 1 of trade pass, which has {size} bytes" in till.push.report.detail
    assert "Have IT raise the limit" in till.push.report.hint
    assert "unreachable" not in [reason for _, reason in till.links()]


async def test_it_is_tried_again_ever_more_slowly_and_at_once_when_somebody_says_so(till: Till) -> None:
    till.central.proxy_bytes_max = PROXY_BYTES_MAX
    await till.sell(1, filler=noise(60_000))
    till.start()
    await held_up(till)
    tried = posts(till)
    await eventually(lambda: posts(till) >= tried + 5, "it is tried again")
    assert till.journal.withheld_count() == 0
    till.central.proxy_bytes_max = 1 << 30
    till.push.retry_now()
    await till.in_step()
    assert till.push.report.reason == ""
    till.same_as_central()


async def test_however_often_a_proxy_stops_a_fact_it_is_not_withheld(tmp_path: Path) -> None:
    async with a_till(tmp_path, Pace(base=0.0001, cap=0.001, idle=5.0, frozen=0.001, withhold=0.0)) as till:
        till.central.proxy_bytes_max = PROXY_BYTES_MAX
        await till.sell(1, filler=noise(60_000))
        till.start()
        await eventually(lambda: posts(till) > 40, "it is tried often")
        assert till.journal.withheld_count() == 0
        till.central.proxy_bytes_max = 1 << 30
        await till.in_step()
        till.same_as_central()


async def test_what_a_proxy_stopped_does_not_count_when_central_refuses_the_fact_afterwards(tmp_path: Path) -> None:
    async with a_till(tmp_path, Pace(base=0.0001, cap=0.001, idle=5.0, frozen=0.001, withhold=600.0)) as till:
        till.central.proxy_bytes_max = PROXY_BYTES_MAX
        await till.sell(1, filler=noise(60_000))
        till.start()
        await eventually(lambda: posts(till) > 10, "it is tried often")
        till.central.refuses = lambda fact: fact["stream"] == "trade"
        till.central.proxy_bytes_max = 1 << 30
        await eventually(lambda: till.push.report.reason == "fact_refused", "central's own word is told")
        assert till.journal.withheld_count() == 0


async def test_facts_that_stop_on_the_way_in_each_stream_are_all_told(till: Till) -> None:
    till.central.proxy_bytes_max = 10
    for stream in ("trade", "people", "ops"):
        await till.sell(1, stream)
    till.start()
    await eventually(lambda: all(f"fact 1 of {stream}" in till.push.report.detail for stream in ("trade", "people", "ops")), "all are told")


async def test_while_a_fact_is_held_up_central_is_asked_all_the_same_where_it_stands(tmp_path: Path) -> None:
    async with a_till(tmp_path, Pace(base=600.0, cap=600.0, idle=0.01, frozen=600.0)) as till:
        till.central.proxy_bytes_max = PROXY_BYTES_MAX
        await till.sell(1, filler=noise(60_000))
        till.start()
        await held_up(till)
        till.central.frozen = "Stolen"
        await eventually(lambda: till.push.report.link is Link.FROZEN, "that central froze the register is told")
        assert till.push.report.detail == "Stolen"


def a_filter_stops(till: Till, answer: Callable[[], httpx.Response]) -> None:
    """Something on the way lets no batch pass in which it reads a certain word."""
    take = till.central._events

    def filtered(request: httpx.Request, body: bytes) -> httpx.Response:
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)) as reader:
            return answer() if b"<script" in reader.read() else take(request, body)

    till.central._events = filtered  # type: ignore[method-assign]


def a_broken_line() -> httpx.Response:
    raise httpx.ReadError("reset")


@pytest.mark.parametrize("answer", [lambda: html(403), lambda: html(502), a_broken_line], ids=["a filter's page", "a gateway's page", "no answer"])
@pytest.mark.parametrize("stream", ["trade", "people", "ops"])
async def test_a_fact_that_something_on_the_way_does_not_like_lets_the_other_streams_go_on(
    tmp_path: Path, stream: str, answer: Callable[[], httpx.Response]
) -> None:
    others = [name for name in ("trade", "people", "ops") if name != stream]
    async with a_till(tmp_path) as till:
        a_filter_stops(till, answer)
        await till.sell(2, stream)
        await till.sell(1, stream, note="<script>")
        await till.sell(2, stream)
        for other in others:
            await till.sell(7, other)
        till.start()
        await eventually(lambda: all(till.central.stream(other).next == 8 for other in others), "the other streams are sent")
        await eventually(lambda: till.push.report.waiting == 3, "the stream is sent as far as that fact")
        tried = posts(till)
        await eventually(lambda: posts(till) > tried + 4 and till.push.report.link is Link.OFFLINE, "it is tried again, alone, and told")
        told = till.links()
        for other in others:
            await till.sell(3, other)
        await eventually(lambda: all(till.central.stream(other).next == 11 for other in others), "and so is what is added to them")
        await eventually(lambda: till.push.report.waiting == 3, "it is told")
        assert (told[-1][0], till.links()) == ("offline", told), "what is wrong is said once"
        del till.central._events
        await till.in_step()
        till.same_as_central()
        assert till.journal.withheld_count() == 0


@pytest.mark.parametrize("good", ["trade", "people", "ops"])
async def test_two_facts_that_something_on_the_way_does_not_like_do_not_keep_the_third_stream_waiting(till: Till, good: str) -> None:
    a_filter_stops(till, lambda: html(403))
    for stream in {"trade", "people", "ops"} - {good}:
        await till.sell(1, stream, note="<script>")
    await till.sell(20, good)
    till.start()
    await eventually(lambda: till.central.stream(good).next == 21, "the third stream is sent")
    del till.central._events
    await till.in_step()
    till.same_as_central()
