"""A terminal that took something else than was asked for: what it reported is kept for who decides, and a decision that it does not fit is told."""

from __future__ import annotations

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.events import AttemptMoved, ReviewContradicted, ReviewEnded
from edge_agent.domain.money import Money
from edge_agent.domain.reviewed import Reviewed
from edge_agent.domain.tender import Approved, Attempt, AttemptState, CardResult, Declined, Finding, NotFound, Unknown
from tests.support_register import COAT, Memory

ASKED = 19_900
CARD = CardResult(provider_ref="p1", last_four="1111")
UNFIT = [
    Approved(ASKED, "USD", CARD),
    Approved(0, "EUR", CARD),
    Approved(-1, "EUR", CARD),
    Approved(10**12, "EUR", CARD),
    Approved(ASKED, "?", CARD),
    Unknown("wrong_amount"),
    Unknown("wrong_currency"),
    Unknown("mismatch"),
]
"""Money may have moved, and by how much it differs from what was asked for nobody can say."""


def approved(minor: int) -> Approved:
    return Approved(minor, "EUR", CARD)


def in_review(before: Finding | None = None) -> tuple[Memory, str]:
    """A card payment that a person has to decide; ``before`` is what the terminal said of it, None where it said nothing in time."""
    till = Memory()
    till.add(COAT)
    attempt = till.card()
    if before is None:
        till.do(do.Learn(attempt, Unknown("no_answer"), "answer"))
        till.do(do.GiveToReview(attempt, "not_settled"))
    else:
        till.do(do.Learn(attempt, before, "answer"))
    return till, attempt


def asked_after(till: Memory, attempt: str, finding: Finding, *, moved: bool) -> tuple[object, ...]:
    """What follows from ``finding``, once a person has decided."""
    till.do(do.Review(attempt, moved, "seen on the list"))
    return till.do(do.Learn(attempt, finding, "check", transport_settled=True))


def held(till: Memory, attempt: str) -> Reviewed:
    found = till.state.decided(attempt)
    assert found is not None
    return found


def open_attempt(till: Memory) -> Attempt:
    assert till.state.basket is not None
    found = till.state.basket.open_attempt
    assert found is not None
    return found


@pytest.mark.parametrize("before", [None, approved(29_900), Approved(ASKED, "USD", CARD), Unknown("mismatch")])
@pytest.mark.parametrize(
    ("moved", "taken", "owed"), [(True, 29_900, 10_000), (True, 9_900, -10_000), (False, 29_900, 29_900), (False, 9_900, 9_900), (False, ASKED, ASKED)]
)
def test_what_was_taken_more_or_less_than_was_decided_is_told_to_the_cent(before: Finding | None, moved: bool, taken: int, owed: int) -> None:
    till, attempt = in_review(before)
    (event,) = asked_after(till, attempt, approved(taken), moved=moved)
    assert isinstance(event, ReviewContradicted)
    assert (event.owed_minor, event.found.approved_minor, event.found.currency) == (owed, taken, "EUR")
    assert event.found.result == CARD
    assert held(till, attempt).owed_minor == owed


@pytest.mark.parametrize("before", [None, approved(29_900), Unknown("wrong_amount")])
@pytest.mark.parametrize("moved", [True, False])
@pytest.mark.parametrize("later", UNFIT)
def test_what_cannot_be_counted_is_told_all_the_same(before: Finding | None, moved: bool, later: Finding) -> None:
    till, attempt = in_review(before)
    (event,) = asked_after(till, attempt, later, moved=moved)
    assert isinstance(event, ReviewContradicted)
    assert (event.owed_minor, event.found.state, event.found.approved_minor) == (0, AttemptState.NEEDS_REVIEW, 0)
    assert held(till, attempt).found is event.found
    till.do(do.HandleContradiction(attempt, "looked at its records"))
    assert till.state.reviewed == ()


def test_what_a_driver_says_of_an_approval_that_does_not_fit_counts_to_the_cent_as_well() -> None:
    till, attempt = in_review()
    (event,) = asked_after(till, attempt, Unknown("wrong_amount", approved(29_900)), moved=True)
    assert isinstance(event, ReviewContradicted)
    assert (event.owed_minor, event.found.approved_minor) == (10_000, 29_900)


