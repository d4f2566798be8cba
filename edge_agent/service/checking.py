"""Asking on after a person decided: what the terminal says later about a payment is compared with the decision, and a contradiction is never silent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import structlog

from edge_agent.domain import commands as do
from edge_agent.domain.events import Event, PaymentCorrected, ReviewContradicted
from edge_agent.domain.market import Market
from edge_agent.domain.money import Money, digits
from edge_agent.domain.reviewed import Reviewed
from edge_agent.domain.tender import HOLDS_TERMINAL, Attempt, Finding, Unknown
from edge_agent.ports import Notice, Terminal
from edge_agent.service.core import Core

CHECK_SECONDS = 60.0
"""How often the terminal is asked about what a person decided."""
CHECK_MS_MAX = 7 * 24 * 3_600_000
"""A terminal that said nothing certain for so long after the decision is not asked any more."""
CHECK_SECONDS_MIN = 3_600.0
"""Every run of the service asks for at least this long: a computer's clock may be years off when it starts."""
GIVE_BACK, COLLECT = "notice.payment_to_give_back", "notice.payment_missing"
VOID_OWED = "notice.payment_of_a_void"
"""Nothing contradicts anything: a basket was given up, and its card payment could not be undone."""
REPORTED, DIFFERS = "notice.payment_reported", "notice.payment_differs"
"""What nobody can count without the terminal's own records: it said what it took, in another currency, or did not."""
DUE_AGAIN = "notice.payment_due_again"
NO_RECEIPT = "–"

log = structlog.get_logger(__name__)


