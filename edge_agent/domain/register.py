"""A register's whole state, and how an event changes it. Replaying a journal's events from nothing gives the same state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from edge_agent.domain.basket import Basket, Discount, Line, LineState, PriceSource, RemovedLine, ReturnedCash
from edge_agent.domain.cart import Lease
from edge_agent.domain.events import (
    AttemptAdded,
    AttemptMoved,
    BasketDiscounted,
    BasketOpened,
    BasketRecalled,
    BasketSuspended,
    BasketVoided,
    CartLoaded,
    CartReleased,
    ClaimBegun,
    ClaimEnded,
    CustomerAttached,
    CustomerDetached,
    CustomerForgotten,
    DiscountRemoved,
    Event,
    LeaseMoved,
    LineAdded,
    LineDiscounted,
    LinePicked,
    LineQuantityChanged,
    LineRemoved,
    LinesRepriced,
    OperatorSignedIn,
    PaymentCorrected,
    PaymentReviewed,
    ReceiptTried,
    Reprice,
    ReviewContradicted,
    ReviewEnded,
    SaleCompleted,
    SaleParked,
    ShiftClosed,
    ShiftOpened,
    TenderAdded,
    TenderReturned,
)  # fmt: skip
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.reviewed import Reviewed, kept
from edge_agent.domain.sale import Sale
from edge_agent.domain.shift import RIGHT_DISCOUNT, Operator, Shift
from edge_agent.domain.tender import MONEY_MOVED, Attempt, AttemptKind, AttemptState, Tender, TenderKind

RECEIPTS_DUE_MAX = 50
"""Of so many receipts that did not print for certain it is remembered; of an older one nobody asks any more."""
CLAIMS_MAX = 50
"""So many claims that no basket uses are told central to end; an older one's lease runs out by itself."""


class ReceiptDue(Struct, frozen=True):
    """A sale whose receipt is not known to be printed. ``outcome`` as ReceiptTried has it, empty while the printing goes on."""

    sale: str
    receipt: str
    outcome: str = ""


class LastSale(Struct, frozen=True):
    """The sale that the counter shows after it: ``change`` when money was to be handed back, ``past`` once another basket was begun or the shift closed."""

    id: str
    change: bool = False
    past: bool = False


class Register(Struct, frozen=True):
    """One selling point between two events. ``receipts`` is the last receipt number used; ``cash_minor`` what the drawer should hold.

    ``receipt_codes`` is how the codes of the receipts begin that are counted, once it is known: the PC may have been another register before.
    ``claims`` are the leases that central may hold for this register and that no basket uses: without a token, its answer never came.
    """

    shift: Shift | None = None
    operator: Operator | None = None
    basket: Basket | None = None
    suspended: tuple[Basket, ...] = ()
    parked: tuple[Basket, ...] = ()
    receipts: int = 0
    shift_sales: int = 0
    cash_minor: int = 0
    receipts_due: tuple[ReceiptDue, ...] = ()
    last_sale: LastSale | None = None
    reviewed: tuple[Reviewed, ...] = ()
    claims: tuple[Lease, ...] = ()
    receipt_codes: str = ""

    @property
    def customers(self) -> frozenset[str]:
        """Whose the baskets here are."""
        return frozenset(basket.customer.id for basket in self.baskets if basket.customer is not None)

    @property
    def baskets(self) -> tuple[Basket, ...]:
        """Every basket that may hold an attempt: the open one, the parked ones, and the suspended ones."""
        return (*((self.basket,) if self.basket else ()), *self.parked, *self.suspended)

    def holding(self, attempt_id: str) -> tuple[Basket, Tender, Attempt] | None:
        """Where an attempt stands."""
        for basket in self.baskets:
            for tender in basket.tenders:
                for attempt in tender.attempts:
                    if attempt.id == attempt_id:
                        return basket, tender, attempt
        return None

    def receipt_due(self, sale: str) -> ReceiptDue | None:
        """What is known of a sale's receipt; None when it was printed, or is none of the printer's."""
        return next((due for due in self.receipts_due if due.sale == sale), None)

    def decided(self, attempt_id: str) -> Reviewed | None:
        """A person's decision about an attempt that the terminal is still asked about, or contradicted."""
        return next((held for held in self.reviewed if held.attempt.id == attempt_id), None)

    def open_attempts(self) -> tuple[Attempt, ...]:
        """All attempts whose outcome is not known yet."""
        return tuple(basket.open_attempt for basket in self.baskets if basket.open_attempt)


