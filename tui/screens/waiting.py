"""There is no service to show: say what is being waited for, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from edge_agent.client import ApiProblem, Disconnected, ServiceUnreachable
from tui.drawing.line import BLANK, Line, centred, line, wrapped
from tui.messages import Words

if TYPE_CHECKING:
    from textual.app import ComposeResult


class WaitingScreen(Screen[None]):
    """Drawn without a picture: there may never have been one."""

    def __init__(self, words: Words, waited: Callable[[], int], lost: Callable[[], Disconnected | None]) -> None:
        super().__init__()
        self._words = words
        self._waited = waited
        self._lost = lost

    def compose(self) -> ComposeResult:
        """The sentence in the middle."""
        yield Sentence(self._lines)

    def on_mount(self) -> None:
        """The seconds move."""
        self.set_interval(1.0, self.query_one(Sentence).refresh)

    def _lines(self, cells: int) -> list[Line]:
        words = self._words
        width = min(cells - 4, 64)
        rows = [line((words("waiting.title"), "strong")), BLANK, *wrapped(words("waiting.text"), width), BLANK]
        rows += [line((words("waiting.for", time=words.waited(self._waited())), "muted"))]
        lost = self._lost()
        if lost is not None:
            rows += [BLANK, *(row for says in told(words, lost.error) for row in wrapped(says, width, "muted"))]
        return [centred(row, cells) for row in rows]


def told(words: Words, error: ServiceUnreachable | ApiProblem) -> tuple[str, str]:
    """What was tried and how it failed, and what IT can do, as sentences."""
    if isinstance(error, ApiProblem):
        return words.notice(words.problem(error.problem))
    where = error.where or words("unreachable.here")
    return words(f"unreachable.{error.reason}", where=where), words("unreachable.do_denied" if error.reason == "denied" else "unreachable.do")


class Sentence(Widget):
    """Lines in the middle of the screen, drawn anew each time."""

    DEFAULT_CSS = "Sentence { width: 1fr; height: 1fr; }"

    def __init__(self, lines: Callable[[int], Sequence[Line]]) -> None:
        super().__init__()
        self._lines = lines

    def render_line(self, y: int) -> Strip:
        """One row of the terminal."""
        width, height = self.content_size
        lines = self._lines(width)
        at = y - max(0, (height - len(lines)) // 2)
        base = self.rich_style
        if not 0 <= at < len(lines):
            return Strip.blank(width, base)
        return Strip([Segment(piece.text, base) for piece in lines[at].pieces]).adjust_cell_length(width, base)
