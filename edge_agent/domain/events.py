"""Everything that can happen at a register, in the past tense; the journal holds nothing else.

A stored event is its class's name and its fields. Fields may be added with a default; nothing is renamed or removed, because journals
outlive versions.
"""

from __future__ import annotations

from msgspec import Struct

from edge_agent.domain.basket import AttachedCustomer, Discount, Line, PriceSource
from edge_agent.domain.cart import Lease
from edge_agent.domain.quantity import Quantity
from edge_agent.domain.reviewed import Reviewed
from edge_agent.domain.sale import Sale
from edge_agent.domain.shift import Operator, Shift
from edge_agent.domain.tender import Attempt, Tender


class ShiftOpened(Struct, frozen=True):
    """A shift began, with its operator signed in."""

    shift: Shift
    operator: Operator


class ShiftClosed(Struct, frozen=True):
    """The shift ended; ``expected_cash_minor`` is the float plus the cash taken, less the change given."""

    shift: str
    at_ms: int
    operator: str
    sales: int
    expected_cash_minor: int


class OperatorSignedIn(Struct, frozen=True):
    """Another operator took over; the basket stays."""

    operator: Operator
    at_ms: int


class BasketOpened(Struct, frozen=True):
    """The first thing of a new sale; its id becomes the sale's."""

    basket: str
    at_ms: int


class LineAdded(Struct, frozen=True):
    """A line came in at the end."""

    line: Line


class LineQuantityChanged(Struct, frozen=True):
    """The quantity of a line is now this."""

    line: str
    quantity: Quantity


class LineRemoved(Struct, frozen=True):
    """A line was taken out again by an operator."""

    line: str
    at_ms: int
    operator: str


class LinePicked(Struct, frozen=True):
    """Goods of a cart line are in hand: ``picked`` joins the lines in hand, ``left`` pieces stay to be picked."""

    line: str
    picked: Line
    left: int


class Reprice(Struct, frozen=True):
    """One line's new unit price."""

    line: str
    unit_price_minor: int
    base_price_minor: int
    source: PriceSource
    book: str
    version: str


class LinesRepriced(Struct, frozen=True):
    """An act at the counter (a customer attached or detached, a cart released) changed prices; the totals before and after are what was shown."""

    changes: tuple[Reprice, ...]
    before_minor: int
    after_minor: int


class LineDiscounted(Struct, frozen=True):
    """Money off one line."""

    line: str
    discount: Discount


class BasketDiscounted(Struct, frozen=True):
    """Money off the whole basket."""

    discount: Discount


class DiscountRemoved(Struct, frozen=True):
    """Money off was taken back by an operator: of that line, or of the whole basket when ``line`` is empty."""

    line: str
    discount: str
    at_ms: int
    operator: str


class CustomerAttached(Struct, frozen=True):
    """The basket has a customer."""

    customer: AttachedCustomer


class CustomerDetached(Struct, frozen=True):
    """The basket has no customer any more."""

    customer: str


class CustomerForgotten(Struct, frozen=True):
    """The customer of that basket, open or set aside, was erased: it is nobody's, under no label, and costs what it did. Who it was is not said."""

    basket: str


class ClaimBegun(Struct, frozen=True):
    """Central is about to be asked to hold a cart by ``lease.claim``, for no basket yet: from now on it may, whether or not an answer comes."""

    lease: Lease


class ClaimEnded(Struct, frozen=True):
    """Central does not hold a cart by that claim any more, or never did."""

    claim: str


class LeaseMoved(Struct, frozen=True):
    """The hold on the cart of that basket, open or set aside, is now as ``lease`` says: prolonged, claimed anew, or lost."""

    basket: str
    lease: Lease


class CartLoaded(Struct, frozen=True):
    """The customer's online cart was claimed (or copied, offline); its lines come as LineAdded, to pick."""

    lease: Lease


class CartReleased(Struct, frozen=True):
    """The cart was let go; lines to pick went with it, lines in hand stay."""

    cart: str


class BasketSuspended(Struct, frozen=True):
    """The basket was set aside under a label, which may name a person and is sealed wherever it is stored; ``customer`` is the basket's, or empty."""

    basket: str
    label: str
    at_ms: int
    customer: str = ""


