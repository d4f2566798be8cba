"""A question that loses something if answered wrongly, asked once; and the service's own questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from edge_agent.views import Answer, AnyCommand, QuestionView, RemoveLine, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, line, wrapped
from tui.screens.base import Dialog
from tui.shown import HANDS_SECONDS, Shown
from tui.widgets.choices import Choices, Option, text_row
from tui.widgets.drawn import Drawn

if TYPE_CHECKING:
    from textual.widget import Widget


class Confirm(Dialog):
    """Enter sends ``command``, Esc does nothing. For a line, Del confirms as well, and the box goes when the line does."""

    topic = "confirm"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "accept", show=False), Binding("delete", "accept_removal", show=False)]

    def __init__(self, text: str, command: AnyCommand, does: str) -> None:
        super().__init__()
        self._text = text
        self._command = command
        self._does = does

    def box(self) -> Iterable[Widget]:
        """The question."""
        yield Drawn(lambda shown, cells: wrapped(self._text, cells, "strong"))

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as there is a basket, and the line that it is about."""
        if isinstance(self._command, RemoveLine):
            wanted = self._command.line
            return snapshot.basket is not None and any(held.id == wanted for held in snapshot.basket.lines)
        return True

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter and Esc."""
        return [KeyHint("Enter", self._does, rank=0), KeyHint("Esc", shown.words("key_does.leave"), rank=0)]

    def action_accept(self) -> None:
        """Enter."""
        self.give(self._command)

    def action_accept_removal(self) -> None:
        """The second Del."""
        if isinstance(self._command, RemoveLine):
            self.action_accept()


class LeaveDialog(Dialog):
    """Leaving the screen while something is open: ``says`` is what becomes of it. Enter (or Ctrl+Q again) leaves, Esc stays."""

    topic = "leave"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "accept", show=False)]

    def __init__(self, says: str) -> None:
        super().__init__()
        self._says = says

    def box(self) -> Iterable[Widget]:
        """The question, and what becomes of the basket."""
        yield Drawn(lambda shown, cells: [line((shown.words("leave.title"), "strong")), BLANK, *wrapped(self._says, cells)])

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter and Esc."""
        return [KeyHint("Enter", shown.words("leave.do"), rank=0), KeyHint("Esc", shown.words("leave.stay"), rank=0)]

    def action_accept(self) -> None:
        """Enter."""
        self.app.exit()


class QuestionDialog(Dialog):
    """The service's question: the first answer is Enter's, the last (the safe one) Esc's, and each has a number."""

    topic = "question"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", show=False),
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        *(Binding(str(number), f"number({number})", show=False) for number in range(1, 10)),
    ]

    def __init__(self, question: QuestionView) -> None:
        super().__init__()
        self.question = question
        self._quiet_since = 0.0

    def box(self) -> Iterable[Widget]:
        """The question and its answers."""
        yield Drawn(self._asked)
        yield Choices(id="choices")

    def opened(self) -> None:
        """Offer the answers."""
        super().opened()
        self._quiet_since = self.counter.clock.monotonic()
        words = self.counter.words
        self.query_one(Choices).offer(
            [Option(answer, text_row(words.named("answer", answer), str(number))) for number, answer in enumerate(self.question.answers, 1)]
        )

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as it is the open question."""
        return snapshot.question is not None and snapshot.question.id == self.question.id

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter and Esc, and what Esc answers."""
        safe = shown.words.named("answer", self.question.answers[-1])
        return [KeyHint("Enter", shown.words("key_does.choose"), rank=0), KeyHint("Esc", safe, rank=0)]

    def _asked(self, shown: Shown, cells: int) -> list[Line]:
        key = self.question.key if self.question.key.startswith("question.") else f"question.{self.question.key}"
        values = {name: shown.customer_name(value) if name in ("new", "current") else value for name, value in self.question.shown.items()}
        text = shown.words.maybe(key, self.question.text, **values)
        return [*wrapped(text, cells, "strong"), BLANK, *self._changes(shown, cells)]

    def _changes(self, shown: Shown, cells: int) -> list[Line]:
        """What the first answer would change of the basket as it is now."""
        words, asked = shown.words, shown.snapshot.question
        if asked is None or asked.id != self.question.id or asked.total is None:
            return []
        before, after = asked.total.before, asked.total.after
        key = "question.total_stays" if before == after else "question.total_changes"
        rows = wrapped(words(key, before=before.text, after=after.text, currency=shown.snapshot.currency), cells)
        if asked.leaves:
            rows += wrapped(f"○ {words.count('question.cart_leaves', asked.leaves)}", cells, "pick")
        return [*rows, BLANK]

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self.query_one(Choices).move(by)

    def on_key(self, event: events.Key) -> None:
        """Somebody who goes on typing a code, or digits of it, answers nothing with it, nor with the Enter at its end."""
        is_number = event.character is not None and event.character in "123456789"[: len(self.question.answers)]
        if event.is_printable and not (is_number and self._rested):
            self._quiet_since = self.counter.clock.monotonic()

    def action_accept(self) -> None:
        """Enter takes the marked answer."""
        if self._rested:
            self._answer(self.query_one(Choices).chosen)

    def action_number(self, number: int) -> None:
        """A digit takes its answer."""
        if self._rested and number <= len(self.question.answers):
            self._answer(self.question.answers[number - 1])

    def action_leave(self) -> None:
        """Esc takes the safe answer, at once."""
        self._answer(self.question.answers[-1])

    @property
    def _rested(self) -> bool:
        """Whether the hands have rested since the question came."""
        return self.counter.clock.monotonic() - self._quiet_since >= HANDS_SECONDS

    def _answer(self, answer: str) -> None:
        self.give(Answer(self.question.id, answer))
