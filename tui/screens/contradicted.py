"""What a person decided and the terminal contradicts, or what a void left to be given back: who saw to it writes down how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from edge_agent.views import HandleContradiction, NoticeView
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, line, wrapped
from tui.drawing.pay import may_decide
from tui.said import OF_A_VOID
from tui.screens.base import Dialog
from tui.screens.label import sign_in_box
from tui.shown import Shown
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget


class ContradictedDialog(Dialog):
    """What differs, what to do, and a note of what was done. The note is required, and asked for of who may decide; others read who may."""

    topic = "contradicted"
    typed_stays = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "accept", show=False), Binding("b,B", "manager", show=False)]

    def __init__(self, notice: NoticeView) -> None:
        super().__init__()
        self._notice = notice

    def box(self) -> Iterable[Widget]:
        """What it is about, and the note."""
        yield Drawn(self._heading)
        yield Entry(id="value", hint=lambda shown: shown.words("contradicted.note"))

    def opened(self) -> None:
        """Who may note it types at once."""
        super().opened()
        entry = self.query_one(Entry)
        if not entry.disabled:
            entry.focus()

    def show(self, shown: Shown) -> None:
        """Draw; who may note it can have signed in meanwhile."""
        may = may_decide(shown)
        for entry in self.query(Entry):
            if entry.display != may or entry.disabled == may:
                entry.display, entry.disabled = may, not may
                self.set_focus(entry if may else None)
        super().show(shown)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter, or who may; and Esc."""
        words = shown.words
        own = KeyHint("Enter", words("contradicted.do"), rank=0) if may_decide(shown) else KeyHint("B", words("attempt.manager"), rank=0)
        return [own, KeyHint("Esc", words("key_does.leave"), rank=0)]

    def _heading(self, shown: Shown, cells: int) -> list[Line]:
        text, hint = shown.words.notice(self._notice)
        title = line((shown.words("contradicted.title_void" if self._notice.key == OF_A_VOID else "contradicted.title"), "strong"))
        rows = [title, BLANK, *wrapped(text, cells), *wrapped(hint, cells, "muted"), BLANK]
        return rows if may_decide(shown) else [*rows, *wrapped(shown.words("contradicted.who"), cells, "warn")]

    def action_manager(self) -> None:
        """B lets somebody sign in who may note it."""
        shown = self.counter.picture
        if shown is not None and not may_decide(shown):
            self.counter.lay(sign_in_box(shown))

    @on(Entry.Submitted)
    def action_accept(self) -> None:
        """Enter notes it, once the note says what was done."""
        shown = self.counter.picture
        if shown is None or not may_decide(shown):
            return
        note = self.query_one(Entry).value.strip()
        if not note:
            self.refuse_with("contradicted.needs_note")
            return
        self.give(HandleContradiction(self._notice.shown["attempt"], note[:80]))
