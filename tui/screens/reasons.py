"""Giving a reason: chosen from what is usual, or typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from edge_agent.views import AnyCommand, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line, line, wrapped
from tui.screens.base import Dialog
from tui.shown import Shown
from tui.widgets.choices import Choices, Option, text_row
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget

REASON_CHARS_MAX = 80
"""What the service takes (``views.Reason``)."""


def in_words(reason: str) -> bool:
    """Whether it is a reason at all; a number was meant to choose one, or is a slip."""
    return any(character.isalpha() for character in reason)


class ReasonDialog(Dialog):
    """A reason for ``command``; ``usual`` are keys of the catalogue, ``does`` is what Enter does. Typed text goes before the marked reason."""

    topic = "reason"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("enter", "accept", show=False),
    ]

    def __init__(self, title: str, usual: Sequence[str], command: Callable[[str], AnyCommand], basket: str, does: str) -> None:
        super().__init__()
        self._title = title
        self._usual = usual
        self._command = command
        self._basket = basket
        self._does = does

    def box(self) -> Iterable[Widget]:
        """The title, the usual reasons, the entry for another."""
        yield Drawn(self._heading)
        yield Choices(id="choices")
        yield Entry(id="value", hint=lambda shown: shown.words("reason.other"))

    def opened(self) -> None:
        """Offer the usual reasons."""
        super().opened()
        words, entry = self.counter.words, self.query_one(Entry)
        self.query_one(Choices).offer([Option(text, text_row(text)) for text in (words.maybe(key, key) for key in self._usual)])
        entry.max_length = REASON_CHARS_MAX
        entry.focus()

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as the basket is the one that was asked about."""
        return snapshot.basket is not None and snapshot.basket.id == self._basket

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter, arrows, Esc."""
        words = shown.words
        return [
            KeyHint("Enter", self._does, rank=0),
            KeyHint("↑↓", words("key_does.choose"), rank=0),
            KeyHint("Esc", words("key_does.leave"), rank=0),
        ]

    def _heading(self, shown: Shown, cells: int) -> list[Line]:
        return [*wrapped(self._title, cells, "strong"), line((shown.words("reason.why"), "muted")), line("")]

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self.query_one(Choices).move(by)

    @on(Choices.Clicked)
    @on(Entry.Submitted)
    def action_accept(self) -> None:
        """Enter takes what was typed, else the marked reason."""
        reason = self.query_one(Entry).value.strip() or self.query_one(Choices).chosen
        if reason and not in_words(reason):
            self.refuse_with("reason.words")
        elif reason:
            self.give(self._command(reason))
