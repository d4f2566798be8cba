"""The demo's panel by its keys: its ends, what lies under it, and the counter's own keys beside it."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import LoadCart
from tests.support_snapshots import COAT, MARIA, QUESTION, READY, ident, selling
from tests.support_till import Till, World, till
from tui.panel import PanelAction
from tui.screens.confirm import QuestionDialog
from tui.screens.world import PanelScreen

replace = msgspec.structs.replace
SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)])
ASKED = replace(selling(COAT, customer=MARIA), question=QUESTION)


def kinds(counter: Till) -> list[str]:
    return [type(screen).__name__ for screen in counter.app.screen_stack]


@SIZES
async def test_home_end_and_the_page_keys_go_through_a_long_panel(size: tuple[int, int]) -> None:
    world = World()
    world.actions = lambda: [PanelAction(f"act {n}", f"do number {n}", "The world") for n in range(60)]
    async with till(READY, panel=world, size=size) as counter:
        await counter.press("f12")
        await counter.sees("› do number 0")
        await counter.press("end")
        await counter.sees("› do number 59")
        await counter.press("home")
        await counter.sees("› do number 0")
        await counter.press("pagedown")
        await counter.until(lambda: "› do number 0\n" not in counter.text() and "› do number 59" not in counter.text(), "a page further")
        await counter.press("pageup")
        await counter.sees("› do number 0")


@SIZES
async def test_f12_plays_the_world_while_a_question_is_open(size: tuple[int, int]) -> None:
    world = World()
    async with till(ASKED, panel=world, size=size) as counter:
        await counter.sees("Is it Jonas Weber's now?")
        await counter.press("f12")
        await counter.sees("scan a coat")
        await counter.press("2")
        await counter.until(lambda: world.done == ["2"], "the tap")
        assert kinds(counter)[:2] == ["SaleScreen", "QuestionDialog"]
        third = replace(QUESTION, id=ident("a third"), shown={"new": "Omar Said", "current": MARIA.name})
        await counter.shows(question=third)
        await counter.sees("Is it Omar Said's now?")
        assert kinds(counter) == ["SaleScreen", "QuestionDialog"]
        await counter.press("f12", "escape")
        await counter.shows(question=None)
        await counter.until(lambda: kinds(counter) == ["SaleScreen"], "the counter")


async def test_at_120_columns_the_question_stands_beside_the_panel_and_both_can_be_read() -> None:
    async with till(ASKED, panel=World()) as counter:
        await counter.sees("Is it Jonas Weber's now?")
        await counter.press("f12")
        await counter.sees("scan a coat", "yes, change the customer", "Maria Fernandez's. Is it Jonas")


async def test_a_question_that_is_gone_leaves_the_panel_where_it_was_with_its_cursor() -> None:
    async with till(ASKED, panel=World()) as counter:
        await counter.sees("Is it Jonas Weber's now?")
        await counter.press("f12", "down")
        await counter.sees("› 2  tap a card")
        await counter.shows(question=None)
        await counter.until(lambda: kinds(counter) == ["SaleScreen", "PanelScreen"], "the question going from under the panel")
        await counter.sees("› 2  tap a card")
        assert "Jonas Weber" not in counter.text()


@SIZES
async def test_a_new_question_closes_the_panel_and_takes_the_keys(size: tuple[int, int]) -> None:
    world = World()
    async with till(selling(COAT, customer=MARIA), panel=world, size=size) as counter:
        await counter.press("f12")
        await counter.sees("scan a coat")
        await counter.shows(question=QUESTION)
        await counter.sees("Is it Jonas Weber's now?")
        assert isinstance(counter.app.screen, QuestionDialog)
        await counter.press("1")
        assert world.done == []


@SIZES
async def test_the_counters_function_keys_work_beside_the_panel_and_not_under_a_question(size: tuple[int, int]) -> None:
    async with till(selling(COAT, customer=MARIA), panel=World(), size=size) as counter:
        await counter.press("f12")
        await counter.sees("scan a coat")
        await counter.press("f5")
        assert (await counter.sent(LoadCart)).cart == MARIA.cart.id
        assert kinds(counter) == ["SaleScreen"]
        await counter.press("f12", "f4")
        await counter.sees("Find an article")
        await counter.press("escape")
        await counter.shows(question=QUESTION)
        await counter.sees("Is it Jonas Weber's now?")
        await counter.press("f12", "f4")
        assert isinstance(counter.app.screen, PanelScreen)


async def test_where_it_closes_after_an_action_enter_says_so() -> None:
    async with till(READY, panel=World(), size=(80, 24)) as counter:
        await counter.press("f12")
        await counter.sees("Enter do it and close")
