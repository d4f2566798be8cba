"""Discounts by keys (F8): off a line or off the basket, for a reason, and taken off again."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.basket import Discount
from edge_agent.views import DiscountBasket, DiscountLine, DiscountView, RemoveDiscount
from tests.support_snapshots import COAT, FULL, PRALINES, SOCKS, basket, euros, ident, line, selling
from tests.support_till import till
from tui.screens.discount import takes_off

replace = msgspec.structs.replace


async def test_f8_takes_a_share_off_the_chosen_line_for_a_reason() -> None:
    async with till(FULL) as counter:
        await counter.press("f8")
        await counter.type("20%")
        await counter.press("enter")
        await counter.sees("price promise")
        await counter.press("1", "enter")
        await counter.sees("Say it in words.")
        await counter.press("backspace", "down", "enter")
        assert await counter.sent(DiscountLine) == DiscountLine(PRALINES.id, "price promise", percent_milli=20_000)


@pytest.mark.parametrize(
    ("keys", "typed", "said"),
    [
        ((), "10", "−10,00 EUR"),
        ((), "20%", "−20 %  −3,29 EUR"),
        (("tab",), "7,5 %", "−7,5 %  −15,05 EUR"),
        (("tab",), "100,64", "−100,64 EUR"),
    ],
)
async def test_the_reason_is_asked_beside_what_is_taken_off(keys: tuple[str, ...], typed: str, said: str) -> None:
    async with till(FULL, size=(80, 24)) as counter:
        await counter.press("f8", *keys)
        await counter.type(typed)
        await counter.press("enter")
        await counter.sees("Why? Choose a reason", said)
        assert counter.service.commands == []


@given(left=st.integers(0, 10_000_000), milli=st.integers(1, 100_000))
def test_the_share_that_is_shown_is_the_share_that_is_taken(left: int, milli: int) -> None:
    assert takes_off(left, milli, None) == Discount("d", "why", "1001", percent_milli=milli).off(left)


async def test_f8_and_tab_take_an_amount_off_the_whole_basket_for_a_typed_reason() -> None:
    async with till(FULL) as counter:
        await counter.press("f8", "tab")
        await counter.sees("the whole basket")
        await counter.type("5,00")
        await counter.press("enter")
        await counter.type("opening day")
        await counter.press("enter")
        assert await counter.sent(DiscountBasket) == DiscountBasket("opening day", amount_minor=500)


async def test_f8_lists_the_discounts_of_the_line_and_del_takes_one_off_again() -> None:
    async with till(FULL) as counter:
        await counter.press("up", "up", "f8")
        await counter.sees("Given already:", "winter offer −20 %", "Enter next  Del take it off")
        await counter.type("5")
        await counter.press("home", "delete")  # in typed text it takes a character away
        await counter.press("delete")
        await counter.sees("Take this discount off again: winter offer, 39,80?")
        assert counter.service.commands == []
        await counter.press("delete")
        assert await counter.sent(RemoveDiscount) == RemoveDiscount(COAT.discounts[0].id)
        await counter.sees("Taken off again: winter offer, 39,80.")


async def test_enter_on_an_empty_field_takes_no_discount_off_and_escape_answers_that_it_stays() -> None:
    async with till(FULL) as counter:
        await counter.press("up", "up", "f8")
        await counter.sees("Given already:")
        await counter.press("enter")
        await counter.sees("Type a percentage with % (up to 100%), or an amount.")
        await counter.press("delete", "escape", "enter")
        await counter.sees("Given already:")
        assert counter.service.commands == []


async def test_a_discount_that_is_gone_meanwhile_is_not_asked_about_any_more() -> None:
    async with till(FULL) as counter:
        await counter.press("up", "up", "f8", "delete")
        await counter.sees("Take this discount off again")
        await counter.shows(selling(replace(COAT, discounts=[]), SOCKS, PRALINES))
        await counter.until(lambda: "Take this discount off" not in counter.text(), "the question going")


async def test_f8_and_tab_list_the_discounts_of_the_basket_and_del_takes_the_marked_one_off() -> None:
    two = [DiscountView(ident("one"), "goodwill", euros(-300)), DiscountView(ident("two"), "opening day", euros(-200))]
    async with till(replace(FULL, basket=replace(FULL.basket, discounts=two))) as counter:
        await counter.press("f8")
        assert "Given already" not in counter.text()
        await counter.press("tab")
        await counter.sees("opening day")
        await counter.press("down", "delete")
        await counter.sees("opening day, 2,00?")
        await counter.press("enter")
        assert await counter.sent(RemoveDiscount) == RemoveDiscount(ident("two"))


async def test_a_discount_on_a_basket_without_lines_can_still_be_taken_off() -> None:
    async with till(replace(FULL, basket=replace(basket(off=0), discounts=[DiscountView(ident("one"), "goodwill", euros(0))]))) as counter:
        await counter.press("f8", "delete", "delete")
        assert await counter.sent(RemoveDiscount) == RemoveDiscount(ident("one"))


async def test_a_discount_off_a_long_basket_comes_into_sight_and_is_marked_until_something_else_changes() -> None:
    many = [line(n, f"Article {n}", 100 * n) for n in range(1, 13)]
    given = DiscountView(ident("one"), "goodwill", euros(-780), percent="10 %")
    async with till(selling(*many), size=(80, 24)) as counter:
        await counter.sees("› Article 12")
        await counter.shows(replace(selling(*many), basket=replace(basket(*many), discounts=[given])))
        await counter.sees("Off the whole basket", "▌   goodwill −10 %", "› Article 12")
        await counter.press(*("up",) * 11)
        await counter.sees("› Article 1  ")
        more = [*many, line(13, "Hat, felt", 3900)]
        counter.clock.seconds += 10
        await counter.shows(replace(selling(*more), basket=replace(basket(*more), discounts=[given])))
        await counter.sees("› Hat, felt")
        assert "▌   goodwill" not in counter.text()


async def test_a_discount_that_lay_there_before_is_not_told_as_new() -> None:
    given = DiscountView(ident("one"), "goodwill", euros(-300))
    async with till(replace(FULL, basket=replace(FULL.basket, discounts=[given]))) as counter:
        await counter.sees("    goodwill")
        assert "▌   goodwill" not in counter.text()


async def test_a_discount_larger_than_what_is_left_is_refused_with_the_most_there_is() -> None:
    async with till(FULL) as counter:
        await counter.press("f8")
        await counter.type("500")
        await counter.press("enter")
        await counter.sees("At most 16,44 can be taken off here.")
        await counter.press("escape")
        assert counter.service.commands == []


@pytest.mark.parametrize("everything", ["100%", "16,44"])
async def test_a_discount_that_takes_everything_is_asked_about_first(everything: str) -> None:
    async with till(FULL) as counter:
        await counter.press("f8")
        await counter.type(everything)
        await counter.press("enter")
        await counter.sees("That takes off everything (16,44). Enter again if it is right.")
        await counter.press("enter")
        await counter.sees("price promise")
        await counter.press("enter")
        assert (await counter.sent(DiscountLine)).line == PRALINES.id


async def test_a_discount_that_is_none_is_said_and_nothing_is_sent() -> None:
    async with till(FULL) as counter:
        await counter.press("f8")
        await counter.type("120%")
        await counter.press("enter")
        await counter.sees("Type a percentage with % (up to 100%), or an amount.")
        await counter.press("escape")
        assert counter.service.commands == []


async def test_who_may_not_give_discounts_is_told_whom_to_ask() -> None:
    junior = replace(FULL, shift=replace(FULL.shift, rights=[]))
    async with till(junior) as counter:
        await counter.press("f8")
        await counter.sees("You may not do this. A colleague who may can sign in (F9 B).")
