"""The steps of a terminal on the screen: at most ten changes a second, the newest in the end, and only words that the screen knows."""

from __future__ import annotations

import asyncio

from edge_agent.ports import STEPS, Step
from edge_agent.service.steps import SHOW_SECONDS, ShownSteps
from tests.support_counter import eventually
from tests.unit.test_locale import ENGLISH


async def test_a_flood_is_shown_at_ten_a_second_and_ends_with_the_newest() -> None:
    shown: list[str] = []
    steps, loop = ShownSteps(shown.append), asyncio.get_running_loop()
    began = loop.time()
    for number in range(20_000):
        steps(Step("enter_pin" if number % 2 else "present_card"))
        if number % 500 == 0:
            await asyncio.sleep(0.005)
    steps(Step("remove_card"))
    await eventually(lambda: shown[-1] == "remove_card")
    assert 2 <= len(shown) <= 2 + (loop.time() - began) / SHOW_SECONDS


async def test_the_first_step_is_shown_at_once_and_the_same_one_again_is_no_news() -> None:
    shown: list[str] = []
    steps = ShownSteps(shown.append)
    steps(Step("present_card"))
    assert shown == ["present_card"]
    steps(Step("present_card"))
    await asyncio.sleep(2 * SHOW_SECONDS)
    assert shown == ["present_card"]


async def test_a_step_that_nobody_knows_is_a_moment_please() -> None:
    shown: list[str] = []
    ShownSteps(shown.append)(Step("defragmenting_disk"))
    assert shown == ["processing"]


async def test_after_the_end_nothing_is_shown() -> None:
    shown: list[str] = []
    steps = ShownSteps(shown.append)
    steps(Step("present_card"))
    steps(Step("enter_pin"))
    steps.stop()
    steps(Step("remove_card"))
    await asyncio.sleep(2 * SHOW_SECONDS)
    assert shown == ["present_card"]


def test_the_screen_has_words_for_every_step() -> None:
    assert {f"step.{step}" for step in STEPS} <= set(ENGLISH)
