"""Where a writer works: at what waits, one turn after another, and asleep while nothing does.

On a PC that is a thread of its own. A simulation gives it another place: the event loop, whenever its seed says.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Any, Protocol

Turn = Callable[[deque[Any]], bool]
"""Takes from the left end of what waits, at least one unless nothing does; False when that was the last turn."""


class Turns(Protocol):
    """Gives a writer its turns, one at a time."""

    def start(self, turn: Turn) -> None:
        """Begin to call ``turn``, until it returns False."""

    def put(self, job: object) -> None:
        """Have ``job`` wait its turn. From any thread."""

    def join(self) -> None:
        """Return once the last turn is over."""


class OneThread:
    """Turns on one thread of its own. With ``tick_seconds`` there is a turn at least that often, though nothing waits."""

    def __init__(self, name: str, tick_seconds: float | None = None) -> None:
        self._name = name
        self._tick_seconds = tick_seconds
        self._waiting: deque[Any] = deque()
        self._something = Condition()
        self._thread: Thread | None = None

    def start(self, turn: Turn) -> None:
        """Begin."""
        self._thread = Thread(target=self._run, args=(turn,), name=self._name, daemon=True)
        self._thread.start()

    def put(self, job: object) -> None:
        """Have ``job`` wait its turn."""
        with self._something:
            self._waiting.append(job)
            self._something.notify()

    def join(self) -> None:
        """Return once the last turn is over; at once when there was none."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, turn: Turn) -> None:
        running = True
        while running:
            with self._something:
                while not self._waiting and self._something.wait(self._tick_seconds):
                    pass
            running = turn(self._waiting)


async def ended(turns: Turns) -> None:
    """Return once the last turn is over, without holding the event loop."""
    await asyncio.to_thread(turns.join)