@pytest.mark.parametrize("taken", [5_000, 29_900])
@pytest.mark.parametrize("moved", [True, False])
def test_a_void_that_gave_back_something_else_is_told_the_other_way_round(taken: int, moved: bool) -> None:
    till = Memory()
    till.add(COAT)
    paid = till.card(15_000)
    till.do(do.Learn(paid, approved(15_000), "answer"))
    assert till.state.basket is not None
    till.do(do.StartVoid(till.state.basket.tenders[0].id, "void-1", "VREF"))
    till.do(do.Learn("void-1", Unknown("no_answer"), "answer"))
    till.do(do.GiveToReview("void-1", "not_settled"))
    (event,) = asked_after(till, "void-1", approved(taken), moved=moved)
    assert isinstance(event, ReviewContradicted)
    assert event.owed_minor == (15_000 - taken if moved else -taken)


@pytest.mark.parametrize("later", [Declined("refused"), NotFound()])
def test_a_terminal_that_contradicts_itself_does_not_prove_a_payment_that_was_decided(later: Finding) -> None:
    till, attempt = in_review(approved(29_900))
    (event,) = asked_after(till, attempt, later, moved=True)
    assert isinstance(event, ReviewContradicted)
    assert (event.owed_minor, event.found.reported) == (0, Money(29_900, "EUR"))
    till, attempt = in_review(approved(29_900))
    assert asked_after(till, attempt, later, moved=False) == (), "and its no is not believed"


@pytest.mark.parametrize(("before", "owed"), [(approved(29_900), 10_000), (Approved(ASKED, "USD", CARD), 0), (Unknown("mismatch"), 0)])
def test_a_terminal_that_is_never_heard_again_leaves_its_last_word_against_a_payment_that_was_decided(before: Finding, owed: int) -> None:
    till, attempt = in_review(before)
    till.do(do.Review(attempt, True, "seen on the list"))
    (event,) = till.do(do.StopChecking(attempt))
    assert isinstance(event, ReviewContradicted)
    assert event.owed_minor == owed
    assert till.do(do.StopChecking(attempt)) == (), "it stands until somebody saw to it"
    till, attempt = in_review(before)
    till.do(do.Review(attempt, False, "not on the list"))
    (event,) = till.do(do.StopChecking(attempt))
    assert isinstance(event, ReviewEnded), "who decided against its word did so by its own list"


def test_the_books_that_have_what_was_decided_end_it() -> None:
    till, attempt = in_review(approved(29_900))
    (event,) = asked_after(till, attempt, approved(ASKED), moved=True)
    assert isinstance(event, ReviewEnded)


@pytest.mark.parametrize(
    ("told", "money"),
    [(approved(29_900), Money(29_900, "EUR")), (approved(0), Money(0, "EUR")), (Approved(ASKED, "USD", CARD), Money(ASKED, "USD"))],
)
def test_who_decides_is_shown_what_the_terminal_reported(told: Approved, money: Money) -> None:
    till, attempt = in_review(told)
    assert (open_attempt(till).reported, open_attempt(till).result) == (money, CARD)
    assert open_attempt(till).reason == ("wrong_amount" if money.currency == "EUR" else "wrong_currency")
    till.do(do.Review(attempt, True, "its list shows another amount"))
    (sold,) = till.sales
    assert sold.tenders[0].attempts[0].reported == money, "and the record keeps it"


@pytest.mark.parametrize("told", [Approved(ASKED, "?", CARD), Approved(ASKED, "", CARD), Approved(10**12, "EUR", CARD), Approved(-1, "EUR", CARD)])
def test_a_report_that_can_be_no_money_is_kept_as_a_misfit_alone(told: Approved) -> None:
    till, _ = in_review(told)
    assert (open_attempt(till).state, open_attempt(till).reported) == (AttemptState.NEEDS_REVIEW, None)


def test_a_misfit_that_comes_while_a_person_is_awaited_is_not_lost() -> None:
    till, attempt = in_review()
    (moved,) = till.do(do.Learn(attempt, approved(29_900), "query"))
    assert isinstance(moved, AttemptMoved)
    assert (open_attempt(till).reason, open_attempt(till).reported) == ("wrong_amount", Money(29_900, "EUR"))
    assert till.do(do.Learn(attempt, approved(29_900), "query")) == (), "said again, it is no news"
    assert till.do(do.Learn(attempt, Unknown("mismatch"), "query")) == (), "less said takes nothing away"
    assert till.do(do.Learn(attempt, NotFound(), "query", transport_settled=True)) == (), "no later no is believed"
    assert till.do(do.GiveToReview(attempt, "terminal_gone")) == (), "it is there already, and its reason stays"
    assert till.do(do.Learn(attempt, Approved(ASKED, "USD", CARD), "query")), "another report is"
    assert open_attempt(till).reported == Money(ASKED, "USD")
