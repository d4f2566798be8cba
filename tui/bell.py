"""The bell: a bad scan is heard as well as seen, once."""

from __future__ import annotations

from edge_agent.views import NoticeView
from tui.shown import Clock

SAME_SECONDS = 2.0
"""A refusal and the notice about it are one thing: the same key within this time rings once."""


class Bell:
    """Remembers what it rang for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: NoticeView | None = None
        self._at = 0.0

    def rings(self, notice: NoticeView | None) -> bool:
        """Whether this notice is bad, and new."""
        if notice is None or notice.level != "bad" or notice == self._last:
            return False
        now = self._clock.monotonic()
        same = self._last is not None and self._last.key == notice.key and 0 in (self._last.at_ms, notice.at_ms) and now - self._at <= SAME_SECONDS
        self._last, self._at = notice, now
        return not same
