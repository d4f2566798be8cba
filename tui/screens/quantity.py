"""The quantity of a line, typed."""

from __future__ import annotations

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

    def on_mount(self) -> None:
        """Begin with what it is."""
        super().on_mount()
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
        return [line((shown.words("quantity.title"), "strong")), *wrapped(name, cells), *wrapped(shown.words("quantity.how"), cells, "muted"), line("")]

    @on(Entry.Submitted)
    def typed(self, event: Entry.Submitted) -> None:
        """Enter changes it; the service says what is no quantity."""
        if event.value.strip():
            self.counter.command(SetQuantity(self._held.id, event.value.strip()), self)
