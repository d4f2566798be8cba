"""The scrollbars of a terminal that cannot draw fractions of a cell."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBar, ScrollBarRender

from tui.glyphs import Glyphs


class WholeCells(ScrollBarRender):
    """A scrollbar of blanks in two colours."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]


def fit_scrollbars(glyphs: Glyphs) -> None:
    """Draw every scrollbar of this process with what ``glyphs`` has: the library asks its class for that."""
    ScrollBar.renderer = ScrollBarRender if glyphs.eighths else WholeCells
