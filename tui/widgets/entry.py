"""The entry line: one line of typed text, with keys that mean something else at its beginning."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.message import Message
from textual.widgets import Input

CHARACTERS_MAX = 128
"""Longer than any code, name or reason that is typed."""


class Entry(Input):
    """An input without a frame. ``shortcut(character, value)`` names the keys that are not text here; such a key is posted as Shortcut."""

    class Shortcut(Message):
        """A key that was not text."""

        def __init__(self, character: str, value: str) -> None:
            super().__init__()
            self.character = character
            self.value = value

    def __init__(
        self, *, id: str | None = None, topic: str = "", shortcut: Callable[[str, str], bool] = lambda character, value: False, placeholder: str = ""
    ) -> None:
        super().__init__(id=id, compact=True, max_length=CHARACTERS_MAX, placeholder=placeholder, select_on_focus=False)
        self.topic = topic
        self.cursor_blink = False
        self._is_shortcut = shortcut

    async def _on_key(self, event: events.Key) -> None:
        character = event.character
        if event.is_printable and character is not None and self._is_shortcut(character, self.value):
            event.stop()
            event.prevent_default()
            self.post_message(self.Shortcut(character, self.value))
            return
        await super()._on_key(event)

    def take(self, text: str) -> None:
        """Typing that arrived while something else had the focus."""
        self.focus()
        if self._is_shortcut(text, self.value):
            self.post_message(self.Shortcut(text, self.value))
        else:
            self.insert_text_at_cursor(text)
