"""How a basket is paid: cash, cards, splits, unclear outcomes."""

from __future__ import annotations

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.basket import CASH_TENDERS_MAX
from edge_agent.domain.errors import NotNow, OutOfBounds
from edge_agent.domain.events import AttemptMoved, SaleCompleted
from edge_agent.domain.market import SWEDEN
from edge_agent.domain.tender import Approved, AttemptState, Cancelled, CardResult, Declined, InFlight, NotFound, NotProcessed, Unknown
from tests.support_register import COAT, SOCKS, Memory

OK = CardResult(provider_ref="p1", brand="visa", last_four="1111")


def approved(minor: int, currency: str = "EUR") -> Approved:
    return Approved(minor, currency, OK)


def test_cash_with_change_completes_the_sale_and_numbers_it():
    till = Memory()
    till.add(COAT)
    till.do(do.PayCash(20000))
    sale = till.sales[0]
    assert (sale.change_minor, sale.number, sale.receipt, till.state.cash_minor) == (100, 1, "R-0001-02-000001", 29900)
    assert till.state.basket is None
    assert sale.business_day == "2026-11-22"


def test_swedish_cash_is_rounded_once_and_the_card_share_is_exact():
    till = Memory(SWEDEN)
    till.add(COAT)
    till.add(SOCKS)  # 211.50 kronor
    attempt = till.card(10049)
    till.do(do.Learn(attempt, approved(10049, "SEK"), "answer"))
    till.do(do.PayCash(20000))
    cash = till.sales[0].tenders[1]
    assert (cash.settled_minor, cash.rounding_minor, cash.change_minor) == (11101, -1, 8900)


def test_an_amount_that_no_coins_make_is_refused():
    till = Memory(SWEDEN)
    till.add(COAT)
    with pytest.raises(OutOfBounds) as caught:
        till.do(do.PayCash(19950))
    assert caught.value.key == "out_of_bounds.cash_step"


def test_part_cash_then_card():
    till = Memory()
    till.add(COAT)
    till.do(do.PayCash(10000))
    attempt = till.card()
    assert till.state.basket.open_attempt.amount_minor == 9900
    till.do(do.Learn(attempt, approved(9900), "answer"))
    assert [tender.settled_minor for tender in till.sales[0].tenders] == [10000, 9900]


@pytest.mark.parametrize("amount", [9901, 19900, 0, -1])
def test_a_card_pays_something_and_at_most_what_is_due(amount):
    till = Memory()
    till.add(COAT)
    till.do(do.PayCash(10000))
    with pytest.raises(OutOfBounds) as caught:
        till.card(amount)
    assert caught.value.key == "out_of_bounds.card_amount"
    assert till.state.basket.attempts == ()
    till.card(9900)
    assert till.state.basket.open_attempt.amount_minor == 9900


def test_a_basket_that_is_paid_takes_no_more_money_and_is_completed_without_any():
    till = Memory()
    till.add(COAT)
    till.do(do.PayCash(10000))
    till.do(do.DiscountBasket(do.Cut("goodwill", amount_minor=9900)))
    assert till.state.basket.rest_minor(till.market) == 0
    for pay in (lambda: till.do(do.PayCash(5000)), till.card, lambda: till.card(1)):
        with pytest.raises(NotNow) as caught:
            pay()
        assert caught.value.key == "not_now.paid"
    with pytest.raises(NotNow) as caught:
        till.do(do.DiscountBasket(do.Cut("goodwill", amount_minor=1)))
    assert caught.value.key == "not_now.part_paid"
    till.do(do.PayCash(None))
    assert [tender.settled_minor for tender in till.sales[0].tenders] == [10000]


def test_a_partial_approval_leaves_the_rest_due():
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Learn(attempt, approved(5000), "answer"))
    assert till.state.basket.rest_minor(till.market) == 14900
    till.do(do.PayCash(None))
    assert till.state.basket is None


@pytest.mark.parametrize("outcome", [Declined("refused"), Cancelled("customer"), NotProcessed("unreachable")])
def test_no_money_leaves_the_sale_open_for_another_try(outcome):
    till = Memory()
    till.add(COAT)
    first = till.card()
    till.do(do.Learn(first, outcome, "answer"))
    assert till.state.basket.open_attempt is None
    second = till.card()
    assert second != first
    assert till.state.basket.tenders[0].attempts[0].wire_ref != till.state.basket.tenders[1].attempts[0].wire_ref


def test_while_the_outcome_is_unknown_nothing_is_changed_and_the_terminal_takes_no_other_payment():
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Learn(attempt, Unknown("silence"), "answer"))
    for command in (do.PayCash(None), do.VoidBasket("x"), do.Suspend("")):
        with pytest.raises(NotNow):
            till.do(command)
    with pytest.raises(NotNow):
        till.add(SOCKS)
    till.do(do.Park("coat"))
    till.add(SOCKS)
    with pytest.raises(NotNow) as caught:
        till.card()
    assert caught.value.key == "not_now.terminal_unsettled"
    till.do(do.PayCash(None))
    assert len(till.sales) == 1


