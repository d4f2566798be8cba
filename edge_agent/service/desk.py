"""The desk: what is on the screen but not in the journal."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from msgspec import Struct

from edge_agent.domain.cart import Cart
from edge_agent.domain.customer import Customer
from edge_agent.domain.errors import StorageError
from edge_agent.domain.quantity import Quantity
from edge_agent.domain.sale import Sale
from edge_agent.domain.shift import Operator
from edge_agent.ports import Coming, LinkReport, Notice
from edge_agent.service.notices import Refusal

NOTICES_KEPT = 100
ERASED_KEPT = 10_000


class PriceCheck(Struct, frozen=True):
    """The answer to "how much is this?". ``label_minor`` is what a label of a scale or with a price is sold at, for ``label`` of it."""

    sku: str
    name: str
    variant: str
    base_minor: int
    member_minor: int | None
    by_weight: bool
    code: str
    label_minor: int | None = None
    label: Quantity | None = None


class Question(Struct, frozen=True):
    """A decision only a person can take; ``then`` carries it out. The last answer is the safe one."""

    id: str
    key: str
    shown: dict[str, str]
    answers: tuple[str, ...]
    text: str
    about: Customer | None = None
    identified_by: str = ""


class Opening(Struct, frozen=True):
    """Whose badge was scanned while no shift is open; ``badge`` as it was read. The shift opens once they said what lies in the drawer."""

    badge: str
    operator: Operator


@dataclass(slots=True)
class Desk:
    """What is shown and asked now: it may be lost at any moment without losing business. ``refusal`` is the last one of a reading."""

    notice: Notice | None = None
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=NOTICES_KEPT))
    refusal: Refusal | None = None
    question: Question | None = None
    price_check: PriceCheck | None = None
    next_quantity: str = ""
    next_is_check: bool = False
    repriced: tuple[int, int] | None = None
    customer: Customer | None = None
    customer_fresh: bool = False
    cart: Cart | None = None
    cart_fresh: bool = False
    unanswered: bool = False
    """Central was asked about who stands here and did not answer in time: the local copy was what is left, and says as of when it is."""
    opening: Opening | None = None
    last_sale: Sale | None = None
    print_states: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    review_at_ms: dict[str, int] = field(default_factory=dict)
    """From which wall time on a person may decide what became of an unclear attempt, by the attempt's id."""
    link: LinkReport | None = None
    coming: dict[str, Coming] = field(default_factory=dict)
    """What has never been here whole, by the feed's name: until it is, nobody can say that something is unknown."""
    stopped: StorageError | None = None
    erased: deque[str] = field(default_factory=lambda: deque(maxlen=ERASED_KEPT))
    """Who was forgotten lately: whoever looked them up before that may not put them on a basket after it."""

    def at_central(self, at_ms: int) -> int:
        """What central's clock shows when ours shows ``at_ms``; the same as long as the difference was not measured."""
        ahead_ms = self.link.clock_offset_ms if self.link is not None else None
        return at_ms + (ahead_ms or 0)

    def unask(self, persons: Collection[str]) -> None:
        """A question about one of them is not open any more."""
        if self.question is not None and self.question.about is not None and self.question.about.id in persons:
            self.question = None
