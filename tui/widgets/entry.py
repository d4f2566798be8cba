"""The entry line: one line of typed text, with keys that mean something else at its beginning."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.message import Message
from textual.widgets import Input

from tui.shown import Shown

CHARACTERS_MAX = 128
"""Longer than any code, name or reason that is typed."""


def _no_shortcut(character: str, value: str) -> bool:
    return False


def _no_hint(shown: Shown) -> str:
    return ""


class Entry(Input):
    """An input without a frame.

    ``shortcut(character, value)`` names the keys that are not text here; such a key is posted as Shortcut. With ``empties`` the line is
    empty the moment its text is taken (by Enter, or by one of the ``taking`` shortcuts): the next key, however fast it comes (from a
    scanner that types, from a paste), begins the next line. ``hint`` says what can be typed.

    What a ``taking`` shortcut took is ``under_way`` until ``settle`` or ``give_back``: an Enter before that takes it along, so that what was
    typed in one go is one thing.
    """

    class Shortcut(Message):
        """A key that was not text, and the text before it."""

        def __init__(self, character: str, value: str) -> None:
            super().__init__()
            self.character = character
            self.value = value

    def __init__(
        self,
        *,
        id: str | None = None,
        topic: str = "",
        shortcut: Callable[[str, str], bool] = _no_shortcut,
        empties: bool = False,
        taking: str = "",
        hint: Callable[[Shown], str] = _no_hint,
    ) -> None:
        super().__init__(id=id, compact=True, max_length=CHARACTERS_MAX, select_on_focus=False)
        self.topic = topic
        self.cursor_blink = False
        self._is_shortcut = shortcut
        self._empties = empties
        self._taking = taking
        self._hint = hint
        self.under_way = ""
        self._refused = ""

    def show(self, shown: Shown) -> None:
        """Say what can be typed here, while nothing is."""
        self.placeholder = shown.glyphs.paint(self._hint(shown))

    async def _on_key(self, event: events.Key) -> None:
        character = event.character
        if event.is_printable and character is not None and self._is_shortcut(character, self.value):
            event.stop()
            event.prevent_default()
            self._take_shortcut(character)
            return
        await super()._on_key(event)

    def take(self, character: str) -> None:
        """A key that was pressed while something else had the focus."""
        self.focus()
        if self._is_shortcut(character, self.value):
            self._take_shortcut(character)
        else:
            self.replace(character, *sorted(self.selection))  # what is selected makes way, as it does for a key that is typed here

    async def action_submit(self) -> None:
        """Enter."""
        value, under_way = self.value, self.under_way
        if self._empties:
            self.clear()
        if value.strip():
            value = under_way + value
        else:
            self.under_way = under_way
        self.post_message(self.Submitted(self, value, None))

    def clear(self) -> None:
        """Empty the line; what is under way is not waited for any more."""
        super().clear()
        self.under_way = ""

    def refused(self, text: str) -> None:
        """``text`` was refused, or asked about: the next character begins anew in its place, Enter or an arrow key keeps it, Backspace takes its last one.
        What was typed since is left alone."""
        if self.value == text:
            self._refused = text
            self.action_select_all()

    def action_delete_left(self) -> None:
        """Backspace."""
        if self.value and self.value == self._refused and self.selection == (0, len(self.value)):
            self.action_end()
        super().action_delete_left()

    def settle(self, taken: str) -> None:
        """What was ``taken`` was accepted: what is typed from now on stands alone."""
        if self.under_way == taken:
            self.under_way = ""

    def give_back(self, taken: str) -> None:
        """What was ``taken`` was refused: it stands before what was typed since, unless an Enter took it along."""
        if self.under_way == taken:
            self.value, self.under_way = taken + self.value, ""
            self.action_end()

    def _take_shortcut(self, character: str) -> None:
        value = self.value.rpartition(character)[2].strip() if character in self._taking else self.value
        if character in self._taking and value:
            self.clear()
            self.under_way = value + character
        self.post_message(self.Shortcut(character, value))
