"""A command's id makes a repeat harmless: while it runs the repeat waits for it, afterwards it is answered without being run."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from edge_agent.domain.errors import NotNow

REMEMBERED_MAX = 2_000
"""Ids of finished commands kept in memory; older ones that wrote anything are still known to the journal."""


class Once:
    """Runs each id once. ``known`` says whether a run before this one carried it out."""

    def __init__(self, known: Callable[[str], Awaitable[bool]]) -> None:
        self._known = known
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
            raise NotNow("Another command came under this id.", hint="Make a new id for every command.", reason="id_used")
        if command_id in self._done:
            return
        task = self._running.get(command_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._first(command_id, work), name=f"command-{command_id}")
            self._running[command_id] = task
            task.add_done_callback(lambda done: self._over(command_id, done))
        await asyncio.shield(task)

    async def _first(self, command_id: str, work: Callable[[], Awaitable[None]]) -> None:
        if not await self._known(command_id):
            await work()

    def _over(self, command_id: str, task: asyncio.Task[None]) -> None:
        del self._running[command_id]
        if task.cancelled() or task.exception() is not None:
            del self._said[command_id]
            return
        self._done[command_id] = None
        while len(self._done) > REMEMBERED_MAX:
            del self._said[self._done.popitem(last=False)[0]]
