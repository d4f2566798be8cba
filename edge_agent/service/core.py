"""The register's one mind: commands are decided, appended and applied here, one at a time, and nothing is true before it is on disk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

import structlog
from msgspec import Struct

from edge_agent.clock import Clock, NewId
from edge_agent.domain.attempts import attempts_touched
from edge_agent.domain.code_rules import CodeRules
from edge_agent.domain.commands import Command, ForgetCustomers, Moment, Park, Suspend
from edge_agent.domain.customer import Customer
from edge_agent.domain.decide import decide
from edge_agent.domain.errors import EdgeError, JournalCorrupt, NotNow, StorageError
from edge_agent.domain.events import Event, SaleCompleted
from edge_agent.domain.market import Market
from edge_agent.domain.reading import Source
from edge_agent.domain.receipt_code import receipt_code, receipt_codes
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.sale import Sale
from edge_agent.ports import Beeps, Catalogue, Central, Commit, FactDraft, Journal, Notice, People, Printer, TenderMethod
from edge_agent.service.codec import event_row, read_sale, replayed, sale_row, write_state
from edge_agent.service.desk import Desk
from edge_agent.service.facts import Origin, facts_of
from edge_agent.service.notices import OF_A_CUSTOMER, Refusal, stands_until

SNAPSHOT_EVENTS_MAX = 64
"""The register's state is stored anew at the latest after so many events, and whenever the counter is empty: a start replays no more than that."""
REOPEN_SECONDS = 2.0
"""How often a journal that refused is tried again."""
VERIFY_AGAIN_SECONDS = 30.0
"""How often a damaged one is, which is read whole for it."""
IN_USE_SECONDS = 3.0
"""So long after the last act somebody is taken to be at it still."""

log = structlog.get_logger(__name__)


class Shop(Struct, frozen=True):
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
        return receipt_code(receipt_codes(self.store, self.register), number)

    def printed_by(self, receipt: str) -> tuple[str, str] | None:
        """Which store and register print such a receipt code; None for one of another shape."""
        parts = re.fullmatch(r"R-(.+)-([^-]+)-[0-9]+", receipt)
        return (parts[1], parts[2]) if parts else None


class Ports(Struct, frozen=True):
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


