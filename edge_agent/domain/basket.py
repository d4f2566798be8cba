"""What is being sold now: lines, discounts, and what they come to."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from edge_agent.domain.cart import Lease
from edge_agent.domain.catalogue import SoldBy
from edge_agent.domain.errors import OutOfBounds
from edge_agent.domain.market import Market
from edge_agent.domain.money import allocate, divide_half_up
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.tax import PERCENT_MILLI, TaxRow, tax_rows
from edge_agent.domain.tender import Attempt, Tender

LINES_MAX = 500
"""Lines in one basket; beyond it the associate is told to take payment and begin another."""
DISCOUNTS_MAX = 8
"""Discounts on one line, and on the basket as a whole."""
LINE_DISCOUNTS_MAX = 500
"""Discounts on all lines of one basket together: the sale's fact has to fit into one message."""
REMOVED_MAX = 500
"""Lines taken out of one basket again; beyond it the associate is told to void it."""
CASH_TENDERS_MAX = 50
"""Times that cash is put down for one basket, counting what was handed back."""
ATTEMPTS_MAX = 100
"""Conversations with terminals about one basket; beyond it the rest is paid in cash."""
REASON_CHARS_MAX = 80


class LineState(Enum):
    """Whether the goods are on the counter. Only lines in hand are sold."""

    IN_HAND = "in_hand"
    TO_PICK = "to_pick"


class PriceSource(Enum):
    """Where a line's unit price came from."""

    BOOK = "book"
    MEMBER = "member"
    ONLINE = "online"  # the customer's cart promised less than the book
    CODE = "code"  # the scanned code carried the price
    KEYED = "keyed"  # typed by department


class Discount(Struct, frozen=True):
    """Money off, by an associate, for a stated reason: a share in thousandths of a per cent, or an amount; the other is 0.

    Of the basket's: ``upto`` is the last position that it was given for, or 0 where nothing was in hand yet. It goes with the last of those goods.
    ``granted_minor`` is what a share took off all that was there when it was given, the cart's goods to pick included: that it takes off more, by more
    goods, takes the right for it again. None of one that an older version gave, and of an amount, which does not grow.
    """

    id: str
    reason: str
    operator: str
    percent_milli: int = 0
    amount_minor: int = 0
    upto: int = 0
    granted_minor: int | None = None

    def off(self, minor: int) -> int:
        """What it takes off ``minor``, never more than all of it.

        >>> Discount("d", "worn", "7", percent_milli=20_000).off(19900), Discount("d", "worn", "7", amount_minor=500).off(300)
        (3980, 300)
        """
        return min(minor, divide_half_up(minor * self.percent_milli, PERCENT_MILLI) if self.percent_milli else self.amount_minor)


class Line(Struct, frozen=True):
    """One entry of the basket. ``base_price_minor`` is everybody's price; ``unit_price_minor`` the one that counts.

    ``position`` is its number in the sale's fact; it is never reused within a basket. Batch, expiry (ISO date) and serial come from the code
    that was scanned. ``cart_line`` is the web shop's id where the line came from the online cart, ``cart_pieces`` how many it asks for in all.

    ``holds`` is what the label on each piece says is in it, where the label's price is for all of that: then ``unit_price_minor`` and
    ``base_price_minor`` are for all of it too. ``tied`` marks a label's price below everybody's that was let in because this customer's is as low.
    ``granted`` are the rights that its price took of whoever let it in: more of it takes them again.
    """

    id: str
    position: int
    sku: str
    name: str
    department: str
    tax_class: str
    quantity: Quantity
    unit_price_minor: int
    base_price_minor: int
    source: PriceSource
    sold_by: SoldBy = SoldBy.PIECE
    variant: str = ""
    gtin: str = ""
    book: str = ""
    version: str = ""
    discounts: tuple[Discount, ...] = ()
    state: LineState = LineState.IN_HAND
    cart_line: str = ""
    cart_pieces: int = 0
    batch: str = ""
    expiry: str = ""
    serial: str = ""
    operator: str = ""
    holds: Quantity | None = None
    tied: bool = False
    granted: tuple[str, ...] = ()

    @property
    def gross_minor(self) -> int:
        """Unit price times quantity, before discounts; weight is priced by the kilogram."""
        return self.quantity.cost_minor(self.unit_price_minor)

    @property
    def discounts_minor(self) -> tuple[int, ...]:
        """What each discount takes off, in order, each from what the ones before left."""
        return running_discounts(self.gross_minor, self.discounts)

    @property
    def amount_minor(self) -> int:
        """What the line costs after its own discounts."""
        gross = self.gross_minor
        return gross - sum(running_discounts(gross, self.discounts)) if self.discounts else gross

    def joins(self, held: Line) -> bool:
        """Whether nothing tells these pieces from those of ``held``, so that they may simply raise its quantity."""
        return held.sku == self.sku and held.plain and self.plain and held.told_by == self.told_by

    @property
    def plain(self) -> bool:
        """Whether it is pieces in hand that are alike."""
        return self.state is LineState.IN_HAND and self.quantity.unit is Unit.PIECE and not (self.discounts or self.serial or self.batch)

    @property
    def told_by(self) -> tuple[object, ...]:
        """What tells plain pieces of one article apart: the price and why it is that, the code, the cart's line, the date, and who answers for them."""
        price = (self.unit_price_minor, self.source, self.holds, self.tied, self.granted)
        return (*price, self.gtin, self.cart_line, self.expiry, self.operator)