def evolve(state: Register, event: Event) -> Register:
    """The state after ``event``. Total over the events that ``decide`` makes; anything else is a bug."""
    match event:
        case ShiftOpened(shift, operator):
            return replace(state, shift=shift, operator=operator, shift_sales=0, cash_minor=shift.float_minor)
        case ShiftClosed():
            return replace(state, shift=None, operator=None, last_sale=_past(state))
        case OperatorSignedIn(operator):
            return replace(state, operator=operator)
        case BasketOpened(basket, at_ms):
            assert state.basket is None
            return replace(state, basket=Basket(basket, at_ms), last_sale=_past(state))
        case BasketSuspended(label=label, at_ms=at_ms):
            return replace(state, basket=None, suspended=(*state.suspended, _set_aside(state, label, at_ms)))
        case SaleParked(label=label, at_ms=at_ms):
            return replace(state, basket=None, parked=(*state.parked, _set_aside(state, label, at_ms)))
        case BasketRecalled(basket_id):
            return _recalled(state, basket_id)
        case BasketVoided():
            return replace(state, basket=None)
        case SaleCompleted(sale, receipt_due):
            cash = sum(t.given_minor - t.change_minor for t in sale.tenders if t.kind is TenderKind.CASH)
            due = (*state.receipts_due, *((ReceiptDue(sale.id, sale.receipt),) if receipt_due else ()))[-RECEIPTS_DUE_MAX:]
            after = replace(_without(state, sale.id), receipts=sale.number, shift_sales=state.shift_sales + 1, receipts_due=due)
            unanswered = sale.lease if sale.lease is not None and not sale.lease.token else None
            reviewed = tuple(replace(held, receipt=sale.receipt) if held.transaction == sale.id else held for held in state.reviewed)
            return replace(after, cash_minor=state.cash_minor + cash, last_sale=_last_sale(state, sale), reviewed=reviewed, claims=_claims(state, unanswered))
        case ReceiptTried(sale_id, outcome):
            return replace(state, receipts_due=tuple(_tried(state, sale_id, outcome)))
        case PaymentReviewed(reviewed):
            return replace(state, reviewed=kept((*state.reviewed, reviewed)))
        case ReviewContradicted(found, owed_minor):
            told = (replace(held, found=found, owed_minor=owed_minor) if held.attempt.id == found.id else held for held in state.reviewed)
            return replace(state, reviewed=tuple(told))
        case PaymentCorrected(found):
            return _on_tender(state, found.tender, lambda tender: _moved(replace(tender, settled_minor=0), found))
        case ReviewEnded(attempt_id):
            return replace(state, reviewed=tuple(held for held in state.reviewed if held.attempt.id != attempt_id))
        case AttemptAdded(tender_id, attempt):
            return _on_tender(state, tender_id, lambda tender: replace(tender, attempts=(*tender.attempts, attempt)))
        case AttemptMoved(attempt):
            return _on_tender(state, attempt.tender, lambda tender: _moved(tender, attempt))
        case CustomerForgotten(basket_id):
            return _in_each(state, lambda basket: replace(basket, customer=None, label="") if basket.id == basket_id else basket)
        case ClaimBegun(lease):
            return replace(state, claims=_claims(state, lease))
        case ClaimEnded(claim):
            return replace(state, claims=_unclaimed(state, claim))
        case LeaseMoved(basket_id, lease):
            after = _in_each(state, lambda basket: replace(basket, lease=lease) if basket.id == basket_id else basket)
            return replace(after, claims=_unclaimed(state, lease.claim))
        case CartLoaded(lease) if state.basket is not None:
            return replace(state, basket=replace(state.basket, lease=lease), claims=_unclaimed(state, lease.claim))
        case CartReleased() if state.basket is not None:
            return replace(state, basket=_cart_released(state.basket), claims=_claims(state, state.basket.lease))
        case _:
            assert state.basket is not None, event
            return replace(state, basket=_in_basket(state.basket, event))


