"""What a terminal says that it is doing, as fast as a person can read it, however fast the terminal says it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_agent.ports import STEP_NEUTRAL, STEPS, Step

SHOW_SECONDS = 0.1
"""A step is shown for at least this long before the next one: at most ten changes a second, and the newest step in the end."""


class ShownSteps:
    """The steps of one payment; ``show`` is called with a key of STEPS, on the event loop. A step that nobody knows is shown as the neutral one."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._newest = self._shown = ""
        self._pause: asyncio.TimerHandle | None = None
        self._over = False

    def __call__(self, step: Step) -> None:
        """The terminal says a step."""
        self._newest = step.key if step.key in STEPS else STEP_NEUTRAL
        if self._pause is None and not self._over:
            self._show_newest()

    def stop(self) -> None:
        """The payment is over: nothing is shown any more."""
        self._over = True
        if self._pause is not None:
            self._pause.cancel()

    def _show_newest(self) -> None:
        self._pause = None
        if self._newest != self._shown:
            self._shown = self._newest
            self._show(self._shown)
            self._pause = asyncio.get_running_loop().call_later(SHOW_SECONDS, self._show_newest)
