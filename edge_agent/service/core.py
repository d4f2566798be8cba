"""The register's one mind: commands are decided, appended and applied here, one at a time, and nothing is true before it is on disk."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from edge_agent.clock import Clock, NewId
from edge_agent.domain.cart import Cart
from edge_agent.domain.code_rules import CodeRules
from edge_agent.domain.commands import Command, Moment
from edge_agent.domain.customer import Customer
from edge_agent.domain.decide import decide
from edge_agent.domain.errors import EdgeError, NotNow, StorageError
from edge_agent.domain.events import AttemptAdded, AttemptMoved, Event, SaleCompleted, TenderAdded
from edge_agent.domain.market import Market
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.sale import Sale
from edge_agent.domain.tender import OPEN, Attempt
from edge_agent.ports import Beeps, Catalogue, Central, Commit, FactDraft, Journal, LinkReport, Notice, People, Printer, TenderMethod
from edge_agent.service.codec import event_row, read_event, read_sale, read_state, sale_row, write_state
from edge_agent.service.facts import Origin, facts_of

NOTICES_KEPT = 100
SNAPSHOT_EVENTS_MAX = 64
"""The register's state is stored anew at the latest after so many events, and whenever the counter is empty: a start replays no more than that."""
REOPEN_SECONDS = 2.0
"""How often a journal that refused is tried again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shop:
    """Who this register is."""

    tenant: str
    store: str
    store_name: str
    register: str
    epoch: str
    market: Market
    rules: CodeRules

    def receipt(self, number: int) -> str:
        """How a receipt number is printed: store, register, number."""
        return f"R-{self.store}-{self.register}-{number:06d}"


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside that the use cases touch."""

    journal: Journal
    catalogue: Catalogue
    people: People
    clock: Clock
    new_id: NewId
    methods: Sequence[TenderMethod]
    central: Central | None = None
    printer: Printer | None = None
    beeps: Beeps | None = None
    wake_push: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class PriceCheck:
    """The answer to "how much is this?"."""

    sku: str
    name: str
    variant: str
    base_minor: int
    member_minor: int | None
    by_weight: bool
    code: str


@dataclass(frozen=True, slots=True)
class Question:
    """A decision only a person can take; ``then`` carries it out. The last answer is the safe one."""

    id: str
    key: str
    shown: dict[str, str]
    answers: tuple[str, ...]
    text: str
    about: Customer | None = None
    identified_by: str = ""


@dataclass(slots=True)
class Desk:
    """What is on the screen but not in the journal: it may be lost at any moment without losing business."""

    notice: Notice | None = None
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=NOTICES_KEPT))
    question: Question | None = None
    price_check: PriceCheck | None = None
    next_quantity: str = ""
    next_is_check: bool = False
    repriced: tuple[int, int] | None = None
    customer: Customer | None = None
    customer_fresh: bool = False
    cart: Cart | None = None
    cart_fresh: bool = False
    last_sale: Sale | None = None
    last_sale_past: bool = False
    print_states: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    link: LinkReport | None = None
    stopped: StorageError | None = None


