"""The data of every fact type, as msgspec types: central decodes with them and the published JSON Schemas are made from them.

Names are those of ARTS/OMG POSLog where it has one (RetailStoreID, WorkstationID, BusinessDayDate, SequenceNumber, LineItem, Tender, Tax).
Every key without a default is required; keys that a version does not know are let through, so that a newer register can say more. Integers are written
without fraction or exponent.

``gc=False``: values of text, numbers and lists of such are in no cycle, and the collector's walks over a batch of them cost as much as decoding it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sync.contract.fields import (
    MINOR_MAX,
    NUMBER_MAX,
    Count,
    Country,
    Currency,
    Day,
    Epoch,
    HexHash,
    Id,
    IdOrNone,
    LastFour,
    Minor,
    Name,
    Rate,
    Salt,
    StoreNumber,
    Text,
    TimeMs,
)
from sync.contract.line_items import LineItem, Modifier, RemovedItem

LINE_ITEMS_MAX = 500
TENDERS_MAX = 100
ATTEMPTS_MAX = 200

TenderKind = Literal["cash", "card"]
AttemptState = Literal[
    "intent", "sent", "in_progress", "aborting", "unknown", "needs_review", "approved", "approved_partial", "approved_offline",
    "declined", "cancelled", "not_processed", "abandoned", "voided",
]  # fmt: skip


class Common(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What every fact says: where, when, on whose shift."""

    salt: Salt
    retail_store_id: Annotated[StoreNumber, Meta(description="The store of the envelope's source.")]
    workstation_id: Annotated[StoreNumber, Meta(description="The register of the envelope's source.")]
    business_day_date: Annotated[Day, Meta(description="The shift's business day, an ISO date; empty while no shift is open.")]
    shift_id: Annotated[IdOrNone, Meta(description="Empty while no shift is open, and for what is nobody's act.")]
    operator_id: Annotated[IdOrNone, Meta(description="Who is signed in; empty when nobody is.")]
    at_ms: Annotated[TimeMs, Meta(description="The moment on the register's clock, in milliseconds since 1970 (UTC).")]


