"""What a command leads to: ``decide(state, command, moment) -> events``, pure. Nothing is true before the events are on disk."""

from __future__ import annotations

from edge_agent.domain import selling, settling
from edge_agent.domain.basket import Basket
from edge_agent.domain.card_data import masked_text
from edge_agent.domain.commands import (
    AddArticle,
    AddDepartment,
    Asked,
    AttachCustomer,
    BeginClaim,
    ChangeQuantity,
    CloseShift,
    Command,
    DetachCustomer,
    DiscountBasket,
    DiscountLine,
    EndClaim,
    ForgetCustomers,
    GiveToReview,
    HandleContradiction,
    Learn,
    LoadCart,
    Moment,
    MoveLease,
    NoteReceipt,
    OpenShift,
    Park,
    PayCash,
    Recall,
    ReleaseCart,
    RemoveDiscount,
    RemoveLine,
    ReturnCash,
    Review,
    SignIn,
    StartCard,
    StartVoid,
    StopChecking,
    Suspend,
    VoidBasket,
)  # fmt: skip
from edge_agent.domain.errors import NotAllowed, NotNow, OutOfBounds
from edge_agent.domain.events import (
    BasketOpened,
    BasketRecalled,
    BasketSuspended,
    BasketVoided,
    CartReleased,
    ClaimBegun,
    ClaimEnded,
    Event,
    LeaseMoved,
    OperatorSignedIn,
    ReceiptTried,
    SaleParked,
    ShiftClosed,
    ShiftOpened,
)  # fmt: skip
from edge_agent.domain.register import Register
from edge_agent.domain.shift import RIGHT_VOID, Shift, business_day
from edge_agent.domain.tender import AttemptState

ASIDE_MAX = 50
"""Suspended and parked baskets at one register."""
LABEL_CHARS_MAX = 40
EMPTY = "empty"
"""The reason of every void of a basket in which nothing is, whatever brings it."""


def decide(state: Register, command: Command, moment: Moment) -> tuple[Event, ...]:
    """The events that ``command`` leads to in ``state``, or a RuleError that says what has to happen first."""
    match command:
        case OpenShift():
            return _open_shift(state, command, moment)
        case CloseShift():
            return _close_shift(state, moment)
        case SignIn(operator):
            require_shift(state)
            return (OperatorSignedIn(operator, moment.now_ms),)
        case Learn():
            return settling.learn(state, command, moment)
        case GiveToReview():
            return settling.give_to_review(state, command, moment)
        case Review():
            return settling.review(state, command, moment)
        case StopChecking(attempt):
            return settling.stop_checking(state, attempt, moment)
        case HandleContradiction():
            return settling.handle(state, command, moment)
        case Asked(attempt):
            return settling.asked(state, attempt, moment)
        case NoteReceipt(sale, outcome):
            due = state.receipt_due(sale)
            return (ReceiptTried(sale, outcome, moment.now_ms),) if due and due.outcome != outcome else ()
        case ForgetCustomers(customers):
            return selling.forget(state, customers, moment)
        case BeginClaim(lease):
            return (ClaimBegun(lease),)
        case EndClaim(claim):
            return (ClaimEnded(claim),) if any(held.claim == claim for held in state.claims) else ()
        case MoveLease(before, after):
            return tuple(LeaseMoved(basket.id, after) for basket in state.baskets if basket.lease == before)
    require_shift(state)
    match command:
        case AddArticle() | AddDepartment() | AttachCustomer() | LoadCart() if state.basket is None:
            opened = BasketOpened(moment.new_id(), moment.now_ms)
            basket = Basket(opened.basket, moment.now_ms)
            return (opened, *_in_basket(state, basket, command, moment))
        case Recall(basket_id):
            return _recall(state, basket_id, moment)
        case _:
            if state.basket is None:
                raise NotNow("There is no basket.", hint="Scan an article to begin.", reason="no_basket")
            return _in_basket(state, state.basket, command, moment)


def _in_basket(state: Register, basket: Basket, command: Command, moment: Moment) -> tuple[Event, ...]:
    match command:
        case Park(label):
            return _park(state, basket, label, moment)
        case PayCash() | StartCard() | StartVoid() | ReturnCash():
            return settling.pay(state, basket, command, moment)
    require_unlocked(basket)
    match command:
        case VoidBasket(reason):
            return _void(state, basket, reason, moment)
        case Suspend(label):
            return _suspend(state, basket, label, moment)
        case (
            AddArticle() | AddDepartment() | ChangeQuantity() | RemoveLine() | DiscountLine() | DiscountBasket() | RemoveDiscount()
            | AttachCustomer() | DetachCustomer() | LoadCart() | ReleaseCart()
        ):  # fmt: skip
            events = selling.sell(state, basket, command, moment)
            after = selling.changed(basket, events)
            selling.refuse_overpaid(after, moment, command.customer.name if isinstance(command, AttachCustomer) else "")
            if isinstance(command, AddArticle | AddDepartment | ChangeQuantity):
                assert state.operator is not None
                selling.refuse_more_off(state.operator, basket, after, moment)
            return events
        case _:
            raise AssertionError(f"not a command for a basket: {command}")


