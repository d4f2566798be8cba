"""Sends the journal's facts to central, in order, until each is acknowledged; and says how the register stands with it.

``next`` is the only acknowledgement. One request is under way at a time and carries facts of every stream. What goes wrong is answered in
kind: a gap by going back, a lost tail or a fork by stopping (selling goes on), a batch that is too large by a smaller one, a fact that
cannot be taken by finding it and sending another that says so, everything else by waiting with full jitter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from edge_agent.clock import Clock, Random
from edge_agent.domain.errors import StorageError
from edge_agent.ports import Link, LinkReport, StreamStatus
from sync.backoff import Backoff, Pace, wait_for_one
from sync.contract.envelope import BATCH_BYTES_MAX, BATCH_FACTS_MAX, STREAMS
from sync.contract.messages import RegisterAck, RegisterCursor
from sync.journal_facts import CENTRAL, Identity
from sync.link import Acknowledged, Busy, Culprit, Frozen, Gap, Refused, TooLarge, Unreachable, Uplink
from sync.push_standing import HINTS, compare

GAPS_MAX = 3
"""Gaps in a row after which going back at once is waited with: two answers that contradict each other must not make a busy loop."""


class Outbox(Protocol):
    """What of the journal is sent from (``sync.journal.Journal``). Methods that are not coroutines are called from worker threads."""

    @property
    def identity(self) -> Identity: ...
    def streams(self) -> Sequence[StreamStatus]: ...
    def facts_after(self, stream: str, number: int, limit_facts: int, limit_bytes: int) -> list[tuple[int, bytes]]: ...
    def fact_hash(self, stream: str, number: int) -> str | None: ...
    def quarantined_count(self) -> int: ...
    async def acknowledge(self, destination: str, next: dict[str, int]) -> None: ...
    async def withhold(self, stream: str, number: int, reason: str) -> bool: ...
    async def put_aside(self, found: Sequence[tuple[str, int, str]]) -> None: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts to send: (stream, number) of each, and their wire bytes."""

    places: tuple[tuple[str, int], ...]
    wires: tuple[bytes, ...]


