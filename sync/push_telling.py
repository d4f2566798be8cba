"""Says how the register stands with central: the newest word, counted, and told where it is another one than before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from edge_agent.clock import Clock
from edge_agent.domain.errors import StorageError
from edge_agent.ports import Link, LinkReport
from sync.backoff import Pace
from sync.push_held import WITHHELD_REFUSED, HeldUp
from sync.push_standing import HINTS, Standing


class Counted(Standing, Protocol):
    """What is counted of the journal (``sync.journal.Journal``). Called from worker threads."""

    def quarantined_count(self) -> int: ...
    def withheld_count(self) -> int: ...


class Telling:
    """The newest word about central, and ``tell``, which is called with each that differs from the one before.

    While facts are sent, batch after batch, only their number differs: that is told every ``Pace.telling`` seconds. Each word is a picture on the
    counter's screen, and a scan waits for the one that is being drawn. Where something is held up no batch follows that would tell it: it is told at once.
    """

    def __init__(self, outbox: Counted, held: HeldUp, clock: Clock, tell: Callable[[LinkReport], None], pace: Pace) -> None:
        self._outbox = outbox
        self._held = held
        self._clock = clock
        self._tell = tell
        self._pace = pace
        self._counting = asyncio.Lock()
        self._added = asyncio.Event()
        self._told: LinkReport | None = None
        self._told_at = 0.0
        self.report = LinkReport(Link.OFFLINE, clock.now_ms(), reason="starting", detail="Central was not asked yet.")

    def added(self) -> None:
        """There are new facts."""
        self._added.set()

    async def recount(self) -> None:
        """While central is away nothing is sent that would count what waits: count with every fact that is added, until cancelled."""
        while True:
            await self._added.wait()
            self._added.clear()
            if self._told is None or self.report.link not in (Link.OFFLINE, Link.FROZEN):
                continue  # not asked yet, or under way: whoever sends counts
            async with self._counting:
                try:
                    waiting, quarantined, withheld = await asyncio.to_thread(self._count)
                except StorageError:
                    continue  # selling stopped, and says why
                if self.report.link in (Link.OFFLINE, Link.FROZEN):  # still, after counting
                    self._now(replace(self.report, waiting=waiting, quarantined=quarantined, withheld=withheld))

    async def say(self, link: Link, reason: str = "", detail: str = "", hint: str = "") -> None:
        """Tell the newest word, if it is another one than before."""
        async with self._counting:
            waiting, quarantined, withheld = await asyncio.to_thread(self._count)
            if link in (Link.SENDING, Link.IN_STEP) and self._held:
                reason, detail = self._held.told()
                link, hint = Link.FROZEN if reason == WITHHELD_REFUSED else Link.SENDING, HINTS[reason]
            elif link is Link.SENDING and not waiting:
                link = Link.IN_STEP
            since_ms = self.report.since_ms if (self.report.link, self.report.reason) == (link, reason) else self._clock.now_ms()
            self._now(LinkReport(link, since_ms, waiting, reason, detail, hint, quarantined, self.report.clock_offset_ms, withheld))

    def central_s_clock(self, asked_ms: int, server_ms: int | None) -> None:
        """How far central's clock is ahead of ours, measured against the middle of the request."""
        if server_ms is not None:
            middle = (asked_ms + self._clock.now_ms()) // 2
            self.report = replace(self.report, clock_offset_ms=server_ms - middle)

    def _now(self, report: LinkReport) -> None:
        self.report = report
        before, now = self._told, self._clock.monotonic()
        if before is not None:
            report = replace(report, since_ms=before.since_ms, clock_offset_ms=before.clock_offset_ms)
            sending = report.link is Link.SENDING and not report.reason and now - self._told_at < self._pace.telling
            if report == before or (sending and replace(report, waiting=before.waiting) == before):
                return
        self._told, self._told_at = self.report, now
        self._tell(self.report)

    def _count(self) -> tuple[int, int, int]:
        waiting = sum(status.head - status.acknowledged for status in self._outbox.streams())
        return waiting, self._outbox.quarantined_count(), self._outbox.withheld_count()