class Core:
    """State, decisions and the news that something changed."""

    def __init__(self, shop: Shop, ports: Ports, boot: str) -> None:
        self.shop = shop
        self.ports = ports
        self.boot = boot
        self.desk = Desk()
        self.state = Register()
        self.view = 0
        self.gone = 0
        """How many baskets have left the counter: what was asked while one stood here is not for the next."""
        self.on_events: Callable[[tuple[Event, ...]], None] = lambda _: None
        self.on_resumed: Callable[[], None] = lambda: None
        self.said: dict[str, bytes] = {}
        """A digest of what each command that is being carried out says, by its id: it is kept with what the command leads to."""
        self.origin = Origin(shop.store, shop.register, shop.epoch, shop.market.currency)
        self._turn, self._changed = asyncio.Lock(), asyncio.Event()
        self._ending = False
        self._since_snapshot = 0
        self._acted_at = float("-inf")
        self._reopening: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Replay what the journal holds, and from then on stop selling when any read of it fails. Raises JournalCorrupt when it cannot be read."""
        self.state, self._since_snapshot = replayed(self.ports.journal)
        loop = asyncio.get_running_loop()
        self.ports.journal.on_trouble(lambda error: self._read_failed(loop, error))
        self.show_customer()
        with suppress(StorageError):  # on_trouble has stopped selling, and says so
            self.desk.last_sale = self._last_sale()

    def _last_sale(self) -> Sale | None:
        """What the counter showed when the service ended: change that was not handed out and a receipt that did not print outlive it."""
        last = self.state.last_sale
        row = self.ports.journal.sale(last.id) if last else next(iter(self.ports.journal.sales("", 1)), None)
        return read_sale(row) if row else None

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
        """Put one line where the associate looks, for as long as ``notices.stands_until`` says, or until somebody acts."""
        now = self.ports.clock.now_ms()
        notice = Notice(key, level, text, hint, shown, now, stands_until(level, hint, now))
        self.desk.notice = notice
        self.desk.notices.appendleft(notice)
        self.changed()

    def tell_error(self, error: EdgeError, level: str = "bad") -> None:
        """Put an expected failure where the associate looks."""
        self.tell(error.key, level, error.message, error.hint, **error.args_shown)

    def refused(self, source: Source) -> None:
        """What was just told refuses a reading of this kind: it goes with the next good one, and with the next act that is accepted."""
        self.desk.refusal = Refusal(self.desk.notice, source) if self.desk.notice else None

    def accepted(self, seen: Refusal | None, good: Source | None = None) -> None:
        """An act was accepted, or a reading of the kind ``good``: the refusal that stood before it (``seen``) is past."""
        if seen is not None and seen.is_past(self.desk.notice, good):
            self.desk.notice = None
            self.changed()

    def in_use(self) -> bool:
        """Whether somebody has just sold something here, or is about to: what is not theirs may wait."""
        return self.ports.clock.monotonic() - self._acted_at < IN_USE_SECONDS

    # --- decisions -----------------------------------------------------------------------------------------------------------

    def moment(self) -> Moment:
        """What a decision needs from outside, now."""
        return Moment(self.ports.clock.now_ms(), self.ports.new_id, self.shop.market, self.shop.receipt, self.ports.printer is not None)

    async def do(self, command: Command | Callable[[], Command], command_id: str = "", *, must: bool = False, basket: str = "") -> tuple[Event, ...]:
        """Decide ``command``, commit what it leads to, and apply it. Raises RuleError, or StorageError (then nothing of it happened).

        A callable is asked for its command when the turn has come, so that the prices it looks up are those of the basket it changes. An
        empty ``command_id`` is the service's own doing and gets one; one that is in the journal already does nothing. ``must`` commits may
        use the ballast of a full disk. Whoever is cancelled meanwhile goes, but the command is carried out: what the journal has, the state has.

        ``basket`` names the basket that is meant, where one is: a key that was pressed twice does nothing to the next customer's, and nothing is
        left to do when the first one completed the sale (or set it aside, where that was the wish).
        """
        return await asyncio.shield(asyncio.get_running_loop().create_task(self._do(command, command_id, must, basket, self.desk.notice)))

    async def _do(self, command: Command | Callable[[], Command], command_id: str, must: bool, basket: str, seen: Notice | None) -> tuple[Event, ...]:
        self._acted_at = self.ports.clock.monotonic()
        async with self._turn:
            if self.desk.stopped is not None and not must:
                raise self.desk.stopped.again()
            before = self.state
            if basket and self._is_done(command, basket):
                return ()
            moment = self.moment()
            events = decide(before, command() if callable(command) else command, moment)
            if not events or not await self._commit(before, events, (), command_id or moment.new_id(), must):
                return ()
            if not must:
                self._clear_shown(seen)
        self._after(events, before)
        return events

    def _is_done(self, command: Command | Callable[[], Command], basket: str) -> bool:
        """Whether what ``command`` wants of the basket has happened. Raises NotNow (reason ``basket_gone``) when it cannot happen any more."""
        if self.state.basket is not None and self.state.basket.id == basket:
            return False
        set_aside = isinstance(command, Suspend | Park) and any(held.id == basket for held in self.state.baskets)
        if not set_aside and self.ports.journal.sale(basket) is None:
            raise NotNow("That basket is no longer on the counter.", hint="Look at the screen again.", reason="basket_gone")
        return True

    async def note(self, command: Command) -> tuple[Event, ...]:
        """Keep what nobody at the counter asked for; what is shown stays, and while selling is stopped it is let go. Raises StorageError."""
        async with self._turn:
            moment = self.moment()
            events = decide(self.state, command, moment) if self.desk.stopped is None else ()
            if events:
                await self._commit(self.state, events, (), moment.new_id(), must=False)
            return events

    async def report(self, fact: FactDraft) -> None:
        """Commit a fact of the service's own that no event stands behind (it started)."""
        async with self._turn:
            await self._commit(self.state, (), (fact,), fact.id, must=False)

    async def forget(self, persons: Collection[str]) -> bool:
        """Forget these customers for good: their keys in the journal, the links from sales to them, and whose basket here was theirs; false when there
        was nothing. The counter does not wait for it where nothing is kept of any of them. Raises StorageError. Carried out as ``do`` does."""
        self.desk.erased.extend(persons)
        return await asyncio.shield(asyncio.get_running_loop().create_task(self._forget(persons)))

    async def _forget(self, persons: Collection[str]) -> bool:
        async with self._turn:
            pass  # who was just being put on a basket is on it now, and nobody puts them on one after this
        if self.state.customers.isdisjoint(persons) and not await asyncio.to_thread(self.ports.journal.kept_of, persons):
            self._forgotten(persons, self.state)  # they may be who a question is about
            return False
        async with self._turn:
            if self.desk.stopped is not None:
                raise self.desk.stopped.again()
            before, moment = self.state, self.moment()
            events = decide(before, ForgetCustomers(frozenset(persons)), moment)
            self._since_snapshot = SNAPSHOT_EVENTS_MAX  # the state is stored anew with it: the one that is stored may name them
            await self._commit(before, events, (), moment.new_id(), must=False)
        self._forgotten(persons, before)
        if events:
            self._after(events, before)
        await self.ports.journal.forget(*persons)
        return True

    def _forgotten(self, persons: Collection[str], before: Register) -> None:
        """They are not on the counter any more."""
        self.desk.unask(persons)
        if self.desk.customer is not None and self.desk.customer.id in persons:
            self.clear_customer()
        if before.basket is not None and before.basket.customer is not None and before.basket.customer.id in persons:
            self.tell("notice.customer_erased", "warn", "This customer was erased: the sale goes on without them.", "Look at the prices.")

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
            attempts=attempts_touched(events, state),
            sales=[sale_row(event.sale) for event in events if isinstance(event, SaleCompleted)],
            snapshot=write_state(state) if store_state else None,
            must=must,
            said=self.said.get(command_id, b""),
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
            self.gone += 1
            self.unsay_customer()
            self.desk.next_quantity, self.desk.next_is_check = "", False  # they were meant for the customer who is gone
        for event in events:
            if isinstance(event, SaleCompleted):
                if self.state.last_sale is not None and self.state.last_sale.id == event.sale.id:
                    self.desk.last_sale = event.sale
                if self.state.basket is None:
                    self.clear_customer()
        self._none_left_to_open()
        self.on_events(events)
        self.changed()

    def _none_left_to_open(self) -> None:
        """Whoever was asked for the float has nothing to open any more, once a shift is open."""
        if self.state.shift is not None:
            self.desk.opening = None

    def _clear_shown(self, seen: Notice | None) -> None:
        """Somebody acted: what the act before showed goes. A notice that came meanwhile stays, nobody has read it yet."""
        self.desk.price_check = self.desk.repriced = None
        if self.desk.notice is seen:
            self.desk.notice = None

    def clear_customer(self) -> None:
        """Nobody stands here any more."""
        self.desk.customer = self.desk.cart = self.desk.question = self.desk.repriced = None
        self.desk.customer_fresh = self.desk.cart_fresh = self.desk.unanswered = False
        self.unsay_customer()

    def unsay_customer(self) -> None:
        """The messages keep nobody's name beyond what it was said for."""
        for notice in [notice for notice in self.desk.notices if notice.key in OF_A_CUSTOMER]:
            self.desk.notices.remove(notice)
            if self.desk.notice is notice:
                self.desk.notice = None

    def show_customer(self) -> None:
        """Show the open basket's customer and their cart, as the local copy has them; nobody when it has none."""
        self.clear_customer()
        basket = self.state.basket
        if basket is not None and basket.customer is not None:
            held = basket.customer
            self.desk.customer = self.ports.people.customer(held.id) or Customer(held.id, held.name, held.tier, held.points)
            self.desk.cart = self.ports.people.cart_of(held.id)

    # --- when the disk refuses -----------------------------------------------------------------------------------------------

    def _read_failed(self, loop: asyncio.AbstractEventLoop, error: StorageError) -> None:
        """A read of the journal failed, on whatever thread: the counter must not find that out with its next sale."""
        if not self._ending and not loop.is_closed():
            loop.call_soon_threadsafe(self._stop_unless_ending, error)

    def _stop_unless_ending(self, error: StorageError) -> None:
        if not self._ending:
            self.stop_selling(error)

    def stop_selling(self, error: StorageError) -> None:
        """Nothing is sold from now on, which is said once for each reason; the journal is tried again until it takes commits. Call on the event loop."""
        before = self.desk.stopped
        if isinstance(before, JournalCorrupt) and not isinstance(error, JournalCorrupt):
            return  # what is said of a damaged journal stands: it is not mended by waiting
        self.desk.stopped = error.again()
        if before is None or before.key != error.key:
            log.error("selling stopped", code=error.code, detail=error.message)
            self.tell_error(error)
        if self._reopening is None or self._reopening.done():
            self._reopening = asyncio.get_running_loop().create_task(self._reopen(), name="journal-reopen")

    async def _reopen(self) -> None:
        while self.desk.stopped is not None:
            await asyncio.sleep(VERIFY_AGAIN_SECONDS if isinstance(self.desk.stopped, JournalCorrupt) else REOPEN_SECONDS)
            async with self._turn:
                before = self.state
                try:
                    await self.ports.journal.reopen()
                    self.state, self._since_snapshot = replayed(self.ports.journal)
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
        if here is not None and (now is None or now.id != here.id):
            self.gone += 1
        self._none_left_to_open()
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


def refuse_unless(condition: bool, text: str, hint: str, reason: str) -> None:
    """Raise NotNow unless ``condition``."""
    if not condition:
        raise NotNow(text, hint=hint, reason=reason)
