"""Keys that come in one burst (a keyboard's macro, a scanner that types, somebody in a hurry) go where slow ones would."""

from __future__ import annotations

from textual import events

from edge_agent.views import AddArticle, Enter, NextQuantity, PayCash
from tests.support_snapshots import COAT, READY, SOCKS, selling
from tests.support_till import Till, till

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
        assert (await counter.sent(Enter)).text == "4711"
        assert counter.of(AddArticle) == []


async def test_a_key_whose_screen_is_just_closing_does_not_hold_up_the_next_ones() -> None:
    async with till(selling(COAT)) as counter:
        burst(counter, *("f4", "escape") * 5, "f2", "f2", "enter")
        assert (await counter.sent(PayCash)).given_minor is None
