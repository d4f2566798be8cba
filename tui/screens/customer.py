"""The customer on a page of their own, with what the shop wrote down about them on request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from edge_agent.client import ApiProblem, ServiceUnreachable
from edge_agent.views import Snapshot
from tui.acts import LIST_KEY_LINE, key_line
from tui.drawing.customer import customer_page
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line
from tui.screens.base import CounterScreen
from tui.shown import Shown
from tui.widgets.drawn import Drawn
from tui.work import aside

if TYPE_CHECKING:
    from textual.widget import Widget


class CustomerScreen(CounterScreen):
    """Everything about who stands here. N shows the notes: never by themselves, because the customer may be reading."""

    topic = "customer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,N", "notes", show=False),
        Binding("h,H", "app.act('hide_name')", show=False),
        Binding("k,K", "app.act('detach')", show=False),
        Binding("s,S", "app.act('find_customer')", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
    ]

    class Notes(Message):
        """The notes came, or None with a sentence why not."""

        def __init__(self, customer: str, notes: list[str] | None, why: str = "") -> None:
            super().__init__()
            self.customer = customer
            self.notes = notes
            self.why = why

    def __init__(self) -> None:
        super().__init__()
        self._notes: list[str] | None = None
        self._of = ""

    def body(self) -> Iterable[Widget]:
        """One page, scrolled when it is long."""
        yield VerticalScroll(Drawn(self._page, id="page"), id="scroll")

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as somebody stands here, and it is the same."""
        return snapshot.customer is not None and (not self._of or snapshot.customer.id == self._of)

    def show(self, shown: Shown) -> None:
        """Draw."""
        if shown.snapshot.customer is not None:
            self._of = shown.snapshot.customer.id
        super().show(shown)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """The page's own keys, then the function keys."""
        words = shown.words
        notes = words("customer.hide_notes") if self._notes is not None else words("customer.show_notes")
        hide = words("customer.show_name") if shown.name_hidden else words("act.hide_name")
        own = [
            KeyHint("N", notes, rank=0),
            KeyHint("H", hide, rank=0),
            KeyHint("K", words("act.detach"), rank=0),
            KeyHint("S", words("customer.another"), rank=0),
        ]
        return [*own, KeyHint("Esc", words("key_does.back"), rank=0), *key_line(shown, LIST_KEY_LINE)]

    def _page(self, shown: Shown, cells: int) -> list[Line]:
        return customer_page(shown, self._notes, cells)

    def action_scroll(self, by: int) -> None:
        """Up and down."""
        self.query_one("#scroll").scroll_relative(y=by, animate=False)

    def action_notes(self) -> None:
        """N shows the notes, and hides them again."""
        if self._notes is not None:
            self._notes = None
            self.redraw()
        elif self._of:
            aside(self, partial(self._ask, self._of), "notes")

    async def _ask(self, customer: str) -> None:
        words = self.counter.words
        try:
            found = await self.counter.client.customer_notes(customer)
        except ApiProblem as error:
            self.post_message(self.Notes(customer, None, words.notice(words.problem(error.problem))[0]))
        except ServiceUnreachable:
            self.post_message(self.Notes(customer, None, words("waiting.banner")))
        else:
            self.post_message(self.Notes(customer, found.notes))

    def on_customer_screen_notes(self, event: Notes) -> None:
        """Show them, when it is still the same customer."""
        if event.customer != self._of:
            return
        if event.notes is None:
            self.counter.say("customer.notes_failed", why=event.why)
            return
        self._notes = event.notes
        self.redraw()
