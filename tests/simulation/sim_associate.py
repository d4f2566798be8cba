"""An associate at a simulated counter: sells by what is seen on the screen, and remembers every promise that was made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from edge_agent.clock import ClockIds
from edge_agent.domain import commands as do
from edge_agent.domain.basket import Basket
from edge_agent.domain.errors import DiskFull, EdgeError, StorageError
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.reading import Reading, Source, TagKind
from edge_agent.domain.register import Register
from edge_agent.domain.tender import OPEN, AttemptState, Tender, TenderKind
from edge_agent.service.till import Till
from tests.simulation.sim_loop import Seeded
from tests.simulation.sim_pc import Gone, SimPC
from tests.simulation.sim_terminal import SimTerminal
from tests.simulation.sim_world import World
from tests.support_shop import MARIA_KNOWN, OMAR_KNOWN

SETTLED_SECONDS_MAX = 2 * 3_600.0
"""By then a payment is settled, or a person's to decide."""
SCANS = (b"4006381333931", b"4006381333948")
SKUS = ("COAT", "SOCKS")
MARIA_S, OMAR_S = MARIA_KNOWN.id, OMAR_KNOWN.id
TAPS = (
    (TagKind.FIXED_UID, b"04A1B2C3D4E5F6", MARIA_S),
    (TagKind.NDEF_TEXT, b"LOY0000000001", MARIA_S),
    (TagKind.NDEF_TEXT, b"LOY0000000002", OMAR_S),
    (TagKind.FIXED_UID, b"04FFFFFFFFFFF0", ""),
    (TagKind.RANDOM_UID, b"", ""),
    (TagKind.BANK_CARD, b"", ""),
    (TagKind.UNREADABLE, b"", ""),
)
"""What customers hold to the reader, as ``drivers.devices.nfc_reader`` emits it, and whom it names."""

STARTS_MAX = 50
"""Starts in a row that fail for a fault of the disk, or a kill, are a few."""


@dataclass
class Told:
    """What the associate was told: the promises that are checked at the end."""

    commands: list[str] = field(default_factory=list)
    sales: dict[str, int] = field(default_factory=dict)
    reviewed: set[str] = field(default_factory=set)
    cash_minor: int = 0
    taps: int = 0
    known_by_tap: int = 0
    refused_when_full: int = 0
    recorded_when_full: int = 0
    violations: list[str] = field(default_factory=list)


