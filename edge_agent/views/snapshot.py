"""The numbered snapshot: everything that the counter shows."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Amount(Struct, frozen=True):
    """``minor`` units, and the same as text in the market's format, without the currency sign."""

    minor: int
    text: str


class NoticeView(Struct, frozen=True):
    """One line for the associate. ``level``: info, good, warn, bad. From ``until_ms`` on it is not shown any more (0: it stays)."""

    key: str
    level: Literal["info", "good", "warn", "bad"]
    text: str
    hint: str = ""
    shown: dict[str, str] = {}
    at_ms: int = 0
    until_ms: int = 0


class DiscountView(Struct, frozen=True):
    """Money off: why, and how much (negative). ``id`` names it when it is taken back."""

    id: str
    reason: str
    amount: Amount
    percent: str = ""


class LineView(Struct, frozen=True):
    """One line of the basket. ``quantity`` is ``""`` for one piece, else text such as ``2`` or ``0,412 kg``; ``unit_price`` goes with it.

    ``position`` is the line's number in the sale's fact; nobody at the counter sees it or is asked for it. ``label`` is what the label on each piece says is
    in it, where the label's price is for all of that: ``0,412 kg``, or a number of pieces.
    """

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
    batch: str = ""
    expiry: str = ""
    serial: str = ""
    from_cart: bool = False
    label: str = ""


class BasketView(Struct, frozen=True):
    """The open basket. ``changed`` is the id of the line that changed last; ``locked`` is true while a payment's outcome is awaited;
    ``cart`` is the id of the online cart that is loaded into it, or empty; ``cart_lost`` why it is not held any more (as CartView's ``online``;
    ``cart_holder``: by whom else), to be told before payment."""

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
    cart: str = ""
    cart_lost: Literal["", "gone", "taken", "run_out"] = ""
    cart_holder: str = ""


class AsideView(Struct, frozen=True):
    """A basket set aside. ``kind``: suspended; parked, while a payment of it is open, ``attempt`` being its state and ``review_ms`` as in
    AttemptView; unpaid, where no payment of it is open and the sale still is not paid in full. ``paid`` is the money in it, None where there is none.
    ``cart`` is the online cart in it, or empty, and ``to_pick`` how many articles of that are still to pick."""

    id: str
    label: str
    articles: int
    total: Amount
    at_ms: int
    kind: Literal["suspended", "parked", "unpaid"]
    customer: str = ""
    attempt: str = ""
    review_ms: int = 0
    paid: Amount | None = None
    cart: str = ""
    to_pick: int = 0


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
    """The customer's online cart. ``state``: open (can be claimed), held (by another register), here (in this basket).

    ``articles``, ``total`` and ``lines`` say what is online; of a cart that is here, what of it is still to pick, at the prices of the basket.
    ``online`` says whether a cart that is here was changed online since it was loaded, is not open there any more, is held by the register ``held_by``
    now, or is held by nobody for all that is known, because its lease ran out. ``fresh`` and ``unanswered`` as in CustomerView.
    """

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
    online: Literal["same", "changed", "gone", "taken", "run_out"] = "same"
    fresh: bool = False
    unanswered: bool = False


class CustomerView(Struct, frozen=True):
    """Who stands there. ``fresh`` is true when central answered just now; else the local copy as of ``as_of_ms``. ``unanswered`` is true when central was
    asked just now and did not answer in time."""

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
    unanswered: bool = False


class AttemptView(Struct, frozen=True):
    """A card payment under way. ``step`` is the terminal's own step as a key; it began at ``since_ms``. While its outcome is unknown, ``review_ms`` is
    the time from which on a person with the right ``payment.review`` may decide what became of it (0: that is not known yet); then its state is
    ``needs_review``. ``reported`` is what the terminal said that it took, with its currency, where that is not what was asked for and it said what."""

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
    review_ms: int = 0
    reported: str = ""


