"""A screen with a list to choose from, and an entry line that searches or narrows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message

from edge_agent.client import ApiProblem, ServiceUnreachable
from edge_agent.views import AnyCommand, NoticeView
from tui.acts import LIST_KEY_LINE, key_line
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line, indented, line, wrapped
from tui.screens.base import CounterScreen
from tui.shown import Shown
from tui.widgets.choices import Choices, Option
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry
from tui.work import aside

if TYPE_CHECKING:
    from textual.widget import Widget


class ListScreen(CounterScreen):
    """Type to search, up and down to choose, Enter to take.

    A subclass says what the rows are (``search``, run aside so that typing never waits for it) and what taking one does (``take``).
    """

    with_entry: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("enter", "accept", show=False),
    ]

    class Came(Message):
        """Rows for a typed text came (or why they did not)."""

        def __init__(self, text: str, options: Sequence[Option], note: str, problem: NoticeView | None = None) -> None:
            super().__init__()
            self.text = text
            self.options = options
            self.note = note
            self.problem = problem

    def __init__(self) -> None:
        super().__init__()
        self._note = ""
        self._accept_when_came = False
        self._waiting = False

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return ""

    def placeholder(self, shown: Shown) -> str:
        """What can be typed."""
        return ""

    def prompt(self, shown: Shown, cells: int) -> list[Line]:
        """What stands before the entry line."""
        return [line(" ", ("› ", "accent"))]

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """The rows for a typed text, and a note (where they come from, how old they are; or why there are none)."""
        return (), ""

    def take(self, option: str) -> None:
        """Enter on a row."""

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """Back to where it was called from when the row was taken."""
        super().answered(command, problem)
        if problem is None:
            self.dismiss()

    def body(self) -> Iterable[Widget]:
        """Heading, entry, rows, note."""
        yield Drawn(lambda shown, cells: [line(" ", (self.title_text(shown), "strong"))], id="title")
        if self.with_entry:
            yield Horizontal(Drawn(self.prompt, id="prompt"), Entry(id="entry", hint=self.placeholder), id="entering")
        yield Choices(id="choices")
        yield Drawn(self._noted, id="note")

    def opened(self) -> None:
        """Search for nothing typed."""
        super().opened()
        if self.entry is not None:
            self.entry.focus()
        self.look()

    def look(self) -> None:
        """Ask for the rows again."""
        self._waiting = True
        aside(self, partial(self._find, self.typed), "search")

    @property
    def typed(self) -> str:
        """What stands in the entry line."""
        return self.entry.value.strip() if self.entry else ""

    async def _find(self, text: str) -> None:
        try:
            options, note = await self.search(text)
        except ApiProblem as error:
            self.post_message(self.Came(text, (), "", self.counter.words.problem(error.problem)))
        except ServiceUnreachable:
            self.post_message(self.Came(text, (), self.counter.words("waiting.banner")))
        else:
            self.post_message(self.Came(text, options, note))

    def on_list_screen_came(self, event: Came) -> None:
        """Show the rows that fit what is typed now; others are too late."""
        if event.text != self.typed:
            return
        self._waiting = False
        if event.problem is not None:
            self.counter.say_notice(event.problem)
        self._note = event.note if event.options else ""
        kept = self.query_one(Choices).chosen
        self.query_one(Choices).offer(event.options, event.note, chosen=kept)
        self._follow_the_row()
        if self._accept_when_came:
            self._accept_when_came = False
            self.action_accept()

    @on(Entry.Changed)
    def typing(self) -> None:
        """Each key searches anew."""
        self.look()

    @on(Entry.Submitted)
    def action_accept(self) -> None:
        """Enter takes the marked row; rows still on their way are waited for."""
        if self._waiting:
            self._accept_when_came = True
            return
        chosen = self.query_one(Choices).chosen
        if chosen:
            self.take(chosen)

    @on(Choices.Clicked)
    def clicked(self) -> None:
        """A click takes too."""
        self.action_accept()

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self._accept_when_came = False
        self.query_one(Choices).move(by)
        self._follow_the_row()

    def action_page(self, by: int) -> None:
        """Page up and down."""
        choices = self.query_one(Choices)
        choices.move(by * choices.page())
        self._follow_the_row()

    @property
    def chosen(self) -> str:
        """The marked row; "" before there are any."""
        return next((choices.chosen for choices in self.query(Choices)), "")

    def _follow_the_row(self) -> None:
        """What is said of the marked row, and what Enter does with it, goes with the cursor."""
        self.query_one("#note", Drawn).redraw()
        self._redraw_keys()

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter, arrows, Esc, then the function keys."""
        own = [
            KeyHint("Enter", self.takes(shown), rank=0),
            KeyHint("↑↓", shown.words("key_does.choose"), rank=1),
            KeyHint("Esc", shown.words("key_does.back"), rank=0),
        ]
        return [*own, *self.more_hints(shown), *key_line(shown, LIST_KEY_LINE)]

    def takes(self, shown: Shown) -> str:
        """What Enter does here, in a word."""
        return shown.words("panel.do")

    def more_hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Keys of this screen only."""
        return ()

    def _noted(self, shown: Shown, cells: int) -> list[Line]:
        return [indented(row, 1) for row in wrapped(self._note, cells - 2, "muted")]
