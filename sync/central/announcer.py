"""Waking the requests that wait for news of a feed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from sync.central.problems import refused
from sync.contract.messages import PROBLEM_BUSY


class Wait:
    """One request that waits; made in its event loop."""

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    async def news(self) -> None:
        """Return once the feed changed since the last call (or since the wait began), or central is stopping."""
        await self._event.wait()
        self._event.clear()

    def wake(self) -> None:
        """From any thread; does nothing once the event loop is gone."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)


class Announcer:
    """Which requests wait for which feed, at most ``waiters_max`` of them."""

    def __init__(self, waiters_max: int) -> None:
        self._waiters_max = waiters_max
        self._waits: set[Wait] = set()
        self._lock = threading.Lock()
        self.stopping = False

    @contextmanager
    def waiting(self, feed: str) -> Iterator[Wait]:
        """Wait for ``feed`` from here on: what is committed after this is not missed. Raises Refused (busy)."""
        wait = Wait(feed)
        with self._lock:
            if len(self._waits) >= self._waiters_max or self.stopping:
                raise refused(PROBLEM_BUSY, "Too many requests wait for news.")
            self._waits.add(wait)
        try:
            yield wait
        finally:
            with self._lock:
                self._waits.discard(wait)

    def changed(self, feeds: Iterable[str]) -> None:
        """Wake everybody who waits for one of ``feeds``; from any thread."""
        names = set(feeds)
        self._wake(lambda wait: wait.feed in names)

    def wake_all(self) -> None:
        """Wake everybody: something may have changed."""
        self._wake(lambda wait: True)

    def stop(self) -> None:
        """Wake everybody for good: central is stopping."""
        self.stopping = True
        self.wake_all()

    def _wake(self, chosen: Callable[[Wait], bool]) -> None:
        with self._lock:
            woken = [wait for wait in self._waits if chosen(wait)]
        for wait in woken:
            wait.wake()
