"""Taking money: cash at once; a terminal through the attempt machine, with whatever is unclear settled by asking.

The service owns a payment: the screen may die and come back in the middle of it. An attempt is committed before the first byte leaves
(its ``wire_ref`` with it), the answer is committed before anything is printed, opened or shown, and while its outcome is unknown a task
here keeps asking.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine

import structlog

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotNow, StorageError
from edge_agent.domain.events import AttemptAdded, AttemptMoved, Event, SaleCompleted, TenderAdded
from edge_agent.domain.settling import DECIDED, TERMINAL_GONE
from edge_agent.domain.tender import MONEY_MOVED, OPEN, Attempt, AttemptKind, AttemptState, NotFound, TenderKind, Unknown
from edge_agent.domain.tender import AttemptState as S
from edge_agent.ports import TenderMethod, Terminal
from edge_agent.service.checking import Checking
from edge_agent.service.core import Core
from edge_agent.service.steps import ShownSteps

ASK_SECONDS = (2.0, 5.0)
"""After an unclear answer the terminal is asked after 2 s, then every 5 s."""
ABORT_AGAIN_SECONDS = 2.0
"""A terminal that goes on all the same is asked to stop again after this."""
DISK_SECONDS = 1.0
"""What is known of a payment is offered to a disk that refuses this often."""
BUG_SECONDS = 5.0
"""When a driver fails in a way that no driver may, its attempt is asked about after this."""
REVIEW_AFTER_SECONDS = 600.0
"""What no query settled by then is a person's to decide; asking goes on in the background, slower."""
ASK_SLOWLY_SECONDS = 60.0

LEVELS = {S.APPROVED: "good", S.APPROVED_OFFLINE: "good", S.APPROVED_PARTIAL: "warn", S.UNKNOWN: "warn", S.IN_PROGRESS: "info"}
"""How loudly the associate is told; everything else is bad news."""

log = structlog.get_logger(__name__)


