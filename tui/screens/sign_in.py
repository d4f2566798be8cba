"""Nobody sells yet: open a shift with a badge and the money that lies in the drawer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual import on
from textual.containers import Vertical

from edge_agent.views import AnyCommand, CheckBadge, ForgetBadge, NoticeView, OpeningView, OpenShift, Snapshot
from tui.acts import CLOSED_KEY_LINE, key_line
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, centred, line, wrapped
from tui.screens.base import CounterScreen
from tui.shown import Shown, money, no_money
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget

BADGE_REFUSED = ("code_unknown.badge", "code_unknown.badge_coming")


class ClosedScreen(CounterScreen):
    """The badge first, scanned or typed, then the float. The badge that was scanned last counts; a float that was typed already stays."""

    topic = "closed"

    def __init__(self) -> None:
        super().__init__()
        self._badge = ""
        self._opening: OpeningView | None = None
        self._float = ""
        self._said: NoticeView | None = None

    def body(self) -> Iterable[Widget]:
        """A box in the middle."""
        yield Vertical(Drawn(self._asked), Entry(id="value", hint=self._typing), id="box")

    def opened(self) -> None:
        """Type at once."""
        super().opened()
        self.query_one(Entry).focus()

    def fits(self, snapshot: Snapshot) -> bool:
        """Until a shift is open."""
        return snapshot.phase == "closed"

    def show(self, shown: Shown) -> None:
        """Draw this picture. A badge that was scanned since the last one, or is waited for no more, changes what is asked."""
        before, self._opening = self._opening, shown.snapshot.opening
        if self._opening is not None and self._opening != before:
            self._step(self._opening.badge)
        elif self._opening is None and before is not None and before.badge == self._badge:
            self._step("")
        super().show(shown)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter, and the keys that work without a shift."""
        own = [KeyHint("Enter", shown.words("key_does.next") if not self._badge else shown.words("closed.open"), rank=0)]
        if self._badge:
            own.append(KeyHint("Esc", shown.words("key_does.back"), rank=0))
        return [*own, *key_line(shown, CLOSED_KEY_LINE)]

    def _notice(self, shown: Shown, cells: int) -> list[Line]:
        """A scan cannot be sold yet; once a badge is known the float is what is missing. The service does not know of a badge that was typed."""
        held = shown.notice
        if self._badge and held is not None and held.key == "not_now.no_shift":
            shown = replace(shown, local=replace(held, key="not_now.float_first"))
        return super()._notice(shown, cells)

    def _typing(self, shown: Shown) -> str:
        return shown.words("closed.type_float") if self._badge else shown.words("closed.type_badge")

    def _asked(self, shown: Shown, cells: int) -> list[Line]:
        words = shown.words
        if not self._badge:
            return [centred(line((words("closed.title"), "strong")), cells), BLANK, *wrapped(words("closed.badge"), cells, "muted"), BLANK]
        currency, scanned = shown.snapshot.currency, shown.snapshot.opening
        if scanned is not None and scanned.badge == self._badge:
            text = words("closed.float_scanned", currency=currency, name=scanned.operator)
        else:
            text = words("closed.float", currency=currency, badge=self._badge)
        return [centred(line((words("closed.title_float"), "strong")), cells), BLANK, *wrapped(text, cells, "muted"), BLANK]

    @on(Entry.Submitted)
    def typed(self, event: Entry.Submitted) -> None:
        """Enter: from the badge to the float, then open."""
        text, shown = event.value.strip(), self.counter.picture
        if not self._badge:
            if text:
                self._step(text)
                self.counter.command(CheckBadge(self._badge), self)
            return
        minor = money(text or "0", shown.snapshot.digits) if shown else None
        if minor is None:
            if shown is not None:
                self._said = NoticeView("", "warn", no_money("closed.not_amount", shown, text))
                self.counter.say_notice(self._said)
                self.query_one(Entry).refused(event.value)
            return
        self._float = event.value
        self.counter.command(OpenShift(self._badge, minor), self)

    def action_leave(self) -> None:
        """Esc: back to the badge, at every counter that asks its holder for the float."""
        if self._opening is not None and self._opening.badge == self._badge:
            self.counter.command(ForgetBadge(self._badge), self)
        self._step("")

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """A badge that was refused is asked for again, at once: nobody counts a drawer for a badge that opens nothing."""
        if problem is None:
            return
        if isinstance(command, CheckBadge | OpenShift) and command.badge == self._badge and problem.key in BADGE_REFUSED:
            self._step("")
        elif isinstance(command, ForgetBadge) and self._opening is not None and not self._badge:
            self._step(self._opening.badge)  # the service waits for its float still
        elif isinstance(command, OpenShift):
            self.query_one(Entry).refused(self._float)

    def _step(self, badge: str) -> None:
        """Ask for the float of this badge's holder, or for a badge. What was typed is an answer to the one question only, and so is what was
        said of it."""
        if not (self._badge and badge):
            self.query_one(Entry).clear()
            if self._said is not None:
                self.counter.unsay(self._said)
        self._badge = badge[:64]
        self.redraw()
