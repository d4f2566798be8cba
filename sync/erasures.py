"""Carries central's deletions of customers from the local copy on to where else the register keeps something of them, until it is done.

Who is to be forgotten is kept in the journal, which nothing makes anew, and on disk there before the copy's cursor moves past the tombstone: a service
that dies in between is given the same page again, and what is noted twice is noted once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

import structlog

from edge_agent.domain.errors import EdgeError
from sync.replica_people import Deleted

BATCH = 50
"""Of so many at once it is looked what is kept, and so many are forgotten in one piece of the journal's work: a sale is never long behind it."""
AGAIN_SECONDS = 30.0
"""How often it is tried again while the copy, or what else keeps something, cannot be written."""

log = structlog.get_logger(__name__)


class Pending(Protocol):
    """Who is to be forgotten (``sync.journal.Journal``). All raise StorageError; reading blocks."""

    def erasures(self, after: str, limit: int) -> Sequence[str]: ...
    def erasures_among(self, persons: Collection[str]) -> Sequence[str]: ...
    async def note_erasures(self, gone: Collection[str], back: Collection[str] = ()) -> None: ...


def noted_in(pending: Pending, loop: asyncio.AbstractEventLoop) -> Deleted:
    """What keeps deletions in ``pending``, for a copy whose pages come in on other threads than ``loop``'s."""

    def deleted(gone: Sequence[str], back: Sequence[str]) -> None:
        again = pending.erasures_among(back) if back else ()
        if gone or again:
            asyncio.run_coroutine_threadsafe(pending.note_erasures(gone, again), loop).result()

    return deleted


class Erasures:
    """``run`` it as a task; ``wake`` it when customers changed. ``forget`` is asked again for whom it did not come to its end: it may be told twice.

    Whom the local copy has (``knows``) waits: their tombstone is on its way into it, and until it is there they can be looked up.
    """

    def __init__(
        self, pending: Pending, knows: Callable[[str], bool], forget: Callable[[Sequence[str]], Awaitable[object]], again_seconds: float = AGAIN_SECONDS
    ) -> None:
        self._pending = pending
        self._knows = knows
        self._forget = forget
        self._again_seconds = again_seconds
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Somebody may have been deleted."""
        self._news.set()

    async def run(self) -> None:
        """Forget whoever is deleted, those of before this start first, until cancelled."""
        while True:
            self._news.clear()
            try:
                await self._carry_out()
            except EdgeError as problem:
                log.warning("customers that central deleted are not forgotten yet", reason=problem.key, detail=problem.message)
                await asyncio.sleep(self._again_seconds)
                continue
            await self._news.wait()

    async def _carry_out(self) -> None:
        last = ""
        while keys := await asyncio.to_thread(self._pending.erasures, last, BATCH):
            gone = await asyncio.to_thread(lambda keys: [key for key in keys if not self._knows(key)], keys)
            if gone:
                await self._forget(gone)
                await self._pending.note_erasures((), gone)
                log.info("customers that central deleted were forgotten", customers=len(gone))
            last = keys[-1]
