"""A list that one chooses from with the arrow keys while typing goes elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct
from textual import events
from textual.geometry import Size
from textual.message import Message

from tui.drawing.line import BLANK, Line, cropped, indented, line, wrapped
from tui.shown import Shown
from tui.widgets.drawn import Drawn

T = TypeVar("T")

MARKED_ROWS_MIN = 5
"""In fewer rows nothing is said about those out of sight: every row is needed."""


class Option(Struct, frozen=True):
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
        if [option.id for option in options] != [option.id for option in self._options]:
            self._top = 0
        self._options, self._empty = options, empty
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

    @property
    def rows(self) -> int:
        """How many rows there are, headings among them."""
        return len(self._options)

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

    def choose(self, id: str) -> None:
        """Put the cursor on the row ``id``, if there is one."""
        self._at = next((at for at, option in enumerate(self._options) if option.id == id and not option.heading), self._at)
        self.redraw()

    def drawing(self, shown: Shown, cells: int) -> Sequence[Line]:
        """The rows that fit, the cursor's among them; where some are out of sight, the first and the last row say how many."""
        height = self.content_size.height
        if not self._options:
            return self._says_empty(cells)
        marked = height >= MARKED_ROWS_MIN
        self._top = self._scrolled(height, 1 if marked else 0)
        rows = [self._row(shown, at, option, cells) for at, option in enumerate(self._options)][self._top : self._top + height]
        below = self._choosable(self._options[self._top + height - 1 :]) if self._top + height < len(self._options) else 0
        if marked and below:
            rows[-1] = line("  ", (f"↓ {shown.words('choices.more', n=below)}", "accent"))
        if marked and self._top:
            rows[0] = line("  ", (f"↑ {shown.words('choices.more', n=self._choosable(self._options[: self._top + 1]))}", "accent"))
        return rows

    def _says_empty(self, cells: int) -> list[Line]:
        return [BLANK, *(indented(row, 2) for row in wrapped(self._empty, cells - 2, "muted"))] if self._empty else []

    def _scrolled(self, height: int, edge: int) -> int:
        """The first row in sight, moved no further than it takes; the cursor, and a heading right above it, stay off the ``edge`` rows."""
        most = len(self._options) - height
        if most <= 0:
            return 0
        first = self._at - (1 if self._at and self._options[self._at - 1].heading else 0)
        top = min(self._top, max(0, first - edge))
        if self._at > top + height - 1 - edge:
            top = self._at - height + 1 + edge
        return max(0, min(top, most))

    @staticmethod
    def _choosable(options: Sequence[Option]) -> int:
        return sum(not option.heading for option in options)

    def _row(self, shown: Shown, at: int, option: Option, cells: int) -> Line:
        inner = option.draw(shown, cells - 2)
        if option.heading:
            return inner
        chosen = at == self._at
        return Line((*line(("› " if chosen else "  ", "accent")).pieces, *inner.pieces), "chosen" if chosen else "")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Room for every row, where the height is not given."""
        return len(self._options) or len(self._says_empty(width))

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
