"""What searches, the status and problems answer with."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from msgspec import Struct

from edge_agent.views.snapshot import Amount, DeviceView, LinkView, SaleView

T = TypeVar("T")


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
    """What a search found, where it looked, and how old that is; ``more`` when there are others that were not asked for."""

    rows: list[T]
    scope: Literal["local", "central"]
    as_of_ms: int | None
    more: bool = False


class Problem(Struct, frozen=True):
    """RFC 9457 problem details. ``title`` is its type's, ``detail`` says what happened this time. ``key``, ``hint`` and ``shown`` are ours: the string's key,
    what to do, and the values."""

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


class FeedView(Struct, frozen=True):
    """A feed of central's that cannot be read now; the copy of it stays as it is."""

    feed: str
    problem: str


class LeftOutView(Struct, frozen=True):
    """A feed of which ``rows`` could not be read since the service began; what was here under the same keys stays. ``problem`` is the newest one's."""

    feed: str
    rows: int
    problem: str


class JournalView(Struct, frozen=True):
    """The journal's file. ``free_mb`` is left on its disk (millions of bytes; None: nobody can say), ``disk_low`` that this is less than it should be."""

    path: str
    bytes: int
    events: int
    state: Literal["good", "stopped"]
    reason: str = ""
    free_mb: int | None = None
    disk_low: bool = False


class VerificationView(Struct, frozen=True):
    """What a whole check of the journal found; ``problems`` is empty when it is sound."""

    events: int
    facts: int
    problems: list[str]


class ForgottenView(Struct, frozen=True):
    """What forgetting a customer came to. ``known``: there was something of them in the journal. ``in_copy``: central still publishes them to this register."""

    customer: str
    known: bool
    in_copy: bool


class ResentView(Struct, frozen=True):
    """What sending withheld facts again came to: ``facts`` are in their streams again, ``left`` cannot be, because their bytes are damaged."""

    facts: int
    left: int = 0


class EventView(Struct, frozen=True):
    """One stored event: where, when, what. ``body`` is its JSON without the sealed personal part."""

    position: int
    at_ms: int
    type: str
    body: str


class StatusView(Struct, frozen=True):
    """The service's own health, for IT. ``attention``: what a person has to see to, a sentence each."""

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
    feeds_waiting: list[FeedView] = []
    left_out: list[LeftOutView] = []
    attention: list[str] = []
