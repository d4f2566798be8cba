"""What central is told besides sales: voided baskets, payments settled late or by a person, shifts, starts; and what it is not told."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.register import Register
from edge_agent.domain.tender import Declined, NotFound, Unknown
from edge_agent.service.facts import Origin, started
from tests.support_facts import Books, as_json, checked, fixture_books  # noqa: F401 - a fixture
from tests.support_register import AYSE, COAT, SOCKS, pieces


def test_a_voided_basket_is_a_fact_with_its_reason_and_its_attempts(books):
    books.add(COAT)
    attempt = books.card()
    total = books.total
    books.do(do.Learn(attempt, Declined("refused"), "answer"))
    books.do(do.VoidBasket("customer left"))
    (voided,) = books.all("retail.basket.voided.v1")
    assert (voided["reason"], voided["lines"], voided["amountMinor"], voided["currencyCode"]) == ("customer left", 1, total, books.market.currency)
    assert [found["attemptId"] for found in voided["attempts"]] == [attempt]
    assert voided["attempts"][0]["state"] == "declined"


def test_an_attempt_that_is_settled_late_without_a_sale_is_a_fact_of_its_own(books):
    books.add(COAT)
    attempt = books.card()
    books.do(do.Learn(attempt, Unknown("silence"), "answer"))
    books.do(do.Learn(attempt, NotFound(), "query", transport_settled=True))
    (settled,) = books.all("retail.payment.settled.v1")
    assert (settled["cause"], settled["attempt"]["attemptId"], settled["attempt"]["state"]) == ("query", attempt, "not_processed")
    assert settled["transactionId"] == books.state.basket.id


def test_a_late_yes_that_completes_the_sale_is_told_by_the_sale(books):
    books.add(COAT)
    attempt = books.card()
    total = books.total
    books.do(do.Learn(attempt, Unknown("silence"), "answer"))
    books.do(do.Park("coat"))
    books.approve(attempt, total, "query")
    assert books.sale["attempts"][0]["state"] == "approved"
    assert [fact["attempt"]["attemptId"] for fact in books.all("retail.payment.settled.v1")] == [attempt]


def test_a_persons_decision_says_who_and_how_they_know(books):
    books.add(COAT)
    attempt = books.card()
    books.approve(attempt, books.total + 1)
    books.do(do.Review(attempt, False, "not on the terminal's list " + "x" * 50))
    (settled,) = books.all("retail.payment.settled.v1")
    assert settled["cause"].startswith("review by 1001: not on the terminal's list")
    assert settled["attempt"]["reason"] == "review"


def test_a_card_payment_that_was_undone_is_told_and_stays_on_the_sale(books):
    books.add(COAT)
    books.add(SOCKS)
    first = books.card(5_000)
    books.approve(first, 5_000)
    books.do(do.StartVoid(books.state.basket.tenders[0].id, "void-1", "VREF"))
    books.approve("void-1", 5_000)
    (settled,) = books.all("retail.payment.settled.v1")
    assert (settled["attempt"]["kind"], settled["attempt"]["state"]) == ("void", "approved")
    books.do(do.PayCash(None))
    assert [tender["kind"] for tender in books.sale["tenders"]] == ["cash"]
    assert [(attempt["kind"], attempt["state"]) for attempt in books.sale["attempts"]] == [("sale", "voided"), ("void", "approved")]


def test_a_shift_is_opened_with_its_float_and_closed_with_the_cash_it_should_hold(books):
    books.add(COAT)
    total = books.total
    books.do(do.PayCash(30_000))
    shift = books.state.shift.id
    books.do(do.CloseShift())
    (opened,) = books.all("retail.shift.opened.v1")
    assert (opened["floatMinor"], opened["shiftId"], opened["operatorId"]) == (10_000, shift, AYSE.id)
    (closed,) = books.all("retail.shift.closed.v1")
    assert (closed["sales"], closed["expectedCashMinor"], closed["shiftId"], closed["operatorId"]) == (1, 10_000 + total, shift, AYSE.id)


@pytest.mark.parametrize("open_shift", [True, False])
def test_the_service_coming_up_is_a_fact_with_and_without_a_shift(open_shift):
    books = Books()
    state = books.state if open_shift else Register()
    fact = started(state, Origin("0001", "02", "7", "EUR"), books.now_ms, "f-1", boot="boot-1", version="0.1.0", clean_stop=False)
    (read,) = checked([fact])
    assert (read.boot_id, read.version, read.clean_stop, read.epoch) == ("boot-1", "0.1.0", False, "7")
    assert read.business_day_date == ("2026-11-22" if open_shift else "")


def test_events_that_are_nobody_elses_business_make_no_facts(books):
    count = len(books.facts)
    books.add(COAT)
    books.do(do.Suspend("scarf"))
    books.do(do.Recall(books.state.suspended[0].id))
    books.do(do.SignIn(replace(AYSE, id="1003")))
    assert len(books.facts) == count


@pytest.mark.parametrize("typed", ["4111 1111 1111 1111", "call 4111111111111111 back"])
def test_a_card_number_typed_into_a_free_text_is_kept_nowhere(books, typed):
    books.do(do.AddDepartment("Fashion", "standard", typed, 2500, pieces(1)))
    books.do(do.DiscountBasket(do.Cut(typed, amount_minor=1)))
    books.do(do.Suspend(typed))
    books.do(do.Recall(books.state.suspended[0].id))
    attempt = books.card()
    books.approve(attempt, books.total + 1)
    books.do(do.Review(attempt, False, typed))
    books.do(do.VoidBasket(typed))
    written = msgspec.json.encode([repr(books.events), [as_json(fact) for fact in books.facts]]).decode()
    assert "1111" in written
    assert "4111" not in written
