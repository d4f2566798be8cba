"""How a basket is paid and becomes a sale: the part of ``decide`` about tenders and attempts."""

from __future__ import annotations

from msgspec.structs import replace

from edge_agent.domain.basket import ATTEMPTS_MAX, CASH_TENDERS_MAX, Basket
from edge_agent.domain.card_data import masked_text
from edge_agent.domain.cash import cash_tender
from edge_agent.domain.commands import Command, GiveToReview, HandleContradiction, Learn, Moment, PayCash, ReturnCash, Review, StartCard, StartVoid
from edge_agent.domain.errors import NotAllowed, NotNow, OutOfBounds
from edge_agent.domain.events import (
    AttemptAdded,
    AttemptMoved,
    Event,
    PaymentCorrected,
    PaymentReviewed,
    ReviewContradicted,
    ReviewEnded,
    SaleCompleted,
    TenderAdded,
    TenderReturned,
)  # fmt: skip
from edge_agent.domain.money import Money
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.reviewed import Agrees, Reviewed, compared
from edge_agent.domain.sale import complete
from edge_agent.domain.shift import RIGHT_REVIEW, Operator
from edge_agent.domain.tender import (
    HOLDS_TERMINAL,
    MISFITS,
    MONEY_MOVED,
    MOVES,
    NO_MONEY,
    Approved,
    Attempt,
    AttemptKind,
    AttemptState,
    Cancelled,
    CardResult,
    Declined,
    Finding,
    InFlight,
    NotFound,
    NotProcessed,
    Tender,
    TenderKind,
    Unknown,
    checked,
    reported,
    state_after,
)  # fmt: skip

DECIDED = "review"
"""The reason of an attempt that a person decided to have moved no money."""
TERMINAL_GONE = "terminal_gone"
"""The reason of an attempt for a person to decide because its terminal is not configured any more: nobody can be asked."""
DUE_AGAIN = "The sale was not completed: what was missing is due again."
"""The note of a contradiction that took a payment off its basket."""


def pay(state: Register, basket: Basket, command: Command, moment: Moment) -> tuple[Event, ...]:
    """The events of taking, or giving back, money for the open basket."""
    match command:
        case PayCash(given_minor):
            _payable(basket)
            rest = basket.rest_minor(moment.market)
            if rest == 0 and not given_minor:
                return completed(state, basket, (), moment)
            _something_due(rest)
            put_down = len(basket.returned) + sum(tender.kind is TenderKind.CASH for tender in basket.tenders)
            _room(put_down, CASH_TENDERS_MAX, "Take the rest by card, or suspend the basket.")
            return completed(state, basket, (TenderAdded(cash_tender(moment.new_id(), rest, given_minor, moment.market)),), moment)
        case StartCard():
            return _start_card(state, basket, command, moment)
        case StartVoid():
            return _start_void(state, basket, command, moment)
        case ReturnCash(tender_id):
            tender = _tender(basket, tender_id)
            if tender.kind is not TenderKind.CASH:
                raise NotNow("That is not cash.", hint="Void the card payment instead.", reason="not_cash")
            return (TenderReturned(tender_id, moment.now_ms, _operator(state)),)
        case _:
            raise AssertionError(f"not about money: {command}")


def completed(state: Register, basket: Basket, events: tuple[Event, ...], moment: Moment, seller: str = "") -> tuple[Event, ...]:
    """``events``, and the completed sale behind them when nothing is left to pay: ``seller``'s, or else the sale of whoever is signed in."""
    after = state
    for event in events:
        after = evolve(after, event)
    held = next(candidate for candidate in after.baskets if candidate.id == basket.id)
    if held.open_attempt is not None or held.rest_minor(moment.market) != 0 or not held.in_hand:
        return events
    number = state.receipts + 1
    shift = state.shift
    sale = complete(
        held, moment.market, number=number, receipt=moment.receipt(number), business_day=shift.business_day if shift else "",
        shift=shift.id if shift else "", operator=seller or _operator(state), at_ms=moment.now_ms,
    )  # fmt: skip
    return (*events, SaleCompleted(sale, receipt_due=moment.prints))


def _operator(state: Register) -> str:
    return state.operator.id if state.operator else ""


def _payable(basket: Basket) -> None:
    if basket.open_attempt is not None:
        raise NotNow("A card payment's outcome is awaited.", hint="Wait for it, cancel it, or park the sale.", reason="payment_open")
    if not basket.in_hand:
        raise NotNow("Nothing is in hand to be paid.", hint="Scan an article first.", reason="nothing_in_hand")


