"""What the service needs from outside, each as a Protocol of a few methods whose docstring is its contract.

Adapters (``drivers``, ``sync``, ``edge_agent.payments``) fit these; the composition root introduces them. Every failure is an ``EdgeError``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Protocol

from msgspec import Struct, field

from edge_agent.domain.cart import Cart, Lease
from edge_agent.domain.catalogue import Article, Price
from edge_agent.domain.customer import Customer, Identifier
from edge_agent.domain.errors import StorageError
from edge_agent.domain.receipt import PrintJob, PrintOutcome
from edge_agent.domain.shift import Operator
from edge_agent.domain.tender import Attempt, Finding, Outcome, TenderKind

# --- the journal -----------------------------------------------------------------------------------------------------------------


class EventRow(Struct, frozen=True):
    """One encoded event. ``personal`` is sealed under the key of customer ``person`` before it is written, and is empty once that key is destroyed."""

    type: str
    body: bytes
    person: str = ""
    personal: bytes = b""


class StoredEvent(Struct, frozen=True):
    """An event as read back: its position in this journal and when it was written (wall time, ms)."""

    position: int
    at_ms: int
    row: EventRow


class FactDraft(Struct, frozen=True):
    """A completed piece of business for central. The journal gives it its number, salt, link to the one before, and wire bytes.

    ``data`` holds JSON values only (``sync/contract/schemas``); ``id`` is its CloudEvents id, ``subject`` its business key.
    """

    stream: str
    type: str
    id: str
    subject: str
    at_ms: int
    data: Mapping[str, object]


class SaleRow(Struct, frozen=True):
    """One completed sale for looking up later: ``body`` is the encoded sale."""

    id: str
    number: int
    receipt: str
    at_ms: int
    total_minor: int
    currency: str
    customer: str
    body: bytes


class Commit(Struct, frozen=True):
    """What one decision writes, in one transaction synced to disk, or not at all.

    ``command`` is the client's id of the command: it is stored, and a commit with a known id writes nothing. ``said`` is stored beside it: a short
    digest of what the client's command says, or nothing where there was none. ``attempts`` are
    upserted into their own table, whose indexes refuse a second open attempt on a tender or terminal and a reused ``wire_ref``.
    ``snapshot`` replaces the stored register state, as of this commit's last event. A ``must`` commit finishes money under way and may use the
    ballast of a full disk.
    """

    command: str
    events: Sequence[EventRow]
    facts: Sequence[FactDraft] = ()
    attempts: Sequence[Attempt] = ()
    sales: Sequence[SaleRow] = ()
    snapshot: bytes | None = None
    must: bool = False
    said: bytes = b""


class Committed(Struct, frozen=True):
    """``position`` is the journal's last position after the commit; ``fresh`` is false when the command's id was already there."""

    position: int
    fresh: bool


class StreamStatus(Struct, frozen=True):
    """One stream of facts: ``head`` is the last number given out, ``acknowledged`` the last one that central has.

    ``oldest_waiting_ms`` is when the first fact after it was made.
    """

    stream: str
    head: int
    acknowledged: int
    oldest_waiting_ms: int | None = None


class Journal(Protocol):
    """The precious, append-only memory of the register."""

    async def commit(self, commit: Commit) -> Committed:
        """Write ``commit`` and return once it is synced to disk. Raises DiskFull, StorageFailed or JournalCorrupt; then nothing of it is
        true, and the journal refuses further commits until it was reopened (``reopen``) and its tail looked at."""

    async def known_command(self, command: str) -> bool:
        """Whether a command with that id was committed before."""

    async def said(self, command: str) -> bytes:
        """``Commit.said`` of the command with that id; empty when none was given, or no such command is known."""

    async def reopen(self) -> None:
        """Try to come back after a StorageError: reopen, verify the tail, and the whole of one that was found damaged. Raises the same errors while
        it cannot."""

    def on_trouble(self, told: Callable[[StorageError], None]) -> None:
        """Call ``told``, from whichever thread it is, with whatever a read of the journal fails by, and with what a verification finds."""

    def load(self) -> tuple[bytes | None, Sequence[StoredEvent]]:
        """The stored register state, if any, and the events after it, in order."""

    def sales(self, text: str, limit: int) -> Sequence[SaleRow]:
        """Completed sales, newest first, whose receipt, amount or customer id matches ``text`` (all of them when empty)."""

    def sale(self, sale_id: str) -> SaleRow | None:
        """One completed sale by its id or its receipt code."""

    def unsent(self, stream: str, type: str, naming: str) -> Sequence[str]:
        """The subjects of the facts of ``type`` in ``stream`` that have the text ``naming`` in them and are not in central's books."""

    def streams(self) -> Sequence[StreamStatus]:
        """Where every stream stands."""

    def kept_of(self, persons: Collection[str]) -> Sequence[str]:
        """Those of ``persons`` of whom something is kept that ``forget`` would destroy. Raises StorageError."""

    async def forget(self, *persons: str) -> bool:
        """Destroy the keys that these persons' sealed parts lie under, and the links from sales to them, for good; false when there was nothing of
        them. Nothing of the chain changes. Raises StorageError."""


