"""What all screens have in common: a header, a notice line, the keys that work here, and drawing from the newest picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.screen import ModalScreen, Screen

from edge_agent.views import AnyCommand, NoticeView, PriceView, Snapshot
from tui.acts import key_line
from tui.counter import Counter
from tui.drawing import foot, head
from tui.drawing.beside import Grown, grown, grown_rows
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, indented, line, wrapped
from tui.drawing.total import price_check
from tui.repaint import RowsThatChanged
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
    keys_below: ClassVar[bool] = False
    """Whether the function keys of the screen below work through it."""
    tells_beside: ClassVar[bool] = True
    """Whether it lies on the sale and so says itself what a scan did meanwhile."""
    over = False
    """It was closed while something lay on it: it goes as soon as that is gone."""
    _under_way = False
    grown: Grown | None = None
    """What came into the basket while it stood there."""
    _stood: Snapshot | None = None
    _priced: PriceView | None = None

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._compositor = RowsThatChanged()

    @property
    def counter(self) -> Counter:
        """The application."""
        return cast(Counter, self.app)

    def fits(self, snapshot: Snapshot) -> bool:
        """Whether this screen still makes sense; one that does not is closed."""
        return True

    def show(self, shown: Shown) -> None:
        """Draw this picture. A screen that is just closing has nothing left to draw on, and that is all right."""
        self._follow(shown.snapshot)
        for widget in self.walk_children():
            if isinstance(widget, Drawn | Entry):
                widget.show(shown)

    def _follow(self, now: Snapshot) -> None:
        """Keep what changed in the basket since the last picture; what its own command changes is known to who gave it."""
        stood = self._stood
        if stood is None:
            self._stood, self._priced = now, now.price_check
        elif stood is not now and not self._under_way:
            self._stood, told = now, self.grown
            self.grown = grown(stood, now, told)
            if self.grown is not None and self.grown is not told:
                self.has_grown()

    def has_grown(self) -> None:
        """Something came into the basket under the hands."""

    def _beside(self, shown: Shown, cells: int) -> list[Line]:
        """What a scan did: the line that it added and the new total, or the price that was asked for."""
        priced = shown.snapshot.price_check
        if priced is not None and priced != self._priced:
            return price_check(shown, cells)
        return grown_rows(shown, self.grown, cells, "●", "good")

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

    def give(self, command: AnyCommand) -> None:
        """Send the command that this screen is for. A key that is pressed twice gives it once; after a refusal it may be given again."""
        if not self._under_way:
            self._under_way = True
            self.counter.command(command, self)

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """What became of a command of this screen."""
        self._under_way = False

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

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close this screen, once, and no other. Textual's own takes away whatever is on top, and fails at the last one."""
        if self.app.screen is self and len(self.app.screen_stack) > 1:
            return super().dismiss(result)
        self.over = True
        return AwaitComplete()

    def stays(self, snapshot: Snapshot) -> bool:
        """Whether it is still to be shown: nobody closed it, and it makes sense."""
        return not self.over and self.fits(snapshot)

    def on_screen_resume(self) -> None:
        """Back in sight: what no longer makes sense goes at once."""
        shown = self.counter.picture
        if shown is not None and self.is_active and not self.stays(shown.snapshot):
            self.dismiss()
        self._redraw_keys()

    def on_mount(self) -> None:
        """Begin; one that was closed before anything was on it has nothing to begin with."""
        if self.children:
            self.opened()

    def opened(self) -> None:
        """Begin with the picture there is."""
        if self.counter.picture is not None:
            self.show(self.counter.picture)
            self.counter.listen()

    def on_key(self, event: events.Key) -> None:
        """Typing goes to the entry line wherever the focus is, or was when the key was pressed (a screen that was just opening has none)."""
        entry = self.entry
        if entry is not None and not entry.disabled and event.is_printable and event.character is not None:
            event.stop()
            entry.take(event.character)

    def _keys(self, shown: Shown, cells: int) -> list[Line]:
        return self._working(foot.keys(self.hints(shown), cells))

    def _working(self, keys: list[Line]) -> list[Line]:
        """The keys that work now: none of a screen that is under a box, which says its own; the room stays theirs."""
        stack = self.app.screen_stack
        over = stack[stack.index(self) + 1 :] if self in stack else []
        return keys if all(isinstance(screen, Pictured) and screen.keys_below for screen in over) else [BLANK] * len(keys)

    def _redraw_keys(self) -> None:
        for drawn in self.query("#keys").results(Drawn):
            drawn.redraw()

    def on_screen_suspend(self) -> None:
        """Something lies on it now."""
        self._redraw_keys()


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
        if self.tells_beside:
            yield Drawn(self._beside_indented, id="beside")
        yield Drawn(self._notice, id="notice")
        yield Drawn(self._keys, id="keys")
        yield Drawn(head.status, id="status", topic="status")

    def _notice(self, shown: Shown, cells: int) -> list[Line]:
        return foot.notice(shown, cells)

    def _beside_indented(self, shown: Shown, cells: int) -> list[Line]:
        return [indented(row, 1) for row in self._beside(shown, cells - 2)]

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """The function keys."""
        return key_line(shown)

    def action_leave(self) -> None:
        """Esc: the safe way out."""
        self.dismiss()


