"""The numbered snapshot: everything that the counter shows."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


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
    """A card payment under way. ``step`` is the terminal's own step as a key; it began at ``since_ms``."""

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
    """A completed sale, as a list shows it. ``print_state``: none, printing, printed, not_printed, unclear. ``past`` when another basket
    was begun since: its change is handed out."""

    id: str
    receipt: str
    at_ms: int
    total: Amount
    change: Amount
    articles: int
    tenders: list[str]
    customer: str = ""
    print_state: Literal["none", "printing", "printed", "not_printed", "unclear"] = "none"
    past: bool = False


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
    decimal: str = "."  # the market's decimal sign, for the same