# --- what central published ------------------------------------------------------------------------------------------------------


class Age(Struct, frozen=True):
    """When central last told us about something (wall ms), or None when it never did; ``revision`` names the copy."""

    as_of_ms: int | None
    revision: str = ""


class Catalogue(Protocol):
    """The local copy of articles and prices; answers at once and without the network."""

    def by_gtin(self, gtin: str) -> Article | None:
        """The article that carries this GTIN (14 digits)."""

    def by_item(self, item: str) -> Article | None:
        """The weighed article with this item number."""

    def by_sku(self, sku: str) -> Article | None: ...

    def prices(self, sku: str) -> Sequence[Price]:
        """Every price row of the article, past and future."""

    def find(self, text: str, limit: int) -> Sequence[Article]:
        """Articles whose name, variant, sku or GTIN has every typed word (as a beginning), best first."""

    def departments(self) -> Sequence[tuple[str, str]]:
        """The departments in use, each with the tax class that most of its articles have; by name."""

    def age(self) -> Age: ...


class People(Protocol):
    """The local, encrypted copy of customers, their carts, and staff."""

    def customer(self, customer_id: str) -> Customer | None: ...

    def identify(self, identifier: Identifier) -> Sequence[Customer]:
        """The customers that this identifier stands for, however it is written: a couple may share a phone number."""

    def find(self, text: str, limit: int) -> Sequence[Customer]:
        """Customers whose name, phone, e-mail or loyalty number has every typed word (as a beginning), best first."""

    def cart_of(self, customer_id: str) -> Cart | None:
        """The customer's open online cart, as last heard."""

    def cart(self, cart_id: str) -> Cart | None: ...

    def operator(self, badge: str) -> Operator | None:
        """The member of staff with this badge number or id."""

    def age(self) -> Age: ...


class Central(Protocol):
    """Central, asked now. Every call gives up after a second at the latest with CentralUnreachable; the caller then uses the local copy."""

    async def identify(self, identifier: Identifier) -> Sequence[Customer]: ...

    async def cart_of(self, customer_id: str) -> Cart | None: ...

    async def cart(self, cart_id: str) -> Cart | None: ...

    async def claim(self, cart_id: str, version: int, key: str) -> Lease:
        """Hold the cart for this register; the same ``key`` again is answered with the same lease, prolonged. Raises CentralConflict when somebody else
        holds it (``reason`` held), it changed or is gone (``reason`` changed), or the key's own lease has ended (``reason`` lease_gone)."""

    async def release(self, lease: Lease) -> None:
        """Let it go again; a lease that is gone is no error."""

    async def complete(self, lease: Lease, sale: str, sold: Mapping[str, int]) -> None:
        """So many pieces of the named cart lines were sold by ``sale``. The sale's fact says the same; this only makes it sooner."""


class Link(Enum):
    """How the register stands with central."""

    IN_STEP = "in_step"  # nothing waits
    SENDING = "sending"
    OFFLINE = "offline"  # no answer; facts wait on disk
    FROZEN = "frozen"  # central refuses this register until somebody looks
    ALONE = "alone"  # not enrolled