def all_in_hand(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """``lines`` as if whatever is still to be picked were on the counter."""
    return tuple(replace(line, state=LineState.IN_HAND) if line.state is LineState.TO_PICK else line for line in lines)


def running_discounts(minor: int, discounts: tuple[Discount, ...]) -> tuple[int, ...]:
    """What each of ``discounts`` takes off ``minor``, each from what the ones before left."""
    taken: list[int] = []
    for discount in discounts:
        taken.append(discount.off(minor - sum(taken)))
    return tuple(taken)


class AttachedCustomer(Struct, frozen=True):
    """The customer of this basket, as known when they were attached. ``name`` is personal and sealed wherever it is stored."""

    id: str
    tier: str
    points: int
    identified_by: str
    name: str = ""


class RemovedLine(Struct, frozen=True):
    """What a removed line was, kept for loss prevention."""

    sku: str
    name: str
    quantity: Quantity
    amount_minor: int
    at_ms: int
    operator: str


class ReturnedCash(Struct, frozen=True):
    """Cash that was put down and handed back before the basket ended, kept for loss prevention."""

    amount_minor: int
    at_ms: int
    operator: str


class Totals(Struct, frozen=True):
    """What the lines in hand come to. ``shares_minor`` is each such line's amount after its part of the basket's discounts."""

    lines_minor: int
    basket_discounts_minor: tuple[int, ...]
    shares_minor: tuple[int, ...]
    taxes: tuple[TaxRow, ...]
    tax_minor: int
    total_minor: int


class Basket(Struct, frozen=True):
    """The state of one basket, open, suspended or parked."""

    id: str
    opened_ms: int
    lines: tuple[Line, ...] = ()
    discounts: tuple[Discount, ...] = ()
    customer: AttachedCustomer | None = None
    lease: Lease | None = None
    tenders: tuple[Tender, ...] = ()
    removed: tuple[RemovedLine, ...] = ()
    returned: tuple[ReturnedCash, ...] = ()
    positions: int = 0
    changed: str = ""  # the line that changed last
    label: str = ""  # what it was suspended or parked as
    set_aside_ms: int = 0

    @property
    def in_hand(self) -> tuple[Line, ...]:
        """The lines that will be sold."""
        return tuple([line for line in self.lines if line.state is LineState.IN_HAND])

    @property
    def to_pick(self) -> tuple[Line, ...]:
        """The lines of the online cart that are not on the counter yet."""
        return tuple([line for line in self.lines if line.state is LineState.TO_PICK])

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it that somebody could miss: no goods, no cart that is held, no money."""
        return not self.lines and self.lease is None and not self.tenders

    @property
    def open_attempt(self) -> Attempt | None:
        """The attempt whose outcome is not known yet, if any; there is at most one."""
        return next((tender.open_attempt for tender in self.tenders if tender.open_attempt), None)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every conversation about this basket, whatever came of it."""
        return tuple(attempt for tender in self.tenders for attempt in tender.attempts)

    @property
    def settled_minor(self) -> int:
        """What the tenders have paid so far."""
        return sum(tender.settled_minor for tender in self.tenders)

    def line(self, line_id: str) -> Line | None:
        """The line with that id."""
        return next((line for line in self.lines if line.id == line_id), None)

    def require_room(self, lines: int = 1) -> None:
        """Raise OutOfBounds when so many more lines do not fit."""
        if len(self.lines) + lines > LINES_MAX:
            raise OutOfBounds(f"A basket holds at most {LINES_MAX} lines.", hint="Take payment and begin another.", reason="lines", limit=LINES_MAX)

    def totals(self, market: Market) -> Totals:
        """What the lines in hand come to in ``market``."""
        in_hand = self.in_hand
        amounts = tuple([line.amount_minor for line in in_hand])
        gross = sum(amounts)
        off = running_discounts(gross, self.discounts)
        cuts = allocate(-sum(off), amounts) if off else ()
        shares = tuple([amount + cut for amount, cut in zip(amounts, cuts, strict=True)]) if off else amounts
        taxes = tax_rows(zip([line.tax_class for line in in_hand], shares, strict=True), market)
        tax = sum(row.tax_minor for row in taxes)
        return Totals(gross, off, shares, taxes, tax, sum(shares) if market.price_includes_tax else sum(shares) + tax)

    def rest_minor(self, market: Market) -> int:
        """What is still to be paid."""
        return self.totals(market).total_minor - self.settled_minor
