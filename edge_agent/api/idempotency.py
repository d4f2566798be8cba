"""A command's id makes a repeat harmless: while it runs the repeat waits for it, afterwards it is answered without being run."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

REMEMBERED_MAX = 2_000
"""Ids of finished commands kept in memory; older ones that wrote anything are still known to the journal."""


class Once:
    """Runs each id once. ``known`` says whether a run before this one carried it out."""

    def __init__(self, known: Callable[[str], Awaitable[bool]]) -> None:
        self._known = known
        self._running: dict[str, asyncio.Task[None]] = {}
        self._done: OrderedDict[str, None] = OrderedDict()

    async def run(self, command_id: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` unless ``command_id`` ran before. An id whose run failed may be tried again.

        Who asks may hang up: the work goes on to its end, because half a command (a payment begun that nobody conducts) is worse than one
        whose answer nobody heard. Raises what ``work`` raises.
        """
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
            return
        self._done[command_id] = None
        while len(self._done) > REMEMBERED_MAX:
            self._done.popitem(last=False)
