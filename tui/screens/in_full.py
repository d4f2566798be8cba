"""One message in full: what happened and what to do, however long, and when it was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from edge_agent.views import NoticeView
from tui.drawing.foot import MARKS, KeyHint
from tui.drawing.line import BLANK, Line, line, wrapped
from tui.screens.base import Dialog
from tui.shown import Shown
from tui.widgets.drawn import Drawn

if TYPE_CHECKING:
    from textual.widget import Widget


class InFullDialog(Dialog):
    """A message of the list. Enter and Esc close it."""

    topic = "notices"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "leave", show=False)]

    def __init__(self, notice: NoticeView) -> None:
        super().__init__()
        self._notice = notice

    def box(self) -> Iterable[Widget]:
        """All of it."""
        yield Drawn(self._text)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """How to close it."""
        return [KeyHint("Esc", shown.words("key_does.back"), rank=0)]

    def _text(self, shown: Shown, cells: int) -> list[Line]:
        text, hint = shown.told(self._notice)
        when = shown.words.when(self._notice.at_ms, shown.now_ms, shown.snapshot.timezone)
        advice = [BLANK, *wrapped(hint, cells, "muted")] if hint else []
        return [line(MARKS[self._notice.level], (when, "strong")), BLANK, *wrapped(text, cells), *advice, BLANK]
