"""The local API's commands and snapshots: all that the API and its clients share.

Amounts travel as minor units and as text already formatted for the register's market, so a client needs no locale library. Sentences
travel as a key of the client's catalogue of strings, the values for it, and the English text for whoever has no catalogue.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

T = TypeVar("T")
Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", description="A UUID made by the client or the service")]
Key = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=512)]
Typed = Annotated[str, Meta(min_length=1, max_length=512)]
Reason = Annotated[str, Meta(min_length=1, max_length=80)]
Minor = Annotated[int, Meta(ge=0, le=9_999_999_999, description="Minor units of the market's currency")]
PercentMilli = Annotated[int, Meta(ge=1, le=100_000, description="Thousandths of a per cent")]

# --- snapshot --------------------------------------------------------------------------------------------------------------------


class Amount(Struct, frozen=True):
    """``minor`` units, and the same as text in the market's format, without the currency sign."""

    minor: int
    text: str


class NoticeView(Struct, frozen=True):
    """One line for the associate. ``level``: info, good, warn, bad."""

    key: str
    level: Literal["info", "good", "warn", "bad"]
    text: str
    hint: str = ""
    shown: dict[str, str] = {}
    at_ms: int = 0


class DiscountView(Struct, frozen=True):
    """Money off: why, and how much (negative)."""

    reason: str
    amount: Amount
    percent: str = ""


class LineView(Struct, frozen=True):
    """One line of the basket. ``quantity`` is ``""`` for one piece, else text such as ``2`` or ``0,412 kg``; ``unit_price`` goes with it."""

    id: str
    position: int
    name: str
    variant: str
    sku: str
    quantity: str
    unit_price: Amount
    base_price: Amount
    amount: Amount
    gross: Amount
    state: Literal["in_hand", "to_pick"]
    source: Literal["book", "member", "online", "code", "keyed"]
    pieces: int
    discounts: list[DiscountView] = []
    detail: str = ""  # batch, expiry, serial as text
    from_cart: bool = False


class BasketView(Struct, frozen=True):
    """The open basket. ``changed`` is the id of the line that changed last; ``locked`` is true while a payment's outcome is awaited."""

    id: str
    lines: list[LineView]
    articles: int
    to_pick: int
    discounts: list[DiscountView]
    subtotal: Amount
    tax: Amount
    tax_included: bool
    total: Amount
    changed: str = ""
    locked: bool = False


class AsideView(Struct, frozen=True):
    """A suspended or parked basket. ``attempt`` is the state of its payment when parked."""

    id: str
    label: str
    articles: int
    total: Amount
    at_ms: int
    kind: Literal["suspended", "parked"]
    customer: str = ""
    attempt: str = ""


class TalkView(Struct, frozen=True):
    """The open conversation."""

    channel: str
    at_ms: int
    text: str
    promised: bool


class CartLineView(Struct, frozen=True):
    """One line of an online cart."""

    sku: str
    name: str
    pieces: int
    amount: Amount


class CartView(Struct, frozen=True):
    """The customer's online cart. ``state``: open (can be claimed), held (by another register), here (in this basket)."""

    id: str
    articles: int
    total: Amount
    channel: str
    opened_ms: int
    as_of_ms: int
    state: Literal["open", "held", "here"]
    lines: list[CartLineView] = []
    held_by: str = ""
    offline_copy: bool = False


class CustomerView(Struct, frozen=True):
    """Who stands there. ``fresh`` is true when central answered just now; else the local copy as of ``as_of_ms``."""

    id: str
    name: str
    tier: str
    points: int
    visits: int
    last_visit_ms: int | None
    language: str
    sizes: list[str]
    birthday: str
    has_email: bool
    has_phone: bool
    goes_with: list[str]
    as_of_ms: int
    fresh: bool
    private_notes: int = 0
    talk: TalkView | None = None
    cart: CartView | None = None