def _room(already: int, limit: int, hint: str) -> None:
    if already >= limit:
        raise OutOfBounds(f"At most {limit} payments of that kind for one basket.", hint=hint, reason="payments", limit=limit)


def _something_due(rest: int) -> None:
    if rest <= 0:
        raise NotNow("It is paid already.", hint="Press Enter to complete it.", reason="paid")


def _tender(basket: Basket, tender_id: str) -> Tender:
    found = next((tender for tender in basket.tenders if tender.id == tender_id), None)
    if found is None or not found.settled_minor:
        raise NotNow("That payment is not part of this basket.", hint="Choose one from the list.", reason="tender_gone")
    return found


def _terminal_free(state: Register, terminal: str) -> None:
    busy = [attempt for attempt in state.open_attempts() if attempt.terminal == terminal and attempt.state in HOLDS_TERMINAL]
    if busy:
        raise NotNow("The terminal has an earlier payment to settle.", hint="Take cash, or wait until it is settled.", reason="terminal_unsettled")


def _start_card(state: Register, basket: Basket, command: StartCard, moment: Moment) -> tuple[Event, ...]:
    _payable(basket)
    _terminal_free(state, command.terminal)
    rest = basket.rest_minor(moment.market)
    _something_due(rest)
    _room(len(basket.attempts), ATTEMPTS_MAX, "Take the rest in cash.")
    amount = rest if command.amount_minor is None else command.amount_minor
    if not 0 < amount <= rest:
        raise OutOfBounds("A card pays at most what is due.", hint="Type a smaller amount.", reason="card_amount")
    tender_id = moment.new_id()
    attempt = Attempt(
        id=command.attempt, tender=tender_id, kind=AttemptKind.SALE, terminal=command.terminal, state=AttemptState.SENT, amount_minor=amount,
        currency=moment.market.currency, wire_ref=command.wire_ref, started_ms=moment.now_ms, updated_ms=moment.now_ms, operator=_operator(state),
    )  # fmt: skip
    return (TenderAdded(Tender(tender_id, TenderKind.CARD, amount, attempts=(attempt,))),)


