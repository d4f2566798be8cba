"""A command's id makes a repeat harmless: while it runs the repeat waits for it, afterwards it is answered without being run."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from edge_agent.domain.errors import NotNow

REMEMBERED_MAX = 2_000
"""Ids of finished commands kept in memory; older ones that wrote anything are still known to the journal."""


DIGEST_BYTES = 8
"""So much of a hash tells one command from another that came under its id by mistake."""


def digest_of(said: bytes) -> bytes:
    """The short digest by which the journal remembers what a command said."""
    return hashlib.sha256(said).digest()[:DIGEST_BYTES]


class Once:
    """Runs each id once. ``known`` says whether it was carried out, also by a run of the service before this one, and ``kept`` the digest of what it said
    then: nothing where the journal has none."""

    def __init__(self, known: Callable[[str], Awaitable[bool]], kept: Callable[[str], Awaitable[bytes]]) -> None:
        self._known = known
        self._kept = kept
        self._running: dict[str, asyncio.Task[None]] = {}
        self._done: OrderedDict[str, None] = OrderedDict()
        self._said: dict[str, bytes] = {}

    async def run(self, command_id: str, said: bytes, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` unless ``command_id`` ran before. An id whose run failed may be tried again.

        ``said`` is what the command says. Another command under an id that runs or ran is a mistake of the client's, and must not look as
        if it had been carried out: it raises NotNow (reason ``id_used``).

        Who asks may hang up: the work goes on to its end, because half a command (a payment begun that nobody conducts) is worse than one
        whose answer nobody heard. Raises what ``work`` raises.
        """
        if self._said.setdefault(command_id, said) != said:
            raise _used()
        if command_id in self._done:
            return
        task = self._running.get(command_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._first(command_id, said, work), name=f"command-{command_id}")
            self._running[command_id] = task
            task.add_done_callback(lambda done: self._over(command_id, done))
        await asyncio.shield(task)

    async def _first(self, command_id: str, said: bytes, work: Callable[[], Awaitable[None]]) -> None:
        if not await self._known(command_id):
            await work()
        elif await self._kept(command_id) not in (b"", digest_of(said)):
            raise _used()

    def _over(self, command_id: str, task: asyncio.Task[None]) -> None:
        del self._running[command_id]
        if task.cancelled() or task.exception() is not None:
            del self._said[command_id]
            return
        self._done[command_id] = None
        while len(self._done) > REMEMBERED_MAX:
            del self._said[self._done.popitem(last=False)[0]]


def _used() -> NotNow:
    return NotNow("Another command came under this id.", hint="Make a new id for every command.", reason="id_used")