def require_shift(state: Register) -> None:
    """Refuse what needs an open shift."""
    if state.shift is None or state.operator is None:
        raise NotNow("No shift is open.", hint="Sign in to open one.", reason="no_shift")


def require_unlocked(basket: Basket) -> None:
    """Refuse changes while a payment's outcome is not known."""
    attempt = basket.open_attempt
    if attempt is None:
        return
    if attempt.state in (AttemptState.UNKNOWN, AttemptState.NEEDS_REVIEW):
        raise NotNow("The outcome of the card payment is not known yet.", hint="Park the sale to serve somebody else.", reason="payment_unknown")
    raise NotNow("A card payment is under way.", hint="Wait for the terminal, or cancel the payment.", reason="payment_open")


def require_right(state: Register, right: str) -> None:
    """Refuse what the operator has no right to."""
    if state.operator is None or not state.operator.may(right):
        who = state.operator.name if state.operator else "Nobody"
        raise NotAllowed(f"{who} may not do this.", hint="Ask a colleague who may to sign in.", reason=right.replace(".", "_"), who=who)


def _open_shift(state: Register, command: OpenShift, moment: Moment) -> tuple[Event, ...]:
    if state.shift is not None:
        raise NotNow("A shift is open already.", hint="Sign in to take it over, or close it.", reason="shift_open")
    day = business_day(moment.now_ms, moment.market.timezone, moment.market.day_change_hour)
    return (ShiftOpened(Shift(moment.new_id(), day, moment.now_ms, command.operator.id, command.float_minor), command.operator),)


def _close_shift(state: Register, moment: Moment) -> tuple[Event, ...]:
    require_shift(state)
    assert state.shift is not None
    assert state.operator is not None
    gone = _makes_way(state, moment)
    if state.open_attempts() or state.parked:
        raise NotNow("A sale is parked with a payment.", hint="Settle the parked sale first (F7).", reason="sale_parked")
    return (*gone, ShiftClosed(state.shift.id, moment.now_ms, state.operator.id, state.shift_sales, state.cash_minor))


def _makes_way(state: Register, moment: Moment) -> tuple[Event, ...]:
    """The end of an open basket in which nothing is; a customer who was on it has nothing here to wait for. Refuses where something is in it."""
    if state.basket is None:
        return ()
    if not state.basket.is_empty:
        raise NotNow("A basket is open.", hint="Complete, suspend or void it first.", reason="basket_open")
    return _void(state, state.basket, EMPTY, moment)


def _void(state: Register, basket: Basket, reason: str, moment: Moment) -> tuple[Event, ...]:
    """An empty one needs no right: whoever took its goods out, one by one, needed none either, and the fact names them. That it is empty is its reason."""
    assert state.operator is not None
    if basket.is_empty:
        reason = EMPTY
    else:
        require_right(state, RIGHT_VOID)
    if not reason.strip():
        raise OutOfBounds("A void needs a reason.", hint="Type why.", reason="reason")
    left = settling.left_with_us(state, basket, moment)
    amount = basket.totals(moment.market).total_minor
    released = (CartReleased(basket.lease.cart),) if basket.lease else ()
    return (*released, *left, BasketVoided(basket.id, masked_text(reason.strip()), state.operator.id, moment.now_ms, len(basket.in_hand), amount))


def _suspend(state: Register, basket: Basket, label: str, moment: Moment) -> tuple[Event, ...]:
    """One that is paid in part is parked with its money: the drawer's count and the shift wait for it."""
    if basket.settled_minor:
        return _park(state, basket, label, moment)
    if basket.is_empty:
        raise NotNow("Nothing is in the basket.", hint="Scan an article first.", reason="basket_empty")
    _room_aside(state)
    return (BasketSuspended(basket.id, _label(label), moment.now_ms, basket.customer.id if basket.customer else ""),)


def _park(state: Register, basket: Basket, label: str, moment: Moment) -> tuple[Event, ...]:
    attempt = basket.open_attempt
    parks = attempt.state in (AttemptState.UNKNOWN, AttemptState.NEEDS_REVIEW) if attempt else basket.settled_minor
    if not parks:
        raise NotNow("Only a sale whose payment is unclear is parked.", hint="Suspend it instead (F6).", reason="not_unknown")
    _room_aside(state)
    return (SaleParked(basket.id, _label(label), moment.now_ms, basket.customer.id if basket.customer else ""),)


def _recall(state: Register, basket_id: str, moment: Moment) -> tuple[Event, ...]:
    gone = _makes_way(state, moment)
    if all(basket.id != basket_id for basket in (*state.suspended, *state.parked)):
        raise NotNow("That basket is not suspended here any more.", hint="Choose another.", reason="not_aside")
    return (*gone, BasketRecalled(basket_id, moment.now_ms))


def _room_aside(state: Register) -> None:
    if len(state.suspended) + len(state.parked) >= ASIDE_MAX:
        raise OutOfBounds(f"{ASIDE_MAX} baskets are suspended already.", hint="Recall and settle one first.", reason="aside", limit=ASIDE_MAX)


def _label(label: str) -> str:
    return masked_text(" ".join(label.split()))[:LABEL_CHARS_MAX]
