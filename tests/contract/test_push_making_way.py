"""What has piled up is sent without standing in the counter's way: small batches and rests while somebody sells, and few words about it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.ports import Link
from edge_agent.service.core import IN_USE_SECONDS
from sync.backoff import Pace
from sync.push import IN_USE_FACTS_MAX
from tests.support_central import eventually
from tests.support_push import QUICK, Till, a_till
from tests.support_shop import register


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    async with a_till(tmp_path, replace(QUICK, rest=0.2, telling=30.0)) as made:
        yield made


async def test_while_the_counter_is_in_use_batches_are_small_with_rests_between_them(till: Till) -> None:
    await asyncio.gather(*(till.sell(1) for _ in range(3 * IN_USE_FACTS_MAX + 10)))
    till.in_use = True
    began = time.monotonic()
    till.start()
    await till.in_step()
    assert time.monotonic() - began >= 3 * 0.2
    till.same_as_central()
    assert [len(batch) for batch in till.central.batches] == [IN_USE_FACTS_MAX] * 3 + [10]


async def test_a_counter_that_is_left_alone_lets_the_rest_go_at_once(till: Till) -> None:
    await asyncio.gather(*(till.sell(1) for _ in range(4 * IN_USE_FACTS_MAX)))
    till.in_use = True
    till.start()
    await eventually(lambda: till.central.batches, "the first batch")
    till.in_use = False
    await till.in_step()
    assert [len(batch) for batch in till.central.batches] == [IN_USE_FACTS_MAX, 3 * IN_USE_FACTS_MAX]


async def test_a_sale_made_just_now_is_told_at_once(tmp_path: Path) -> None:
    async with a_till(tmp_path, replace(QUICK, rest=600.0)) as till:  # a batch that took all there was is followed by no rest
        till.in_use = True
        till.start()
        await till.in_step()
        for _ in range(5):
            await till.sell(8)
            await till.in_step()
        assert len(till.central.batches) >= 5


async def test_while_facts_are_sent_their_number_is_told_now_and_then_and_the_end_at_once(till: Till) -> None:
    await asyncio.gather(*(till.sell(1) for _ in range(1_500)))
    till.start()
    await till.in_step()
    told = [(report.link, report.waiting) for report in till.reports]
    assert told == [(Link.SENDING, 1_500), (Link.IN_STEP, 0)]
    assert len(till.central.batches) >= 3


class MovedClock:
    """Monotonic time that a test moves; wall time is real."""

    def __init__(self) -> None:
        self.passed = 1_000.0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return self.passed


async def test_the_counter_is_in_use_from_an_act_until_a_little_later(tmp_path: Path) -> None:
    clock = MovedClock()
    async with register(tmp_path, clock=clock) as rig:
        await rig.till.day.open("1001", 0, "")
        clock.passed += IN_USE_SECONDS
        assert not rig.core.in_use()
        await rig.till.counter.add("COAT", "1", "")
        assert rig.core.in_use()
        clock.passed += IN_USE_SECONDS - 0.1
        assert rig.core.in_use()
        clock.passed += 0.1
        assert not rig.core.in_use()


async def test_what_waits_behind_a_fact_that_is_held_up_is_told_at_once(tmp_path: Path) -> None:
    async with a_till(tmp_path, Pace(base=60.0, cap=60.0, idle=60.0, telling=600.0)) as till:  # no later try tells it
        till.central.proxy_bytes_max = 30_000
        await till.sell(1, filler=os.urandom(30_000).hex())
        till.start()
        await eventually(lambda: till.reports and till.reports[-1].reason == "too_large_on_the_way", "it is said")
        for count in range(2, 6):
            await till.sell(1)
            await eventually(lambda count=count: till.reports[-1].waiting == count, "the number is told")
