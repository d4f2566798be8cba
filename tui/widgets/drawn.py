"""Drawn: a widget that shows the lines of a pure drawing function, painted line by line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui.drawing.line import Line
from tui.shown import Shown
from tui.themes import role_styles

Draw = Callable[[Shown, int], Sequence[Line]]
"""What is drawn: from what is shown and the columns there are, lines."""
Heading = Callable[[Shown], str]
"""A title, from what is shown."""


class Drawn(Widget):
    """The lines of ``draw``. ``topic`` names what F1 explains while it has the focus; it can only have it with a topic. ``heading`` is
    the title in its frame."""

    def __init__(self, draw: Draw | None = None, *, topic: str = "", heading: Heading | None = None, id: str | None = None) -> None:
        super().__init__(id=id)
        self.topic = topic
        self._heading = heading
        self.can_focus = bool(topic)
        self._draw = draw
        self._shown: Shown | None = None
        self._lines: Sequence[Line] = ()
        self._for: tuple[Shown, int] | None = None

    def drawing(self, shown: Shown, cells: int) -> Sequence[Line]:
        """The lines for a width; what a subclass overrides."""
        return self._draw(shown, cells) if self._draw else ()

    def show(self, shown: Shown) -> None:
        """Show this picture; nothing is painted when no line differs."""
        self._shown = shown
        if not self.is_attached:
            return
        if self._heading is not None:
            self.border_title = self._heading(shown)
        before = self._lines
        after = self._drawn(self.content_size.width)
        if after != before:
            self.refresh(layout=self.styles.is_auto_width or (self.styles.is_auto_height and len(after) != len(before)))

    def redraw(self) -> None:
        """Draw again although the picture is the same (a cursor moved)."""
        self._for = None
        if self._shown is not None:
            self.show(self._shown)

    def _drawn(self, cells: int) -> Sequence[Line]:
        if self._shown is None or cells <= 0:
            return ()
        if self._for is None or self._for[0] is not self._shown or self._for[1] != cells:
            self._for = (self._shown, cells)
            self._lines = self.drawing(self._shown, cells)
        return self._lines

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As many columns as the longest line takes."""
        return max((row.cells for row in self._drawn(container.width)), default=0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as there are lines."""
        return len(self._drawn(width))

    def render_line(self, y: int) -> Strip:
        """One row of the terminal."""
        width = self.content_size.width
        lines = self._drawn(width)
        base, roles = self.rich_style, role_styles(self.app.theme)
        if y >= len(lines) or self._shown is None:
            return Strip.blank(width, base)
        held = lines[y]
        if held.fill:
            base += roles[held.fill]
        paint = self._shown.glyphs.paint
        segments = [Segment(paint(piece.text), base + roles[piece.role]) for piece in held.pieces]
        return Strip(segments).adjust_cell_length(width, base)
