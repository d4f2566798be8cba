"""What a register can be told to do, in the imperative, with everything that had to be looked up already in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from edge_agent.domain.cart import Cart, Lease
from edge_agent.domain.catalogue import Article, Offer
from edge_agent.domain.customer import Customer
from edge_agent.domain.market import Market
from edge_agent.domain.quantity import Quantity
from edge_agent.domain.shift import Operator
from edge_agent.domain.tender import Finding


class Moment(Struct, frozen=True):
    """What a decision needs from outside: the time, new ids, the market, and how this register writes receipt codes.

    ``receipt`` turns a receipt number into the code that is printed; ``prints`` says whether there is a printer.
    """

    now_ms: int
    new_id: Callable[[], str]
    market: Market
    receipt: Callable[[int], str]
    prints: bool = False


class Cut(Struct, frozen=True):
    """Money off: a share in thousandths of a per cent, or an amount; the other is None."""

    reason: str
    percent_milli: int | None = None
    amount_minor: int | None = None


class OpenShift(Struct, frozen=True):
    """Open a shift for ``operator`` with ``float_minor`` in the drawer."""

    operator: Operator
    float_minor: int


class CloseShift(Struct, frozen=True):
    """Close the shift."""


class SignIn(Struct, frozen=True):
    """Another operator takes over."""

    operator: Operator


class AddArticle(Struct, frozen=True):
    """Sell an article. ``price_minor`` is set when the code carried the price of all of ``quantity``; ``labels`` is how many such codes it is sold by, and
    ``keyed`` is set when the code was typed."""

    article: Article
    offer: Offer
    quantity: Quantity
    gtin: str = ""
    price_minor: int | None = None
    batch: str = ""
    expiry: str = ""
    serial: str = ""
    keyed: bool = False
    labels: int = 1


class AddDepartment(Struct, frozen=True):
    """Sell something by department and price, because nothing answers to its code. Of ``code`` a GTIN is kept, and nothing else."""

    department: str
    tax_class: str
    name: str
    price_minor: int
    quantity: Quantity
    code: str = ""


class ChangeQuantity(Struct, frozen=True):
    """Change a line's quantity. ``offer`` is what its article costs this basket's customer; without one, more pieces than the online cart promised cost
    what they cost everybody."""

    line: str
    quantity: Quantity
    offer: Offer | None = None


class RemoveLine(Struct, frozen=True):
    """Take a line out."""

    line: str


class DiscountLine(Struct, frozen=True):
    """Money off a line."""

    line: str
    cut: Cut


class DiscountBasket(Struct, frozen=True):
    """Money off the whole basket."""

    cut: Cut


class RemoveDiscount(Struct, frozen=True):
    """Take back money off that was given by mistake, on whatever line or basket it is."""

    discount: str


class VoidBasket(Struct, frozen=True):
    """Give the basket up. One in which nothing is needs no ``reason``, and is given none but that."""

    reason: str


class Suspend(Struct, frozen=True):
    """Set the basket aside."""

    label: str


class Recall(Struct, frozen=True):
    """Bring a suspended or parked basket back. An open one in which nothing is makes way for it."""

    basket: str


class AttachCustomer(Struct, frozen=True):
    """This customer stands here. ``offers`` are the articles' offers for their tier, by sku; a sku without one keeps its price."""

    customer: Customer
    identified_by: str
    offers: Mapping[str, Offer] = field(default_factory=dict)


class DetachCustomer(Struct, frozen=True):
    """The basket is nobody's again, and their cart is let go; ``offers`` as in AttachCustomer, without a tier. Of what was theirs, a sku without an offer
    costs what it cost everybody."""

    offers: Mapping[str, Offer] = field(default_factory=dict)


class ForgetCustomers(Struct, frozen=True):
    """These customers are erased: no basket here is theirs any more."""

    customers: frozenset[str]


class BeginClaim(Struct, frozen=True):
    """A cart is about to be claimed at central."""

    lease: Lease


class EndClaim(Struct, frozen=True):
    """Central does not hold a cart by that claim any more."""

    claim: str


class MoveLease(Struct, frozen=True):
    """Central was asked about the lease ``before`` of some basket, and it is ``after`` now; nothing where no basket has it any more."""

    before: Lease
    after: Lease


class LoadCart(Struct, frozen=True):
    """Bring a claimed cart in, to pick. ``known`` holds the article and offer of each sku that the shop knows."""

    cart: Cart
    lease: Lease
    known: Mapping[str, tuple[Article, Offer]]


class ReleaseCart(Struct, frozen=True):
    """Let the cart go, and with it what it promised; ``offers`` as in AttachCustomer, for the customer who stays."""

    offers: Mapping[str, Offer] = field(default_factory=dict)


class PayCash(Struct, frozen=True):
    """Cash was put down; None is exactly what is due."""

    given_minor: int | None


class StartCard(Struct, frozen=True):
    """Ask a terminal. ``amount_minor`` None is all that is due. ``wire_ref`` and the id of the attempt belong together."""

    attempt: str
    wire_ref: str
    terminal: str
    amount_minor: int | None


class StartVoid(Struct, frozen=True):
    """Undo an approved card tender at its terminal. ``terminal_gone``: that is not here any more, so a person says what became of it."""

    tender: str
    attempt: str
    wire_ref: str
    terminal_gone: bool = False


class ReturnCash(Struct, frozen=True):
    """Hand cash back that was put down for a sale not completed yet."""

    tender: str


class Asked(Struct, frozen=True):
    """The associate asked the terminal to stop."""

    attempt: str


class Learn(Struct, frozen=True):
    """The terminal (or a person, or the passing of time) said something about an attempt.

    "Not found" is believed only when ``transport_settled``: when the question was put, nothing that was sent could still arrive
    (reckoned on monotonic time by whoever holds the transport, because wall time jumps). ``settle_after_ms`` records when that will be, for people.
    """

    attempt: str
    finding: Finding
    cause: str
    transport_settled: bool = False
    settle_after_ms: int = 0


class GiveToReview(Struct, frozen=True):
    """No query settled it in time; a person has to look."""

    attempt: str
    reason: str


class Review(Struct, frozen=True):
    """A person looked at the terminal's own list and decides."""

    attempt: str
    money_moved: bool
    note: str


class StopChecking(Struct, frozen=True):
    """The terminal said nothing certain about a person's decision in all the time that it was asked."""

    attempt: str


class HandleContradiction(Struct, frozen=True):
    """The money that the terminal and a person's decision differed by was given back, or asked for; ``note`` says how."""

    attempt: str
    note: str


class Park(Struct, frozen=True):
    """Set the sale aside with its unknown payment."""

    label: str


class NoteReceipt(Struct, frozen=True):
    """The printing of a sale's receipt ended so (outcomes as ReceiptTried has them)."""

    sale: str
    outcome: str


Command = (
    OpenShift | CloseShift | SignIn | AddArticle | AddDepartment | ChangeQuantity | RemoveLine | DiscountLine | DiscountBasket | RemoveDiscount
    | VoidBasket | Suspend | Recall | AttachCustomer | DetachCustomer | LoadCart | ReleaseCart | PayCash | StartCard | StartVoid | ReturnCash | Asked
    | Learn | GiveToReview | Review | StopChecking | HandleContradiction | Park | NoteReceipt
    | BeginClaim | EndClaim | MoveLease | ForgetCustomers
)  # fmt: skip