def _start_void(state: Register, basket: Basket, command: StartVoid, moment: Moment) -> tuple[Event, ...]:
    _payable(basket)
    original = _tender(basket, command.tender).approved_attempt
    if original is None:
        raise NotNow("That is not a card payment.", hint="Hand the cash back instead.", reason="not_card")
    _terminal_free(state, original.terminal)
    _room(len(basket.attempts), ATTEMPTS_MAX + ATTEMPTS_MAX // 2, "Refund it at the terminal, and tell the office.")
    standing, reason = (AttemptState.NEEDS_REVIEW, TERMINAL_GONE) if command.terminal_gone else (AttemptState.SENT, "")
    attempt = Attempt(
        id=command.attempt, tender=command.tender, kind=AttemptKind.VOID, terminal=original.terminal, state=standing,
        amount_minor=original.approved_minor, currency=original.currency, wire_ref=command.wire_ref, started_ms=moment.now_ms,
        updated_ms=moment.now_ms, original=original.id, reason=reason, operator=_operator(state),
    )  # fmt: skip
    return (AttemptAdded(command.tender, attempt),)


def asked(state: Register, attempt_id: str, moment: Moment) -> tuple[Event, ...]:
    """The associate wants the terminal to stop; the outcome stays open until the terminal has said."""
    found = state.holding(attempt_id)
    if found is None or AttemptState.ABORTING not in MOVES[found[2].state]:
        raise NotNow("There is no payment to cancel.", hint="Look at the terminal.", reason="no_payment")
    return (AttemptMoved(replace(found[2], state=AttemptState.ABORTING, updated_ms=moment.now_ms), "asked"),)


def learn(state: Register, command: Learn, moment: Moment) -> tuple[Event, ...]:
    """What an answer about an attempt changes. One about an attempt that ended already changes nothing, unless a person ended it: then it may contradict.

    Who once approved something else than was asked for, and now says that there was no payment, contradicts itself: a person decides.
    """
    decided = state.decided(command.attempt)
    if decided is not None:
        return _compared(state, decided, command, moment)
    found = state.holding(command.attempt)
    if found is None:
        return ()
    attempt = found[2]
    finding = checked(command.finding, attempt)
    if isinstance(finding, NotFound) and not command.transport_settled:
        return ()
    if attempt.reason in MISFITS and state_after(finding, attempt.amount_minor) in NO_MONEY:
        return ()
    return _learnt(state, command, finding, moment)


def _compared(state: Register, held: Reviewed, command: Learn, moment: Moment) -> tuple[Event, ...]:
    """What the terminal says after a person decided: agreement ends the asking, a contradiction is told and kept."""
    if held.found is not None:
        return ()
    attempt, finding = held.attempt, command.finding
    if isinstance(finding, Unknown) and finding.approved is not None:
        finding = finding.approved
    verdict = compared(held, finding, moment.now_ms, settled=command.transport_settled)
    if verdict is None:
        return ()
    if isinstance(verdict, Agrees):
        return (ReviewEnded(attempt.id, "confirmed", moment.now_ms),)
    told = finding if verdict.owed_minor else checked(finding, attempt)
    found = _answered(attempt, state_after(told, attempt.amount_minor), told, command, moment)
    contradicted = ReviewContradicted(found, verdict.owed_minor, moment.now_ms)
    corrected = _corrected(state, found, verdict.owed_minor, moment)
    return (contradicted, *corrected, ReviewEnded(attempt.id, "handled", moment.now_ms, note=DUE_AGAIN)) if corrected else (contradicted,)


def _corrected(state: Register, found: Attempt, owed_minor: int, moment: Moment) -> tuple[Event, ...]:
    """What a basket that is not completed counts as paid, and is not, comes off it. Of a void that gave back something else a person has to judge."""
    held = state.holding(found.id)
    if held is None or owed_minor >= 0:
        return ()
    tender, is_void = held[1], found.kind is AttemptKind.VOID
    standing = tender.approved_attempt
    fits = found.approved_minor == found.amount_minor if is_void else True
    if standing is None or standing.id != (found.original if is_void else found.id) or not fits:
        return ()
    return (PaymentCorrected(found, -owed_minor, moment.now_ms),)


def left_with_us(state: Register, basket: Basket, moment: Moment) -> tuple[Event, ...]:
    """What a basket that is given up leaves to be given back by hand: the card payments that their terminal could not undo, for who may decide about
    payments. Everything else is given back first."""
    paid = [tender for tender in basket.tenders if tender.settled_minor]
    if not paid:
        return ()
    if not all(_could_not_be_undone(tender) for tender in paid):
        raise NotNow("Part of it is paid already.", hint="Give the money back first, or set the sale aside (F6).", reason="part_paid")
    _may_review(state)
    return tuple(event for tender in paid for event in _owed(state, basket, tender, moment))


def _could_not_be_undone(tender: Tender) -> bool:
    return tender.approved_attempt is not None and tender.attempts[-1].kind is AttemptKind.VOID


def _owed(state: Register, basket: Basket, tender: Tender, moment: Moment) -> tuple[Event, ...]:
    """The customer's card paid and nothing is sold: to be given back, until a person notes that it was. What is to be clarified stays that."""
    attempt = tender.approved_attempt
    assert attempt is not None, tender.id
    held = state.decided(attempt.id)
    if held is not None and held.found is not None and held.owed_minor <= 0:
        return ()
    found = held.found if held is not None and held.found is not None else attempt
    owed = ReviewContradicted(found, found.approved_minor, moment.now_ms)
    return (owed,) if held is not None else (PaymentReviewed(Reviewed(attempt, money_moved=False, transaction=basket.id, at_ms=moment.now_ms)), owed)


def stop_checking(state: Register, attempt_id: str, moment: Moment) -> tuple[Event, ...]:
    """The terminal was asked about a decision for long enough. What it contradicted stays; so does its last word before a payment was decided, where
    that was another amount or currency: nothing since has shown that it took what the sale counts."""
    held = state.decided(attempt_id)
    if held is None or held.found is not None:
        return ()
    attempt = held.attempt
    if not held.money_moved or attempt.reason not in MISFITS:
        return (ReviewEnded(attempt_id, "no_answer", moment.now_ms),)
    said = Approved(attempt.reported.minor, attempt.reported.currency, attempt.result) if attempt.reported is not None else None
    return _compared(state, held, Learn(attempt_id, Unknown(attempt.reason, said), "no_answer"), moment)


def handle(state: Register, command: HandleContradiction, moment: Moment) -> tuple[Event, ...]:
    """A person with the right saw to what a decision and the terminal differ by, and says how."""
    operator = _may_review(state)
    held = state.decided(command.attempt)
    if held is None or held.found is None:
        raise NotNow("That payment needs no decision.", hint="Look at the list again.", reason="no_review")
    note = _noted(command.note)
    return (*_corrected(state, held.found, held.owed_minor, moment), ReviewEnded(command.attempt, "handled", moment.now_ms, operator.id, note))


def _may_review(state: Register) -> Operator:
    if state.operator is None or not state.operator.may(RIGHT_REVIEW):
        raise NotAllowed("This decision is a manager's.", hint="Ask a colleague who may to sign in.", reason="payment_review")
    return state.operator


def _noted(note: str) -> str:
    if not note.strip():
        raise OutOfBounds("A decision needs a note.", hint="Type what the terminal's list showed.", reason="reason")
    return masked_text(note.strip())


def _learnt(state: Register, command: Learn, finding: Finding, moment: Moment) -> tuple[Event, ...]:
    found = state.holding(command.attempt)
    assert found is not None, command.attempt
    basket, _, attempt = found
    to = state_after(finding, attempt.amount_minor)
    if isinstance(finding, InFlight) and attempt.state is not AttemptState.SENT:
        return ()
    if to not in MOVES[attempt.state] or (to is attempt.state and not _says_more(finding, attempt)):
        return ()
    moved = _answered(attempt, to, finding, command, moment)
    event = AttemptMoved(moved, command.cause)
    return completed(state, basket, (event,), moment, attempt.operator) if to in MONEY_MOVED and attempt.kind is AttemptKind.SALE else (event,)


def _says_more(finding: Finding, attempt: Attempt) -> bool:
    """Whether who decides about ``attempt`` has to know this as well: that something else was approved, or what."""
    if not isinstance(finding, Unknown) or finding.reason not in MISFITS:
        return False
    return attempt.reason not in MISFITS or _reported(finding, attempt) != attempt.reported


def _reported(finding: Unknown, attempt: Attempt) -> Money | None:
    """What was approved in place of what was asked for, as far as it is known by now."""
    now = reported(finding.approved) if finding.approved is not None else None
    return attempt.reported if now is None else now


def _answered(attempt: Attempt, to: AttemptState, finding: Finding, command: Learn, moment: Moment) -> Attempt:
    moved = replace(attempt, state=to, updated_ms=moment.now_ms, settle_after_ms=command.settle_after_ms or attempt.settle_after_ms)
    match finding:
        case Approved(amount_minor, _, result, offline):
            return replace(moved, approved_minor=amount_minor, result=result, offline=offline, reason="")
        case Declined(reason, result):
            return replace(moved, reason=reason, result=result)
        case Cancelled(by):
            return replace(moved, reason=f"by_{by}")
        case NotProcessed(reason):
            return replace(moved, reason=reason)
        case Unknown(reason, approved):
            return replace(moved, reason=reason, reported=_reported(finding, attempt), result=approved.result if approved else attempt.result)
        case NotFound():
            return replace(moved, reason="not_found")
        case InFlight():
            return moved


def give_to_review(state: Register, command: GiveToReview, moment: Moment) -> tuple[Event, ...]:
    """No query settled it in time: a person has to look at the terminal's own list."""
    found = state.holding(command.attempt)
    if found is None or found[2].state is AttemptState.NEEDS_REVIEW or AttemptState.NEEDS_REVIEW not in MOVES[found[2].state]:
        return ()
    return (AttemptMoved(replace(found[2], state=AttemptState.NEEDS_REVIEW, reason=command.reason, updated_ms=moment.now_ms), "time"),)


def review(state: Register, command: Review, moment: Moment) -> tuple[Event, ...]:
    """A person with the right decided what happened, and says how they know."""
    operator = _may_review(state)
    found = state.holding(command.attempt)
    if found is None or found[2].state is not AttemptState.NEEDS_REVIEW:
        raise NotNow("That payment needs no decision.", hint="Look at the list again.", reason="no_review")
    note, attempt = _noted(command.note), found[2]
    finding: Finding = Approved(attempt.amount_minor, attempt.currency, CardResult()) if command.money_moved else NotProcessed(DECIDED)
    decided = PaymentReviewed(Reviewed(attempt, command.money_moved, found[0].id, moment.now_ms))
    return (decided, *_learnt(state, Learn(command.attempt, finding, f"review by {operator.id}: {note}"), finding, moment))
