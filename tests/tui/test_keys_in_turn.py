"""Keys that come in one burst (a keyboard's macro, a scanner that types, somebody in a hurry) go where slow ones would."""

from __future__ import annotations

import itertools

import pytest
from textual import events

from edge_agent.client import AgentClient
from edge_agent.views import AddArticle, CheckBadge, Enter, NextQuantity, PayCash, SetQuantity, Snapshot
from tests.support_service import ScriptedService
from tests.support_snapshots import CLOSED, COAT, READY, SOCKS, ident, selling
from tests.support_till import CountingApp, StandingClock, Till, till

NAMES = {"enter": "\r", "escape": "\x1b", "*": "*"}


def burst(counter: Till, *keys: str) -> None:
    """All at once, as a terminal reads them."""
    driver = counter.app._driver
    assert driver is not None
    for key in keys:
        driver.send_message(events.Key("asterisk" if key == "*" else key, NAMES.get(key, key if len(key) == 1 else None)))


async def test_an_amount_behind_f2_is_the_amount_given() -> None:
    async with till(selling(COAT, SOCKS)) as counter:
        burst(counter, "f2", "2", "0", "0", "enter")
        assert (await counter.sent(PayCash)).given_minor == 20000


async def test_a_letter_behind_f9_is_the_menus() -> None:
    async with till(READY) as counter:
        burst(counter, "f9", "s")
        await counter.sees("Past sales")
        assert counter.service.commands == []


async def test_escape_and_a_code_behind_it_sell_on_the_sale_screen() -> None:
    async with till(selling(COAT)) as counter:
        await counter.press("f4")
        await counter.sees("Find an article")
        burst(counter, "escape", "3", "*", "4", "7", "1", "1", "enter")
        assert (await counter.sent(NextQuantity)).text == "3"
        assert (await counter.sent(Enter)).text in ("4711", "3*4711")  # the latter while the quantity is under way
        assert counter.of(AddArticle) == []


async def test_a_key_whose_screen_is_just_closing_does_not_hold_up_the_next_ones() -> None:
    async with till(selling(COAT)) as counter:
        burst(counter, *("f4", "escape") * 5, "f2", "f2", "enter")
        assert (await counter.sent(PayCash)).given_minor == 15_920  # all of it, not a part of what was typed elsewhere


class TypedAhead(CountingApp):
    """Somebody types while the till starts: a part before it knows anything, the rest before what it knows is on the glass."""

    def on_mount(self) -> None:
        super().on_mount()
        self._type()

    def _take(self, came: Snapshot) -> None:
        first = self.picture is None
        if first:
            self._type()
        super()._take(came)
        if first and came.shift is None:
            self._type()  # the screen that asks for a badge is not there yet

    def _type(self) -> None:
        for key in ("1", "0", "0", "1", "ctrl+j", "enter", "f2", "7"):
            self._driver.send_message(events.Key(key, NAMES.get(key, key if len(key) == 1 else None)))
        self.post_message(events.Paste("4711"))


@pytest.mark.parametrize("snapshot", [CLOSED, selling(COAT)])
async def test_what_is_typed_before_the_first_picture_is_shown_is_typed_at_nothing(snapshot: Snapshot) -> None:
    service, numbers = ScriptedService(snapshot), itertools.count()
    async with AgentClient(service.transport, new_id=lambda: ident(f"request {next(numbers)}")) as client:
        app = TypedAhead(client, "en", clock=StandingClock(), glyphs="full", theme="dark")
        async with app.run_test(size=(80, 24)) as pilot:
            counter = Till(app, pilot, service, app.clock)
            await counter.until(lambda: app.listening, "the first picture")
            await pilot.pause(0.1)
            assert service.commands == []
            assert app.screen.entry.value == ""
            assert type(app.screen).__name__ == ("ClosedScreen" if snapshot is CLOSED else "SaleScreen")
            burst(counter, "2", "enter")
            await counter.until(lambda: service.commands == [CheckBadge("2") if snapshot is CLOSED else Enter("2")], "what is typed afterwards")


async def test_the_screen_can_be_left_before_the_first_picture() -> None:
    service = ScriptedService(CLOSED)
    service.down = True
    async with till(service) as counter:
        await counter.press("ctrl+q")
        await counter.until(lambda: counter.app._exit, "leaving")


async def test_a_number_typed_as_fast_as_its_box_opens_takes_the_old_ones_place() -> None:
    async with till(selling(SOCKS)) as counter:
        burst(counter, "q", "3", "enter")
        assert (await counter.sent(SetQuantity)).quantity == "3"
        await counter.until(lambda: len(counter.app.screen_stack) == 1, "the box closed")
        burst(counter, "q", "1", "2", "enter")
        assert (await counter.sent(SetQuantity, 2)).quantity == "12"
