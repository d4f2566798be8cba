"""Taking money by keys: cash, card, both, and what happens when the terminal does not answer."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import (
    AsideView,
    CancelPayment,
    CloseShift,
    NoticeView,
    Park,
    PayCard,
    PayCash,
    Problem,
    ReturnTender,
    ReviewPayment,
    SignIn,
    Snapshot,
    TenderView,
)
from tests.support_service import ScriptedService
from tests.support_snapshots import COAT, GLOVES, NOW, PARKED, PRALINES, READY, SALE, SCARF, SOCKS, attempt, basket, euros, ident, payment, selling
from tests.support_till import Till, till

replace = msgspec.structs.replace
FULL = selling(COAT, SOCKS, PRALINES)
BASKET = ident("basket")


def paying(state: str, **more: object) -> Snapshot:
    """The basket with a card payment in this state."""
    held = basket(COAT, SOCKS, PRALINES, locked=True)
    return replace(FULL, phase="paying", basket=held, payment=payment(20064, attempt=attempt(state, **more)))


async def pays(counter: Till) -> None:
    await counter.press("f2")
    await counter.sees("How does the customer pay?")


async def test_enter_takes_the_exact_amount_in_cash() -> None:
    async with till(FULL) as counter:
        await pays(counter)
        await counter.press("enter")
        assert await counter.sent(PayCash) == PayCash(20064, BASKET)


@pytest.mark.parametrize(("letter", "minor"), [("a", 20500), ("s", 21000), ("d", 25000)])
async def test_a_letter_takes_the_quick_amount_beside_it(letter: str, minor: int) -> None:
    async with till(FULL) as counter:
        await pays(counter)
        await counter.press(letter)
        assert await counter.sent(PayCash) == PayCash(minor, BASKET)


async def test_arrows_and_enter_take_a_quick_amount_too() -> None:
    async with till(FULL) as counter:
        await pays(counter)
        await counter.press("down", "down", "enter")
        assert await counter.sent(PayCash) == PayCash(21000, BASKET)


async def test_a_typed_amount_says_its_change_before_enter_takes_it() -> None:
    async with till(FULL) as counter:
        await pays(counter)
        await counter.type("250")
        await counter.sees("gives 49,36 change")
        await counter.press("enter")
        assert await counter.sent(PayCash) == PayCash(25000, BASKET)


async def test_an_amount_that_is_none_takes_nothing() -> None:
    async with till(FULL) as counter:
        await pays(counter)
        await counter.type("1,234")
        await counter.sees("At most 2 digits come after the decimal sign. Type it like 1,00.")
        await counter.press("enter")
        await counter.press("c")
        assert counter.service.commands == []


async def test_an_amount_far_beyond_what_is_due_is_asked_about_once() -> None:
    async with till(FULL) as counter:
        await pays(counter)
        await counter.type("40063813")
        await counter.press("enter")
        await counter.sees("is much more than is due. Enter again if it is right.")
        assert counter.service.commands == []
        await counter.press("enter")
        assert await counter.sent(PayCash) == PayCash(4_006_381_300, BASKET)


async def test_c_pays_all_by_card_and_a_typed_amount_a_part_of_it() -> None:
    async with till(FULL) as counter:
        await pays(counter)
        await counter.press("c")
        assert await counter.sent(PayCard) == PayCard(20064, BASKET)
        await counter.type("100c")
        assert await counter.sent(PayCard, 2) == PayCard(10000, BASKET)


async def test_a_card_that_cannot_be_taken_is_said_and_not_asked_for() -> None:
    async with till(replace(FULL, payment=payment(20064, methods=("cash",)))) as counter:
        await pays(counter)
        await counter.sees("The card terminal is not there now; cash works.")
        await counter.press("c")
        await counter.sees("Cards cannot be taken now.")
        assert counter.service.commands == []


async def test_a_register_without_cards_never_asks_for_one() -> None:
    async with till(replace(FULL, payment=payment(20064, methods=("cash",)), tender_kinds=["cash"])) as counter:
        await pays(counter)
        assert "card" not in counter.text().split("● in step")[0]
        await counter.press("c")
        await counter.sees("This register takes no cards.")
        await counter.press("f1")
        await counter.sees("Enter takes what is marked")
        assert "card" not in counter.text().split("The last message")[0]
        assert counter.service.commands == []


async def test_a_scan_beside_the_payment_says_what_it_added_and_takes_no_key_that_was_meant_for_less() -> None:
    async with till(selling(COAT, SOCKS)) as counter:
        await pays(counter)
        await counter.type("190")
        await counter.sees("gives 5,80 change")
        await counter.shows(FULL)
        await counter.sees("Pralines, mixed was added. Now due: 200,64 EUR", "(before: 184,20).", "EUR 190", "leaves 10,64 to pay")
        await counter.press("enter", "c")
        assert counter.service.commands == []
        counter.clock.seconds += 1
        await counter.press("enter")
        assert await counter.sent(PayCash) == PayCash(19000, BASKET)


async def test_enter_takes_what_was_shown_although_a_scan_overtakes_it() -> None:
    service = ScriptedService(selling(COAT, SOCKS))
    service.on(PayCash, lambda snapshot, command: replace(FULL, payment=payment(1644, paid=18420)))
    async with till(service) as counter:
        await pays(counter)
        await counter.press("enter")  # the service has the pralines already, the screen does not
        assert await counter.sent(PayCash) == PayCash(18420, BASKET)
        await counter.sees("Still due")
        assert "was added" not in counter.text(), "what was paid is said by the amounts"


async def test_a_scan_that_is_refused_while_the_card_is_awaited_is_seen_and_heard_and_changes_nothing() -> None:
    async with till(paying("in_progress", step="present_card")) as counter:
        refused = NoticeView("not_now.payment_open", "bad", "A card payment is under way.", "Wait.", at_ms=NOW)
        await counter.shows(replace(counter.service.snapshot, notice=refused))
        await counter.sees("A card payment is under way.", "Please hold, insert or swipe your card")
        assert counter.app.bells == 1


async def test_what_is_not_picked_is_said_before_it_is_paid() -> None:
    async with till(selling(COAT, SCARF, GLOVES), size=(80, 24)) as counter:
        await pays(counter)
        await counter.sees("3 articles of the online cart are not picked and stay online: Scarf, navy, Gloves, lined, M (2)", "C     card")


async def test_the_rest_stays_in_sight_and_the_last_tender_can_be_given_back() -> None:
    tenders = (TenderView(ident("t1"), "cash", "settled", euros(10000)), TenderView(ident("t2"), "card", "failed", euros(10064), reason="refused"))
    async with till(replace(FULL, payment=payment(10064, paid=10000, tenders=tenders))) as counter:
        await pays(counter)
        await counter.sees("Still due", "of 200,64, 100,00 is paid", "● cash", "○ card not paid", "the bank declined")
        await counter.press("delete")
        await counter.sees("Hand 100,00 EUR in cash back to the customer?")
        await counter.press("enter")
        assert await counter.sent(ReturnTender) == ReturnTender(ident("t1"))


async def test_giving_a_card_payment_back_says_that_the_card_is_needed() -> None:
    tenders = (TenderView(ident("t1"), "card", "settled", euros(10000), "VISA **** 4242"),)
    async with till(replace(FULL, payment=payment(10064, paid=10000, tenders=tenders))) as counter:
        await pays(counter)
        await counter.sees("card VISA **** 4242")
        await counter.press("delete")
        await counter.sees("The customer needs the same card.")
        await counter.press("escape")
        assert counter.service.commands == []


async def test_escape_goes_back_to_the_sale_and_clears_an_amount_first() -> None:
    async with till(FULL) as counter:
        await pays(counter)
        await counter.type("12")
        await counter.press("escape")
        await counter.sees("How does the customer pay?")
        await counter.press("escape")
        await counter.sees("F8 discount")
        assert counter.service.commands == []


async def test_when_it_is_paid_the_change_is_large_until_the_next_scan() -> None:
    service = ScriptedService(FULL)
    service.on(PayCash, lambda snapshot, command: replace(READY, last_sale=SALE))
    async with till(service) as counter:
        await pays(counter)
        await counter.type("250")
        await counter.press("enter")
        await counter.sees("Change", "Sold for 200,64, cash", "█ █ █▀█   ▀▀█ █▀▀")
        await counter.press("tab", "f10", "escape", "f9", "escape")
        await counter.sees("Change")
        await counter.shows(replace(selling(SOCKS), last_sale=SALE))
        assert "Change" not in counter.text()


async def test_a_card_payment_shows_the_terminals_steps_and_the_seconds() -> None:
    service = ScriptedService(FULL)
    service.on(PayCard, lambda snapshot, command: paying("sent", waited_s=0))
    async with till(service) as counter:
        await pays(counter)
        await counter.press("c")
        await counter.sees("The terminal is called", "for 0 s", "Esc  stop the payment")
        await counter.shows(paying("in_progress", step="present_card", waited_s=1))
        await counter.sees("Please hold, insert or swipe your card", "for 1 s")
        counter.clock.seconds += 12
        await counter.sees("for 13 s")
        await counter.shows(paying("in_progress", step="enter_pin", waited_s=20))
        await counter.sees("Please enter your PIN")


async def test_while_the_card_is_awaited_nothing_can_be_typed_or_taken() -> None:
    async with till(paying("in_progress", step="present_card")) as counter:
        await counter.sees("Please hold, insert or swipe your card")
        await counter.type("50ascpr")
        await counter.press("enter", "delete")
        assert counter.service.commands == []


async def test_escape_asks_the_terminal_to_stop_once() -> None:
    async with till(paying("in_progress", step="present_card")) as counter:
        await counter.press("escape")
        await counter.sent(CancelPayment)
        await counter.press("escape", "escape")
        assert len(counter.of(CancelPayment)) == 1
        await counter.shows(paying("aborting"))
        await counter.sees("Stopping", "If the customer was faster")
        assert "stop the payment" not in counter.text()


async def test_a_stop_that_was_refused_may_be_asked_for_again() -> None:
    service = ScriptedService(paying("in_progress", step="present_card"))
    service.on(CancelPayment, lambda snapshot, command: Problem("about:blank", "No", 409, "No.", "not_now.no_payment"))
    async with till(service) as counter:
        await counter.press("escape")
        await counter.sees("There is no payment to stop.")
        await counter.press("escape")
        await counter.sent(CancelPayment, 2)


async def test_a_payment_under_way_is_shown_when_the_screen_comes_back() -> None:
    async with till(paying("in_progress", step="enter_pin")) as counter:
        await counter.sees("Card payment", "Please enter your PIN")


async def test_a_declined_card_says_why_and_offers_the_choices_again() -> None:
    async with till(paying("in_progress", step="contacting_bank")) as counter:
        declined = NoticeView("notice.payment_declined", "bad", "Card payment: declined.", shown={"reason": "insufficient_funds"}, at_ms=NOW)
        failed = (TenderView(ident("t2"), "card", "failed", euros(20064), reason="insufficient_funds"),)
        await counter.shows(replace(FULL, payment=payment(20064, tenders=failed), notice=declined))
        await counter.sees("Card payment: declined, not enough money on the account.", "How does the customer pay?", "○ card not paid")
        assert counter.app.bells == 1
        await counter.press("enter", "a")
        assert counter.service.commands == [], "a key that was meant for the terminal's step takes no money"
        counter.clock.seconds += 1
        await counter.press("enter")
        await counter.sent(PayCash)


async def test_an_unknown_outcome_is_explained_calmly_and_the_sale_can_be_parked() -> None:
    async with till(paying("unknown", waited_s=47, reason="connection_lost")) as counter:
        await counter.sees("Outcome not known yet", "Do not take the card or cash for it again", "keeps asking the terminal", "for 47 s")
        await counter.press("escape")
        assert counter.service.commands == []
        await counter.press("f1")
        await counter.sees("An outcome that is not known")
        await counter.press("escape", "p")
        await counter.sent(Park)


async def test_f6_parks_a_sale_whose_payment_is_unknown_under_a_word() -> None:
    async with till(paying("unknown")) as counter:
        await counter.press("f6")
        await counter.sees("Park this sale with its payment")
        await counter.type("blue coat")
        await counter.press("enter")
        assert await counter.sent(Park) == Park("blue coat", BASKET)


async def test_f6_does_not_set_a_running_payment_aside() -> None:
    async with till(paying("in_progress", step="enter_pin")) as counter:
        await counter.press("f6")
        await counter.sees("A card payment is under way")
        assert counter.service.commands == []


async def test_a_person_decides_with_a_note_and_nothing_is_decided_without() -> None:
    async with till(paying("needs_review", waited_s=700, reason="not_settled")) as counter:
        await counter.press("r")
        await counter.sees("Did the money move?", "is there a payment of 200,64 EUR at about 13:55?")
        await counter.press("enter")
        await counter.sees("Type what the list showed")
        await counter.press("down")
        await counter.type("slip 4711")
        await counter.press("enter")
        assert await counter.sent(ReviewPayment) == ReviewPayment(ident("attempt"), money_moved=True, note="slip 4711")


async def test_a_decision_box_goes_when_the_terminal_answered_after_all() -> None:
    async with till(paying("needs_review", waited_s=700)) as counter:
        await counter.press("r")
        await counter.sees("Did the money move?")
        await counter.shows(replace(READY, last_sale=replace(SALE, change=euros(0), tenders=["card"])))
        await counter.until(lambda: "Did the money move?" not in counter.text(), "the box going")
        await counter.sees("Paid")


async def test_a_sale_that_is_paid_by_parts_already_is_completed_with_enter() -> None:
    async with till(replace(FULL, payment=payment(0, paid=20064))) as counter:
        await counter.press("f2")
        await counter.sees("paid: complete the sale")
        await counter.press("enter")
        assert await counter.sent(PayCash) == PayCash(None, BASKET)


async def test_a_refused_payment_leaves_the_choices_and_says_why() -> None:
    service = ScriptedService(FULL)
    service.on(PayCash, lambda snapshot, command: Problem("about:blank", "No", 422, "No coins.", "out_of_bounds.cash_step", "Type another."))
    async with till(service) as counter:
        await pays(counter)
        await counter.type("201,03")
        await counter.press("enter")
        await counter.sees("No coins make that amount.", "How does the customer pay?")


# --- who decides, and from when on -------------------------------------------------------------------------------------------------


async def test_an_unknown_outcome_says_from_when_on_a_manager_can_decide() -> None:
    async with till(paying("unknown", review_ms=NOW + 600_000), size=(80, 24)) as counter:
        await counter.sees("From 14:17 on a manager can decide it here")
        await counter.press("r")
        assert counter.service.commands == []
        assert "Did the money move?" not in counter.text()
        await counter.press("f1")
        await counter.sees("What ten minutes of asking have not settled a manager decides here")


async def test_who_may_not_decide_is_told_who_may_and_a_manager_signs_in_where_the_payment_stands() -> None:
    unsettled = paying("needs_review", waited_s=700)
    junior = replace(unsettled, shift=replace(unsettled.shift, rights=[], operator="Jo", operator_id="1002"))
    service = ScriptedService(junior)
    service.on(SignIn, lambda snapshot, command: replace(snapshot, shift=unsettled.shift))
    async with till(service, size=(80, 24)) as counter:
        await counter.sees("R decide (manager)", "B a manager signs in")
        await counter.press("r")
        await counter.sees("This decision is a manager's")
        await counter.press("b")
        await counter.sees("Who takes over?")
        await counter.type("1001")
        await counter.press("enter")
        assert await counter.sent(SignIn) == SignIn("1001")
        await counter.until(lambda: "B a manager signs in" not in counter.text() and "Who takes over?" not in counter.text(), "the manager")
        await counter.press("r")
        await counter.sees("Did the money move?")


async def test_the_list_of_parked_sales_says_from_when_on_they_are_decided_and_that_they_can_be() -> None:
    unclear = replace(PARKED, review_ms=NOW + 600_000)
    async with till(replace(READY, parked=[unclear]), size=(80, 24)) as counter:
        await counter.press("f7")
        await counter.sees("From 14:17 on a manager can decide it: recall it, then R.")
        await counter.shows(parked=[replace(unclear, attempt="needs_review")])
        await counter.sees("A manager can decide it now: recall it, then R.")


@pytest.mark.parametrize(
    ("parked", "said"),
    [
        (replace(PARKED, review_ms=NOW + 600_000), "From 14:17 on a manager can decide it."),
        (replace(PARKED, attempt="needs_review"), "a manager has to decide what became of its card payment. F7 brings it back"),
        (replace(PARKED, kind="unpaid", attempt=""), "A parked sale was not paid by card."),
        (PARKED, "A sale is parked with a payment."),
    ],
)
async def test_a_shift_is_not_closed_over_a_parked_sale_and_the_one_line_says_until_when(parked: AsideView, said: str) -> None:
    async with till(replace(READY, parked=[parked])) as counter:
        await counter.press("f9", "e")
        await counter.sees(said)
        assert "Close the shift" not in counter.text()
        assert counter.of(CloseShift) == []
