"""Shows central a disagreement, so that it freezes the register and every machine under its identity hears of it, whichever spoke first.

Two machines under one identity are two tills. The one that finds out has stopped; the other one sells on, in step, until central knows. So
central is shown a fact that this disk wrote under a number which central already has; where there is none, the disk says in a fact of its own
that it is behind, and sends nothing of the other streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from edge_agent.domain.errors import StorageError
from sync.contract.envelope import BATCH_BYTES_MAX, BATCH_FACTS_MAX
from sync.contract.messages import RegisterCursor, StreamAck
from sync.journal_facts import CENTRAL, Behind
from sync.link import Acknowledged, Busy, Frozen, PushAnswer, TooLarge, Unreachable, Uplink
from sync.push_standing import Standing, behind, contested

STREAM = "ops"
"""The stream in which a register says that it is behind."""


class Shown(Standing, Protocol):
    """What of the journal is shown, and where the admission is written (``sync.journal.Journal``)."""

    async def acknowledge(self, destination: str, next: dict[str, int]) -> None: ...
    async def say_behind(self, behind: Behind) -> int: ...
    async def put_aside(self, found: Sequence[tuple[str, int, str]]) -> None: ...


class Showing:
    """One situation, from the first disagreement until ``agreed``: what was said about it is not said again. ``owed``: central was not told yet."""

    def __init__(self, outbox: Shown, uplink: Uplink) -> None:
        self._outbox = outbox
        self._uplink = uplink
        self._said: int | None = None  # the number of the fact that says it
        self.owed = False

    def agreed(self) -> None:
        """Central and this disk agree (again)."""
        self._said, self.owed = None, False

    async def show(self, found: Frozen, cursor: RegisterCursor) -> Frozen:
        """Show central what ``found`` says, if that is a disagreement; the newest word about it."""
        self.owed = found.reason in ("fork", "tail_lost")
        if not self.owed:
            return found
        answer: PushAnswer | None = None
        for wire in await asyncio.to_thread(contested, self._outbox, cursor):
            answer = await self._uplink.push((wire,))
            if isinstance(answer, Frozen):
                break
        if not isinstance(answer, Frozen):
            try:
                answer = await self._admit(cursor) or answer
            except StorageError:
                return found  # it cannot be written just now; selling stopped as well, and says why
        self.owed = isinstance(answer, Unreachable | Busy)
        if isinstance(answer, Frozen):
            return answer
        again = await self._uplink.cursor() if isinstance(answer, Acknowledged) else None
        return Frozen("frozen", again.frozen) if isinstance(again, RegisterCursor) and again.frozen else found

    async def _admit(self, cursor: RegisterCursor) -> PushAnswer | None:
        """Say that this disk is behind, once, and send the facts of that stream up to it; None where it is not behind, or central has heard it."""
        what = await asyncio.to_thread(behind, self._outbox, cursor)
        if what is None:
            return None
        if self._said is None:
            self._said = await self._outbox.say_behind(what)
        (status,) = [status for status in await asyncio.to_thread(self._outbox.streams) if status.stream == STREAM]
        there = cursor.streams.get(STREAM)
        wanted = min(status.acknowledged + 1, there.next if there is not None else 1)
        return None if wanted > self._said else await self._send(min(wanted, self._said), self._said)

    async def _send(self, first: int, last: int) -> PushAnswer:
        """Send the facts ``first`` to ``last`` of the stream; the answer to the last batch, or the first one that is no acknowledgement."""
        limit = BATCH_FACTS_MAX
        while True:
            found = await asyncio.to_thread(self._outbox.facts_after, STREAM, first - 1, min(limit, last - first + 1), BATCH_BYTES_MAX)
            answer = await self._uplink.push([wire for _, wire in found])
            if isinstance(answer, TooLarge) and len(found) > 1:
                limit = len(found) // 2
                continue
            if not isinstance(answer, Acknowledged):
                return answer
            told = self._ack(answer)
            if told is None or told.next != found[-1][0] + 1:
                return answer  # central has more of this stream than was sent, and says nothing about it; its cursor will
            await self._outbox.acknowledge(CENTRAL, {STREAM: told.next})
            aside = [(STREAM, one.sequence, one.problem.kept()) for one in told.quarantined]
            if aside:
                await self._outbox.put_aside(aside)
            if told.next > last:
                return answer
            first = told.next

    def _ack(self, answer: Acknowledged) -> StreamAck | None:
        """What the answer says of this register's stream."""
        identity = self._outbox.identity
        mine = answer.ack.registers.get(identity.source)
        return mine.streams.get(STREAM) if mine is not None and mine.epoch == identity.epoch else None
