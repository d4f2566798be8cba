"""A register's whole state, and how an event changes it. Replaying a journal's events from nothing gives the same state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from edge_agent.domain.basket import Basket, Line, LineState, RemovedLine
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
    CustomerAttached,
    CustomerDetached,
    Event,
    LineAdded,
    LineDiscounted,
    LinePicked,
    LineQuantityChanged,
    LineRemoved,
    LinesRepriced,
    OperatorSignedIn,
    Reprice,
    SaleCompleted,
    SaleParked,
    ShiftClosed,
    ShiftOpened,
    TenderAdded,
    TenderReturned,
)  # fmt: skip
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.shift import Operator, Shift
from edge_agent.domain.tender import MONEY_MOVED, Attempt, AttemptKind, AttemptState, Tender, TenderKind


@dataclass(frozen=True, slots=True)
class Register:
    """One selling point between two events. ``receipts`` is the last receipt number used; ``cash_minor`` what the drawer should hold."""

    shift: Shift | None = None
    operator: Operator | None = None
    basket: Basket | None = None
    suspended: tuple[Basket, ...] = ()
    parked: tuple[Basket, ...] = ()
    receipts: int = 0
    shift_sales: int = 0
    cash_minor: int = 0

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

    def open_attempts(self) -> tuple[Attempt, ...]:
        """All attempts whose outcome is not known yet."""
        return tuple(basket.open_attempt for basket in self.baskets if basket.open_attempt)


def evolve(state: Register, event: Event) -> Register:
    """The state after ``event``. Total over the events that ``decide`` makes; anything else is a bug."""
    match event:
        case ShiftOpened(shift, operator):
            return replace(state, shift=shift, operator=operator, shift_sales=0, cash_minor=shift.float_minor)
        case ShiftClosed():
            return replace(state, shift=None, operator=None)
        case OperatorSignedIn(operator):
            return replace(state, operator=operator)
        case BasketOpened(basket, at_ms):
            assert state.basket is None
            return replace(state, basket=Basket(basket, at_ms))
        case BasketSuspended(label=label, at_ms=at_ms):
            return replace(state, basket=None, suspended=(*state.suspended, _set_aside(state, label, at_ms)))
        case SaleParked(label=label, at_ms=at_ms):
            return replace(state, basket=None, parked=(*state.parked, _set_aside(state, label, at_ms)))
        case BasketRecalled(basket_id):
            return _recalled(state, basket_id)
        case BasketVoided():
            return replace(state, basket=None)
        case SaleCompleted(sale):
            cash = sum(t.given_minor - t.change_minor for t in sale.tenders if t.kind is TenderKind.CASH)
            return replace(_without(state, sale.id), receipts=sale.number, shift_sales=state.shift_sales + 1, cash_minor=state.cash_minor + cash)
        case AttemptAdded(tender_id, attempt):
            return _on_tender(state, tender_id, lambda tender: replace(tender, attempts=(*tender.attempts, attempt)))
        case AttemptMoved(attempt):
            return _on_tender(state, attempt.tender, lambda tender: _moved(tender, attempt))
        case _:
            assert state.basket is not None, event
            return replace(state, basket=_in_basket(state.basket, event))


def _set_aside(state: Register, label: str, at_ms: int) -> Basket:
    assert state.basket is not None
    return replace(state.basket, label=label, set_aside_ms=at_ms)


def _recalled(state: Register, basket_id: str) -> Register:
    found = next(basket for basket in state.baskets if basket.id == basket_id)
    return replace(_without(state, basket_id), basket=replace(found, label="", set_aside_ms=0))


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

    return replace(
        state,
        basket=in_one(state.basket) if state.basket else None,
        parked=tuple(in_one(basket) for basket in state.parked),
        suspended=tuple(in_one(basket) for basket in state.suspended),
    )


def _moved(tender: Tender, attempt: Attempt) -> Tender:
    attempts = tuple(attempt if held.id == attempt.id else held for held in tender.attempts)
    if attempt.kind is AttemptKind.VOID and attempt.state in MONEY_MOVED:
        voided = tuple(replace(held, state=AttemptState.VOIDED) if held.id == attempt.original else held for held in attempts)
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
        case CustomerAttached(customer):
            return replace(basket, customer=customer)
        case CustomerDetached():
            return replace(basket, customer=None)
        case CartLoaded(lease):
            return replace(basket, lease=lease)
        case CartReleased():
            kept = tuple(replace(line, cart_line="") for line in basket.lines if line.state is LineState.IN_HAND)
            return replace(basket, lease=None, lines=kept)
        case TenderAdded(tender):
            return replace(basket, tenders=(*basket.tenders, tender))
        case TenderReturned(tender_id):
            return replace(basket, tenders=tuple(tender for tender in basket.tenders if tender.id != tender_id))
        case _:
            raise AssertionError(f"no basket event: {event}")


def _on_line(basket: Basket, line_id: str, change: Callable[[Line], Line]) -> Basket:
    assert basket.line(line_id) is not None, line_id
    return replace(basket, lines=tuple(change(line) if line.id == line_id else line for line in basket.lines))


def _repriced(to: Reprice, line: Line) -> Line:
    return replace(line, unit_price_minor=to.unit_price_minor, base_price_minor=to.base_price_minor, source=to.source, book=to.book, version=to.version)


def _line_removed(basket: Basket, line_id: str, at_ms: int, operator: str) -> Basket:
    line = basket.line(line_id)
    assert line is not None, line_id
    removed = RemovedLine(line.sku, line.name, line.quantity, line.amount_minor, at_ms, operator)
    lines = tuple(held for held in basket.lines if held.id != line_id)
    kept = basket.removed if line.state is LineState.TO_PICK else (*basket.removed, removed)
    return replace(basket, lines=lines, removed=kept, changed="")


def _picked(basket: Basket, event: LinePicked) -> Basket:
    lines: list[Line] = []
    for line in basket.lines:
        if line.id == event.line and event.left:
            lines.append(replace(line, quantity=Quantity(event.left, Unit.PIECE)))
        elif line.id not in (event.line, event.picked.id):
            lines.append(line)
    return replace(basket, lines=(*lines, event.picked), positions=max(basket.positions, event.picked.position), changed=event.picked.id)
