"""Paints only the rows that changed: of a scan, two rows of the basket and three of the total.

Textual (8.2.8) paints what changed and throws the rest away, but to get there it has every widget that is in sight drawn in full. So it is told
here which rows are wanted. What comes out is the same to the last cell, which ``tests/tui/test_repaint.py`` holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip

Drawn = tuple[Region, Region, list[Strip]]


class RowsThatChanged(Compositor):
    """A screen's compositor."""

    _wanted: Sequence[tuple[int, int]] | None = None
    """From which row to before which other one, from the top down, while a part is painted; None while everything is."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Paint what changed; None when nothing did."""
        self._wanted = runs({y for region in self._dirty_regions for y in region.line_range})
        try:
            return super().render_partial_update()
        finally:
            self._wanted = None

    def _get_renders(self, crop: Region | None = None) -> Iterable[Drawn]:
        return super()._get_renders(crop) if self._wanted is None else self._wanted_renders(self._wanted)

    def _wanted_renders(self, wanted: Sequence[tuple[int, int]]) -> Iterator[Drawn]:
        for widget, (region, clip) in self.visible_widgets.items():
            x, y, width, height = region.intersection(clip)
            for first, end in wanted:
                top, bottom = max(first, y), min(end, y + height)
                if top < bottom and width:
                    rows = Region(x, top, width, bottom - top)
                    yield rows, rows, widget.render_lines(rows.translate((-region.x, -region.y)))


def runs(rows: Iterable[int]) -> list[tuple[int, int]]:
    """The rows that follow each other, as the first of them and the one after the last.

    >>> runs([30, 2, 3, 31])
    [(2, 4), (30, 32)]
    """
    found: list[tuple[int, int]] = []
    for row in sorted(rows):
        if found and found[-1][1] == row:
            found[-1] = (found[-1][0], row + 1)
        else:
            found.append((row, row + 1))
    return found