class Core:
    """State, decisions and the news that something changed."""

    def __init__(self, shop: Shop, ports: Ports, boot: str) -> None:
        self.shop = shop
        self.ports = ports
        self.boot = boot
        self.desk = Desk()
        self.state = Register()
        self.view = 0
        self.on_events: Callable[[tuple[Event, ...]], None] = lambda _: None
        self.on_resumed: Callable[[], None] = lambda: None
        self.origin = Origin(shop.store, shop.register, shop.epoch, shop.market.currency)
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._ending = False
        self._since_snapshot = 0
        self._reopening: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Replay what the journal holds. Raises JournalCorrupt when it cannot be read."""
        self.state, self._since_snapshot = self._replayed()
        self.show_customer()

    def _replayed(self) -> tuple[Register, int]:
        body, stored = self.ports.journal.load()
        state = read_state(body) if body is not None else Register()
        for event in stored:
            state = evolve(state, read_event(event.row))
        return state, len(stored)

    # --- news ----------------------------------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Number the new state of affairs and wake everybody who waits for it. Call on the event loop."""
        self.view += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_beyond(self, view: int, seconds: float) -> bool:
        """Wait until there is a newer view than ``view``; False after ``seconds``, or when the service ends (``let_go``)."""
        try:
            async with asyncio.timeout(seconds):
                while self.view <= view and not self._ending:
                    await self._changed.wait()
        except TimeoutError:
            return False
        return self.view > view

    def let_go(self) -> None:
        """The service is about to end: whoever waits for news is answered at once, so that nobody holds the end up."""
        self._ending = True
        self._changed.set()

    def tell(self, key: str, level: str, text: str, hint: str = "", **shown: str) -> None:
        """Put one line where the associate looks."""
        notice = Notice(key, level, text, hint, shown, self.ports.clock.now_ms())
        self.desk.notice = notice
        self.desk.notices.appendleft(notice)
        self.changed()

    def tell_error(self, error: EdgeError, level: str = "bad") -> None:
        """Put an expected failure where the associate looks."""
        self.tell(error.key, level, error.message, error.hint, **error.args_shown)

    # --- decisions -----------------------------------------------------------------------------------------------------------

    def moment(self) -> Moment:
        """What a decision needs from outside, now."""
        return Moment(self.ports.clock.now_ms(), self.ports.new_id, self.shop.market, self.shop.receipt)

    async def do(self, command: Command | Callable[[], Command], command_id: str = "", *, must: bool = False) -> tuple[Event, ...]:
        """Decide ``command``, commit what it leads to, and apply it. Raises RuleError, or StorageError (then nothing of it happened).

        A callable is asked for its command when the turn has come, so that the prices it looks up are those of the basket it changes. An
        empty ``command_id`` is the service's own doing and gets one; one that is in the journal already does nothing. ``must`` commits may
        use the ballast of a full disk. Whoever is cancelled meanwhile goes, but the command is carried out: what the journal has, the state has.
        """
        return await asyncio.shield(asyncio.get_running_loop().create_task(self._do(command, command_id, must, self.desk.notice)))

    async def _do(self, command: Command | Callable[[], Command], command_id: str, must: bool, seen: Notice | None) -> tuple[Event, ...]:
        async with self._turn:
            if self.desk.stopped is not None and not must:
                raise self.desk.stopped.again()
            before = self.state
            moment = self.moment()
            events = decide(before, command() if callable(command) else command, moment)
            if not events or not await self._commit(before, events, (), command_id or moment.new_id(), must):
                return ()
            if not must:
                self._clear_shown(seen)
        self._after(events, before)
        return events

    async def report(self, fact: FactDraft) -> None:
        """Commit a fact of the service's own that no event stands behind (it started)."""
        async with self._turn:
            await self._commit(self.state, (), (fact,), fact.id, must=False)

    async def _commit(self, before: Register, events: tuple[Event, ...], facts: tuple[FactDraft, ...], command_id: str, must: bool) -> bool:
        state = before
        for event in events:
            state = evolve(state, event)
        now = self.ports.clock.now_ms()
        store_state = (state.basket is None and bool(events)) or self._since_snapshot + len(events) >= SNAPSHOT_EVENTS_MAX
        commit = Commit(
            command=command_id,
            events=[event_row(event) for event in events],
            facts=[*facts_of(before, events, self.origin, now, self.ports.new_id), *facts],
            attempts=_attempts_touched(events, state),
            sales=[sale_row(event.sale) for event in events if isinstance(event, SaleCompleted)],
            snapshot=write_state(state) if store_state else None,
            must=must,
        )
        try:
            committed = await self.ports.journal.commit(commit)
        except StorageError as error:
            self.stop_selling(error)
            raise
        if committed.fresh:
            self.state = state
            self._since_snapshot = 0 if store_state else self._since_snapshot + len(events)
            if commit.facts:
                self.ports.wake_push()
        return committed.fresh

    def _after(self, events: tuple[Event, ...], before: Register) -> None:
        here = before.basket.id if before.basket else ""
        if here and (self.state.basket is None or self.state.basket.id != here):
            self.desk.next_quantity, self.desk.next_is_check = "", False  # they were meant for the customer who is gone
        for event in events:
            if isinstance(event, SaleCompleted):
                if event.sale.id == here or not self._change_is_due():
                    self.desk.last_sale, self.desk.last_sale_past = event.sale, False
                if self.state.basket is None:
                    self.clear_customer()
        self.desk.last_sale_past = self.desk.last_sale_past or self.state.basket is not None
        self.on_events(events)
        self.changed()

    def _change_is_due(self) -> bool:
        """Whether the screen says what change to hand out: a parked sale that completes meanwhile does not take its place."""
        return self.desk.last_sale is not None and not self.desk.last_sale_past and self.desk.last_sale.change_minor > 0

    def _clear_shown(self, seen: Notice | None) -> None:
        """Somebody acted: what the act before showed goes. A notice that came meanwhile stays, nobody has read it yet."""
        self.desk.price_check = self.desk.repriced = None
        if self.desk.notice is seen:
            self.desk.notice = None

    def clear_customer(self) -> None:
        """Nobody stands here any more."""
        self.desk.customer = self.desk.cart = self.desk.question = self.desk.repriced = None
        self.desk.customer_fresh = self.desk.cart_fresh = False

    def show_customer(self) -> None:
        """Show the open basket's customer and their cart, as the local copy has them; nobody when it has none."""
        self.clear_customer()
        basket = self.state.basket
        if basket is not None and basket.customer is not None:
            held = basket.customer
            self.desk.customer = self.ports.people.customer(held.id) or Customer(held.id, held.name, held.tier, held.points)
            self.desk.cart = self.ports.people.cart_of(held.id)

    # --- when the disk refuses -----------------------------------------------------------------------------------------------

    def stop_selling(self, error: StorageError) -> None:
        """Nothing is sold from now on, which is said once for each reason; the journal is tried again until it takes commits. Call on the event loop."""
        before, self.desk.stopped = self.desk.stopped, error.again()
        if before is None or before.key != error.key:
            log.error("selling stopped", code=error.code, detail=error.message)
            self.tell_error(error)
        if self._reopening is None or self._reopening.done():
            self._reopening = asyncio.get_running_loop().create_task(self._reopen(), name="journal-reopen")

    async def _reopen(self) -> None:
        while self.desk.stopped is not None:
            await asyncio.sleep(REOPEN_SECONDS)
            async with self._turn:
                before = self.state
                try:
                    await self.ports.journal.reopen()
                    self.state, self._since_snapshot = self._replayed()
                    self._catch_up(before)
                except StorageError as error:
                    self.stop_selling(error)
                    continue
                self.desk.stopped = None
            log.info("selling resumed")
            self.ports.wake_push()
            self.tell("notice.selling_resumed", "good", "The journal can be written again. Selling goes on.")
            self.on_resumed()

    def _catch_up(self, before: Register) -> None:
        """A commit that failed may turn out to have been written after all: then what it said is true, and what follows from it happens now."""
        here, now = before.basket, self.state.basket
        if (now and now.id, now and now.customer and now.customer.id) != (here and here.id, here and here.customer and here.customer.id):
            self.show_customer()
        if self.state.receipts > before.receipts:
            rows = self.ports.journal.sales("", self.state.receipts - before.receipts)
            self._after(tuple(SaleCompleted(read_sale(row)) for row in reversed(rows)), before)

    async def close(self) -> None:
        """Stop trying to reopen, and let what is being decided come to its end."""
        self.let_go()
        if self._reopening is not None:
            self._reopening.cancel()
        async with self._turn:
            pass


def _attempts_touched(events: Sequence[Event], after: Register) -> list[Attempt]:
    """The newest word on every attempt that ``events`` touch, with one that gives its place up before the one that takes it."""
    newest: dict[str, Attempt] = {}
    for event in events:
        match event:
            case TenderAdded(tender):
                newest.update({attempt.id: attempt for attempt in tender.attempts})
            case AttemptAdded(_, attempt):
                newest[attempt.id] = attempt
            case AttemptMoved(attempt):
                newest[attempt.id] = attempt
                original = after.holding(attempt.original) if attempt.original else None
                if original is not None:  # a void that went through moves the payment it undoes as well
                    newest[attempt.original] = original[2]
    return sorted(newest.values(), key=lambda attempt: attempt.state in OPEN)


def refuse_unless(condition: bool, text: str, hint: str, reason: str) -> None:
    """Raise NotNow unless ``condition``."""
    if not condition:
        raise NotNow(text, hint=hint, reason=reason)