class BasketRecalled(Struct, frozen=True):
    """A suspended or parked basket is on the counter again."""

    basket: str
    at_ms: int


class BasketVoided(Struct, frozen=True):
    """The basket was given up; nothing was sold."""

    basket: str
    reason: str
    operator: str
    at_ms: int
    lines: int
    amount_minor: int


class TenderAdded(Struct, frozen=True):
    """The customer pays (a part): cash is settled at once, a card tender carries its first attempt."""

    tender: Tender


class TenderReturned(Struct, frozen=True):
    """Cash that was already put down was handed back by an operator."""

    tender: str
    at_ms: int
    operator: str = ""


class AttemptAdded(Struct, frozen=True):
    """Another conversation about a tender (a void of its approved attempt)."""

    tender: str
    attempt: Attempt


class AttemptMoved(Struct, frozen=True):
    """An attempt is now as ``attempt`` says; ``cause`` is why (``answer``, ``query``, ``restart``, ``review`` ...)."""

    attempt: Attempt
    cause: str


class PaymentReviewed(Struct, frozen=True):
    """A person decided what became of a payment; the terminal goes on being asked about it."""

    reviewed: Reviewed


class ReviewContradicted(Struct, frozen=True):
    """The terminal says something else than a person's decision: ``found`` is the attempt as it has it, ``owed_minor`` as in Reviewed."""

    found: Attempt
    owed_minor: int
    at_ms: int


class PaymentCorrected(Struct, frozen=True):
    """What a basket that is not completed counted as paid is now what the terminal says: ``found`` takes the attempt's place, and ``missing_minor`` less
    is paid. It follows from a contradicted decision."""

    found: Attempt
    missing_minor: int
    at_ms: int


class ReviewEnded(Struct, frozen=True):
    """Nobody asks about a person's decision any more. ``why``: the terminal ``confirmed`` it, gave ``no_answer`` in all the time, or what contradicted
    it was ``handled`` as ``note`` says: by an operator, or by none where its sale was not completed and what was missing is due again."""

    attempt: str
    why: str
    at_ms: int
    operator: str = ""
    note: str = ""


class SaleParked(Struct, frozen=True):
    """The basket was set aside with a payment whose outcome is not known yet, or with money in it; label and customer as in BasketSuspended."""

    basket: str
    label: str
    at_ms: int
    customer: str = ""


class SaleCompleted(Struct, frozen=True):
    """Goods and money changed hands. ``receipt_due``: a printer is there to print it; how that ended, a ReceiptTried says."""

    sale: Sale
    receipt_due: bool = False


class ReceiptTried(Struct, frozen=True):
    """How the printing of a sale's receipt ended: ``printed``, ``not_printed``, ``unclear``, or ``unknown`` where the service did not live to see it."""

    sale: str
    outcome: str
    at_ms: int


Event = (
    ShiftOpened | ShiftClosed | OperatorSignedIn | BasketOpened | LineAdded | LineQuantityChanged | LineRemoved | LinePicked | LinesRepriced
    | LineDiscounted | BasketDiscounted | DiscountRemoved | CustomerAttached | CustomerDetached | CustomerForgotten | CartLoaded | CartReleased
    | BasketSuspended | BasketRecalled | BasketVoided | TenderAdded | TenderReturned | AttemptAdded | AttemptMoved | PaymentReviewed | ReviewContradicted
    | ReviewEnded | PaymentCorrected | SaleParked | SaleCompleted | ReceiptTried | ClaimBegun | ClaimEnded | LeaseMoved
)  # fmt: skip
EVENT_TYPES: tuple[type[Event], ...] = (
    ShiftOpened, ShiftClosed, OperatorSignedIn, BasketOpened, LineAdded, LineQuantityChanged, LineRemoved, LinePicked, LinesRepriced,
    LineDiscounted, BasketDiscounted, DiscountRemoved, CustomerAttached, CustomerDetached, CustomerForgotten, CartLoaded, CartReleased,
    BasketSuspended, BasketRecalled, BasketVoided, TenderAdded, TenderReturned, AttemptAdded, AttemptMoved, PaymentReviewed, ReviewContradicted,
    ReviewEnded, PaymentCorrected, SaleParked, SaleCompleted, ReceiptTried, ClaimBegun, ClaimEnded, LeaseMoved,
)  # fmt: skip