class AttemptView(Struct, frozen=True):
    """A card payment under way. ``step`` is the terminal's own step as a key; ``waited_ms`` counts from ``since_ms`` to the snapshot."""

    id: str
    tender: str
    kind: Literal["sale", "void"]
    state: str
    step: str
    terminal: str
    amount: Amount
    since_ms: int
    can_cancel: bool
    can_park: bool
    reason: str = ""


class TenderView(Struct, frozen=True):
    """One tender. ``state``: settled, open, failed, voided."""

    id: str
    kind: Literal["cash", "card"]
    state: Literal["settled", "open", "failed", "voided"]
    amount: Amount
    detail: str = ""
    reason: str = ""


class PaymentView(Struct, frozen=True):
    """How the basket stands with its payment. ``cash_due`` is the rest rounded for cash; ``quick`` are sensible cash amounts, ascending."""

    rest: Amount
    paid: Amount
    cash_due: Amount
    quick: list[Amount]
    tenders: list[TenderView]
    methods: list[str]
    attempt: AttemptView | None = None


class SaleView(Struct, frozen=True):
    """A completed sale, as a list shows it. ``print_state``: none, printing, printed, not_printed, unclear."""

    id: str
    receipt: str
    at_ms: int
    total: Amount
    change: Amount
    articles: int
    tenders: list[str]
    customer: str = ""
    print_state: Literal["none", "printing", "printed", "not_printed", "unclear"] = "none"


class SaleDetailView(Struct, frozen=True):
    """A past sale with its receipt laid out as text."""

    sale: SaleView
    receipt: list[str]


class QuestionView(Struct, frozen=True):
    """A decision that only a person can take. The first of ``answers`` is what Enter does, the last what Esc does (always the safe one)."""

    id: str
    key: str
    shown: dict[str, str]
    answers: list[str]
    text: str


class DeviceView(Struct, frozen=True):
    """One device. ``state``: absent, opening, ready, degraded, lost."""

    name: str
    kind: str
    state: Literal["absent", "opening", "ready", "degraded", "lost"]
    since_ms: int
    reason: str = ""
    detail: str = ""
    hint: str = ""
    generation: int = 0
    readings: int = 0
    dropped: int = 0


class LinkView(Struct, frozen=True):
    """How the register stands with central. ``waiting`` counts facts on disk that central has not acknowledged."""

    state: Literal["in_step", "sending", "offline", "frozen", "alone"]
    since_ms: int
    waiting: int
    reason: str = ""
    detail: str = ""
    hint: str = ""
    quarantined: int = 0


class ShiftView(Struct, frozen=True):
    """The open shift and who is signed in."""

    business_day: str
    opened_ms: int
    operator: str
    operator_id: str
    rights: list[str]
    sales: int


class PriceView(Struct, frozen=True):
    """The answer to "how much is this?"."""

    sku: str
    name: str
    variant: str
    price: Amount
    per: Literal["piece", "kg"]
    member_price: Amount | None = None
    code: str = ""


class RepriceView(Struct, frozen=True):
    """What attaching a customer changed: the total before and after."""

    before: Amount
    after: Amount


class Snapshot(Struct, frozen=True):
    """Everything that the counter shows, numbered. Of two snapshots with one ``boot`` the higher ``view`` is newer; another boot is newer than any.

    ``phase``: closed (no shift), ready (no basket), selling, paying (an attempt is open), stopped (the disk refuses: nothing can be
    sold; ``stopped`` says why).
    """

    boot: str
    view: int
    at_ms: int
    phase: Literal["closed", "ready", "selling", "paying", "stopped"]
    store: str
    register: str
    country: str
    currency: str
    timezone: str
    link: LinkView
    devices: list[DeviceView]
    shift: ShiftView | None = None
    basket: BasketView | None = None
    customer: CustomerView | None = None
    payment: PaymentView | None = None
    suspended: list[AsideView] = []
    parked: list[AsideView] = []
    last_sale: SaleView | None = None
    notice: NoticeView | None = None
    question: QuestionView | None = None
    price_check: PriceView | None = None
    repriced: RepriceView | None = None
    next_quantity: str = ""
    next_is_check: bool = False
    stopped: NoticeView | None = None
    training: bool = False
    digits: int = 2  # of the currency's minor unit, for amounts that are typed


