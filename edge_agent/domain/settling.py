"""How a basket is paid and becomes a sale: the part of ``decide`` about tenders and attempts."""

from __future__ import annotations

from dataclasses import replace

from edge_agent.domain.basket import ATTEMPTS_MAX, CASH_TENDERS_MAX, Basket
from edge_agent.domain.card_data import masked_text
from edge_agent.domain.cash import cash_tender
from edge_agent.domain.commands import Command, GiveToReview, Learn, Moment, PayCash, ReturnCash, Review, StartCard, StartVoid
from edge_agent.domain.errors import NotAllowed, NotNow, OutOfBounds
from edge_agent.domain.events import AttemptAdded, AttemptMoved, Event, SaleCompleted, TenderAdded, TenderReturned
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.sale import complete
from edge_agent.domain.shift import RIGHT_REVIEW
from edge_agent.domain.tender import (
    HOLDS_TERMINAL,
    MONEY_MOVED,
    MOVES,
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
    believable,
    state_after,
)  # fmt: skip


def pay(state: Register, basket: Basket, command: Command, moment: Moment) -> tuple[Event, ...]:
    """The events of taking, or giving back, money for the open basket."""
    match command:
        case PayCash(given_minor):
            _payable(basket)
            rest = basket.rest_minor(moment.market)
            if rest == 0 and not given_minor:
                return completed(state, basket, (), moment)
            _something_due(rest)
            _room(sum(tender.kind is TenderKind.CASH for tender in basket.tenders), CASH_TENDERS_MAX, "Hand cash back, and take it in one sum.")
            return completed(state, basket, (TenderAdded(cash_tender(moment.new_id(), rest, given_minor, moment.market)),), moment)
        case StartCard():
            return _start_card(state, basket, command, moment)
        case StartVoid():
            return _start_void(state, basket, command, moment)
        case ReturnCash(tender_id):
            tender = _tender(basket, tender_id)
            if tender.kind is not TenderKind.CASH:
                raise NotNow("That is not cash.", hint="Void the card payment instead.", reason="not_cash")
            return (TenderReturned(tender_id, moment.now_ms),)
        case _:
            raise AssertionError(f"not about money: {command}")


def completed(state: Register, basket: Basket, events: tuple[Event, ...], moment: Moment) -> tuple[Event, ...]:
    """``events``, and the completed sale behind them when nothing is left to pay."""
    after = state
    for event in events:
        after = evolve(after, event)
    held = next(candidate for candidate in after.baskets if candidate.id == basket.id)
    if held.open_attempt is not None or held.rest_minor(moment.market) != 0 or not held.in_hand:
        return events
    number = state.receipts + 1
    shift, operator = state.shift, state.operator
    sale = complete(
        held, moment.market, number=number, receipt=moment.receipt(number), business_day=shift.business_day if shift else "",
        shift=shift.id if shift else "", operator=operator.id if operator else "", at_ms=moment.now_ms,
    )  # fmt: skip
    return (*events, SaleCompleted(sale))


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
        currency=moment.market.currency, wire_ref=command.wire_ref, started_ms=moment.now_ms, updated_ms=moment.now_ms,
    )  # fmt: skip
    return (TenderAdded(Tender(tender_id, TenderKind.CARD, amount, attempts=(attempt,))),)


