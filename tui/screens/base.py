"""What all screens have in common: a header, a notice line, the keys that work here, and drawing from the newest picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.screen import ModalScreen, Screen

from edge_agent.views import AnyCommand, NoticeView, Snapshot
from tui.acts import key_line
from tui.counter import Counter
from tui.drawing import foot, head
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line, line, wrapped
from tui.shown import Shown
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget


class Pictured(Screen[None]):
    """A screen that is drawn from pictures. ``topic`` names what F1 explains here."""

    topic: ClassVar[str] = "sale"
    AUTO_FOCUS = ""

    @property
    def counter(self) -> Counter:
        """The application."""
        return cast(Counter, self.app)

    def fits(self, snapshot: Snapshot) -> bool:
        """Whether this screen still makes sense; one that does not is closed."""
        return True

    def show(self, shown: Shown) -> None:
        """Draw this picture. A screen that is just closing has nothing left to draw on, and that is all right."""
        for drawn in self.query(Drawn):
            drawn.show(shown)
        for entry in self.query(Entry):
            entry.show(shown)

    def redraw(self) -> None:
        """Draw again, because something of the screen's own changed."""
        for drawn in self.query(Drawn):
            drawn.redraw()
        if self.counter.picture is not None:
            for entry in self.query(Entry):
                entry.show(self.counter.picture)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """The keys that work here, the screen's own first."""
        return []

    def acted(self, name: str) -> bool:
        """An act was called for while this screen is on top; True when it did something of its own about it."""
        return False

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """What became of a command of this screen."""

    @property
    def focus_topic(self) -> str:
        """What F1 explains now: the thing that has the focus, else the screen."""
        return str(getattr(self.focused, "topic", "") or self.topic)

    @property
    def entry(self) -> Entry | None:
        """The entry line, where the screen has one."""
        try:
            return self.query_one(Entry)
        except NoMatches:
            return None

    def size_up(self) -> None:
        """Know the terminal's size class before the first picture; Textual tells it after that, and everything would move once."""
        for cells, points in ((self.app.size.width, self.app.HORIZONTAL_BREAKPOINTS), (self.app.size.height, self.app.VERTICAL_BREAKPOINTS)):
            for _, name in [point for point in points or () if cells >= point[0]][-1:]:
                self.add_class(name)

    def on_screen_resume(self) -> None:
        """Back in sight: what no longer makes sense goes at once."""
        shown = self.counter.picture
        if shown is not None and self.is_current and not self.fits(shown.snapshot):
            self.dismiss()

    def on_mount(self) -> None:
        """Begin with the picture there is."""
        if self.counter.picture is not None:
            self.show(self.counter.picture)

    def on_key(self, event: events.Key) -> None:
        """Typing goes to the entry line wherever the focus is, or was when the key was pressed (a screen that was just opening has none)."""
        entry = self.entry
        if entry is not None and not entry.disabled and event.is_printable and event.character is not None:
            event.stop()
            entry.take(event.character)

    def _keys(self, shown: Shown, cells: int) -> list[Line]:
        return foot.keys(self.hints(shown), cells)


class CounterScreen(Pictured):
    """A whole screen: header, body, notice, keys, status."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def body(self) -> Iterable[Widget]:
        """The widgets between the header and the notice line."""
        return ()

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        self.size_up()
        yield Drawn(head.header, id="header")
        yield Vertical(*self.body(), id="body")
        yield Drawn(foot.notice, id="notice")
        yield Drawn(self._keys, id="keys")
        yield Drawn(head.status, id="status", topic="status")

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """The function keys."""
        return key_line(shown)

    def action_leave(self) -> None:
        """Esc: the safe way out."""
        self.dismiss()


class Dialog(Pictured, ModalScreen[None]):
    """A decision in a box over the screen. Esc closes it and changes nothing; a refusal by the service is said inside."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False), Binding("f1", "explain", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._problem: NoticeView | None = None

    def box(self) -> Iterable[Widget]:
        """What is in the box."""
        return ()

    def compose(self) -> ComposeResult:
        """The box, with the keys at its foot."""
        self.size_up()
        with Vertical(id="box"):
            yield from self.box()
            yield Drawn(self._refusal, id="refusal")
            yield Drawn(self._keys, id="keys")

    def _keys(self, shown: Shown, cells: int) -> list[Line]:
        return foot.keys(self.hints(shown), cells, margin=0)

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """Close when it was carried out; else stay, with everything typed, and say why not."""
        if problem is None:
            self.dismiss()
            return
        self.refuse(problem)

    def refuse(self, problem: NoticeView | None) -> None:
        """Say in the box why not."""
        self._problem = problem
        self.query_one("#refusal", Drawn).redraw()

    def refuse_with(self, key: str, **values: object) -> None:
        """Say a sentence of the catalogue in the box."""
        self.refuse(NoticeView("", "warn", self.counter.words.maybe(key, key, **values)))

    def action_leave(self) -> None:
        """Esc: nothing is changed."""
        self.dismiss()

    def action_explain(self) -> None:
        """F1: what this is."""
        self.counter.act("help")

    def _refusal(self, shown: Shown, cells: int) -> list[Line]:
        if self._problem is None:
            return []
        text, hint = shown.words.notice(self._problem)
        return [line(""), *wrapped(f"▲ {text}", cells, "warn"), *wrapped(hint, cells, "muted")]


def pictured(screen: Screen[Any]) -> Pictured | None:
    """The screen, when it is one of ours."""
    return screen if isinstance(screen, Pictured) else None
