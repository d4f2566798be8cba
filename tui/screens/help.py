"""F1: what has the focus is explained, with the keys that work there and the last message in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, indented, line, wrapped
from tui.screens.base import Dialog
from tui.shown import Shown
from tui.widgets.drawn import Drawn

if TYPE_CHECKING:
    from textual.widget import Widget


class HelpDialog(Dialog):
    """One topic's text, the keys there, the last message. Any of Enter, F1 and Esc closes it."""

    topic = "help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,f1", "leave", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-8)", show=False),
        Binding("pagedown", "scroll(8)", show=False),
    ]

    def __init__(self, about: str, keys: Sequence[KeyHint]) -> None:
        super().__init__()
        self._about = about
        self._hints = keys

    def box(self) -> Iterable[Widget]:
        """The text, scrolled when it is long."""
        yield VerticalScroll(Drawn(self._text), id="scroll", can_focus=False)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """How to close it."""
        return [KeyHint("Esc", shown.words("key_does.back"), rank=0), KeyHint("↑↓", shown.words("key_does.scroll"), rank=0)]

    def action_scroll(self, by: int) -> None:
        """Up and down."""
        self.query_one("#scroll").scroll_relative(y=by, animate=False)

    def _text(self, shown: Shown, cells: int) -> list[Line]:
        words = shown.words
        rows = [line((words.maybe(f"help.{self._about}.title", words("help.sale.title")), "strong")), BLANK]
        for paragraph in words.maybe(f"help.{self._about}", words("help.sale")).split("\n"):
            rows += [*wrapped(paragraph, cells), BLANK]
        if shown.notice is not None:
            text, hint = shown.told(shown.notice)
            rows += [line((words("help.message"), "strong")), *(indented(row, 2) for row in wrapped(f"{text} {hint}", cells - 2)), BLANK]
        rows += [line((words("help.keys"), "strong"))]
        rows += [line("  ", (f"{hint.key:<7}", "key"), hint.text) for hint in self._hints]
        rows += [line("  ", (f"{words('key.ctrl+p'):<7}", "key"), words("act.palette"))]
        return rows
