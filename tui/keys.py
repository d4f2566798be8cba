"""Keys act in the order in which they were pressed: each one waits until the one before it has been acted on."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from tui.shown import HANDS_SECONDS, Clock

PATIENCE_SECONDS = 0.5
"""A key whose widget went away while it was acted on holds the next one up for no longer than this."""


class KeysInTurn(App[None]):
    """An application in which a burst of keys (a keyboard's macro, a scanner that types, a person in a hurry) goes where a slow one would.

    Textual hands a key to what has the focus when it arrives, although the key before it may be about to open another screen: of F2, 5, 0,
    Enter in one burst the digits would land in the sale's entry line, and Enter would take the exact amount. Here a marker follows each key
    the way it takes from widget to widget; when it arrives, the key has been acted on, and the next one is let in.

    A character that is pressed twice, and whose first press ended the screen that took it (a letter that paid, a digit that answered), is not
    typed into whatever stands there then.
    """

    class Settled(Message):
        """Follows a key; nobody but the application listens to it."""

    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.left: Screen[Any] | None = None
        """The screen that closed by itself last, under the hands."""
        self._taken: tuple[Screen[Any], str, float] | None = None
        self._typed: deque[events.Key | events.Paste] = deque()
        self._acting: KeysInTurn.Settled | None = None
        self._patience: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Let a key in when its turn has come; everything else at once."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if not self.is_too_early(event):
                self._typed.append(event)
                await self._let_in()
            return
        await super().on_event(event)

    def is_too_early(self, event: events.Key | events.Paste) -> bool:
        """Whether it was typed before there was anything to type at."""
        return False

    async def _let_in(self) -> None:
        while self._typed and self._acting is None and self.screen_stack:  # without screens the application is leaving
            event = self._typed.popleft()
            if isinstance(event, events.Key):
                if self._is_second_half(event):
                    continue
                self._taken = self.screen, event.key, self.clock.monotonic()
            target = self.focused or self.screen
            await super().on_event(event)
            if event.is_forwarded:
                self._acting = marker = self.Settled()
                self._patience = self.set_timer(PATIENCE_SECONDS, partial(self.on_keys_in_turn_settled, marker))
                if not target.post_message(marker):
                    self._done()

    def _is_second_half(self, event: events.Key) -> bool:
        """Whether a character is pressed for the second time just after the screen that took it closed by itself: it was meant for that one."""
        if self._taken is None or not event.is_printable:
            return False
        screen, key, at = self._taken
        return screen is self.left and event.key == key and self.clock.monotonic() - at < HANDS_SECONDS

    async def on_keys_in_turn_settled(self, marker: Settled) -> None:
        """A key has been acted on, or will never be."""
        if marker is self._acting:
            self._done()
            await self._let_in()

    def _done(self) -> None:
        self._acting = None
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
