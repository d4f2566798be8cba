"""Sends the journal's facts to central, in order, until each is acknowledged; and says how the register stands with it.

``next`` is the only acknowledgement. One request is under way at a time and carries facts of every stream. What goes wrong is answered in
kind: a gap by asking for central's cursor, a lost tail or a fork by showing it to central and stopping (selling goes on), a batch that is too
large by a smaller one, a fact that cannot be taken by finding it, showing it again for a while and then sending another that says so (not if
something on the way stops it: it is tried again, while the other streams go on), everything else by waiting with full jitter. A stream
whose fact gets no answer of central's although it goes alone is sent after the others, so that none waits behind it.

While the counter is in use, what has piled up is sent in small batches with rests between them: each takes time from the process, the disk and
the machine in which somebody scans. A sale's own facts are a small batch, and go at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from edge_agent.clock import Clock, Random
from edge_agent.domain.errors import StorageError
from edge_agent.ports import Link, LinkReport
from sync.backoff import Backoff, Pace, wait_for_one
from sync.contract.envelope import BATCH_BYTES_MAX, BATCH_FACTS_MAX, STREAMS
from sync.contract.messages import RegisterAck, RegisterCursor
from sync.journal_facts import CENTRAL
from sync.link import Acknowledged, Busy, Culprit, Failure, Frozen, Gap, Refused, TooLarge, Unreachable, Uplink
from sync.push_held import HeldUp
from sync.push_showing import Showing, Shown
from sync.push_standing import HINTS, compare, refusal_hint
from sync.push_telling import Counted, Telling

FRUITLESS_MAX = 3
"""So many answers in a row to which central took nothing, and it is said, and waited between them: answers that contradict each other make no busy loop."""


IN_USE_FACTS_MAX = 100
"""So many facts go in one batch while the counter is in use. A card sale with everything about it is a tenth of that."""

SILENT = "Central does not answer in time."
NETWORK_HINT = "Check the network. Selling goes on; facts wait on disk."


class Outbox(Shown, Counted, Protocol):
    """What of the journal is sent from (``sync.journal.Journal``). Methods that are not coroutines are called from worker threads."""

    async def withhold(self, stream: str, number: int, reason: str) -> bool: ...


class Batch(Struct, frozen=True):
    """Facts to send: (stream, number) of each, and their wire bytes."""

    places: tuple[tuple[str, int], ...]
    wires: tuple[bytes, ...]


class Push:
    """One destination's sender; ``run`` it as a task. ``report`` is called with every change of how the register stands; ``in_use`` says whether
    somebody sells just now."""

    def __init__(
        self,
        outbox: Outbox,
        uplink: Uplink,
        clock: Clock,
        random: Random,
        report: Callable[[LinkReport], None],
        pace: Pace | None = None,
        in_use: Callable[[], bool] = lambda: False,
    ) -> None:
        self._outbox = outbox
        self._uplink = uplink
        self._clock = clock
        self._in_use = in_use
        self._pace = pace or Pace()
        self._backoff = Backoff(self._pace, random)
        self._showing = Showing(outbox, uplink)
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()
        self._compared = False
        self._heard = clock.monotonic()
        self._doubts = 0
        self._careful = False  # one stream at a time and small batches, to find what central cannot take
        self._limit = BATCH_FACTS_MAX
        self._behind: list[str] = []  # streams whose fact got no answer of central's although it went alone: the others go first, then who waited longest
        self._fruitless = 0
        self._held = HeldUp(clock, random, self._pace)
        self._telling = Telling(outbox, self._held, clock, report, self._pace)

    @property
    def report(self) -> LinkReport:
        """The newest word about central."""
        return self._telling.report

    def wake(self) -> None:
        """There are new facts. Does not shorten a wait after a failure."""
        self._news.set()
        self._telling.added()

    def retry_now(self) -> None:
        """Something says that it may work now (the network is back, somebody asked for it): wait no longer."""
        self._hurry.set()

    def doubt(self) -> None:
        """Something says that central may be gone: ask it before calling the register in step again."""
        self._doubts += 1
        self._compared = False
        self._hurry.set()

    def heard(self) -> None:
        """Central answered just now, whatever it was asked: it is there."""
        self._heard = self._clock.monotonic()

    def look_again(self) -> None:
        """Central was heard from: ask where it stands before the next word about it. Does not shorten a wait after a failure."""
        self._compared = False
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled. A journal that cannot be read or written is waited for; selling says why it stopped."""
        recounting = asyncio.create_task(self._telling.recount(), name="recount")
        try:
            await self._send()
        finally:
            recounting.cancel()
            await asyncio.gather(recounting, return_exceptions=True)

    async def _send(self) -> None:
        while True:
            try:
                seconds = await self._turn()
            except StorageError:
                seconds = self._backoff.next()
            if seconds > 0:
                await wait_for_one(self._hurry, seconds=seconds)
            if self._hurry.is_set():
                self._held.hurry()
            self._hurry.clear()

    async def _turn(self) -> float:
        """One request, or the wait for news; how long to wait before the next one."""
        if not self._compared:
            return await self._compare()
        self._news.clear()
        batch = await asyncio.to_thread(self._next_batch)
        if not batch.wires:
            await (self._rest() if self._held else self._idle())
            return 0
        if self._telling.report.link is Link.IN_STEP:
            await self._telling.say(Link.SENDING)
        asked_ms = self._clock.now_ms()
        answer = await self._uplink.push(batch.wires)
        if not isinstance(answer, Unreachable):
            self.heard()
        match answer:
            case Acknowledged(ack, server_ms):
                self._telling.central_s_clock(asked_ms, server_ms)
                seconds = await self._acknowledged(batch, ack.registers.get(self._outbox.identity.source))
                return seconds or (self._pace.rest if self._in_use() and len(batch.wires) >= IN_USE_FACTS_MAX else 0)
            case Gap(stream, expected):
                return await self._gap(stream, expected)
            case TooLarge(detail, by_central=False) if len(batch.wires) == 1:
                return await self._held_on_the_way(batch, detail)
            case TooLarge(detail):
                return await self._smaller(batch, None, f"Central does not take a fact of {len(batch.wires[0])} bytes. {detail}")
            case Culprit(index, detail):
                return await self._smaller(batch, index, detail)
            case Unreachable() | Refused():
                self._limit = max(1, len(batch.wires) // 2)  # on a slow line a smaller one may be through in time
                if len(batch.wires) == 1:  # it may be this fact alone that something on the way stops
                    self._goes_last(batch.places[0][0])
                return await self._failed(answer)
            case Frozen() | Busy():
                return await self._failed(answer)

    def _goes_last(self, stream: str) -> None:
        self._behind = [*(other for other in self._behind if other != stream), stream]

    async def _idle(self) -> None:
        """Nothing waits: be in step until there is news.

        Without any, central is asked again where it stands: it may have frozen this register, or taken facts from another machine with its disk. One
        that nothing is heard of at all is asked sooner: it may have stopped in the middle, with its connections open.
        """
        self._fruitless = 0
        await self._telling.say(Link.IN_STEP)
        rest = self._pace.idle
        while rest > 0 and (quiet := self._heard + self._pace.quiet - self._clock.monotonic()) > 0:
            await wait_for_one(self._news, self._hurry, seconds=min(rest, quiet))
            if self._news.is_set() or self._hurry.is_set():
                break
            rest -= min(rest, quiet)
        if not self._news.is_set():
            self._compared = False

    async def _rest(self) -> None:
        """All that waits is held up by a fact that does not get through. Where that lasts, central is asked where it stands, as while nothing waits."""
        self._fruitless = 0
        await self._telling.say(Link.SENDING)
        seconds = self._held.seconds()
        await wait_for_one(self._news, self._hurry, seconds=min(seconds, self._pace.idle))
        if not self._news.is_set() and seconds > self._pace.idle:
            self._compared = False

    def _next_batch(self) -> Batch:
        """Facts past the cursors, in the streams' order, within the limits; of one stream alone while careful.

        A fact that was refused comes alone, when it is due; its stream does not come otherwise. Nor does a stream that goes last come with others.
        """
        places: list[tuple[str, int]] = []
        wires: list[bytes] = []
        room, limit_facts = BATCH_BYTES_MAX, min(self._limit, IN_USE_FACTS_MAX) if self._in_use() else self._limit
        for status in sorted(self._outbox.streams(), key=lambda status: self._behind.index(status.stream) + 1 if status.stream in self._behind else 0):
            self._held.over(status.stream, status.acknowledged)
            limit = limit_facts - len(wires)
            if status.head == status.acknowledged or self._held.rests(status.stream) or limit < 1:
                continue
            if status.stream in self._behind:
                if wires:
                    break
                limit = 1
            if self._held.is_due(status.stream):
                found = self._outbox.facts_after(status.stream, status.acknowledged, 1, BATCH_BYTES_MAX)
                return Batch(tuple((status.stream, number) for number, _ in found), tuple(wire for _, wire in found))
            found = self._outbox.facts_after(status.stream, status.acknowledged, limit, room)
            if wires and found and len(found[0][1]) > room:
                continue  # facts_after gives one fact whatever its size
            places += ((status.stream, number) for number, _ in found)
            wires += (wire for _, wire in found)
            room -= sum(len(wire) for _, wire in found)
            if self._careful or room <= 0 or status.stream in self._behind:
                break
        return Batch(tuple(places), tuple(wires))

    async def _compare(self) -> float:
        """Ask central where it stands before anything is sent: a cloned or restored disk is found out here, not by forking."""
        doubts = self._doubts
        answer = await self._cursor()
        match answer:
            case RegisterCursor():
                standing = await asyncio.to_thread(compare, self._outbox, answer)
                if isinstance(standing, Frozen):
                    waits = await self._failed(await self._showing.show(standing, answer))
                    return self._backoff.next() if self._showing.owed else waits
                self._showing.agreed()
                if standing:
                    await self._outbox.acknowledge(CENTRAL, standing)
                self._compared = doubts == self._doubts  # an answer to an older question settles no newer doubt
                if self._fruitless < FRUITLESS_MAX:
                    self._backoff.reset()
                    await self._telling.say(Link.SENDING)
                return 0
            case _:
                return await self._failed(answer)

    async def _cursor(self) -> RegisterCursor | Frozen | Failure:
        """Where central stands. That it does not answer is said after ``Pace.answer`` already; the answer of a slow line is waited for all the same."""
        asking = asyncio.ensure_future(self._uplink.cursor())
        try:
            done, _ = await asyncio.wait({asking}, timeout=self._pace.answer)
            if not done and self._telling.report.link in (Link.IN_STEP, Link.SENDING):
                await self._telling.say(Link.OFFLINE, "unreachable", SILENT, NETWORK_HINT)
            answer = await asking
        finally:
            asking.cancel()
        if not isinstance(answer, Unreachable):
            self.heard()
        return answer

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
            self._compared = False  # central's cursor says whether it is true, and what follows is done there
            return await self._nothing_taken(f"tells of facts of {beyond[0]} that this disk does not have")
        last = dict(batch.places)
        if any(next[stream] > number + 1 for stream, number in last.items()):
            self._compared = False  # its cursor has a hash that shows whether it is true
            return await self._failed(Unreachable("The answer to a batch acknowledges facts that were not in it."))
        if any(next[stream] <= first for stream, first in sent.items()):
            self._compared = False
            return await self._nothing_taken("takes none of the facts that it is sent, and does not say why") or self._backoff.next()
        await self._outbox.acknowledge(CENTRAL, next)
        aside = [(stream, one.sequence, one.problem.kept()) for stream in sent for one in ack.streams[stream].quarantined if one.sequence <= heads[stream]]
        if aside:
            await self._outbox.put_aside(aside)
        self._backoff.reset()
        self._fruitless = 0
        self._limit = min(BATCH_FACTS_MAX, self._limit * 2)
        self._careful = self._careful and self._limit < BATCH_FACTS_MAX
        self._behind = [stream for stream in self._behind if stream not in sent]
        if self._behind and self._telling.report.link is Link.OFFLINE:  # what was said of that stream's fact still holds
            await self._telling.say(Link.OFFLINE, self._telling.report.reason, self._telling.report.detail, self._telling.report.hint)
        else:
            await self._telling.say(Link.SENDING)
        return 0

    async def _gap(self, stream: str | None, expected: int | None) -> float:
        """Central wants another number. Its cursor says which, with the hash that shows whether it speaks of the same facts."""
        self._compared = False
        if stream not in STREAMS or expected is None:
            return await self._nothing_taken("wants facts in another order, and does not say in which")
        heads = {status.stream: status.head for status in await asyncio.to_thread(self._outbox.streams)}
        if not 1 <= expected <= heads[stream] + 1:
            return await self._nothing_taken(f"wants fact {expected} of {stream}, and this disk has only {heads[stream]}")
        return await self._nothing_taken(f"asks for fact {expected} of {stream}, and does not take it when it comes")

    async def _nothing_taken(self, what: str) -> float:
        """One more answer to which no fact was taken; how long to wait. The first few are put right by trying again, then it is said."""
        self._fruitless += 1
        if self._fruitless < FRUITLESS_MAX:
            return 0
        hint = "Report this to the platform's operator. Selling goes on; facts wait on disk."
        await self._telling.say(Link.OFFLINE, "no_progress", f"Central answers, but {what}.", hint)
        return self._backoff.next()

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
        if self._held.refused(stream, number, detail):
            if await self._outbox.withhold(stream, number, detail[:400]):
                self._held.withheld(stream)
            else:
                self._held.for_good(stream)
        await self._telling.say(Link.SENDING)
        return 0

    async def _held_on_the_way(self, batch: Batch, detail: str) -> float:
        """Something on the way to central does not let this one fact pass: its stream waits, and the others go on."""
        stream, number = batch.places[0]
        self._held.too_large_on_the_way(stream, number, len(batch.wires[0]), detail)
        await self._telling.say(Link.SENDING)
        return 0

    async def _failed(self, why: Frozen | Unreachable | Busy | Refused) -> float:
        """Say it, and how long to wait."""
        match why:
            case Frozen(reason, detail):
                self._compared = False
                await self._telling.say(Link.FROZEN, reason, detail, HINTS.get(reason, HINTS["frozen"]))
                return self._pace.frozen
            case Busy(seconds):
                await self._telling.say(Link.OFFLINE, "busy", "Central is busy.", "Nothing to do: facts wait on disk and are sent later.")
                return self._backoff.next(seconds)
            case Refused(status, detail):
                await self._telling.say(Link.OFFLINE, f"refused_{status}", detail, refusal_hint(status))
                return self._backoff.next()
            case Unreachable(detail):
                await self._telling.say(Link.OFFLINE, "unreachable", detail, NETWORK_HINT)
                return self._backoff.next()
