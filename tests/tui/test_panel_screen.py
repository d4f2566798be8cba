"""The demo's panel beside the counter and over it: what it shows, does and leaves in sight."""

from __future__ import annotations

import re

import msgspec
import pytest

from tests.support_snapshots import COAT, READY, UNKNOWN_CODE, selling
from tests.support_till import World, till
from tui.panel import PanelAction

replace = msgspec.structs.replace


# --- the panel -------------------------------------------------------------------------------------------------------------------


async def test_f12_opens_the_panel_and_each_action_says_what_it_did() -> None:
    world = World()
    async with till(READY, panel=world) as counter:
        await counter.press("f12")
        await counter.sees("The world", "The customer", "scan a coat", "cut the network", "Basket")
        await counter.press("2")
        await counter.sees("did 2")
        await counter.press("down", "down", "enter")
        await counter.sees("did cut", "mend the network")
        await counter.press("M")
        await counter.sees("did m", "› M  scan a badge")
        await counter.press("m")
        assert world.done == ["2", "cut", "m", "m"]
        await counter.press("escape")
        await counter.sees("F8 discount")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_panel_leaves_the_counters_message_keys_and_status_in_sight(size: tuple[int, int]) -> None:
    async with till(replace(selling(COAT), notice=UNKNOWN_CODE), panel=World(), size=size) as counter:
        foot = counter.text().split("\n")[-5:]
        await counter.press("f12")
        await counter.sees("The customer", "scan a coat")
        await counter.until(lambda: counter.text().split("\n")[-5:] == foot, "message, keys and status as they were")


async def test_a_panel_longer_than_the_screen_says_that_there_is_more_and_comes_back_where_it_was() -> None:
    world = World()
    world.actions = lambda: [PanelAction(f"act {n}", f"do number {n}", "The world") for n in range(30)]
    async with till(READY, panel=world, size=(80, 24)) as counter:
        await counter.press("f12")
        await counter.sees("› do number 0", "↓ ")
        assert "↑ " not in counter.text().replace("↑↓", "")
        hidden = re.search(r"↓ (\d+) more", counter.text())
        assert hidden is not None
        assert int(hidden[1]) == 30 - counter.text().count("do number")
        await counter.press("pagedown", "enter")
        await counter.sees("did act ")
        done = world.done[0].removeprefix("act ")
        assert 5 < int(done) < 29
        await counter.press("f12")
        await counter.sees(f"› do number {done}", "↑ ", "↓ ")
        await counter.press("pagedown", "pagedown")
        await counter.sees("› do number 29")
        assert "↓ " not in counter.text().replace("↑↓", "")


async def test_without_a_panel_f12_does_nothing_and_the_menu_does_not_offer_it() -> None:
    async with till(READY) as counter:
        await counter.press("f12", "f9")
        await counter.sees("What else?")
        assert "demo panel" not in counter.text()


# --- a service that is not there, or must not sell -------------------------------------------------------------------------------


async def test_where_there_is_no_room_beside_the_counter_the_panel_closes_after_each_action() -> None:
    world = World()
    async with till(READY, panel=world, size=(80, 24)) as counter:
        await counter.press("f12", "1")
        await counter.sees("did 1", "F2 pay")
        await counter.press("f12")
        await counter.sees("scan a coat")
        await counter.sees("Enter do it and close")
        await counter.pilot.resize_terminal(120, 40)
        await counter.until(lambda: "Enter do it" in counter.text() and "and close" not in counter.text(), "the keys for a wider screen")
