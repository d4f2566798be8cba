"""A line typed by department and price, because its code is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from edge_agent.client import ApiProblem, ServiceUnreachable
from edge_agent.views import AddDepartment, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, apart, line, wrapped
from tui.screens.base import Dialog
from tui.shown import Shown, money, no_money
from tui.widgets.choices import Choices, Option, text_row
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry
from tui.work import aside

if TYPE_CHECKING:
    from textual.widget import Widget


class DepartmentDialog(Dialog):
    """First the price, then the department; ``code`` is what was scanned and not known, kept with the line."""

    topic = "department"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("enter", "accept", show=False),
    ]

    class Came(Message):
        """The departments, or a sentence why not."""

        def __init__(self, departments: list[str], why: str = "") -> None:
            super().__init__()
            self.departments = departments
            self.why = why

    def __init__(self, code: str) -> None:
        super().__init__()
        self._code = code
        self._minor = 0
        self._departments: list[str] = []

    def box(self) -> Iterable[Widget]:
        """Heading, departments, entry."""
        yield Drawn(self._heading)
        yield Choices(id="choices")
        yield Entry(id="value", hint=self._typing)

    def opened(self) -> None:
        """Begin with the price; the departments are asked for meanwhile."""
        super().opened()
        self.query_one(Choices).display = False
        self.query_one(Entry).focus()
        aside(self, self._ask, "departments")

    async def _ask(self) -> None:
        words = self.counter.words
        try:
            self.post_message(self.Came(await self.counter.client.departments()))
        except ApiProblem as error:
            self.post_message(self.Came([], words.notice(words.problem(error.problem))[0]))
        except ServiceUnreachable:
            self.post_message(self.Came([], words("waiting.banner")))

    def on_department_dialog_came(self, event: Came) -> None:
        """Keep them for the second step."""
        self._departments = event.departments
        self.query_one(Choices).offer([Option(name, text_row(self.counter.words.named("department", name))) for name in event.departments], event.why)

    def fits(self, snapshot: Snapshot) -> bool:
        """While something can be sold."""
        return snapshot.phase in ("ready", "selling")

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """What each step offers."""
        words = shown.words
        if not self._minor:
            return [KeyHint("Enter", words("key_does.next"), rank=0), KeyHint("Esc", words("key_does.leave"), rank=0)]
        return [KeyHint("Enter", words("find.sell"), rank=0), KeyHint("↑↓", words("key_does.choose"), rank=0), KeyHint("Esc", words("key_does.back"), rank=0)]

    def _heading(self, shown: Shown, cells: int) -> list[Line]:
        words = shown.words
        rows = [line((words("department.title"), "strong"))]
        if self._code:
            rows.append(line((words("department.for_code", code=self._code), "muted")))
        if self._minor:
            amount = shown.amount(self._minor)
            rows.append(apart(line(words("department.which")), line((f"{amount} {shown.snapshot.currency}", "strong")), cells))
            rows += wrapped(words("department.name"), cells, "muted")
        else:
            rows += wrapped(words("department.how"), cells, "muted")
        return [*rows, BLANK]

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self.query_one(Choices).move(by)

    @on(Choices.Clicked)
    @on(Entry.Submitted)
    def action_accept(self) -> None:
        """Enter: to the department, then to the service."""
        entry, choices, shown = self.query_one(Entry), self.query_one(Choices), self.counter.picture
        if shown is None:
            return
        if not self._minor:
            minor = money(entry.value, shown.snapshot.digits)
            if not minor:
                self.refuse_as(no_money("department.not_price", shown, entry.value))
                return
            self._step(minor, "")
            return
        if choices.chosen:
            self.give(AddDepartment(choices.chosen, self._minor, name=entry.value.strip(), code=self._code))

    def action_leave(self) -> None:
        """Esc: back to the price, then out."""
        shown = self.counter.picture
        if not self._minor or shown is None:
            self.dismiss()
            return
        self._step(0, shown.typed_amount(self._minor))

    def _typing(self, shown: Shown) -> str:
        return shown.words("department.name_placeholder") if self._minor else shown.words("department.price")

    def _step(self, minor: int, value: str) -> None:
        self._minor = minor
        self.refuse(None)
        entry, choices = self.query_one(Entry), self.query_one(Choices)
        choices.display = bool(minor)
        entry.value = value
        self.redraw()
