"""One typed line for a command: what a suspended basket is called, whose badge takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from textual import on

from edge_agent.views import AnyCommand, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import line, wrapped
from tui.screens.base import Dialog
from tui.shown import Shown
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget


class LabelDialog(Dialog):
    """A title, an explanation, one line. ``still`` says when the box has no sense any more; an empty line is sent when ``optional``."""

    def __init__(
        self, topic: str, title: str, how: str, command: Callable[[str], AnyCommand], still: Callable[[Snapshot], bool], *, optional: bool = False
    ) -> None:
        super().__init__()
        self._topic = topic
        self._title = title
        self._how = how
        self._command = command
        self._still = still
        self._optional = optional

    @property
    def focus_topic(self) -> str:
        """What F1 explains."""
        return self._topic

    def box(self) -> Iterable[Widget]:
        """Title and entry."""
        yield Drawn(lambda shown, cells: [*wrapped(self._title, cells, "strong"), *wrapped(self._how, cells, "muted"), line("")])
        yield Entry(id="value")

    def on_mount(self) -> None:
        """Type at once."""
        super().on_mount()
        self.query_one(Entry).focus()

    def fits(self, snapshot: Snapshot) -> bool:
        """As its maker says."""
        return self._still(snapshot)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter and Esc."""
        return [KeyHint("Enter", shown.words("key_does.accept"), rank=0), KeyHint("Esc", shown.words("key_does.leave"), rank=0)]

    @on(Entry.Submitted)
    def typed(self, event: Entry.Submitted) -> None:
        """Enter sends it."""
        text = event.value.strip()
        if text or self._optional:
            self.counter.command(self._command(text), self)
