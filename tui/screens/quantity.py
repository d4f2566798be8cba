"""The quantity of a line, typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual import on

from edge_agent.views import LineView, SetQuantity, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line, line, wrapped
from tui.screens.base import Dialog
from tui.shown import Shown
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget


_DECIMAL, _WHOLE = re.compile(r"[0-9]{1,3}[.,][0-9]{1,3}"), re.compile(r"[0-9]{1,6}")
"""A number alone, for what is weighed: with a decimal sign it is kilograms, as the price is for one; without, it could be either."""


class QuantityDialog(Dialog):
    """How many, or how heavy, for the line that was chosen when the key was pressed."""

    topic = "quantity"

    def __init__(self, held: LineView) -> None:
        super().__init__()
        self._held = held

    def box(self) -> Iterable[Widget]:
        """The line's name, and the entry."""
        yield Drawn(self._title)
        yield Entry(id="value")

    def opened(self) -> None:
        """Begin with what it is."""
        super().opened()
        entry = self.query_one(Entry)
        entry.value = self._held.quantity or str(self._held.pieces)
        entry.action_select_all()
        entry.focus()

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as the line is there."""
        return snapshot.basket is not None and any(held.id == self._held.id for held in snapshot.basket.lines)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter and Esc."""
        return [KeyHint("Enter", shown.words("key_does.change"), rank=0), KeyHint("Esc", shown.words("key_does.leave"), rank=0)]

    def _title(self, shown: Shown, cells: int) -> list[Line]:
        name = f"{self._held.name}, {self._held.variant}" if self._held.variant else self._held.name
        words = shown.words
        title, how = (words("quantity.title_weight"), words("quantity.how_weight")) if self._weighed else (words("quantity.title"), words("quantity.how"))
        return [line((title, "strong")), *wrapped(name, cells), *wrapped(how, cells, "muted"), line("")]

    @property
    def _weighed(self) -> bool:
        return not self._held.pieces

    @on(Entry.Submitted)
    def typed(self, event: Entry.Submitted) -> None:
        """Enter changes it; the service says what is no quantity."""
        text = event.value.strip()
        if self._weighed and _WHOLE.fullmatch(text):
            self.refuse_with("quantity.needs_weight", typed=text)
        elif text:
            self.give(SetQuantity(self._held.id, f"{text} kg" if self._weighed and _DECIMAL.fullmatch(text) else text))
