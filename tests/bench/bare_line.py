"""The least that a terminal program can do with a scan: a line of bytes in, one look-up in the catalogue, one line of text drawn.

``python -m tests.bench.bare_line FOLDER PORT``: the replica's folder and the serial line. No service, no journal, no price, no basket: what it takes
is what the terminal library, the catalogue and the operating system take. It stands beside the counter in ``bench_glass``.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import serial
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from edge_agent.clock import SystemClock
from sync.replica_catalogue import CatalogueReplica

LINES = 20
"""As many as a basket of the bench has; then it begins anew."""
READ_BYTES = 4096
OPENING = "scan something"


class Lines(Widget):
    """Lines of plain text; only the one that came is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = [OPENING]

    def append(self, text: str) -> None:
        if len(self.lines) >= LINES:
            self.lines.clear()
            self.refresh()
        self.lines.append(text)
        self.refresh(Region(0, len(self.lines) - 1, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        text = self.lines[y] if y < len(self.lines) else ""
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)


class BareLine(App[None]):
    """Reads codes that end with CR and draws the articles' names."""

    def __init__(self, catalogue: CatalogueReplica, port: serial.Serial) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._port = port
        self._rest = b""

    def compose(self) -> ComposeResult:
        yield Lines()

    def on_mount(self) -> None:
        asyncio.get_running_loop().add_reader(self._port.fileno(), self._read)

    def _read(self) -> None:
        *codes, self._rest = (self._rest + self._port.read(READ_BYTES)).split(b"\r")
        for code in codes:
            article = self._catalogue.by_gtin(code.decode().zfill(14))
            self.query_one(Lines).append(article.name if article else f"? {code.decode()}")


if __name__ == "__main__":
    BareLine(CatalogueReplica(Path(sys.argv[1]), SystemClock()), serial.Serial(sys.argv[2], timeout=0)).run()
