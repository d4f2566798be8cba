"""An amount, a quantity or a badge that was refused makes way for the next try: nobody has to delete it, and nothing is appended to it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from edge_agent.views import DiscountLine, OpeningView, OpenShift, PayCash, ReviewPayment, SetQuantity
from tests.support_service import ScriptedService, refusal
from tests.support_snapshots import CLOSED, COAT, PRALINES, SOCKS, attempt, basket, ident, payment, selling
from tests.support_till import till
from tui.widgets.entry import Entry

replace = msgspec.structs.replace
ASKED = replace(CLOSED, opening=OpeningView("STAFF-1001", "Ayse K."))


async def test_a_float_that_is_no_amount_makes_way_for_the_next() -> None:
    async with till(ASKED) as counter:
        await counter.sees("How much money is in the drawer?")
        await counter.type("1o0")
        await counter.press("enter")
        await counter.sees("That is no amount.")
        await counter.type("100")
        await counter.press("enter")
        assert await counter.sent(OpenShift) == OpenShift("STAFF-1001", 10_000)


async def test_a_float_that_the_service_refused_makes_way_too_and_enter_alone_tries_it_again() -> None:
    service = ScriptedService(ASKED)
    service.on(OpenShift, lambda snapshot, command: refusal("out_of_bounds.amount", "That amount is not possible."))
    async with till(service) as counter:
        await counter.sees("How much money is in the drawer?")
        await counter.type("99999999")
        await counter.press("enter")
        await counter.sees("That amount is not possible.")
        await counter.press("enter")
        await counter.sent(OpenShift, 2)
        await counter.type("100")
        await counter.press("enter")
        assert await counter.sent(OpenShift, 3) == OpenShift("STAFF-1001", 10_000)


@pytest.mark.parametrize("key", ["enter", "c"])
async def test_cash_that_is_no_amount_makes_way_for_the_next(key: str) -> None:
    async with till(selling(COAT)) as counter:
        await counter.press("f2")
        await counter.type("1,234")
        await counter.press(key)
        await counter.type("200")
        await counter.sees("gives 40,80 change")
        await counter.press("enter")
        assert await counter.sent(PayCash) == PayCash(20_000, ident("basket"))


async def test_an_amount_that_was_asked_about_makes_way_and_an_arrow_key_keeps_it() -> None:
    async with till(selling(COAT)) as counter:
        await counter.press("f2")
        await counter.type("20000")
        await counter.press("enter")
        await counter.sees("is much more than is due")
        await counter.press("end", "backspace", "backspace", "enter")
        assert await counter.sent(PayCash) == PayCash(20_000, ident("basket"))
        await counter.type("20000")
        await counter.press("enter")
        await counter.type("160")
        await counter.press("enter")
        assert await counter.sent(PayCash, 2) == PayCash(16_000, ident("basket"))


async def test_backspace_corrects_the_end_of_an_amount_that_was_asked_about_and_the_warning_goes_with_it() -> None:
    async with till(selling(COAT)) as counter:
        await counter.press("f2")
        await counter.type("20000")
        await counter.press("enter")
        await counter.sees("is much more than is due")
        await counter.press("backspace")
        await counter.until(lambda: "is much more than is due" not in counter.text(), "no warning")
        await counter.sees("gives 1.840,80 change")
        await counter.press("backspace", "enter")
        assert await counter.sent(PayCash) == PayCash(20_000, ident("basket"))


async def test_a_quantity_that_was_refused_makes_way_for_the_next() -> None:
    service = ScriptedService(selling(COAT, SOCKS))
    service.on(SetQuantity, lambda snapshot, command: refusal("code_invalid.quantity", "That is no quantity.") if command.quantity == "3x" else snapshot)
    async with till(service) as counter:
        await counter.press("q")
        await counter.type("3x")
        await counter.press("enter")
        await counter.sees("That is no quantity.")
        await counter.type("4")
        await counter.press("enter")
        assert (await counter.sent(SetQuantity, 2)).quantity == "4"


async def test_what_was_typed_while_the_refusal_was_on_its_way_is_left_alone() -> None:
    service = ScriptedService(selling(COAT, SOCKS))
    service.on(SetQuantity, lambda snapshot, command: refusal("code_invalid.quantity", "That is no quantity."))
    service.hold = asyncio.Event()
    async with till(service) as counter:
        await counter.press("q")
        await counter.type("3k")
        await counter.press("enter")
        await counter.type("g")
        service.hold.set()
        await counter.sees("That is no quantity.")
        await counter.type("!")
        assert counter.app.screen.query_one(Entry).value == "3kg!"


async def test_a_discount_that_is_none_makes_way_for_the_next() -> None:
    async with till(selling(COAT, SOCKS)) as counter:
        await counter.press("f8")
        await counter.type("120%")
        await counter.press("enter")
        await counter.sees("Type a percentage with %")
        await counter.type("20%")
        await counter.press("enter")
        await counter.sees("goodwill")
        await counter.press("enter")
        assert (await counter.sent(DiscountLine)).percent_milli == 20_000


async def test_a_note_that_the_service_did_not_take_is_gone_on_with() -> None:
    unsettled = replace(selling(COAT), phase="paying", basket=basket(COAT, locked=True), payment=payment(15920, attempt=attempt("needs_review", waited_s=700)))
    service = ScriptedService(unsettled)
    service.on(ReviewPayment, lambda snapshot, command: refusal("not_allowed.payment_review", "This decision is a manager's."))
    async with till(service) as counter:
        await counter.press("r")
        await counter.sees("Did the money move?")
        await counter.type("slip 4711")
        await counter.press("enter")
        await counter.sees("This decision is a manager's.")
        await counter.type("9")
        assert counter.app.screen.query_one(Entry).value == "slip 47119"


async def test_the_box_of_what_is_weighed_asks_for_a_weight_and_a_decimal_number_is_kilograms() -> None:
    async with till(selling(PRALINES), size=(80, 24)) as counter:
        await counter.press("q")
        await counter.sees("Weight", "A weight in kg (0,412), or in grams (412 g).")
        await counter.type("2")
        await counter.press("enter")
        await counter.sees("Type the weight with its unit: 2 kg or 2 g?")
        assert counter.of(SetQuantity) == []
        await counter.type("0,5")
        await counter.press("enter")
        assert (await counter.sent(SetQuantity)).quantity == "0,5 kg"


async def test_what_a_box_refuses_is_said_in_the_box_alone() -> None:
    service = ScriptedService(selling(COAT, SOCKS))
    service.on(SetQuantity, lambda snapshot, command: refusal("code_invalid.quantity", "That is no quantity."))
    async with till(service) as counter:
        await counter.press("q")
        await counter.type("3k")
        await counter.press("enter")
        await counter.sees("That is no quantity.")
        assert counter.text().count("That is no quantity.") == 1
        assert [notice.key for notice in counter.app.said.among([], counter.app.words)] == ["code_invalid.quantity"]
