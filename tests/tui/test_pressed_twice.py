"""A key that is pressed twice does what it does once, and nothing to whatever comes after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from edge_agent.views import AddArticle, Answer, Park, PayCard, PayCash, Problem, Recall, SetQuantity, Suspend, VoidBasket
from tests.support_service import ScriptedService, article
from tests.support_snapshots import COAT, MARIA, QUESTION, READY, SALE, SUSPENDED, attempt, ident, payment, selling
from tests.support_till import Till, till
from tests.tui.test_counter_on_the_service import counter
from tests.tui.test_keys_in_turn import burst
from tui.screens.sale import SaleScreen
from tui.shown import HANDS_SECONDS
from tui.widgets.entry import Entry

replace = msgspec.structs.replace
COAT_CODE, SOCKS_CODE = "4006381333931", "4006381333948"


async def test_a_letter_and_enter_pressed_twice_pay_once_and_nobody_complains(tmp_path: Path) -> None:
    async with counter("in_process", tmp_path) as held:
        await held.scan(COAT_CODE)
        await held.sees("Wool coat")
        await held.press("f2")
        await held.sees("How does the customer pay?", "A     cash")
        held.clock.seconds += 1
        burst(held, "a", "a", "enter", "enter")
        await held.sees("Change", "Sold for 199,00, cash")
        await held.pilot.pause(0.2)
        assert held.sales == [("R-0001-02-000001", 19_900)]
        assert "There is no basket" not in held.text()


async def test_what_was_pressed_for_one_basket_pays_nothing_of_the_next(tmp_path: Path) -> None:
    async with counter("in_process", tmp_path) as held:
        await held.scan(COAT_CODE)
        await held.sees("Wool coat")
        first = held.app.picture.snapshot.basket.id
        held.app.command(PayCash(None, first))
        await held.sees("Sold for 199,00")
        await held.scan(SOCKS_CODE)
        await held.sees("Socks")
        held.app.command(PayCash(None, first))
        held.app.command(PayCard(None, first))
        held.app.command(PayCash(None, ident("a basket of nobody")))
        await held.sees("That basket is no longer on the counter.")
        assert held.sales == [("R-0001-02-000001", 19_900)]
        assert held.rig.terminal.asked == []
        held.app.command(PayCash(None, held.app.picture.snapshot.basket.id))
        await held.sees("Sold for 12,50")


async def test_a_basket_is_set_aside_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    async with counter("in_process", tmp_path) as held:
        await held.scan(COAT_CODE)
        await held.sees("Wool coat")
        basket = held.app.picture.snapshot.basket.id
        held.app.command(Suspend("", basket))
        held.app.command(Suspend("", basket))
        await held.sees("The basket is suspended.")
        await held.pilot.pause(0.2)
        assert len(held.app.picture.snapshot.suspended) == 1
        assert "There is no basket" not in held.text()
        held.app.command(PayCash(None, basket))
        await held.sees("That basket is no longer on the counter.")


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        (("f6", "enter", "enter"), Suspend),
        (("q", "5", "enter", "enter"), SetQuantity),
        (("f9", "v", "enter", "enter"), VoidBasket),
        (("f7", "enter", "enter"), Recall),
        (("f4", "s", "o", "c", "k", "enter", "enter"), AddArticle),
        (("f2", "c", "c"), PayCard),
    ],
)
async def test_every_box_and_list_gives_its_command_once(keys: tuple[str, ...], kind: type) -> None:
    service = ScriptedService(selling(COAT, suspended=[SUSPENDED]))
    service.articles = [article("SOCK-1", "Socks, merino", "39-42", "04006381333948", 1250, "12,50")]
    service.hold = asyncio.Event()
    async with till(service) as held:
        for key in keys[:-2]:
            await held.press(key)
        await held.pilot.pause(0.1)
        held.clock.seconds += 1
        await held.press(*keys[-2:])
        await held.pilot.pause(0.1)
        service.hold.set()
        await held.sent(kind)
        await held.pilot.pause(0.1)
        assert len(held.of(kind)) == 1, service.commands


async def test_a_refused_command_may_be_given_again() -> None:
    service = ScriptedService(selling(COAT))
    async with till(service) as held:
        await held.press("q")
        await held.sees("Quantity")
        service.on(SetQuantity, lambda snapshot, command: _refused())
        await held.press("enter")
        await held.sees("That is no quantity.")
        await held.press("enter")
        await held.sent(SetQuantity, 2)


@asynccontextmanager
async def paid_with_a() -> AsyncIterator[Till]:
    """A counter whose sale was just paid by the letter A."""
    service = ScriptedService(selling(COAT))
    service.on(PayCash, lambda snapshot, command: replace(READY, last_sale=SALE))
    async with till(service) as held:
        await held.press("f2")
        await held.sees("How does the customer pay?")
        held.clock.seconds += 1
        await held.press("a")
        await held.until(lambda: isinstance(held.app.screen, SaleScreen), "the change")
        yield held


async def test_the_letter_that_paid_is_not_typed_into_the_next_sale() -> None:
    async with paid_with_a() as held:
        held.clock.seconds += HANDS_SECONDS / 2
        await held.press("a", "4")
        await held.until(lambda: held.app.screen.query_one(Entry).value == "4", "only what is new")
        await held.press("a")
        await held.until(lambda: held.app.screen.query_one(Entry).value == "4a", "what is typed later")


async def test_the_letter_that_paid_is_typed_again_once_the_hands_have_rested() -> None:
    async with paid_with_a() as held:
        held.clock.seconds += 2 * HANDS_SECONDS
        await held.press("a")
        await held.until(lambda: held.app.screen.query_one(Entry).value == "a", "what is typed later")


async def test_the_digit_that_answered_is_not_typed_into_the_sale() -> None:
    service = ScriptedService(replace(selling(COAT, customer=MARIA), question=QUESTION))
    service.on(Answer, lambda snapshot, command: replace(snapshot, question=None))
    async with till(service) as held:
        await held.sees("Is it Jonas Weber's now?")
        held.clock.seconds += 1
        await held.press("1")
        await held.until(lambda: isinstance(held.app.screen, SaleScreen), "the counter")
        held.clock.seconds += HANDS_SECONDS / 2
        await held.press("1", "7")
        await held.until(lambda: held.app.screen.query_one(Entry).value == "7", "only what is new")


async def test_a_payment_under_way_is_parked_once() -> None:
    unclear = replace(selling(COAT), phase="paying", payment=payment(15920, attempt=attempt("unknown")))
    async with till(unclear) as held:
        await held.sees("Outcome not known yet")
        await held.press("p", "p")
        await held.sent(Park)
        assert {command.basket for command in held.of(Park)} == {ident("basket")}


async def test_the_pay_screen_is_for_the_basket_it_was_called_for() -> None:
    other = selling(COAT)
    async with till(selling(COAT)) as held:
        await held.press("f2")
        await held.sees("How does the customer pay?")
        await held.shows(replace(other, basket=replace(other.basket, id=ident("the next basket"))))
        await held.until(lambda: isinstance(held.app.screen, SaleScreen), "the next sale")


def _refused() -> Problem:
    return Problem("about:blank", "No", 422, "That is no quantity.", "code_invalid.quantity")