class Checking:
    """The decisions that the terminal is still asked about: one question at a time, and none while a payment is under way at that terminal.

    ``insist`` puts a command on disk and does not give up; ``amount`` writes minor units as the market does.
    """

    def __init__(
        self,
        core: Core,
        terminal_of: Callable[[Attempt], Terminal | None],
        insist: Callable[[do.Learn | do.StopChecking], Awaitable[tuple[Event, ...]]],
        amount: Callable[[int], str],
    ) -> None:
        self._core = core
        self._terminal_of = terminal_of
        self._insist = insist
        self._amount = amount
        self._task: asyncio.Task[None] | None = None
        self._question: tuple[str, asyncio.Task[Finding]] | None = None
        self._began: dict[str, float] = {}

    def wake(self) -> None:
        """There may be a decision to ask about: after one was taken, and on start."""
        if self._task is None and self._unchecked():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="check-reviewed")
            self._task.add_done_callback(self._over)

    def give_way(self, terminal: str) -> None:
        """A payment begins at ``terminal``: the question under way there is given up, to be put again later."""
        if self._question is not None and self._question[0] == terminal:
            self._question[1].cancel()

    def happened(self, events: tuple[Event, ...]) -> None:
        """Tell at once what was contradicted just now; it goes on standing until somebody saw to it."""
        for event in events:
            if isinstance(event, PaymentCorrected):
                self._due_again(event)
            held = self._core.state.decided(event.found.id) if isinstance(event, ReviewContradicted) else None
            if held is not None:
                said = "a basket was voided whose card payment is to be given back" if held.is_void else "a terminal contradicts a person's decision"
                log.error(said, attempt=held.attempt.id, owed_minor=held.owed_minor, receipt=held.receipt)
                told = self._notice(held)
                self._core.tell(told.key, told.level, told.text, told.hint, **told.shown)

    def _due_again(self, event: PaymentCorrected) -> None:
        log.error("a payment that a person decided came off its basket", attempt=event.found.id, missing_minor=event.missing_minor)
        amount = f"{self._amount(event.missing_minor)} {self._core.shop.market.currency}"
        text = f"The terminal contradicts a decision: {amount} counted as paid by card is not, and is due again."
        self._core.tell(DUE_AGAIN, "bad", text, "Take it another way, or void the sale; F7 brings back one that is aside.", amount=amount)

    def standing(self) -> tuple[Notice, ...]:
        """What stands on the screen until somebody saw to it, the oldest first."""
        return tuple(self._notice(held) for held in self._core.state.reviewed if held.found is not None)

    async def close(self) -> None:
        """Stop asking; a restart goes on with it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _notice(self, held: Reviewed) -> Notice:
        market = self._core.shop.market
        amount = f"{self._amount(abs(held.owed_minor) or held.attempt.amount_minor)} {market.currency}"
        receipt, terminal = held.receipt or NO_RECEIPT, held.attempt.terminal
        shown = {"amount": amount, "receipt": receipt, "terminal": terminal, "attempt": held.attempt.id}
        at_ms = held.found.updated_ms if held.found is not None else 0
        if held.is_void:
            text = f"A basket was voided; {amount} that was paid for it by card was not given back."
            return Notice(VOID_OWED, "bad", text, f"Give {amount} back at {terminal}; then a manager notes it: F9 N.", shown, at_ms)
        if held.owed_minor > 0:
            text = f"The terminal contradicts a decision: {amount} too much was paid by card, receipt {receipt}."
            return Notice(GIVE_BACK, "bad", text, f"Give {amount} back at {terminal}; then a manager notes it: F9 N.", shown, at_ms)
        if held.owed_minor < 0:
            text = f"The terminal contradicts a decision: {amount} by card was never paid, receipt {receipt}."
            return Notice(COLLECT, "bad", text, "Ask the customer for it, or tell the office; then a manager notes it: F9 N.", shown, at_ms)
        said = held.found.reported if held.found is not None else None
        reported = in_market(said, market, self._amount) if said is not None else ""
        text = f"The terminal contradicts a decision: for {amount} by card, receipt {receipt}, it reports {reported or 'another amount or currency'}."
        hint = f"Look at the records of {terminal}, put it right or tell the office; a manager notes it: F9 N."
        return Notice(REPORTED if reported else DIFFERS, "bad", text, hint, {**shown, "reported": reported} if reported else shown, at_ms)

    def _unchecked(self) -> tuple[Reviewed, ...]:
        return tuple(held for held in self._core.state.reviewed if held.found is None)

    def _over(self, done: asyncio.Task[None]) -> None:
        """A bug in a driver does not end the asking."""
        if self._task is not done:
            return
        self._task = None
        if not done.cancelled():
            if done.exception() is not None:
                log.error("asking about a decision failed", exc_info=done.exception())
            self.wake()

    async def _run(self) -> None:
        while self._unchecked():
            await asyncio.sleep(CHECK_SECONDS)
            for held in self._unchecked():
                await self._check(held.attempt, held.at_ms)

    async def _check(self, attempt: Attempt, decided_ms: int) -> None:
        clock, terminal = self._core.ports.clock, self._terminal_of(attempt)
        began = self._began.setdefault(attempt.id, clock.monotonic())
        if terminal is not None and not self._is_busy(terminal.name):
            # Taken before asking: an answer that was true when the question was put may be stale when it arrives.
            settled = clock.monotonic() - began >= terminal.settle_ms() / 1000
            finding = await self._asked(attempt, terminal)
            await self._insist(do.Learn(attempt.id, finding, "check", transport_settled=settled))
        if clock.now_ms() - decided_ms > CHECK_MS_MAX and clock.monotonic() - began >= CHECK_SECONDS_MIN:
            await self._insist(do.StopChecking(attempt.id))

    async def _asked(self, attempt: Attempt, terminal: Terminal) -> Finding:
        question: asyncio.Task[Finding] = asyncio.get_running_loop().create_task(_query(terminal, attempt), name=f"check-{attempt.id}")
        self._question = terminal.name, question
        try:
            await asyncio.wait({question})
        finally:
            self._question = None
            question.cancel()
        return Unknown("gave_way") if question.cancelled() else question.result()

    def _is_busy(self, terminal: str) -> bool:
        return any(attempt.terminal == terminal and attempt.state in HOLDS_TERMINAL for attempt in self._core.state.open_attempts())


def in_market(money: Money, market: Market, amount: Callable[[int], str]) -> str:
    """``money`` with its currency, as ``amount`` writes the market's; plainly where the currency divides in another way."""
    places = digits(money.currency)
    text = amount(money.minor) if places == market.digits else f"{Decimal(money.minor).scaleb(-places):f}"
    return f"{text} {money.currency}"


async def _query(terminal: Terminal, attempt: Attempt) -> Finding:
    return await terminal.query(attempt)