class Paying:
    """Every tender and every attempt of this register. ``amount`` writes minor units as the market does."""

    def __init__(self, core: Core, amount: Callable[[int], str]) -> None:
        self._core = core
        self._amount = amount
        self._running: dict[str, asyncio.Task[None]] = {}
        self._aborting: set[asyncio.Task[None]] = set()
        self._settled_at: dict[str, float] = {}
        self._stopped: set[str] = set()  # attempts that the associate asked to stop
        self.checking = Checking(core, self._of, self._insist, amount)

    # --- commands ------------------------------------------------------------------------------------------------------------

    async def cash(self, given_minor: int | None, command_id: str, basket: str = "") -> tuple[Event, ...]:
        """Cash was put down (for ``basket``, when it is named: see ``Core.do``). Raises RuleError or StorageError."""
        return await self._core.do(do.PayCash(given_minor), command_id, basket=basket)

    async def card(self, amount_minor: int | None, command_id: str, basket: str = "") -> None:
        """Ask the card terminal. Returns once the attempt is on disk and under way. Raises NotNow (reason from the method), RuleError, StorageError."""
        terminal = self._terminal(TenderKind.CARD)
        attempt_id = self._core.ports.new_id()
        command = do.StartCard(attempt_id, terminal.wire_ref(attempt_id), terminal.name, amount_minor)
        self._conduct(await self._core.do(command, command_id, basket=basket), terminal)

    async def give_back(self, tender_id: str, command_id: str) -> None:
        """Undo a tender of the open basket: cash is handed back, a card payment is voided at its terminal."""
        basket = self._core.state.basket
        tender = next((tender for tender in basket.tenders if tender.id == tender_id), None) if basket else None
        if tender is None:
            raise NotNow("That payment is not part of this basket.", hint="Choose one from the list.", reason="tender_gone")
        if tender.kind is TenderKind.CASH:
            await self._core.do(do.ReturnCash(tender_id), command_id)
            back = f"{self._amount(tender.given_minor - tender.change_minor)} {self._core.shop.market.currency}"
            self._core.tell("notice.cash_returned", "warn", f"Give {back} back to the customer.", amount=back)
            return
        approved = tender.approved_attempt
        if approved is None:
            raise NotNow("That payment cannot be undone here.", hint="Look at the terminal that took it.", reason="no_card_method")
        attempt_id, terminal = self._core.ports.new_id(), self._of(approved)
        if terminal is None:
            await self._void_by_hand(approved, attempt_id, command_id)
            return
        self._conduct(await self._core.do(do.StartVoid(tender_id, attempt_id, terminal.wire_ref(attempt_id)), command_id), terminal)

    async def _void_by_hand(self, approved: Attempt, attempt_id: str, command_id: str) -> None:
        """Its terminal is not configured any more: nothing is sent, and who may decides whether the payment was undone there."""
        unsent = attempt_id.replace("-", "").upper()[-len(approved.wire_ref) :]  # of the terminal's own length, should it ever come back and be asked
        if await self._core.do(do.StartVoid(approved.tender, attempt_id, unsent, terminal_gone=True), command_id):
            log.error("a payment's terminal is not configured", attempt=approved.id, terminal=approved.terminal)
            self._tell_review()

    async def cancel(self, command_id: str) -> None:
        """Ask the terminal to stop; returns at once. The payment ends when the terminal has said so: cancelled, or approved because it was too late."""
        basket = self._core.state.basket
        attempt = basket.open_attempt if basket else None
        if attempt is None:
            raise NotNow("There is no payment to cancel.", hint="Look at the terminal.", reason="no_payment")
        self._stopped.add(attempt.id)
        try:
            await self._core.do(do.Asked(attempt.id), command_id, must=True)
        finally:  # a disk that refuses is no reason to let the customer go on paying
            if self._open(attempt.id):
                self._stop_terminal(attempt)

    def _stop_terminal(self, attempt: Attempt) -> None:
        terminal = self._of(attempt)
        if terminal is not None:
            task = asyncio.get_running_loop().create_task(self._abort(attempt, terminal), name=f"abort-{attempt.id}")
            self._aborting.add(task)
            task.add_done_callback(self._aborting.discard)

    async def _abort(self, attempt: Attempt, terminal: Terminal) -> None:
        """Ask, and ask again while the terminal goes on: an abort that overtakes its payment finds nothing to stop."""
        await terminal.abort(attempt)
        while self._state(attempt.id) is AttemptState.ABORTING:
            await asyncio.sleep(ABORT_AGAIN_SECONDS)
            await terminal.abort(attempt)

    async def review(self, attempt_id: str, money_moved: bool, note: str, command_id: str) -> tuple[Event, ...]:
        """A person decides what no query could settle."""
        events = await self._core.do(do.Review(attempt_id, money_moved, note), command_id, must=True)
        self._say(attempt_id, events)
        self._ended(attempt_id)
        self.checking.wake()
        return events

    async def handled(self, attempt_id: str, note: str, command_id: str) -> None:
        """A person saw to what the terminal and a decision differ by. Raises NotNow, NotAllowed, OutOfBounds, StorageError."""
        if await self._core.do(do.HandleContradiction(attempt_id, note), command_id):
            self._core.tell("notice.contradiction_handled", "good", "Noted: that payment is seen to.")

    def _terminal(self, kind: TenderKind) -> Terminal:
        method = next((method for method in self._core.ports.methods if method.kind is kind), None)
        if method is None or method.terminal is None:
            raise NotNow("This register takes no cards.", hint="Take cash.", reason="no_card_method")
        reason = method.availability()
        if reason:
            raise NotNow("The card terminal does not answer.", hint="Take cash, or try again when it is back.", reason="terminal_absent", why=reason)
        return method.terminal

    def _of(self, attempt: Attempt) -> Terminal | None:
        """The terminal an attempt ran on; None when it is not configured any more."""
        for method in self._core.ports.methods:
            if method.terminal is not None and method.terminal.name == attempt.terminal:
                return method.terminal
        return None

    @property
    def conversations(self) -> tuple[str, ...]:
        """The attempts that somebody here talks to a terminal about."""
        return tuple(self._running)

    # --- conversations -------------------------------------------------------------------------------------------------------

    def _conduct(self, events: tuple[Event, ...], terminal: Terminal) -> None:
        attempt = _started(events)
        if attempt is not None:
            self.checking.give_way(terminal.name)
            self._spawn(attempt, terminal, self._submit(attempt, terminal))

    def _spawn(self, attempt: Attempt, terminal: Terminal | None, work: Coroutine[object, object, None]) -> None:
        assert attempt.id not in self._running, attempt.id
        task = asyncio.get_running_loop().create_task(work, name=f"attempt-{attempt.id}")
        self._running[attempt.id] = task
        task.add_done_callback(lambda done: self._conversation_over(attempt, terminal, done))

    def _conversation_over(self, attempt: Attempt, terminal: Terminal | None, done: asyncio.Task[None]) -> None:
        """A conversation that ended by a bug is not let go of: money may have moved, so the terminal is asked."""
        del self._running[attempt.id]
        bug = None if done.cancelled() else done.exception()
        if bug is not None:
            log.error("a payment's conversation failed", attempt=attempt.id, exc_info=bug)
            if self._open(attempt.id) and terminal is not None:
                self._unsettled(attempt, terminal)
                self._spawn(attempt, terminal, self._taken_up(attempt, terminal, "bug", BUG_SECONDS))

    async def _submit(self, attempt: Attempt, terminal: Terminal) -> None:
        def show(key: str) -> None:
            self._core.desk.steps[attempt.id] = key
            self._core.changed()

        steps = ShownSteps(show)
        try:
            outcome = await terminal.submit(attempt, steps)
        finally:
            steps.stop()
        self._unsettled(attempt, terminal)
        await self._learn(do.Learn(attempt.id, outcome, "answer", settle_after_ms=self._settle_wall_ms(attempt, outcome)))
        if self._open(attempt.id):
            await self._settle(attempt, terminal)

    def _unsettled(self, attempt: Attempt, terminal: Terminal) -> None:
        """From now on the transport may still deliver for as long as the terminal's protocol says."""
        self._settled_at[attempt.id] = self._core.ports.clock.monotonic() + terminal.settle_ms() / 1000

    def _settle_wall_ms(self, attempt: Attempt, outcome: object) -> int:
        if not isinstance(outcome, Unknown):
            return 0
        left = self._settled_at[attempt.id] - self._core.ports.clock.monotonic()
        return self._core.ports.clock.now_ms() + int(left * 1000)

    async def _settle(self, attempt: Attempt, terminal: Terminal) -> None:
        """Ask until it is settled. Never gives up: after REVIEW_AFTER_SECONDS a person may decide, and asking goes on slower."""
        clock = self._core.ports.clock
        began, asked = clock.monotonic(), 0
        self._core.desk.review_at_ms[attempt.id] = clock.now_ms() + int(REVIEW_AFTER_SECONDS * 1000)
        self._core.changed()
        while self._open(attempt.id):
            waited = clock.monotonic() - began
            if waited >= REVIEW_AFTER_SECONDS and self._state(attempt.id) is not AttemptState.NEEDS_REVIEW:
                await self._review_due(attempt, "not_settled")
            await asyncio.sleep(ASK_SLOWLY_SECONDS if waited >= REVIEW_AFTER_SECONDS else ASK_SECONDS[min(asked, len(ASK_SECONDS) - 1)])
            asked += 1
            if not self._open(attempt.id):
                return
            # Taken before asking: an answer that was true when the question was put may be stale when it arrives.
            settled = clock.monotonic() >= self._settled_at.get(attempt.id, math.inf)
            finding = await terminal.query(attempt)
            if isinstance(finding, NotFound) and not settled:
                continue
            await self._learn(do.Learn(attempt.id, finding, "query", transport_settled=settled))

    async def _insist(self, command: do.Learn | do.GiveToReview | do.StopChecking) -> tuple[Event, ...]:
        """Put what is known of an attempt on disk; while the disk refuses, try again: a payment's outcome is never let go of."""
        refused = False
        while True:
            try:
                return await self._core.do(command, must=True)
            except StorageError as error:
                if not refused:
                    log.error("a payment's outcome waits for the disk", attempt=command.attempt, reason=error.key)
                refused = True
                await asyncio.sleep(DISK_SECONDS)

    async def _learn(self, command: do.Learn) -> None:
        held, here = self._core.state.holding(command.attempt), self._core.state.basket
        is_aside = held is not None and (here is None or held[0].id != here.id)
        events = await self._insist(command)
        if events:
            self._say(command.attempt, events, is_aside=is_aside)
        if not self._open(command.attempt):
            self._ended(command.attempt)

    async def _review_due(self, attempt: Attempt, why: str) -> None:
        if not await self._insist(do.GiveToReview(attempt.id, why)):
            return
        self._tell_review()

    def _tell_review(self) -> None:
        hint = "A manager decides by the terminal's own list; F7 brings a parked sale back."
        self._core.tell("notice.payment_review", "bad", "A card payment could not be settled.", hint)

    def _say(self, attempt_id: str, events: tuple[Event, ...], *, is_aside: bool = False) -> None:
        """Tell what became of an attempt; of one that was parked so that nobody takes it for the payment of who stands here now."""
        moved = next((event.attempt for event in events if isinstance(event, AttemptMoved) and event.attempt.id == attempt_id), None)
        if moved is None:
            return
        level = LEVELS.get(moved.state, "bad")
        kind = "void" if moved.kind is AttemptKind.VOID else "payment"
        sale = next((event.sale for event in events if isinstance(event, SaleCompleted)), None)
        if is_aside and sale is not None:
            self._core.tell("notice.parked_paid", "good", f"The parked sale is paid, receipt {sale.receipt}.", receipt=sale.receipt)
        elif is_aside and kind == "payment" and moved.state not in OPEN and moved.state not in LEVELS:
            self._core.tell("notice.parked_unpaid", "bad", "The parked sale was not paid by card.", "F7 brings it back.", reason=moved.reason)
        elif kind == "payment" and moved.state is AttemptState.NOT_PROCESSED and moved.reason == DECIDED:
            self._core.tell(
                "notice.payment_decided_unpaid", "warn", "Decided by hand: nothing was paid by card.", "Take the money another way, or void the sale."
            )
        elif kind == "payment" and moved.state in MONEY_MOVED and attempt_id in self._stopped:
            amount = f"{self._amount(moved.approved_minor)} {moved.currency}"
            self._core.tell("notice.payment_too_late", "warn", f"The stop came too late: the card paid {amount}.", "Tell the customer.", amount=amount)
        else:
            self._core.tell(f"notice.{kind}_{moved.state.value}", level, f"Card {kind}: {moved.state.value.replace('_', ' ')}.", reason=moved.reason)

    # --- recovery ------------------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """On start, and when a disk is back: an open attempt that nobody here talks about is UNKNOWN now, and is asked about until it is settled.
        What a person decided before goes on being asked about as well."""
        self.checking.wake()
        for attempt in self._core.state.open_attempts():
            terminal = self._of(attempt)
            if attempt.id in self._running:
                continue
            if terminal is None:
                log.error("an open attempt's terminal is not configured", attempt=attempt.id, terminal=attempt.terminal)
                self._spawn(attempt, terminal, self._review_due(attempt, TERMINAL_GONE))
            else:
                self._unsettled(attempt, terminal)
                self._spawn(attempt, terminal, self._taken_up(attempt, terminal, "restart"))

    async def _taken_up(self, attempt: Attempt, terminal: Terminal, why: str, after_seconds: float = 0.0) -> None:
        await asyncio.sleep(after_seconds)
        unknown = Unknown(why)
        if self._state(attempt.id) not in (AttemptState.UNKNOWN, AttemptState.NEEDS_REVIEW):
            await self._learn(do.Learn(attempt.id, unknown, why, settle_after_ms=self._settle_wall_ms(attempt, unknown)))
        await self._settle(attempt, terminal)

    def _state(self, attempt_id: str) -> AttemptState | None:
        held = self._core.state.holding(attempt_id)
        return held[2].state if held else None

    def _open(self, attempt_id: str) -> bool:
        return self._state(attempt_id) in OPEN

    def _ended(self, attempt_id: str) -> None:
        self._core.desk.steps.pop(attempt_id, None)
        self._core.desk.review_at_ms.pop(attempt_id, None)
        self._settled_at.pop(attempt_id, None)
        self._stopped.discard(attempt_id)

    async def close(self) -> None:
        """Stop asking; a restart goes on with it."""
        await self.checking.close()
        tasks = [*self._running.values(), *self._aborting]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _started(events: tuple[Event, ...]) -> Attempt | None:
    """The attempt that ``events`` begin; None when they are empty, because the command was carried out before."""
    for event in events:
        match event:
            case TenderAdded(tender):
                return tender.attempts[-1]
            case AttemptAdded(_, attempt):
                return attempt
    assert not events, events
    return None


def available(methods: tuple[TenderMethod, ...] | list[TenderMethod]) -> list[str]:
    """The kinds of tender that can be used now, in the order they are offered."""
    return [method.kind.value for method in methods if not method.availability()]
