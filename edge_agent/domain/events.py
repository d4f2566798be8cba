"""Everything that can happen at a register, in the past tense; the journal holds nothing else.

A stored event is its class's name and its fields. Fields may be added with a default; nothing is renamed or removed, because journals
outlive versions.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.domain.basket import AttachedCustomer, Discount, Line, PriceSource
from edge_agent.domain.cart import Lease
from edge_agent.domain.quantity import Quantity
from edge_agent.domain.sale import Sale
from edge_agent.domain.shift import Operator, Shift
from edge_agent.domain.tender import Attempt, Tender


@dataclass(frozen=True, slots=True)
class ShiftOpened:
    """A shift began, with its operator signed in."""

    shift: Shift
    operator: Operator


@dataclass(frozen=True, slots=True)
class ShiftClosed:
    """The shift ended; ``expected_cash_minor`` is the float plus the cash taken, less the change given."""

    shift: str
    at_ms: int
    operator: str
    sales: int
    expected_cash_minor: int


@dataclass(frozen=True, slots=True)
class OperatorSignedIn:
    """Another operator took over; the basket stays."""

    operator: Operator
    at_ms: int


@dataclass(frozen=True, slots=True)
class BasketOpened:
    """The first thing of a new sale; its id becomes the sale's."""

    basket: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class LineAdded:
    """A line came in at the end."""

    line: Line


@dataclass(frozen=True, slots=True)
class LineQuantityChanged:
    """The quantity of a line is now this."""

    line: str
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class LineRemoved:
    """A line was taken out again by an operator."""

    line: str
    at_ms: int
    operator: str


@dataclass(frozen=True, slots=True)
class LinePicked:
    """Goods of a cart line are in hand: ``picked`` joins the lines in hand, ``left`` pieces stay to be picked."""

    line: str
    picked: Line
    left: int


@dataclass(frozen=True, slots=True)
class Reprice:
    """One line's new unit price."""

    line: str
    unit_price_minor: int
    base_price_minor: int
    source: PriceSource
    book: str
    version: str


@dataclass(frozen=True, slots=True)
class LinesRepriced:
    """An act at the counter (a customer attached or detached) changed prices; the totals before and after are what was shown."""

    changes: tuple[Reprice, ...]
    before_minor: int
    after_minor: int


@dataclass(frozen=True, slots=True)
class LineDiscounted:
    """Money off one line."""

    line: str
    discount: Discount


@dataclass(frozen=True, slots=True)
class BasketDiscounted:
    """Money off the whole basket."""

    discount: Discount


@dataclass(frozen=True, slots=True)
class CustomerAttached:
    """The basket has a customer."""

    customer: AttachedCustomer


@dataclass(frozen=True, slots=True)
class CustomerDetached:
    """The basket has no customer any more."""

    customer: str


@dataclass(frozen=True, slots=True)
class CartLoaded:
    """The customer's online cart was claimed (or copied, offline); its lines come as LineAdded, to pick."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class CartReleased:
    """The cart was let go; lines to pick went with it, lines in hand stay."""

    cart: str


@dataclass(frozen=True, slots=True)
class BasketSuspended:
    """The basket was set aside under a label."""

    basket: str
    label: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class BasketRecalled:
    """A suspended or parked basket is on the counter again."""

    basket: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class BasketVoided:
    """The basket was given up; nothing was sold."""

    basket: str
    reason: str
    operator: str
    at_ms: int
    lines: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class TenderAdded:
    """The customer pays (a part): cash is settled at once, a card tender carries its first attempt."""

    tender: Tender


@dataclass(frozen=True, slots=True)
class TenderReturned:
    """Cash that was already put down was handed back."""

    tender: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class AttemptAdded:
    """Another conversation about a tender (a void of its approved attempt)."""

    tender: str
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class AttemptMoved:
    """An attempt is now as ``attempt`` says; ``cause`` is why (``answer``, ``query``, ``restart``, ``review`` ...)."""

    attempt: Attempt
    cause: str


@dataclass(frozen=True, slots=True)
class SaleParked:
    """The basket was set aside with a payment whose outcome is not known yet."""

    basket: str
    label: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SaleCompleted:
    """Goods and money changed hands."""

    sale: Sale


Event = (
    ShiftOpened | ShiftClosed | OperatorSignedIn | BasketOpened | LineAdded | LineQuantityChanged | LineRemoved | LinePicked | LinesRepriced
    | LineDiscounted | BasketDiscounted | CustomerAttached | CustomerDetached | CartLoaded | CartReleased | BasketSuspended | BasketRecalled
    | BasketVoided | TenderAdded | TenderReturned | AttemptAdded | AttemptMoved | SaleParked | SaleCompleted
)  # fmt: skip
EVENT_TYPES: tuple[type[Event], ...] = (
    ShiftOpened, ShiftClosed, OperatorSignedIn, BasketOpened, LineAdded, LineQuantityChanged, LineRemoved, LinePicked, LinesRepriced,
    LineDiscounted, BasketDiscounted, CustomerAttached, CustomerDetached, CartLoaded, CartReleased, BasketSuspended, BasketRecalled,
    BasketVoided, TenderAdded, TenderReturned, AttemptAdded, AttemptMoved, SaleParked, SaleCompleted,
)  # fmt: skip