# --- queries ---------------------------------------------------------------------------------------------------------------------


class ArticleView(Struct, frozen=True):
    """One article found by typing."""

    sku: str
    name: str
    variant: str
    gtin: str
    price: Amount | None
    per: Literal["piece", "kg"]


class CustomerRowView(Struct, frozen=True):
    """One customer found by typing; ``hint`` is enough to tell two of one name apart (the last digits of the phone, the town)."""

    id: str
    name: str
    tier: str
    hint: str
    last_visit_ms: int | None = None


class CustomerNotesView(Struct, frozen=True):
    """What the shop wrote down about a customer, newest first; told only when asked for, because the customer may be reading."""

    customer: str
    notes: list[str]


class Found(Struct, Generic[T], frozen=True):
    """What a search found, where it looked, and how old that is."""

    rows: list[T]
    scope: Literal["local"]
    as_of_ms: int | None


# --- commands --------------------------------------------------------------------------------------------------------------------


class Command(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """The root of all commands; ``do`` says which."""


class OpenShift(Command, frozen=True, tag="open_shift"):
    """Open the shift of the operator with this badge, with this float in the drawer."""

    badge: Key
    float_minor: Minor = 0


class CloseShift(Command, frozen=True, tag="close_shift"):
    """Close the shift. Refused while a basket or a payment is open."""


class SignIn(Command, frozen=True, tag="sign_in"):
    """Another operator takes over; the basket stays."""

    badge: Key


class Enter(Command, frozen=True, tag="enter"):
    """Text typed by the associate: understood exactly like a scan of the same characters. ``3*4006...`` sells three."""

    text: Typed


class NextQuantity(Command, frozen=True, tag="next_quantity"):
    """The next article comes in this quantity (``3``, ``0,412 kg``); empty forgets it."""

    text: Text


class NextIsCheck(Command, frozen=True, tag="next_is_check"):
    """The next article is only priced, not sold (or, when off, sold again)."""

    on: bool = True


class AddArticle(Command, frozen=True, tag="add_article"):
    """Sell an article found by typing."""

    sku: Key
    quantity: Text = ""


class CheckPrice(Command, frozen=True, tag="check_price"):
    """Show the price of an article found by typing."""

    sku: Key


class AddDepartment(Command, frozen=True, tag="add_department"):
    """Sell something by department and price, because its code is unknown. Needs the right ``sale.department``."""

    department: Key
    price_minor: Minor
    quantity: Text = ""
    name: Text = ""
    code: Text = ""


class SetQuantity(Command, frozen=True, tag="set_quantity"):
    """Change a line's quantity."""

    line: Id
    quantity: Typed


class RemoveLine(Command, frozen=True, tag="remove_line"):
    """Take a line out."""

    line: Id


class DiscountLine(Command, frozen=True, tag="discount_line"):
    """Money off a line: a share or an amount, not both. Needs ``sale.discount``."""

    line: Id
    reason: Reason
    percent_milli: PercentMilli | None = None
    amount_minor: Minor | None = None


class DiscountBasket(Command, frozen=True, tag="discount_basket"):
    """Money off the whole basket: a share or an amount, not both. Needs ``sale.discount``."""

    reason: Reason
    percent_milli: PercentMilli | None = None
    amount_minor: Minor | None = None


class VoidBasket(Command, frozen=True, tag="void_basket"):
    """Give the basket up. Needs ``sale.void``."""

    reason: Reason


class Suspend(Command, frozen=True, tag="suspend"):
    """Set the basket aside and serve somebody else."""

    label: Text = ""


class Recall(Command, frozen=True, tag="recall"):
    """Bring a suspended or parked basket back."""

    basket: Id


class AttachCustomer(Command, frozen=True, tag="attach_customer"):
    """The customer found by typing is the one who stands here."""

    customer: Key


class DetachCustomer(Command, frozen=True, tag="detach_customer"):
    """The basket is nobody's again."""


class LoadCart(Command, frozen=True, tag="load_cart"):
    """Claim the attached customer's online cart (or the named one) into the basket, to pick."""

    cart: Text = ""


class ReleaseCart(Command, frozen=True, tag="release_cart"):
    """Let the online cart go again."""


class Answer(Command, frozen=True, tag="answer"):
    """The associate's answer to the snapshot's question."""

    question: Id
    answer: Key


class PayCash(Command, frozen=True, tag="pay_cash"):
    """Cash on the counter; without an amount, exactly what is due."""

    given_minor: Minor | None = None


class PayCard(Command, frozen=True, tag="pay_card"):
    """Ask the card terminal for an amount; without one, for all that is due."""

    amount_minor: Minor | None = None


class CancelPayment(Command, frozen=True, tag="cancel_payment"):
    """Ask the terminal to stop."""


class ReturnTender(Command, frozen=True, tag="return_tender"):
    """Undo a tender before the sale is completed: cash is handed back, a card payment is voided at the terminal."""

    tender: Id


class Park(Command, frozen=True, tag="park"):
    """Set the sale aside while its payment's outcome is unknown."""

    label: Text = ""


class ReviewPayment(Command, frozen=True, tag="review_payment"):
    """A person decides what no query could settle. Needs ``payment.review``; the note says what the terminal's own list showed."""

    attempt: Id
    money_moved: bool
    note: Reason


class Reprint(Command, frozen=True, tag="reprint"):
    """Print a past sale's receipt again, marked as a copy."""

    sale: Key


class PrintReceipt(Command, frozen=True, tag="print_receipt"):
    """Print the last sale's receipt that did not print, as the original."""

    sale: Key


AnyCommand = (
    OpenShift | CloseShift | SignIn | Enter | NextQuantity | NextIsCheck | AddArticle | CheckPrice | AddDepartment | SetQuantity | RemoveLine | DiscountLine
    | DiscountBasket | VoidBasket | Suspend | Recall | AttachCustomer | DetachCustomer | LoadCart | ReleaseCart | Answer | PayCash | PayCard
    | CancelPayment | ReturnTender | Park | ReviewPayment | Reprint | PrintReceipt
)  # fmt: skip


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """A command under an id that the client made: the same id again changes nothing and answers with the newest snapshot."""

    id: Id
    command: AnyCommand


class Problem(Struct, frozen=True):
    """RFC 9457 problem details. ``key``, ``hint`` and ``shown`` are ours: the string's key, what to do, and the values."""

    type: str
    title: str
    status: int
    detail: str
    key: str
    hint: str = ""
    shown: dict[str, str] = {}
    retry: Literal["never", "later"] = "never"


class StreamView(Struct, frozen=True):
    """One stream of facts."""

    stream: str
    head: int
    acknowledged: int
    waiting: int
    oldest_waiting_ms: int | None


class JournalView(Struct, frozen=True):
    """The journal's file."""

    path: str
    bytes: int
    events: int
    state: Literal["good", "stopped"]
    reason: str = ""


class VerificationView(Struct, frozen=True):
    """What a whole check of the journal found; ``problems`` is empty when it is sound."""

    events: int
    facts: int
    problems: list[str]


class EventView(Struct, frozen=True):
    """One stored event: where, when, what. ``body`` is its JSON without the sealed personal part."""

    position: int
    at_ms: int
    type: str
    body: str


class StatusView(Struct, frozen=True):
    """The service's own health, for IT."""

    version: str
    boot: str
    started_ms: int
    now_ms: int
    register: str
    store: str
    phase: str
    link: LinkView
    devices: list[DeviceView]
    streams: list[StreamView]
    journal: JournalView
    catalogue_as_of_ms: int | None
    people_as_of_ms: int | None
    last_sale: SaleView | None


ENCODER = msgspec.json.Encoder()
