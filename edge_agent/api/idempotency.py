"""A command's id makes a repeat harmless: while it runs the repeat waits for it, afterwards it is answered without being run."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

REMEMBERED_MAX = 2_000
"""Ids of finished commands kept in memory; older ones that wrote anything are still known to the journal."""


class Once:
    """Runs each id once."""

    def __init__(self, known: Callable[[str], Awaitable[bool]]) -> None:
        self._known = known
        self._done: OrderedDict[str, asyncio.Future[None]] = OrderedDict()

    async def run(self, command_id: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` unless ``command_id`` ran before. An id whose run failed may be tried again."""
        earlier = self._done.get(command_id)
        if earlier is not None:
            await asyncio.shield(earlier)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._done[command_id] = future
        while len(self._done) > REMEMBERED_MAX:
            self._done.popitem(last=False)
        try:
            if not await self._known(command_id):
                await work()
        except BaseException as error:
            self._done.pop(command_id, None)
            future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            future.exception()  # read here, so that nobody waiting is no warning
            raise
        future.set_result(None)
