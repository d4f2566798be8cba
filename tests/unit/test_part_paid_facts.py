"""What central is told of money that a card paid for a sale that never came about, and how the counter names a sale that holds money."""

from __future__ import annotations

from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.events import ReviewContradicted
from edge_agent.domain.register import evolve
from edge_agent.domain.tender import Approved, AttemptState, CardResult, NotFound, NotProcessed
from tests.support_drawing import DE, shown
from tests.support_facts import Books, fixture_books  # noqa: F401 - a fixture
from tests.support_register import COAT
from tests.support_snapshots import PARKED, READY, euros
from tui.drawing import pay, rows
from tui.messages import Words

HELD = replace(PARKED, kind="unpaid", attempt="", paid=euros(5_000))
CONTRADICTED = "retail.payment.contradicted.v1"


def decided_paid(books: Books, minor: int) -> str:
    attempt = books.card(minor)
    books.do(do.GiveToReview(attempt, "not_settled"))
    books.do(do.Review(attempt, True, "seen on the card"))
    return attempt


def not_undone(books: Books) -> None:
    attempt = books.new_id()
    books.do(do.StartVoid(books.state.basket.tenders[0].id, attempt, "VREF"))
    books.do(do.Learn(attempt, NotProcessed("unreachable"), "answer"))


def test_what_is_given_up_with_money_in_it_is_told_as_void_and_as_money_to_give_back(books: Books) -> None:
    books.add(COAT)
    books.approve(books.card(5_000), 5_000)
    not_undone(books)
    books.do(do.VoidBasket("the customer left"))
    (task,), (voided,) = books.all(CONTRADICTED), books.all("retail.basket.voided.v1")
    assert (task["task"], task["amountMinor"], task["transactionId"]) == ("give_back", 5_000, voided["transactionId"])
    books.do(do.HandleContradiction(task["attempt"]["attemptId"], "refunded by hand"))
    assert [fact["handled"] for fact in books.all(CONTRADICTED)] == [False, True]


def test_the_amount_that_the_terminal_took_beyond_what_was_decided_goes_back_too(books: Books) -> None:
    books.add(COAT)
    attempt = decided_paid(books, 5_000)
    books.do(do.Learn(attempt, Approved(6_000, books.market.currency, CardResult()), "check"))
    not_undone(books)
    books.do(do.VoidBasket("the customer left"))
    assert [(fact["task"], fact["amountMinor"]) for fact in books.all(CONTRADICTED)] == [("give_back", 1_000), ("give_back", 6_000)]


def test_what_came_off_a_sale_is_told_and_the_sale_counts_only_what_was_paid(books: Books) -> None:
    books.add(COAT)
    attempt = decided_paid(books, 5_000)
    books.do(do.Suspend(""))
    books.do(do.Learn(attempt, NotFound(), "check", transport_settled=True))
    books.do(do.Recall(books.state.parked[0].id))
    books.do(do.PayCash(None))
    assert [(fact["task"], fact["handled"]) for fact in books.all(CONTRADICTED)] == [("collect", False), ("collect", True)]
    assert [tender["kind"] for tender in books.sale["tenders"]] == ["cash"]
    assert [attempt["state"] for attempt in books.sale["attempts"]] == ["not_processed"]


def test_a_journal_in_which_a_contradicted_payment_still_counts_loses_it_when_somebody_sees_to_it(books: Books) -> None:
    books.add(COAT)
    attempt = decided_paid(books, 5_000)
    found = replace(books.state.holding(attempt)[2], state=AttemptState.NOT_PROCESSED, approved_minor=0, reason="not_found")
    books.state = evolve(books.state, ReviewContradicted(found, -5_000, books.now_ms))
    books.do(do.HandleContradiction(attempt, "the customer left"))
    assert (books.state.basket.settled_minor, books.state.reviewed) == (0, ())
    books.do(do.VoidBasket("the customer left"))
    assert books.all(CONTRADICTED)[-1]["handled"]


def test_the_list_says_how_much_money_is_in_a_sale_that_was_set_aside() -> None:
    assert f"{euros(5_000).text} paid" in rows.aside_row(shown(READY), HELD, 100).text
    assert f"{euros(5_000).text} bezahlt" in rows.aside_row(shown(READY, DE), HELD, 100).text
    unclear = replace(PARKED, paid=euros(5_000))
    assert f"parked · Outcome not known yet · {euros(5_000).text} paid" in rows.aside_row(shown(READY), unclear, 120).text


def test_the_counter_says_that_a_sale_with_money_in_it_holds_the_shift() -> None:
    assert pay.holds_the_shift(shown(READY), [HELD]).key == "not_now.sale_parked_part_paid"
    assert pay.holds_the_shift(shown(READY), [replace(HELD, paid=None)]).key == "not_now.sale_parked_unpaid"
    for language in ("en", "de"):
        assert "F7" in Words(language)("not_now.sale_parked_part_paid.hint")