class LinkReport(Struct, frozen=True):
    """The newest word about central. ``since_ms`` is when the state began, ``detail`` an English sentence for IT, ``reason`` its key. Central's clock is
    ``clock_offset_ms`` ahead of ours (less than 0: behind), None until it was measured."""

    link: Link
    since_ms: int
    waiting: int = 0
    reason: str = ""
    detail: str = ""
    hint: str = ""
    quarantined: int = 0
    clock_offset_ms: int | None = None
    withheld: int = 0


class Coming(Struct, frozen=True):
    """A feed of which this register has never had a whole copy: ``rows`` of ``rows_total`` (if known) are in."""

    feed: str
    rows: int = 0
    rows_total: int | None = None


# --- devices ---------------------------------------------------------------------------------------------------------------------


class Printer(Protocol):
    """The receipt printer, with the cash drawer on its kick-out."""

    async def print(self, job: PrintJob) -> PrintOutcome:
        """Print; a job id that was submitted before answers with the first outcome. Never raises, never prints twice by itself."""


class Beeps(Protocol):
    """Sounds at the scanner, where it can make them."""

    def beep(self, device: str, good: bool) -> None: ...


# --- payments --------------------------------------------------------------------------------------------------------------------


class Capabilities(Struct, frozen=True):
    """What a terminal driver can do."""

    abort: bool = True
    query: bool = True
    void: bool = True
    offline: bool = False


STEPS = frozenset({"present_card", "confirm_amount", "enter_pin", "wrong_pin", "contacting_bank", "processing", "remove_card"})
"""The steps that the screen has words for."""
STEP_NEUTRAL = "processing"
"""What a step that nobody knows is shown as."""


class Step(Struct, frozen=True):
    """One step that the terminal reports while it works: a stable key, one of STEPS where it fits."""

    key: str


class Steps(Protocol):
    """Where a terminal driver reports its steps; may be called often, never blocks."""

    def __call__(self, step: Step) -> None: ...


class Terminal(Protocol):
    """One payment terminal or provider. Everything else (states, retries, splits, receipts) lives outside drivers.

    A driver never raises: whatever happens on the wire becomes an Outcome or a Finding. An approval of something else than was asked for is Approved,
    with the amount and currency that the terminal said; one that is known not to fit and names none is Unknown with a reason of MISFITS.
    """

    @property
    def name(self) -> str: ...

    def capabilities(self) -> Capabilities: ...

    def wire_ref(self, attempt_id: str) -> str:
        """The identifier that the terminal will know the attempt by. No input or output: it is committed before anything is sent."""

    def settle_ms(self) -> int:
        """How long after the last byte of an attempt its "not found" may not be believed."""

    async def submit(self, attempt: Attempt, steps: Steps) -> Outcome:
        """Run the attempt to its end. NotProcessed only when no byte of it can have arrived."""

    async def query(self, attempt: Attempt) -> Finding:
        """What became of it. Never starts anything."""

    async def abort(self, attempt: Attempt) -> None:
        """Ask the terminal to stop; the submission still answers (Cancelled, or Approved when it was too late)."""


class TenderMethod(Protocol):
    """One way of paying that this register offers; one file in ``edge_agent/payments`` each."""

    @property
    def kind(self) -> TenderKind: ...

    @property
    def terminal(self) -> Terminal | None:
        """The terminal that conducts its attempts; None where the associate does (cash)."""

    def availability(self) -> str:
        """Why it cannot be used now, as a key, or ``""``. Known without asking anybody."""


# --- what the service tells ------------------------------------------------------------------------------------------------------


class Notice(Struct, frozen=True):
    """One line for the associate: a key of the strings' catalogue, its values, and the sentence in English; ``until_ms`` is when it goes by itself."""

    key: str
    level: str  # info, good, warn, bad
    text: str
    hint: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    at_ms: int = 0
    until_ms: int = 0


class News(Protocol):
    """Where changes are announced; the API's long-poll hangs on it."""

    def changed(self) -> None:
        """The snapshot is not what it was."""
