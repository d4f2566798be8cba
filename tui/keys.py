"""Keys act in the order in which they were pressed: each one waits until the one before it has been acted on."""

from __future__ import annotations

from collections import deque
from functools import partial

from textual import events
from textual.app import App
from textual.message import Message
from textual.timer import Timer

PATIENCE_SECONDS = 0.5
"""A key whose widget went away while it was acted on holds the next one up for no longer than this."""


class KeysInTurn(App[None]):
    """An application in which a burst of keys (a keyboard's macro, a scanner that types, a person in a hurry) goes where a slow one would.

    Textual hands a key to what has the focus when it arrives, although the key before it may be about to open another screen: of F2, 5, 0,
    Enter in one burst the digits would land in the sale's entry line, and Enter would take the exact amount. Here a marker follows each key
    the way it takes from widget to widget; when it arrives, the key has been acted on, and the next one is let in.
    """

    class Settled(Message):
        """Follows a key; nobody but the application listens to it."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key | events.Paste] = deque()
        self._acting: KeysInTurn.Settled | None = None
        self._patience: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Let a key in when its turn has come; everything else at once."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._typed.append(event)
            await self._let_in()
            return
        await super().on_event(event)

    async def _let_in(self) -> None:
        while self._typed and self._acting is None and self.screen_stack:  # without screens the application is leaving
            event = self._typed.popleft()
            target = self.focused or self.screen
            await super().on_event(event)
            if event.is_forwarded:
                self._acting = marker = self.Settled()
                self._patience = self.set_timer(PATIENCE_SECONDS, partial(self.on_keys_in_turn_settled, marker))
                if not target.post_message(marker):
                    self._done()

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