class Push:
    """One destination's sender; ``run`` it as a task. ``report`` is called with every change of how the register stands."""

    def __init__(self, outbox: Outbox, uplink: Uplink, clock: Clock, random: Random, report: Callable[[LinkReport], None], pace: Pace | None = None) -> None:
        self._outbox = outbox
        self._uplink = uplink
        self._clock = clock
        self._tell = report
        self._pace = pace or Pace()
        self._backoff = Backoff(self._pace, random)
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()
        self._report = LinkReport(Link.OFFLINE, clock.now_ms(), reason="starting", detail="Central was not asked yet.")
        self._told: object = None
        self._compared = False
        self._careful = False  # one stream at a time and small batches, to find what central cannot take
        self._limit = BATCH_FACTS_MAX
        self._gaps = 0
        self._stuck: dict[str, str] = {}  # streams whose withheld fact was refused as well, and what was said

    @property
    def report(self) -> LinkReport:
        """The newest word about central."""
        return self._report

    def wake(self) -> None:
        """There are new facts. Does not shorten a wait after a failure."""
        self._news.set()

    def retry_now(self) -> None:
        """Something says that it may work now (the network is back, somebody asked for it): wait no longer."""
        self._hurry.set()

    def doubt(self) -> None:
        """Something says that central may be gone: ask it before calling the register in step again."""
        self._compared = False
        self._hurry.set()

    async def run(self) -> None:
        """Send until cancelled. A journal that cannot be read or written is waited for; selling says why it stopped."""
        while True:
            try:
                seconds = await self._turn()
            except StorageError:
                seconds = self._backoff.next()
            if seconds > 0:
                await wait_for_one(self._hurry, seconds=seconds)
            self._hurry.clear()

    async def _turn(self) -> float:
        """One request, or the wait for news; how long to wait before the next one."""
        if not self._compared:
            return await self._compare()
        self._news.clear()
        batch = await asyncio.to_thread(self._next_batch)
        if not batch.wires:
            await self._idle()
            return 0
        if self._report.link is Link.IN_STEP:
            await self._say(Link.SENDING)
        asked_ms = self._clock.now_ms()
        answer = await self._uplink.push(batch.wires)
        match answer:
            case Acknowledged(ack, server_ms):
                self._offset(asked_ms, server_ms)
                return await self._acknowledged(batch, ack.registers.get(self._outbox.identity.source))
            case Gap(stream, expected):
                return await self._gap(stream, expected)
            case TooLarge(detail, by_central=False) if len(batch.wires) == 1:
                return await self._failed(Unreachable(f"Something on the way to central does not let a fact of {len(batch.wires[0])} bytes pass: {detail}"))
            case TooLarge(detail):
                return await self._smaller(batch, None, f"Central does not take a fact of {len(batch.wires[0])} bytes. {detail}")
            case Culprit(index, detail):
                return await self._smaller(batch, index, detail)
            case Frozen() | Unreachable() | Busy() | Refused():
                return await self._failed(answer)

    async def _idle(self) -> None:
        """Nothing waits: be in step until there is news (or look again now and then)."""
        await self._say(Link.IN_STEP)
        await wait_for_one(self._news, self._hurry, seconds=self._pace.idle)

    def _next_batch(self) -> Batch:
        """Facts past the cursors, in the streams' order, within the limits; of one stream alone while careful."""
        places: list[tuple[str, int]] = []
        wires: list[bytes] = []
        room = BATCH_BYTES_MAX
        for status in self._outbox.streams():
            limit = self._limit - len(wires)
            if status.stream in self._stuck or status.head == status.acknowledged or limit < 1:
                continue
            found = self._outbox.facts_after(status.stream, status.acknowledged, limit, room)
            if wires and found and len(found[0][1]) > room:
                continue  # facts_after gives one fact whatever its size
            places += ((status.stream, number) for number, _ in found)
            wires += (wire for _, wire in found)
            room -= sum(len(wire) for _, wire in found)
            if self._careful or room <= 0:
                break
        return Batch(tuple(places), tuple(wires))

    async def _compare(self) -> float:
        """Ask central where it stands before anything is sent: a cloned or restored disk is found out here, not by forking."""
        answer = await self._uplink.cursor()
        match answer:
            case RegisterCursor():
                standing = await asyncio.to_thread(compare, self._outbox, answer)
                if isinstance(standing, Frozen):
                    return await self._failed(await self._shown(standing, answer))
                if standing:
                    await self._outbox.acknowledge(CENTRAL, standing)
                self._compared = True
                self._backoff.reset()
                await self._say(Link.SENDING)
                return 0
            case _:
                return await self._failed(answer)

    async def _shown(self, found: Frozen, cursor: RegisterCursor) -> Frozen:
        """Send central one fact that this disk wrote under a number which central already has, if there is one.

        Two machines under one identity are two tills: this one knows now, the other one only hears of it when central sees the two
        different facts, keeps neither of the later ones, and freezes the register.
        """
        if found.reason not in ("fork", "tail_lost"):
            return found
        wire = await asyncio.to_thread(self._contested, cursor)
        answer = await self._uplink.push((wire,)) if wire is not None else None
        return answer if isinstance(answer, Frozen) else found

    def _contested(self, cursor: RegisterCursor) -> bytes | None:
        """The wire bytes of a fact that central did not acknowledge to this disk although it has one under its number."""
        for status in self._outbox.streams():
            there = cursor.streams.get(status.stream)
            last = min(status.head, there.next - 1) if there is not None else 0
            differs = there is not None and last == there.next - 1 > 0 and self._outbox.fact_hash(status.stream, last) != there.head_hash
            number = last if differs else status.acknowledged + 1
            if number <= last:
                return next((wire for _, wire in self._outbox.facts_after(status.stream, number - 1, 1, BATCH_BYTES_MAX)), None)
        return None

    async def _acknowledged(self, batch: Batch, ack: RegisterAck | None) -> float:
        """Move the cursors to ``next``, if the answer is about us and can be true."""
        identity = self._outbox.identity
        sent = dict(reversed(batch.places))  # the first of each stream
        if ack is None or ack.epoch != identity.epoch or not sent.keys() <= ack.streams.keys():
            return await self._failed(Unreachable("The answer to a batch is not about this register."))
        heads = {status.stream: status.head for status in await asyncio.to_thread(self._outbox.streams)}
        next = {stream: ack.streams[stream].next for stream in sent}
        beyond = [stream for stream in next if next[stream] > heads[stream] + 1]
        if beyond:
            return await self._failed(Frozen("tail_lost", f"Central has facts of {beyond[0]} that this disk no longer has."))
        last = dict(batch.places)
        if any(next[stream] > number + 1 for stream, number in last.items()):
            self._compared = False  # its cursor has a hash that shows whether it is true
            return await self._failed(Unreachable("The answer to a batch acknowledges facts that were not in it."))
        if any(next[stream] <= first for stream, first in sent.items()):
            self._compared = False
            return self._backoff.next()
        await self._outbox.acknowledge(CENTRAL, next)
        aside = [(stream, one.sequence, msgspec.json.encode(one.problem).decode()) for stream in sent for one in ack.streams[stream].quarantined]
        if aside:
            await self._outbox.put_aside(aside)
        self._backoff.reset()
        self._gaps = 0
        self._limit = min(BATCH_FACTS_MAX, self._limit * 2)
        self._careful = self._careful and self._limit < BATCH_FACTS_MAX
        await self._say(Link.SENDING)
        return 0

    async def _gap(self, stream: str | None, expected: int | None) -> float:
        """Go back (or on) to the number that central wants, if we have it."""
        self._gaps += 1
        if stream not in STREAMS or expected is None:
            self._compared = False  # its cursor says more
            return 0 if self._gaps < GAPS_MAX else self._backoff.next()
        heads = {status.stream: status.head for status in await asyncio.to_thread(self._outbox.streams)}
        if not 1 <= expected <= heads[stream] + 1:
            return await self._failed(Frozen("tail_lost", f"Central has facts of {stream} up to {expected - 1}, this disk only up to {heads[stream]}."))
        await self._outbox.acknowledge(CENTRAL, {stream: expected})
        return 0 if self._gaps < GAPS_MAX else self._backoff.next()

    async def _smaller(self, batch: Batch, index: int | None, detail: str) -> float:
        """Come closer to the fact that cannot be taken: one stream, fewer facts, at last it alone; then withhold it."""
        if not self._careful and len(batch.wires) > 1:
            self._careful = True
            if index is None or batch.places[0][0] != batch.places[-1][0]:
                return 0
        if len(batch.wires) > 1:
            self._limit = index if index is not None and 0 < index < len(batch.wires) else (1 if index == 0 else len(batch.wires) // 2)
            return 0
        stream, number = batch.places[0]
        if not await self._outbox.withhold(stream, number, detail[:400]):
            self._stuck[stream] = f"Central does not even take the fact that says that fact {number} of {stream} was withheld: {detail}"
        await self._say(Link.SENDING)
        return 0

    async def _failed(self, why: Frozen | Unreachable | Busy | Refused) -> float:
        """Say it, and how long to wait."""
        match why:
            case Frozen(reason, detail):
                self._compared = False
                await self._say(Link.FROZEN, reason, detail, HINTS.get(reason, HINTS["frozen"]))
                return self._pace.frozen
            case Busy(seconds):
                await self._say(Link.OFFLINE, "busy", "Central is busy.", "Nothing to do: facts wait on disk and are sent later.")
                return self._backoff.next(seconds)
            case Refused(status, detail):
                hint = "Enrol this register again (edge-agent enrol URL CODE), or ask the platform's operator. Selling goes on."
                await self._say(Link.OFFLINE, f"refused_{status}", detail, hint)
                return self._backoff.next()
            case Unreachable(detail):
                await self._say(Link.OFFLINE, "unreachable", detail, "Check the network. Selling goes on; facts wait on disk.")
                return self._backoff.next()

    async def _say(self, link: Link, reason: str = "", detail: str = "", hint: str = "") -> None:
        """Tell the newest word, if it is another one than before."""
        waiting, quarantined = await asyncio.to_thread(self._count)
        if link in (Link.SENDING, Link.IN_STEP) and self._stuck:
            link, reason, detail, hint = Link.FROZEN, "withheld_refused", " ".join(self._stuck.values()), HINTS["withheld_refused"]
        elif link is Link.SENDING and not waiting:
            link = Link.IN_STEP
        since_ms = self._report.since_ms if (self._report.link, self._report.reason) == (link, reason) else self._clock.now_ms()
        self._report = LinkReport(link, since_ms, waiting, reason, detail, hint, quarantined, self._report.clock_offset_ms)
        told = (link, reason, waiting, quarantined)
        if told != self._told:
            self._told = told
            self._tell(self._report)

    def _count(self) -> tuple[int, int]:
        waiting = sum(status.head - status.acknowledged for status in self._outbox.streams())
        return waiting, self._outbox.quarantined_count()

    def _offset(self, asked_ms: int, server_ms: int | None) -> None:
        """How far central's clock is ahead of ours, measured against the middle of the request."""
        if server_ms is not None:
            middle = (asked_ms + self._clock.now_ms()) // 2
            self._report = replace(self._report, clock_offset_ms=server_ms - middle)
