"""One typed line for a command: what a suspended basket is called, whose badge takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from textual import on

from edge_agent.views import AnyCommand, SignIn, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line, line, wrapped
from tui.screens.base import Dialog
from tui.shown import Shown
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget


def sign_in_box(shown: Shown) -> LabelDialog:
    """Whose badge takes over; it goes when somebody did (a scanned badge works as well)."""
    words, shift = shown.words, shown.snapshot.shift

    def still(snapshot: Snapshot) -> bool:
        return snapshot.shift is not None and shift is not None and snapshot.shift.operator_id == shift.operator_id

    return LabelDialog("sign_in", (words("sign_in.title"), words("sign_in.how"), words("sign_in.do")), SignIn, still)


class LabelDialog(Dialog):
    """A title, an explanation, one line. ``said`` are the title, the explanation and what Enter does; ``still`` says
    when the box has no sense any more; an empty line is sent when ``optional``."""

    def __init__(
        self, topic: str, said: tuple[str, str, str], command: Callable[[str], AnyCommand], still: Callable[[Snapshot], bool], *, optional: bool = False
    ) -> None:
        super().__init__()
        self._topic = topic
        self._title, self._how, self._does = said
        self._command = command
        self._still = still
        self._optional = optional

    @property
    def focus_topic(self) -> str:
        """What F1 explains."""
        return self._topic

    def box(self) -> Iterable[Widget]:
        """Title and entry."""
        yield Drawn(self._heading)
        yield Entry(id="value")

    def opened(self) -> None:
        """Type at once."""
        super().opened()
        self.query_one(Entry).focus()

    def fits(self, snapshot: Snapshot) -> bool:
        """As its maker says."""
        return self._still(snapshot)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter and Esc."""
        return [KeyHint("Enter", self._does, rank=0), KeyHint("Esc", shown.words("key_does.leave"), rank=0)]

    def _heading(self, shown: Shown, cells: int) -> list[Line]:
        return [*wrapped(self._title, cells, "strong"), *wrapped(self._how, cells, "muted"), line("")]

    @on(Entry.Submitted)
    def typed(self, event: Entry.Submitted) -> None:
        """Enter sends it."""
        text = event.value.strip()
        if text or self._optional:
            self.give(self._command(text))