def _start_void(state: Register, basket: Basket, command: StartVoid, moment: Moment) -> tuple[Event, ...]:
    _payable(basket)
    original = _tender(basket, command.tender).approved_attempt
    if original is None:
        raise NotNow("That is not a card payment.", hint="Hand the cash back instead.", reason="not_card")
    _terminal_free(state, original.terminal)
    _room(len(basket.attempts), ATTEMPTS_MAX + ATTEMPTS_MAX // 2, "Refund it at the terminal, and tell the office.")
    attempt = Attempt(
        id=command.attempt, tender=command.tender, kind=AttemptKind.VOID, terminal=original.terminal, state=AttemptState.SENT,
        amount_minor=original.approved_minor, currency=original.currency, wire_ref=command.wire_ref, started_ms=moment.now_ms,
        updated_ms=moment.now_ms, original=original.id,
    )  # fmt: skip
    return (AttemptAdded(command.tender, attempt),)


def asked(state: Register, attempt_id: str, moment: Moment) -> tuple[Event, ...]:
    """The associate wants the terminal to stop; the outcome stays open until the terminal has said."""
    found = state.holding(attempt_id)
    if found is None or AttemptState.ABORTING not in MOVES[found[2].state]:
        raise NotNow("There is no payment to cancel.", hint="Look at the terminal.", reason="no_payment")
    return (AttemptMoved(replace(found[2], state=AttemptState.ABORTING, updated_ms=moment.now_ms), "asked"),)


def learn(state: Register, command: Learn, moment: Moment) -> tuple[Event, ...]:
    """What an answer about an attempt changes. Answers about attempts that ended already change nothing here."""
    found = state.holding(command.attempt)
    if found is None:
        return ()
    basket, _, attempt = found
    finding = _checked(command.finding, attempt)
    if isinstance(finding, NotFound) and not command.transport_settled:
        return ()
    to = state_after(finding, attempt.amount_minor)
    if finding == Unknown("mismatch"):
        to = AttemptState.NEEDS_REVIEW
    if isinstance(finding, InFlight) and attempt.state is not AttemptState.SENT:
        return ()
    if to is attempt.state or to not in MOVES[attempt.state]:
        return ()
    moved = _answered(attempt, to, finding, command, moment)
    event = AttemptMoved(moved, command.cause)
    return completed(state, basket, (event,), moment) if to in MONEY_MOVED and attempt.kind is AttemptKind.SALE else (event,)


def _checked(finding: Finding, attempt: Attempt) -> Finding:
    """An approval that does not fit what was asked is nobody's to believe."""
    if isinstance(finding, Approved) and not believable(finding, attempt):
        return Unknown("mismatch")
    return finding


def _answered(attempt: Attempt, to: AttemptState, finding: Finding, command: Learn, moment: Moment) -> Attempt:
    moved = replace(attempt, state=to, updated_ms=moment.now_ms, settle_after_ms=command.settle_after_ms or attempt.settle_after_ms)
    match finding:
        case Approved(amount_minor, _, result, offline):
            return replace(moved, approved_minor=amount_minor, result=result, offline=offline, reason="")
        case Declined(reason, result):
            return replace(moved, reason=reason, result=result)
        case Cancelled(by):
            return replace(moved, reason=f"by_{by}")
        case NotProcessed(reason) | Unknown(reason):
            return replace(moved, reason=reason)
        case NotFound():
            return replace(moved, reason="not_found")
        case InFlight():
            return moved


def give_to_review(state: Register, command: GiveToReview, moment: Moment) -> tuple[Event, ...]:
    """No query settled it in time: a person has to look at the terminal's own list."""
    found = state.holding(command.attempt)
    if found is None or AttemptState.NEEDS_REVIEW not in MOVES[found[2].state]:
        return ()
    return (AttemptMoved(replace(found[2], state=AttemptState.NEEDS_REVIEW, reason=command.reason, updated_ms=moment.now_ms), "time"),)


def review(state: Register, command: Review, moment: Moment) -> tuple[Event, ...]:
    """A person with the right decided what happened, and says how they know."""
    if state.operator is None or not state.operator.may(RIGHT_REVIEW):
        raise NotAllowed("This decision is a manager's.", hint="Ask a colleague who may to sign in.", reason="payment_review")
    found = state.holding(command.attempt)
    if found is None or found[2].state is not AttemptState.NEEDS_REVIEW:
        raise NotNow("That payment needs no decision.", hint="Look at the list again.", reason="no_review")
    if not command.note.strip():
        raise OutOfBounds("A decision needs a note.", hint="Type what the terminal's list showed.", reason="reason")
    attempt = found[2]
    finding: Finding = Approved(attempt.amount_minor, attempt.currency, CardResult()) if command.money_moved else NotProcessed("review")
    events = learn(state, Learn(command.attempt, finding, f"review by {state.operator.id}: {masked_text(command.note.strip())}"), moment)
    return events