class TenderView(Struct, frozen=True):
    """One tender. ``state``: settled, open, failed, voided. ``reason`` says why it failed, or why one that is settled could not be given back."""

    id: str
    kind: Literal["cash", "card"]
    state: Literal["settled", "open", "failed", "voided"]
    amount: Amount
    detail: str = ""
    reason: str = ""


class PaymentView(Struct, frozen=True):
    """How the basket stands with its payment. ``cash_due`` is the rest rounded for cash; ``quick`` are sensible cash amounts, ascending.

    ``methods`` are the kinds of tender that can be used now, of all that the register takes (``Snapshot.tender_kinds``).
    """

    rest: Amount
    paid: Amount
    cash_due: Amount
    quick: list[Amount]
    tenders: list[TenderView]
    methods: list[str]
    attempt: AttemptView | None = None


class SaleView(Struct, frozen=True):
    """A completed sale, as a list shows it. ``paid`` is the total with what cash was rounded by.

    ``print_state``: none, printing, printed, not_printed, unclear, unknown (the service ended before it was told). ``past`` when another basket was
    begun since, or its shift closed: its change is handed out. ``left_online`` counts the pieces of the online cart that were not picked and stay in
    the web shop.
    """

    id: str
    receipt: str
    at_ms: int
    total: Amount
    paid: Amount
    change: Amount
    articles: int
    tenders: list[str]
    customer: str = ""
    print_state: Literal["none", "printing", "printed", "not_printed", "unclear", "unknown"] = "none"
    past: bool = False
    left_online: int = 0


class SaleDetailView(Struct, frozen=True):
    """A past sale with its receipt laid out as text."""

    sale: SaleView
    receipt: list[str]


class RepriceView(Struct, frozen=True):
    """What attaching a customer changed, or would: the total before and after."""

    before: Amount
    after: Amount


class QuestionView(Struct, frozen=True):
    """A decision that only a person can take. The first of ``answers`` is what Enter does, the last what Esc does (always the safe one).

    Where another customer is asked about: ``total`` is what the first answer would make of the basket as it is now, and ``leaves`` counts the
    articles of the former customer's online cart, still to pick, that would leave it.
    """

    id: str
    key: str
    shown: dict[str, str]
    answers: list[str]
    text: str
    total: RepriceView | None = None
    leaves: int = 0


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


class ComingView(Struct, frozen=True):
    """A feed of central's that was never here whole yet: ``rows`` of ``rows_total`` (null while unknown) are in."""

    feed: str
    rows: int
    rows_total: int | None = None


class LinkView(Struct, frozen=True):
    """How the register stands with central. ``waiting`` counts facts on disk that central has not acknowledged, ``quarantined`` those that it put aside or
    could not take, ``withheld`` the latter alone: central has another fact in the place of each. ``coming`` is what nothing can be looked up in yet."""

    state: Literal["in_step", "sending", "offline", "frozen", "alone"]
    since_ms: int
    waiting: int
    reason: str = ""
    detail: str = ""
    hint: str = ""
    quarantined: int = 0
    withheld: int = 0
    coming: list[ComingView] = []


class OpeningView(Struct, frozen=True):
    """Whose badge was scanned while no shift is open: the float is asked for next, and ``open_shift`` takes both. Gone with a restart of the service."""

    badge: str
    operator: str


class ShiftView(Struct, frozen=True):
    """The open shift and who is signed in."""

    business_day: str
    opened_ms: int
    operator: str
    operator_id: str
    rights: list[str]
    sales: int


class PriceView(Struct, frozen=True):
    """The answer to "how much is this?". ``label_price`` is what the label that was scanned is sold at, and ``label`` the quantity that it tells."""

    sku: str
    name: str
    variant: str
    price: Amount
    per: Literal["piece", "kg"]
    member_price: Amount | None = None
    code: str = ""
    label_price: Amount | None = None
    label: str = ""


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
    opening: OpeningView | None = None
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
    group: str = ","  # the market's sign between thousands
    tender_kinds: list[str] = []  # what the register is set up to take, whether it can be used now or not