class Dialog(Pictured, ModalScreen[None]):
    """A decision in a box over the screen. Esc closes it and changes nothing; a refusal by the service is said inside."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("f1", "explain", show=False),
        Binding("f12", "panel", show=False),
    ]

    typed_stays: ClassVar[bool] = False
    """Whether what was typed is gone on with after a refusal (a note is); else the next key begins anew."""

    def __init__(self) -> None:
        super().__init__()
        self._problem: NoticeView | None = None
        self._sent = ""

    def box(self) -> Iterable[Widget]:
        """What is in the box."""
        return ()

    def compose(self) -> ComposeResult:
        """The box, with the keys at its foot."""
        self.size_up()
        with Vertical(id="box"):
            yield from self.box()
            if self.tells_beside:
                yield Drawn(self._beside, id="beside")
            yield Drawn(self._refusal, id="refusal")
            yield Drawn(self._keys, id="keys")

    def _keys(self, shown: Shown, cells: int) -> list[Line]:
        return self._working(foot.keys(self.hints(shown), cells, margin=0))

    def give(self, command: AnyCommand) -> None:
        """Send the command, made of what stands in the entry line."""
        self._sent = self.entry.value if self.entry is not None else ""
        super().give(command)

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """Close when it was carried out; else stay, with everything typed, and say why not."""
        super().answered(command, problem)
        if problem is None:
            self.dismiss()
            return
        self._refuse(problem, self._sent)

    def refuse(self, problem: NoticeView | None) -> None:
        """Say in the box why what is typed there will not do; None takes it back."""
        self._refuse(problem, self.entry.value if self.entry is not None else "")

    def _refuse(self, problem: NoticeView | None, typed: str) -> None:
        self._problem = problem
        self.query_one("#refusal", Drawn).redraw()
        if problem is not None and self.entry is not None and not self.typed_stays:
            self.entry.refused(typed)

    def refuse_with(self, key: str, **values: object) -> None:
        """Say a sentence of the catalogue in the box."""
        self.refuse_as(self.counter.words.maybe(key, key, **values))

    def refuse_as(self, sentence: str) -> None:
        """Say this in the box."""
        self.refuse(NoticeView("", "warn", sentence))

    def action_leave(self) -> None:
        """Esc: nothing is changed."""
        self.dismiss()

    def action_explain(self) -> None:
        """F1: what this is."""
        self.counter.act("help")

    def action_panel(self) -> None:
        """F12: the panel also plays while something is asked; that is when another card or scan is of interest."""
        self.counter.act("panel")

    def _refusal(self, shown: Shown, cells: int) -> list[Line]:
        if self._problem is None:
            return []
        text, hint = shown.told(self._problem)
        return [line(""), *wrapped(f"▲ {text}", cells, "warn"), *wrapped(hint, cells, "muted")]


def pictured(screen: Screen[Any]) -> Pictured | None:
    """The screen, when it is one of ours."""
    return screen if isinstance(screen, Pictured) else None