def test_a_parked_sale_completes_by_itself_when_the_answer_was_yes():
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Learn(attempt, Unknown("silence"), "answer"))
    till.do(do.Park(""))
    till.add(SOCKS)
    events = till.do(do.Learn(attempt, approved(19900), "query"))
    assert [type(event) for event in events] == [AttemptMoved, SaleCompleted]
    assert till.state.parked == ()
    assert till.state.basket.lines[0].sku == "SOCKS"


def test_not_found_is_believed_only_once_the_transport_is_settled():
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Learn(attempt, Unknown("silence"), "answer"))
    assert till.do(do.Learn(attempt, NotFound(), "query")) == ()
    assert till.state.basket.open_attempt is not None
    till.do(do.Learn(attempt, NotFound(), "query", transport_settled=True))
    assert till.state.basket.open_attempt is None


@pytest.mark.parametrize("answer", [approved(19901), approved(19900, "USD"), approved(0)])
def test_an_approval_that_does_not_fit_is_for_a_person(answer):
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Learn(attempt, answer, "answer"))
    assert till.state.basket.open_attempt.state is AttemptState.NEEDS_REVIEW
    with pytest.raises(OutOfBounds):
        till.do(do.Review(attempt, True, " "))
    till.do(do.Review(attempt, True, "the terminal's list shows it"))
    assert len(till.sales) == 1


@pytest.mark.parametrize("claimed", [Unknown("wrong_amount"), Unknown("wrong_currency"), Unknown("mismatch"), approved(19901), approved(1, "USD")])
@pytest.mark.parametrize("later", [NotFound(), Declined("refused"), Cancelled("customer"), NotProcessed("busy"), InFlight("enter_pin"), Unknown("no_answer")])
def test_who_approved_something_else_and_then_knows_nothing_is_not_believed(claimed, later):
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Learn(attempt, claimed, "answer"))
    assert till.do(do.Learn(attempt, later, "query", transport_settled=True)) == ()
    assert till.state.basket.open_attempt.state is AttemptState.NEEDS_REVIEW
    till.do(do.Review(attempt, False, "not on the terminal's list"))
    assert till.state.basket.open_attempt is None
    assert till.sales == []


def test_who_approved_something_else_is_believed_when_its_books_have_what_was_asked_for():
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Learn(attempt, Unknown("wrong_amount"), "answer"))
    till.do(do.Learn(attempt, approved(19900), "query"))
    assert len(till.sales) == 1


def test_an_answer_that_comes_twice_is_believed_once():
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Learn(attempt, InFlight("enter_pin"), "query"))
    till.do(do.Learn(attempt, approved(19900), "answer"))
    assert till.do(do.Learn(attempt, approved(19900), "query")) == ()
    assert len(till.sales) == 1


def test_cancelling_too_late_is_an_approval():
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Asked(attempt))
    assert till.state.basket.open_attempt.state is AttemptState.ABORTING
    till.do(do.Learn(attempt, approved(19900), "answer"))
    assert len(till.sales) == 1


def test_a_card_payment_is_voided_at_the_terminal_before_the_basket_can_be_given_up():
    till = Memory()
    till.add(COAT)
    first = till.card(5000)
    till.do(do.Learn(first, approved(5000), "answer"))
    with pytest.raises(NotNow, match="paid already"):
        till.do(do.VoidBasket("changed mind"))
    tender = till.state.basket.tenders[0].id
    till.do(do.StartVoid(tender, "void-1", "VREF"))
    till.do(do.Learn("void-1", approved(5000), "answer"))
    assert till.state.basket.settled_minor == 0
    till.do(do.VoidBasket("changed mind"))
    assert till.state.basket is None


def test_cash_that_goes_back_and_forth_is_counted_and_ends_somewhere():
    till = Memory()
    till.add(COAT)
    for _ in range(CASH_TENDERS_MAX):
        till.do(do.PayCash(5000))
        till.do(do.ReturnCash(till.state.basket.tenders[0].id))
    assert [(handed.amount_minor, handed.operator) for handed in till.state.basket.returned] == [(5000, "1001")] * CASH_TENDERS_MAX
    with pytest.raises(OutOfBounds, match="At most 50 payments"):
        till.do(do.PayCash(5000))
    till.do(do.VoidBasket("no end of it"))


def test_removing_goods_below_what_is_paid_is_refused():
    till = Memory()
    till.add(COAT)
    till.add(SOCKS)
    till.do(do.PayCash(15000))
    with pytest.raises(NotNow, match="paid already"):
        till.do(do.RemoveLine(till.state.basket.lines[0].id))
    till.do(do.ReturnCash(till.state.basket.tenders[0].id))
    till.do(do.RemoveLine(till.state.basket.lines[0].id))
    assert till.total == 1250


def test_a_basket_that_costs_nothing_is_completed_without_a_tender():
    till = Memory()
    till.add(SOCKS)
    till.do(do.DiscountBasket(do.Cut("gift", percent_milli=100_000)))
    till.do(do.PayCash(None))
    assert till.sales[0].totals.total_minor == 0


def test_the_shift_does_not_close_over_a_payment_that_is_not_settled():
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    till.do(do.Learn(attempt, Unknown("silence"), "answer"))
    till.do(do.Park(""))
    with pytest.raises(NotNow, match="parked"):
        till.do(do.CloseShift())
