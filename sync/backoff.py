"""How long to wait after a failure: exponential with full jitter, so that a thousand registers do not come back in one second."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from edge_agent.clock import Random

RETRY_AFTER_SECONDS_MAX = 3_600.0


class Pace(Struct, frozen=True):
    """The waiting of a push or a pull, in seconds: between failures at most ``cap``; for news without being told ``idle``; while frozen ``frozen``.

    ``withhold``: for so long a single fact is refused before another one takes its place. ``quiet``: a central that nothing was heard of for so long is
    asked whether it is there; ``answer``: one that has not answered by then does not count as there, however long its answer is waited for. ``telling``: while
    facts are sent, their number is told that often at most. ``rest``: between two batches while the counter is in use.
    """

    base: float = 0.5
    cap: float = 30.0
    idle: float = 30.0
    frozen: float = 300.0
    withhold: float = 600.0
    quiet: float = 8.0
    answer: float = 3.0
    telling: float = 1.0
    rest: float = 0.1


class Backoff:
    """Counts failures in a row and says how long to wait."""

    def __init__(self, pace: Pace, random: Random) -> None:
        self._pace = pace
        self._random = random
        self._failures = 0

    def reset(self) -> None:
        """It worked."""
        self._failures = 0

    def next(self, retry_after_seconds: float | None = None) -> float:
        """Seconds to wait after one more failure; never less than the other side asked for."""
        ceiling = min(self._pace.cap, self._pace.base * float(2 ** min(self._failures, 16)))
        self._failures += 1
        asked = min(retry_after_seconds or 0.0, RETRY_AFTER_SECONDS_MAX)
        return asked + self._random.fraction() * ceiling


async def wait_for_one(*events: asyncio.Event, seconds: float) -> None:
    """Wait until one of ``events`` is set, or so long."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
