"""What a register can be told to do, in the imperative, with everything that had to be looked up already in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edge_agent.domain.cart import Cart, Lease
from edge_agent.domain.catalogue import Article, Offer
from edge_agent.domain.customer import Customer
from edge_agent.domain.market import Market
from edge_agent.domain.quantity import Quantity
from edge_agent.domain.shift import Operator
from edge_agent.domain.tender import Finding


@dataclass(frozen=True, slots=True)
class Moment:
    """What a decision needs from outside: the time, new ids, the market, and how this register writes receipt codes.

    ``receipt`` turns a receipt number into the code that is printed.
    """

    now_ms: int
    new_id: Callable[[], str]
    market: Market
    receipt: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Cut:
    """Money off: a share in thousandths of a per cent, or an amount; the other is None."""

    reason: str
    percent_milli: int | None = None
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class OpenShift:
    """Open a shift for ``operator`` with ``float_minor`` in the drawer."""

    operator: Operator
    float_minor: int


@dataclass(frozen=True, slots=True)
class CloseShift:
    """Close the shift."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Another operator takes over."""

    operator: Operator


@dataclass(frozen=True, slots=True)
class AddArticle:
    """Sell an article. ``price_minor`` is set when the scanned code carried the price of the whole line."""

    article: Article
    offer: Offer
    quantity: Quantity
    gtin: str = ""
    price_minor: int | None = None
    batch: str = ""
    expiry: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True)
class AddDepartment:
    """Sell something by department and price, because nothing answers to its code. Of ``code`` a GTIN is kept, and nothing else."""

    department: str
    tax_class: str
    name: str
    price_minor: int
    quantity: Quantity
    code: str = ""


@dataclass(frozen=True, slots=True)
class ChangeQuantity:
    """Change a line's quantity."""

    line: str
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class RemoveLine:
    """Take a line out."""

    line: str


@dataclass(frozen=True, slots=True)
class DiscountLine:
    """Money off a line."""

    line: str
    cut: Cut


@dataclass(frozen=True, slots=True)
class DiscountBasket:
    """Money off the whole basket."""

    cut: Cut


@dataclass(frozen=True, slots=True)
class VoidBasket:
    """Give the basket up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Suspend:
    """Set the basket aside."""

    label: str


@dataclass(frozen=True, slots=True)
class Recall:
    """Bring a suspended or parked basket back."""

    basket: str


@dataclass(frozen=True, slots=True)
class AttachCustomer:
    """This customer stands here. ``offers`` are the articles' offers for their tier, by sku; a sku without one keeps its price."""

    customer: Customer
    identified_by: str
    offers: Mapping[str, Offer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DetachCustomer:
    """The basket is nobody's again; ``offers`` as in AttachCustomer, without a tier."""

    offers: Mapping[str, Offer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadCart:
    """Bring a claimed cart in, to pick. ``known`` holds the article and offer of each sku that the shop knows."""

    cart: Cart
    lease: Lease
    known: Mapping[str, tuple[Article, Offer]]


@dataclass(frozen=True, slots=True)
class ReleaseCart:
    """Let the cart go."""


@dataclass(frozen=True, slots=True)
class PayCash:
    """Cash was put down; None is exactly what is due."""

    given_minor: int | None


@dataclass(frozen=True, slots=True)
class StartCard:
    """Ask a terminal. ``amount_minor`` None is all that is due. ``wire_ref`` and the id of the attempt belong together."""

    attempt: str
    wire_ref: str
    terminal: str
    amount_minor: int | None


@dataclass(frozen=True, slots=True)
class StartVoid:
    """Undo an approved card tender at its terminal."""

    tender: str
    attempt: str
    wire_ref: str


@dataclass(frozen=True, slots=True)
class ReturnCash:
    """Hand cash back that was put down for a sale not completed yet."""

    tender: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The associate asked the terminal to stop."""

    attempt: str


@dataclass(frozen=True, slots=True)
class Learn:
    """The terminal (or a person, or the passing of time) said something about an attempt.

    "Not found" is believed only when ``transport_settled``: when the question was put, nothing that was sent could still arrive
    (reckoned on monotonic time by whoever holds the transport, because wall time jumps). ``settle_after_ms`` records when that will be, for people.
    """

    attempt: str
    finding: Finding
    cause: str
    transport_settled: bool = False
    settle_after_ms: int = 0


@dataclass(frozen=True, slots=True)
class GiveToReview:
    """No query settled it in time; a person has to look."""

    attempt: str
    reason: str


@dataclass(frozen=True, slots=True)
class Review:
    """A person looked at the terminal's own list and decides."""

    attempt: str
    money_moved: bool
    note: str


@dataclass(frozen=True, slots=True)
class Park:
    """Set the sale aside with its unknown payment."""

    label: str


Command = (
    OpenShift | CloseShift | SignIn | AddArticle | AddDepartment | ChangeQuantity | RemoveLine | DiscountLine | DiscountBasket | VoidBasket
    | Suspend | Recall | AttachCustomer | DetachCustomer | LoadCart | ReleaseCart | PayCash | StartCard | StartVoid | ReturnCash | Asked
    | Learn | GiveToReview | Review | Park
)  # fmt: skip