class Associate:
    """Sells, by what is seen on the screen; repeats a command whose answer did not come under its id."""

    def __init__(self, world: World, pc: SimPC, terminal: SimTerminal) -> None:
        self._world = world
        self._pc = pc
        self._terminal = terminal
        self._random = Seeded(f"associate-{world.seed}")
        self._new_id = ClockIds(pc.clock, Seeded(f"client-{world.seed}"))
        self.told = Told()
        self.sales = 0

    # --- the counter as it is seen ---

    @property
    def _till(self) -> Till:
        if self._pc.till is None:
            raise Gone
        return self._pc.till

    @property
    def _state(self) -> Register:
        return self._till.core.state

    @property
    def _basket(self) -> Basket | None:
        return self._state.basket

    def _pieces(self) -> int:
        return sum(line.quantity.amount for line in self._basket.in_hand if line.quantity.unit is Unit.PIECE) if self._basket else 0

    # --- doing ---

    async def back_up(self, *, selling: bool = True) -> None:
        """Wait until the service runs and (``selling``) its disk takes what it writes. One that never starts again is a violation."""
        failed = 0
        while self._pc.life is None or self._pc.till is None or (selling and self._till.core.desk.stopped is not None):
            if self._pc.life is None:
                await asyncio.sleep(self._random.between(0.5, 2.0 if self._random.chance(0.5) else 20.0))
                died_soon = None if self._world.faults.off or not self._random.chance(0.2) else self._random.below(400)
                has_room = not self._pc.room.is_full or self._pc.room.holds_ballast
                try:
                    await self._pc.boot(died_soon)
                except StorageError as problem:
                    self._world.tell("did not start", problem.key)
                    self._pc.kill()
                    if isinstance(problem, DiskFull) and self._pc.room.is_full and has_room:
                        self.told.violations.append("did not start on a full disk, although there was the ballast's room")
                    failed += 1
                    assert failed < STARTS_MAX, f"the service does not start any more: {problem.message}"
            else:
                await asyncio.sleep(0.5)

    async def command(self, what: str, work: Callable[[Till, str], Awaitable[object]], *, writes: bool = True) -> bool:
        """Have the service do it, once, whatever happens on the way; False when it was refused."""
        id = self._new_id()
        while True:
            await self.back_up(selling=self._random.chance(0.7))  # else a key is pressed although the screen says that nothing is sold
            try:
                await self._pc.ask(lambda: self._once(id, what, work))
            except Gone:
                continue
            except StorageError as problem:
                self.told.refused_when_full += isinstance(problem, DiskFull) and self._pc.room.is_full
                await asyncio.sleep(1.0)
                continue
            except EdgeError as refusal:
                self._world.tell(what, "refused", refusal.key)
                return False
            self._world.tell(what, "done")
            if writes:
                self.told.commands.append(id)
            return True

    async def _once(self, id: str, what: str, work: Callable[[Till, str], Awaitable[object]]) -> None:
        till, once = self._till, self._pc.once
        assert once is not None
        await once.run(id, what.encode(), lambda: _awaited(work(till, id)))

    async def scan(self, raw: bytes) -> None:
        """A reading goes in; it has no id, so what became of it is seen on the screen."""
        await self.back_up()
        before, basket = self._pieces(), self._basket
        try:
            await self._pc.ask(lambda: self._till.scanned(Reading(raw, "scanner", self._pc.clock.now_ms())))
        except Gone:
            await self.back_up()
        after = self._pieces()
        same = basket is None or self._basket is None or basket.id == self._basket.id
        if same and after not in (before, before + 1):
            self.told.violations.append(f"one scan made {before} pieces {after}")
        self._world.tell("scan", after)

    async def tap(self, kind: TagKind, payload: bytes, whose: str) -> None:
        """Something is held to the NFC reader: it names the customer that it is of, or nobody, and never adds goods."""
        await self.back_up()
        till, before, pieces = self._till, self._basket, self._pieces()
        self.told.taps += 1
        try:
            await self._pc.ask(lambda: till.scanned(Reading(payload, "reader", self._pc.clock.now_ms(), Source.NFC, tag=kind)))
        except Gone:
            await self.back_up()
        after, desk = self._basket, self._till.core.desk
        self._world.tell("tap", kind.value, after.customer.id if after is not None and after.customer is not None else "nobody")
        if before is not None and (after is None or after.id != before.id):
            return
        was, now = (basket.customer.id if basket is not None and basket.customer is not None else "" for basket in (before, after))
        self.told.known_by_tap += now != was and now == whose
        if now not in (was, whose):
            self.told.violations.append(f"a {kind.value} of {whose or 'nobody'} made the basket {now}'s")
        if self._pieces() != pieces:
            self.told.violations.append(f"a {kind.value} made {pieces} pieces {self._pieces()}")
        if self._pc.till is till and (desk.customer is None or desk.customer.id != (whose or None)) and desk.question is None and desk.notice is None:
            self.told.violations.append(f"a {kind.value} of {whose or 'nobody'} was met with silence")

    # --- a customer ---

    async def serve(self) -> None:
        """One customer, from the first article to the receipt, or to whatever else becomes of it."""
        random = self._random
        await self.back_up()
        if self._state.shift is None:
            await self.command("open", lambda till, id: till.day.open("1003", 10_000, id))
        if random.chance(0.25):
            await self._recall()
        await self._fill()
        if self._basket is None:
            return
        fate = random.fraction()
        if fate < 0.05:
            await self.command("void", lambda till, id: till.void("gone", id))
        elif fate < 0.13:
            await self.command("suspend", lambda till, id: till.set_aside(do.Suspend(""), id))
        else:
            await self._pay()

    async def _fill(self) -> None:
        random = self._random
        for _ in range(1 + random.below(5)):
            await asyncio.sleep(random.between(0.2, 4.0))
            await self._act(random.fraction())

    async def _act(self, drawn: float) -> None:
        random = self._random
        line = random.one_of(self._basket.lines).id if self._basket is not None and self._basket.lines else None
        if drawn < 0.45:
            await self.scan(random.one_of(SCANS))
        elif drawn < 0.70:
            await self._add(random.one_of(SKUS))
        elif drawn < 0.80:
            await self._customer()
        elif line is None:
            await self.command("department", lambda till, id: till.department("Food", 399, "", "Bread", "", id))
        elif drawn < 0.86:
            await self.command("quantity", lambda till, id: till.run(do.ChangeQuantity(line, Quantity(1 + random.below(4), Unit.PIECE)), id), writes=False)
        elif drawn < 0.92:
            await self.command("remove", lambda till, id: till.run(do.RemoveLine(line), id))
        else:
            await self.command("discount", lambda till, id: till.discount(line, do.Cut("worn", 10_000), id))

    async def _add(self, sku: str) -> None:
        await self.back_up()
        before = self._pieces()
        if await self.command("add", lambda till, id: till.counter.add(sku, "1", id)):
            await self.back_up()
            if self._pieces() != before + 1:
                self.told.violations.append(f"adding one piece made {before} pieces {self._pieces()}")

    async def _customer(self) -> None:
        if self._random.chance(0.5):
            await self.tap(*self._random.one_of(TAPS))
        else:
            await self.scan(self._random.one_of((b"LOY0000000001", b"LOY0000000002")))
        await self.back_up()
        question = self._till.core.desk.question
        if question is not None:
            await self.command("answer", lambda till, id: till.clienteling.answered(question.id, self._random.one_of(question.answers), id), writes=False)
        elif self._random.chance(0.5):
            await self.command("cart", lambda till, id: till.clienteling.load("", id))

    async def _recall(self) -> None:
        aside = sorted(basket.id for basket in (*self._state.suspended, *self._state.parked))
        if self._basket is None and aside:
            held = self._random.one_of(aside)
            await self.command("recall", lambda till, id: till.recall(held, id))

    # --- money ---

    async def _pay(self) -> None:
        for _ in range(12):
            await self.back_up()
            basket = self._basket
            if basket is None:
                return
            if basket.open_attempt is not None:
                if not await self._watch(basket.open_attempt.id):
                    return
                continue
            if not basket.in_hand:
                await self._add(self._random.one_of(SKUS))
                continue
            if self._random.chance(0.05):
                await self.tap(*self._random.one_of(TAPS))
                continue
            paid = [tender for tender in basket.tenders if tender.settled_minor]
            if paid and self._random.chance(0.2):
                tender = self._random.one_of(paid)
                await self._give_back(tender)
            elif self._random.chance(0.5):
                await self._cash(basket)
            else:
                await self._card(basket)

    async def _give_back(self, tender: Tender) -> None:
        if await self.command("give back", lambda till, id: till.paying.give_back(tender.id, id)) and tender.kind is TenderKind.CASH:
            self.told.cash_minor -= tender.settled_minor

    async def _cash(self, basket: Basket) -> None:
        rest, receipts = self._rest(basket), self._state.receipts
        given = None if self._random.chance(0.5) else rest + self._random.below(2_000) if self._random.chance(0.7) else 1 + self._random.below(max(1, rest))
        if await self.command("cash", lambda till, id: till.paying.cash(given, id)):
            self.told.cash_minor += rest if given is None else min(given, rest)
            await self._sold(basket.id, receipts)

    async def _card(self, basket: Basket) -> None:
        rest = self._rest(basket)
        amount = None if self._random.chance(0.7) or rest < 2 else 1 + self._random.below(rest - 1)
        await self.command("card", lambda till, id: till.paying.card(amount, id))

    def _rest(self, basket: Basket) -> int:
        return basket.rest_minor(self._till.core.shop.market)

    async def _watch(self, attempt: str) -> bool:
        """Look at the terminal until the attempt is over; False when the sale was parked or is done."""
        patience = self._random.between(5.0, 900.0)
        began = self._world.loop.time()
        receipts = self._state.receipts
        while True:
            await self.back_up()
            found = self._state.holding(attempt)
            if found is None or found[2].state not in OPEN:
                break
            if found[2].state is AttemptState.NEEDS_REVIEW:
                await self._review(attempt)
            elif self._random.chance(0.02):
                await self.command("cancel", lambda till, id: till.paying.cancel(id), writes=False)
            elif self._world.loop.time() - began > SETTLED_SECONDS_MAX:
                self.told.violations.append(f"a payment hangs as {found[2].state.value}")
                return False
            elif self._world.loop.time() - began > patience and found[2].state is AttemptState.UNKNOWN:
                await self.command("park", lambda till, id: till.set_aside(do.Park("later"), id))
                return False
            await asyncio.sleep(0.5)
        await self._sold("", receipts)
        return self._basket is not None

    async def _review(self, attempt: str) -> None:
        """A manager looks at the terminal's own list."""
        await self.back_up()
        found = self._state.holding(attempt)
        if found is None or found[2].state is not AttemptState.NEEDS_REVIEW:
            return
        charge = self._terminal.charge(found[2].wire_ref)
        if charge is not None and charge.state == "running":
            return
        moved = charge is not None and charge.state == "approved"
        if await self.command("review", lambda till, id: till.paying.review(attempt, moved, "seen on its list", id)):
            self.told.reviewed.add(found[2].wire_ref)

    async def _sold(self, basket: str, receipts: int) -> None:
        """Take the receipt, if there is one."""
        await self.back_up()
        came = self._state.receipts - receipts
        if basket and came > 1 + self._parked():
            self.told.violations.append(f"one payment made {came} receipts")
        sale = self._till.core.desk.last_sale
        if sale is not None and sale.receipt not in self.told.sales:
            self.told.sales[sale.receipt] = sale.totals.total_minor
            self.sales += 1
            self._world.tell("sold", sale.receipt, sale.totals.total_minor)

    def _parked(self) -> int:
        return len(self._state.suspended) + len(self._state.parked)

    async def tidy_up(self) -> None:
        """At the end of the day: settle what is open, and close."""
        for _ in range(1_500):
            await self.back_up()
            opened = list(self._state.open_attempts())
            for attempt in opened:
                if attempt.state is AttemptState.NEEDS_REVIEW:
                    await self._review(attempt.id)
            if not opened:
                break
            await asyncio.sleep(5.0)
        else:
            self.told.violations.append("an attempt was never settled")
        if self._basket is not None and not any(tender.settled_minor for tender in self._basket.tenders):
            await self.command("void", lambda till, id: till.void("closing", id))
        elif self._basket is not None:
            await self._finish()

    async def _finish(self) -> None:
        basket = self._basket
        if basket is not None and basket.open_attempt is None:
            if not basket.in_hand:
                await self._add("SOCKS")
                basket = self._basket
                assert basket is not None
            rest = self._rest(basket)
            if await self.command("cash", lambda till, id: till.paying.cash(None, id)):
                self.told.cash_minor += rest


async def _awaited(work: Awaitable[object]) -> None:
    await work