def _claims(state: Register, lease: Lease | None) -> tuple[Lease, ...]:
    """What is left to be ended at central, with ``lease``, which no basket uses, where it was claimed."""
    return (*state.claims, lease)[-CLAIMS_MAX:] if lease is not None and lease.claim else state.claims


def _unclaimed(state: Register, claim: str) -> tuple[Lease, ...]:
    return tuple(held for held in state.claims if held.claim != claim) if claim else state.claims


def _cart_released(basket: Basket) -> Basket:
    kept = tuple(replace(line, cart_line="", cart_pieces=0) for line in basket.lines if line.state is LineState.IN_HAND)
    return replace(basket, lease=None, lines=kept)


def _past(state: Register) -> LastSale | None:
    return replace(state.last_sale, past=True) if state.last_sale else None


def _last_sale(before: Register, sale: Sale) -> LastSale:
    """A parked sale that completes meanwhile does not take the place of one whose change is still to be handed out."""
    here, last = before.basket, before.last_sale
    if (here is None or here.id != sale.id) and last is not None and last.change and not last.past:
        return last
    return LastSale(sale.id, sale.change_minor > 0, past=here is not None and here.id != sale.id)


def _tried(state: Register, sale: str, outcome: str) -> Iterator[ReceiptDue]:
    for due in state.receipts_due:
        if due.sale != sale:
            yield due
        elif outcome != "printed":
            yield replace(due, outcome=outcome)


def _set_aside(state: Register, label: str, at_ms: int) -> Basket:
    assert state.basket is not None
    return replace(state.basket, label=label, set_aside_ms=at_ms)


def _recalled(state: Register, basket_id: str) -> Register:
    found = next(basket for basket in state.baskets if basket.id == basket_id)
    return replace(_without(state, basket_id), basket=replace(found, label="", set_aside_ms=0), last_sale=_past(state))


def _without(state: Register, basket_id: str) -> Register:
    return replace(
        state,
        basket=None if state.basket and state.basket.id == basket_id else state.basket,
        parked=tuple(basket for basket in state.parked if basket.id != basket_id),
        suspended=tuple(basket for basket in state.suspended if basket.id != basket_id),
    )


def _on_tender(state: Register, tender_id: str, change: Callable[[Tender], Tender]) -> Register:
    def in_one(basket: Basket) -> Basket:
        if not any(tender.id == tender_id for tender in basket.tenders):
            return basket
        return replace(basket, tenders=tuple(change(tender) if tender.id == tender_id else tender for tender in basket.tenders))

    return _in_each(state, in_one)


def _in_each(state: Register, change: Callable[[Basket], Basket]) -> Register:
    return replace(
        state,
        basket=change(state.basket) if state.basket else None,
        parked=tuple(change(basket) for basket in state.parked),
        suspended=tuple(change(basket) for basket in state.suspended),
    )


def _moved(tender: Tender, attempt: Attempt) -> Tender:
    attempts = tuple(attempt if held.id == attempt.id else held for held in tender.attempts)
    if attempt.kind is AttemptKind.VOID and attempt.state in MONEY_MOVED:
        undone = {held.id for held in attempts if held.id == attempt.original and held.state in MONEY_MOVED}
        voided = tuple(replace(held, state=AttemptState.VOIDED) if held.id in undone else held for held in attempts)
        return replace(tender, attempts=voided, settled_minor=0)
    if attempt.kind is AttemptKind.SALE and attempt.state in MONEY_MOVED:
        return replace(tender, attempts=attempts, settled_minor=attempt.approved_minor)
    return replace(tender, attempts=attempts)