class SaleCustomer(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """The known customer of a sale; their name stays out of the fact."""

    customer_id: Id
    tier: Name
    identified_by: Name


class PartOfLine(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """So many pieces of a cart's line were sold; the others, if there are any, stay in the web shop."""

    line: Id
    pieces: Annotated[int, Meta(ge=1, le=1_000_000)]


class SaleCart(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """The online cart that the sale used. ``soldLines`` left it by this sale; ``leftLines`` stay in the web shop, less what ``partlySold`` says.

    ``soldPieces`` says how many pieces of each of ``soldLines`` were sold: what the customer added to the line online meanwhile stays in it. Of one that it
    does not name (an older register names none), all pieces left. An empty token: sold from a copy, offline.
    """

    cart_id: Id
    version: Count
    token: IdOrNone
    lease_until_ms: TimeMs
    offline_copy: bool
    sold_lines: Annotated[list[Id], Meta(max_length=LINE_ITEMS_MAX)]
    left_lines: Annotated[list[Id], Meta(max_length=LINE_ITEMS_MAX)]
    partly_sold: Annotated[list[PartOfLine], Meta(max_length=LINE_ITEMS_MAX)] = []
    sold_pieces: Annotated[list[PartOfLine], Meta(max_length=LINE_ITEMS_MAX)] = []


class ReturnedCash(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """Cash that was put down and handed back before the end, for loss prevention; it is in no total and in no drawer's sum."""

    amount_minor: Minor
    at_ms: TimeMs
    operator_id: IdOrNone


class Tax(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """One rate of the sale: the amount without tax, and the tax on it, as charged. Central never computes it again."""

    tax_class: Name
    rate_milli: Rate
    label: Name
    base_minor: Minor
    tax_minor: Minor


class Totals(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What the sale came to."""

    lines_minor: Minor
    modifiers_minor: Minor
    tax_minor: Minor
    total_minor: Minor
    rounding_minor: Minor
    tendered_minor: Minor
    change_minor: Minor


class Card(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What a terminal said that may be kept."""

    provider_ref: Name
    approval: Name
    brand: Name
    last_four: LastFour
    entry_mode: Name
    verification: Name
    merchant_account: Name
    terminal: Name
    wire_ref: Name
    offline: bool


class Tender(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """One settled way of paying part of the sale. For cash: given - change = settled + rounding."""

    tender_id: Id
    kind: TenderKind
    settled_minor: Minor
    given_minor: Minor
    change_minor: Minor
    rounding_minor: Minor
    attempt_id: IdOrNone
    card: Card | None


class Reported(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What a terminal said that it approved, where that is not what it was asked for."""

    amount_minor: Minor
    currency_code: Currency


class Attempt(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """One conversation with a terminal, whatever its end. ``reported`` is there once the terminal approved something else than was asked for."""

    attempt_id: Id
    tender_id: Id
    kind: Literal["sale", "void"]
    state: AttemptState
    amount_minor: Minor
    approved_minor: Minor
    wire_ref: Name
    terminal: Name
    reason: Text
    started_ms: TimeMs
    reported: Reported | None = None


Attempts = Annotated[list[Attempt], Meta(max_length=ATTEMPTS_MAX)]
Returned = Annotated[list[ReturnedCash], Meta(max_length=TENDERS_MAX)]


class SettledAttempt(Attempt, frozen=True, rename="camel", kw_only=True, gc=False):
    """An attempt that ended outside a completed sale, with its currency and what the terminal said."""

    currency_code: Currency
    card: Card | None


class SaleCompleted(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """Goods were exchanged for money. Subject: the sale's id."""

    transaction_id: Id
    sequence_number: Annotated[int, Meta(ge=1, le=999_999_999, description="The receipt's number at this register.")]
    receipt_code: Annotated[str, Meta(min_length=1, max_length=64)]
    country_code: Country
    currency_code: Currency
    tax_included: bool
    channel: Name
    begin_ms: TimeMs
    end_ms: TimeMs
    customer: SaleCustomer | None
    cart: SaleCart | None
    line_items: Annotated[list[LineItem], Meta(min_length=1, max_length=LINE_ITEMS_MAX)]
    modifiers: Annotated[list[Modifier], Meta(max_length=20)]
    removed_items: Annotated[list[RemovedItem], Meta(max_length=2000)]
    taxes: Annotated[list[Tax], Meta(max_length=50)]
    totals: Totals
    tenders: Annotated[list[Tender], Meta(max_length=TENDERS_MAX)]
    attempts: Attempts
    returned_cash: Returned = []


class BasketVoided(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """A basket was given up. Subject: the basket's id."""

    transaction_id: Id
    reason: Text
    lines: Count
    amount_minor: Minor
    currency_code: Currency
    attempts: Attempts
    removed_items: Annotated[list[RemovedItem], Meta(max_length=10_000)] = []
    returned_cash: Returned = []


class PaymentSettled(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """An attempt ended outside a completed sale. Subject: the attempt's id."""

    transaction_id: IdOrNone
    attempt: SettledAttempt
    cause: Name


class PaymentContradicted(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """A person decided what became of an attempt, and later its terminal said otherwise. Subject: the attempt's id.

    ``moneyMoved`` is what the person said, ``attempt`` what the terminal has. ``task``: the customer gets ``amountMinor`` back (``give_back``), or it is
    missing and somebody collects it or writes it off (``collect``), or the terminal took something else for a payment of ``amountMinor``, in another
    currency or nobody knows how much, and somebody looks at its records (``clarify``). Told once more, with ``handled`` and a note of how, when
    somebody at the register saw to it, or at once where the sale was not completed yet and what was missing is due again. A card payment that its
    terminal could not undo, of a sale that was given up, is told like one that has to be given back.
    """

    transaction_id: Id
    receipt_code: Annotated[str, Meta(max_length=64, description="Empty while no sale was completed.")]
    money_moved: bool
    task: Literal["give_back", "collect", "clarify"]
    amount_minor: Annotated[int, Meta(ge=1, le=MINOR_MAX)]
    attempt: SettledAttempt
    decided_ms: TimeMs
    handled: bool
    note: Text = ""


class ShiftOpened(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """A cashier began. Subject: the shift's id."""

    float_minor: Minor
    currency_code: Currency


class ShiftClosed(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """A cashier ended. Subject: the shift's id."""

    sales: Count
    expected_cash_minor: Minor
    currency_code: Currency


class VisitRecorded(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """A known customer was served. Subject: the sale's id, or the visit's own."""

    customer_id: Id
    identified_by: Name
    sale_id: Id | None


class RegisterStarted(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """The register's service began to run. Subject: the boot id. ``cleanStop`` says how the run before it ended; ``epoch`` may repeat the envelope's."""

    version: Name
    boot_id: Id
    clean_stop: bool
    epoch: Name = ""


class FactWithheld(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """A fact that central could not take at all; its number is used by this one. Subject: the culprit's fact id."""

    fact_id: Id
    type: Name
    reason: Text


class RegisterBehind(Common, frozen=True, rename="camel", kw_only=True, gc=False):
    """The register's disk ends before central does: it lost facts, is an old copy, or a second machine sells as this register. Subject: the stream.

    It says of ``epoch`` that central told a cursor for ``stream`` with ``next`` = ``central`` + 1 and ``headHash``, and that this disk ends at
    ``ours``. The register sends nothing but facts of ``ops`` up to this one, and then waits. Central either has another fact under this one's
    number (a fork, 409), or takes it and freezes the register in the same transaction, so that every machine under this identity hears of it.

    It is believed only where it is true: ``epoch`` is the envelope's, ``central`` is greater than ``ours``, and central has, in that epoch, the
    fact of ``stream`` with the number ``central`` and the hash ``headHash``. Else it is stored and nothing follows from it: so it is when it
    is issued anew, with its data as it was, after the register was enrolled again.
    """

    epoch: Epoch
    stream: Literal["trade", "people", "ops"]
    ours: Annotated[int, Meta(ge=0, le=NUMBER_MAX, description="The last number of the stream on the register's disk; 0 when it has none.")]
    central: Annotated[int, Meta(ge=1, le=NUMBER_MAX, description="The last number of the stream that central told.")]
    head_hash: HexHash


FactData = (
    SaleCompleted | BasketVoided | PaymentSettled | PaymentContradicted | ShiftOpened | ShiftClosed | VisitRecorded | RegisterStarted | FactWithheld
    | RegisterBehind
)  # fmt: skip

SALE = "retail.sale.completed.v1"
VOIDED = "retail.basket.voided.v1"
PAYMENT = "retail.payment.settled.v1"
CONTRADICTED = "retail.payment.contradicted.v1"
SHIFT_OPENED = "retail.shift.opened.v1"
SHIFT_CLOSED = "retail.shift.closed.v1"
VISIT = "retail.visit.recorded.v1"
STARTED = "retail.register.started.v1"
WITHHELD = "retail.fact.withheld.v1"
BEHIND = "retail.register.behind.v1"

DATA_BY_TYPE: dict[str, type[FactData]] = {
    SALE: SaleCompleted,
    VOIDED: BasketVoided,
    PAYMENT: PaymentSettled,
    CONTRADICTED: PaymentContradicted,
    SHIFT_OPENED: ShiftOpened,
    SHIFT_CLOSED: ShiftClosed,
    VISIT: VisitRecorded,
    STARTED: RegisterStarted,
    WITHHELD: FactWithheld,
    BEHIND: RegisterBehind,
}
STREAM_BY_TYPE = {
    SALE: "trade", VOIDED: "trade", PAYMENT: "trade", CONTRADICTED: "trade", SHIFT_OPENED: "trade", SHIFT_CLOSED: "trade", VISIT: "people",
    STARTED: "ops", BEHIND: "ops",
}  # fmt: skip
"""The stream that each type travels in. A withheld fact takes the place of another, so it may be in any."""
