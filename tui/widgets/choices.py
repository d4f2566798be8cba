"""A list that one chooses from with the arrow keys while typing goes elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from textual import events
from textual.geometry import Size
from textual.message import Message

from tui.drawing.line import BLANK, Line, cropped, line
from tui.shown import Shown
from tui.widgets.drawn import Drawn

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Option:
    """One row. A ``heading`` is not chosen."""

    id: str
    draw: Callable[[Shown, int], Line]
    heading: bool = False


def row_of(draw: Callable[[Shown, T, int], Line], value: T) -> Callable[[Shown, int], Line]:
    """How one value is drawn as a row."""

    def drawn(shown: Shown, cells: int) -> Line:
        return draw(shown, value, cells)

    return drawn


def text_row(text: str, key: str = "", role: str = "text") -> Callable[[Shown, int], Line]:
    """A row of plain text, with the key that takes it."""

    def drawn(shown: Shown, cells: int) -> Line:
        return cropped(line((f"{key}  " if key else "", "key"), (text, role)), cells)

    return drawn


class Choices(Drawn):
    """Rows with a cursor. The rows stay as they are until others are given: nothing is reordered while one chooses."""

    class Clicked(Message):
        """A row was clicked; it is the chosen one now."""

    def __init__(self, *, id: str | None = None, topic: str = "") -> None:
        super().__init__(topic=topic, id=id)
        self._options: Sequence[Option] = ()
        self._at = 0
        self._top = 0
        self._empty = ""

    @property
    def chosen(self) -> str:
        """The id of the chosen row, ``""`` when there is none."""
        return self._options[self._at].id if self._options and not self._options[self._at].heading else ""

    def offer(self, options: Sequence[Option], empty: str = "", *, chosen: str = "") -> None:
        """Show these rows (``empty`` says why there are none), the cursor on ``chosen`` or on the first."""
        self._options, self._empty, self._top = options, empty, 0
        self._at = next((at for at, option in enumerate(options) if option.id == chosen and not option.heading), 0)
        self._skip_headings(1)
        self.redraw()
        self.refresh(layout=self.styles.is_auto_height)

    def move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        if not self._options:
            return
        self._at = max(0, min(len(self._options) - 1, self._at + by))
        self._skip_headings(1 if by >= 0 else -1)
        self.redraw()

    def page(self) -> int:
        """How many rows a page is."""
        return max(1, self.content_size.height - 1)

    def _skip_headings(self, direction: int) -> None:
        for step in (direction, -direction):
            at = self._at
            while 0 <= at < len(self._options):
                if not self._options[at].heading:
                    self._at = at
                    return
                at += step

    def drawing(self, shown: Shown, cells: int) -> Sequence[Line]:
        """The rows that fit, the cursor's among them."""
        height = self.content_size.height
        if not self._options:
            return [BLANK, line("  ", (self._empty, "muted"))] if self._empty else []
        self._top = max(0, min(self._top, self._at, len(self._options) - height))
        if self._at >= self._top + height:
            self._top = self._at - height + 1
        if self._at > 0 and self._top == self._at and self._options[self._at - 1].heading:
            self._top -= 1
        return [self._row(shown, at, option, cells) for at, option in enumerate(self._options)][self._top : self._top + height]

    def _row(self, shown: Shown, at: int, option: Option, cells: int) -> Line:
        inner = option.draw(shown, cells - 2)
        if option.heading:
            return inner
        chosen = at == self._at
        return Line((*line(("› " if chosen else "  ", "accent")).pieces, *inner.pieces), "chosen" if chosen else "")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Room for every row, where the height is not given."""
        return len(self._options) or (2 if self._empty else 0)

    def on_resize(self) -> None:
        """Another height shows other rows."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """A mouse may choose too."""
        row = self._top + event.get_content_offset_capture(self).y
        if row < len(self._options) and not self._options[row].heading:
            self._at = row
            self.redraw()
            self.post_message(self.Clicked())
