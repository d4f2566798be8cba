"""Drawn: a widget that shows the lines of a pure drawing function, painted line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.drawing.line import Line
from tui.shown import Shown
from tui.themes import role_styles

Draw = Callable[[Shown, int], Sequence[Line]]
"""What is drawn: from what is shown and the columns there are, lines."""
DrawInRows = Callable[[Shown, int, int], Sequence[Line]]
"""The same with the rows that there are as well."""
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
        self._painted: tuple[int, Sequence[Line]] = (0, ())
        self._framed = ("", "")
        self._styles_now: tuple[Style, Mapping[str, Style]] | None = None

    def drawing(self, shown: Shown, cells: int) -> Sequence[Line]:
        """The lines for a width; what a subclass overrides."""
        return self._draw(shown, cells) if self._draw else ()

    def show(self, shown: Shown) -> None:
        """Show this picture; only the lines that differ are painted."""
        self._shown = shown
        if not self.is_attached:
            return
        if self._heading is not None:
            self.frame(self._heading(shown))
        cells = self.content_size.width
        (for_cells, before), after = self._painted, self._drawn(cells)
        self._painted = cells, after
        if for_cells == cells and after == before:
            return
        layout = self.styles.is_auto_width or (self.styles.is_auto_height and len(after) != len(before))
        if layout or for_cells != cells:
            self.refresh(layout=layout)
        else:
            self.refresh(*(Region(0, y, cells, 1) for y, (old, new) in enumerate(zip_longest(before, after)) if old != new))

    def frame(self, title: str, subtitle: str = "") -> None:
        """Put these into the frame. Textual paints the whole widget for that, so what stands there already is left alone."""
        if self._shown is not None:
            title, subtitle = self._shown.glyphs.paint(title), self._shown.glyphs.paint(subtitle)
        if (title, subtitle) != self._framed:
            self._framed = title, subtitle
            self.border_title, self.border_subtitle = title, subtitle

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

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows of the terminal; how each role looks is asked once for all of those that are drawn anew."""
        self._styles_now = None
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One row of the terminal."""
        width = self.content_size.width
        lines = self._drawn(width)
        if self._styles_now is None:
            self._styles_now = self.rich_style, role_styles(self.app.theme)
        base, roles = self._styles_now
        if y >= len(lines) or self._shown is None:
            return Strip.blank(width, base)
        held = lines[y]
        if held.fill:
            base += roles[held.fill]
        paint = self._shown.glyphs.paint
        segments = [Segment(paint(piece.text), base + roles[piece.role]) for piece in held.pieces]
        return Strip(segments).adjust_cell_length(width, base)


class Fitted(Drawn):
    """The lines of a drawing that knows how many rows there is room for."""

    def __init__(self, draw: DrawInRows, *, topic: str = "", id: str | None = None) -> None:
        super().__init__(topic=topic, id=id)
        self._draw_in_rows = draw

    def drawing(self, shown: Shown, cells: int) -> Sequence[Line]:
        """As the rows are now."""
        return self._draw_in_rows(shown, cells, self.content_size.height)

    def on_resize(self) -> None:
        """Another height has room for more, or for less."""
        self.redraw()
