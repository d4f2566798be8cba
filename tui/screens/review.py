"""What no query could settle: a person looks at the terminal's own list and says whether the money moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from edge_agent.views import AttemptView, ReviewPayment, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, line, wrapped
from tui.screens.base import Dialog
from tui.shown import Shown
from tui.widgets.choices import Choices, Option, text_row
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget


class ReviewDialog(Dialog):
    """Whether the terminal's list shows the payment, and a note of what it showed. The note is required; nothing is preselected for money moved."""

    topic = "card_review"
    typed_stays = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("enter", "accept", show=False),
    ]

    def __init__(self, attempt: AttemptView) -> None:
        super().__init__()
        self._attempt = attempt

    def box(self) -> Iterable[Widget]:
        """What to look for, the two answers, the note."""
        yield Drawn(self._heading)
        yield Choices(id="choices")
        yield Entry(id="value", hint=lambda shown: shown.words("review.note"))

    def opened(self) -> None:
        """Offer the two answers, the one that takes no money first."""
        super().opened()
        words = self.counter.words
        self.query_one(Choices).offer([Option("no", text_row(words("review.not_moved"))), Option("yes", text_row(words("review.moved")))])
        self.query_one(Entry).focus()

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as nobody and nothing settled it."""
        attempt = snapshot.payment.attempt if snapshot.payment else None
        return attempt is not None and attempt.id == self._attempt.id and attempt.state == "needs_review"

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter, arrows, Esc."""
        words = shown.words
        return [
            KeyHint("Enter", words("review.do"), rank=0),
            KeyHint("↑↓", words("key_does.choose"), rank=0),
            KeyHint("Esc", words("key_does.leave"), rank=0),
        ]

    def _heading(self, shown: Shown, cells: int) -> list[Line]:
        words, payment = shown.words, shown.snapshot.payment
        attempt = payment.attempt if payment is not None and payment.attempt is not None else self._attempt  # it may be told more meanwhile
        when = words.when(attempt.since_ms, shown.now_ms, shown.snapshot.timezone)
        amount = f"{attempt.amount.text} {shown.snapshot.currency}"
        text = words("review.look", terminal=attempt.terminal, amount=amount, when=when)
        rows = [line((words("review.title"), "strong")), BLANK, *wrapped(text, cells)]
        if attempt.reported:
            rows += [BLANK, *wrapped(words("review.reported", reported=attempt.reported, amount=amount), cells, "warn")]
        return [*rows, BLANK]

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self.query_one(Choices).move(by)

    @on(Entry.Submitted)
    def action_accept(self) -> None:
        """Enter decides, once a note says what was seen."""
        note = self.query_one(Entry).value.strip()
        if not note:
            self.refuse_with("review.needs_note")
            return
        self.give(ReviewPayment(self._attempt.id, self.query_one(Choices).chosen == "yes", note[:80]))
