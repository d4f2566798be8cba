"""Which of central's feeds have never been here whole, for the screen and for whoever is told that something is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edge_agent.clock import Clock
from edge_agent.ports import Coming

SAID_SECONDS = 0.5
"""How often it is said how far a copy is."""


class Copies:
    """Keeps ``coming``; ``here`` says of a feed whether there is a copy of it, ``changed`` is called when there is something to say."""

    def __init__(self, feeds: Iterable[str], here: Callable[[str], bool], coming: dict[str, Coming], clock: Clock, changed: Callable[[], None]) -> None:
        self._here = here
        self._coming = coming
        self._clock = clock
        self._changed = changed
        self._said = clock.monotonic()
        for feed in feeds:
            if not here(feed):
                coming[feed] = Coming(feed)

    def told(self, feed: str, rows: int, rows_total: int | None) -> None:
        """The pull says how ``feed`` stands; a copy that turned out to be damaged is on its way again."""
        before = self._coming.pop(feed, None)
        if not self._here(feed):
            self._coming[feed] = now = Coming(feed, rows, rows_total)
            if before is not None and (before == now or self._clock.monotonic() - self._said < SAID_SECONDS):
                return
        elif before is None:
            return
        self._said = self._clock.monotonic()
        self._changed()
