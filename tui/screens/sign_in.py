"""Nobody sells yet: open a shift with a badge and the money that lies in the drawer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical

from edge_agent.views import AnyCommand, NoticeView, OpenShift, Snapshot
from tui.acts import CLOSED_KEY_LINE, key_line
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, centred, line, wrapped
from tui.screens.base import CounterScreen
from tui.shown import Shown, money
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget


class ClosedScreen(CounterScreen):
    """The badge first (a scanned one opens the shift by itself), then the float."""

    topic = "closed"

    def __init__(self) -> None:
        super().__init__()
        self._badge = ""

    def body(self) -> Iterable[Widget]:
        """A box in the middle."""
        yield Vertical(Drawn(self._asked), Entry(id="value"), id="box")

    def on_mount(self) -> None:
        """Type at once."""
        super().on_mount()
        self.query_one(Entry).focus()

    def fits(self, snapshot: Snapshot) -> bool:
        """Until a shift is open."""
        return snapshot.phase == "closed"

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter, and the keys that work without a shift."""
        own = [KeyHint("Enter", shown.words("key_does.next") if not self._badge else shown.words("closed.open"), rank=0)]
        if self._badge:
            own.append(KeyHint("Esc", shown.words("key_does.back"), rank=0))
        return [*own, *key_line(shown, CLOSED_KEY_LINE)]

    def _asked(self, shown: Shown, cells: int) -> list[Line]:
        words = shown.words
        if not self._badge:
            return [centred(line((words("closed.title"), "strong")), cells), BLANK, *wrapped(words("closed.badge"), cells, "muted"), BLANK]
        text = words("closed.float", currency=shown.snapshot.currency)
        return [centred(line((words("closed.title_float"), "strong")), cells), BLANK, *wrapped(text, cells, "muted"), BLANK]

    @on(Entry.Submitted)
    def typed(self, event: Entry.Submitted) -> None:
        """Enter: from the badge to the float, then open."""
        text, shown = event.value.strip(), self.counter.picture
        if not self._badge:
            self._step(text)
            return
        minor = money(text or "0", shown.snapshot.digits) if shown else None
        if minor is None:
            self.counter.say("closed.not_amount")
            return
        self.counter.command(OpenShift(self._badge, minor), self)

    def action_leave(self) -> None:
        """Esc: back to the badge."""
        self._step("")

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """A badge that was refused is asked for again."""
        if problem is not None:
            self._step("")

    def _step(self, badge: str) -> None:
        self._badge = badge[:64]
        self.query_one(Entry).clear()
        self.redraw()