def _in_basket(basket: Basket, event: Event) -> Basket:
    match event:
        case LineAdded(line):
            return replace(basket, lines=(*basket.lines, line), positions=max(basket.positions, line.position), changed=line.id)
        case LineQuantityChanged(line_id, quantity):
            return replace(_on_line(basket, line_id, lambda line: replace(line, quantity=quantity)), changed=line_id)
        case LineDiscounted(line_id, discount):
            return replace(_on_line(basket, line_id, lambda line: replace(line, discounts=(*line.discounts, discount))), changed=line_id)
        case LineRemoved(line_id, at_ms, operator):
            return _line_removed(basket, line_id, at_ms, operator)
        case LinePicked():
            return _picked(basket, event)
        case LinesRepriced(changes):
            for change in changes:
                basket = _on_line(basket, change.line, partial(_repriced, change))
            return basket
        case BasketDiscounted(discount):
            return replace(basket, discounts=(*basket.discounts, discount))
        case DiscountRemoved(line_id, gone) if line_id:
            return replace(_on_line(basket, line_id, lambda line: replace(line, discounts=_but(line.discounts, gone))), changed=line_id)
        case DiscountRemoved(discount=gone):
            return replace(basket, discounts=_but(basket.discounts, gone))
        case CustomerAttached(customer):
            return replace(basket, customer=customer)
        case CustomerDetached():
            return replace(basket, customer=None)
        case TenderAdded(tender):
            return replace(basket, tenders=(*basket.tenders, tender))
        case TenderReturned():
            return _cash_returned(basket, event)
        case _:
            raise AssertionError(f"no basket event: {event}")


def _on_line(basket: Basket, line_id: str, change: Callable[[Line], Line]) -> Basket:
    assert basket.line(line_id) is not None, line_id
    return replace(basket, lines=tuple(change(line) if line.id == line_id else line for line in basket.lines))


def _but(discounts: tuple[Discount, ...], gone: str) -> tuple[Discount, ...]:
    return tuple(discount for discount in discounts if discount.id != gone)


def _repriced(to: Reprice, line: Line) -> Line:
    """What was let in for a customer's sake is settled with it: the line has another price, or keeps its own by somebody's right."""
    granted = (*line.granted, RIGHT_DISCOUNT) if line.tied and to.source is PriceSource.CODE else () if line.tied else line.granted
    return replace(
        line, unit_price_minor=to.unit_price_minor, base_price_minor=to.base_price_minor, source=to.source, book=to.book, version=to.version, tied=False,
        granted=granted,
    )  # fmt: skip


def _line_removed(basket: Basket, line_id: str, at_ms: int, operator: str) -> Basket:
    line = basket.line(line_id)
    assert line is not None, line_id
    removed = RemovedLine(line.sku, line.name, line.quantity, line.amount_minor, at_ms, operator)
    lines = tuple(held for held in basket.lines if held.id != line_id)
    kept = basket.removed if line.state is LineState.TO_PICK else (*basket.removed, removed)
    return replace(basket, lines=lines, removed=kept, changed="")


def _cash_returned(basket: Basket, event: TenderReturned) -> Basket:
    gone = next(tender for tender in basket.tenders if tender.id == event.tender)
    handed = ReturnedCash(gone.given_minor - gone.change_minor, event.at_ms, event.operator)
    return replace(basket, tenders=tuple(tender for tender in basket.tenders if tender is not gone), returned=(*basket.returned, handed))


def _picked(basket: Basket, event: LinePicked) -> Basket:
    lines: list[Line] = []
    for line in basket.lines:
        if line.id == event.line and event.left:
            lines.append(replace(line, quantity=Quantity(event.left, Unit.PIECE)))
        elif line.id not in (event.line, event.picked.id):
            lines.append(line)
    return replace(basket, lines=(*lines, event.picked), positions=max(basket.positions, event.picked.position), changed=event.picked.id)
