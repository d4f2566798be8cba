"""Money off: how much, off what, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from edge_agent.views import DiscountBasket, DiscountLine, LineView, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, apart, line, wrapped
from tui.screens.base import Dialog
from tui.screens.reasons import REASON_CHARS_MAX
from tui.shown import Shown, money
from tui.widgets.choices import Choices, Option, text_row
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget

REASONS = ("discount_reason.damaged", "discount_reason.price_promise", "discount_reason.display", "discount_reason.staff", "discount_reason.goodwill")
_PERCENT = re.compile(r"(\d{1,3})(?:[.,](\d{1,3}))? ?%")


def percent_milli(text: str) -> int | None:
    """A typed percentage in thousandths of a per cent, or None when it is not one.

    >>> percent_milli("20%"), percent_milli("7,5 %"), percent_milli("120 %"), percent_milli("20")
    (20000, 7500, None, None)
    """
    found = _PERCENT.fullmatch(text.strip())
    milli = int(found[1] + (found[2] or "").ljust(3, "0")) if found else 0
    return milli if 0 < milli <= 100_000 else None


class DiscountDialog(Dialog):
    """First the value (``20%`` or an amount; Tab changes between the line and the whole basket), then the reason."""

    topic = "discount"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "target", show=False, priority=True),
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("enter", "accept", show=False),
    ]

    def __init__(self, held: LineView | None, basket: str) -> None:
        super().__init__()
        self._held = held
        self._basket = basket
        self._whole = held is None
        self._value = ""

    def box(self) -> Iterable[Widget]:
        """Target, value, reasons."""
        yield Drawn(self._heading)
        yield Choices(id="choices")
        yield Entry(id="value", hint=self._typing)

    def on_mount(self) -> None:
        """Begin with the value."""
        super().on_mount()
        self.query_one(Choices).display = False
        self.query_one(Entry).focus()

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as the basket, and the line, are there."""
        if snapshot.basket is None or snapshot.basket.id != self._basket:
            return False
        return self._held is None or any(held.id == self._held.id for held in snapshot.basket.lines)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """What each step offers."""
        words = shown.words
        found = [KeyHint("Enter", words("key_does.accept") if self._value else words("key_does.next"), rank=0)]
        if self._value:
            found.append(KeyHint("↑↓", words("key_does.choose"), rank=0))
        elif self._held is not None:
            found.append(KeyHint("Tab", words("discount.to_line") if self._whole else words("discount.to_basket"), rank=0))
        return [*found, KeyHint("Esc", words("key_does.back") if self._value else words("key_does.leave"), rank=0)]

    def _typing(self, shown: Shown) -> str:
        return shown.words("reason.other") if self._value else shown.words("discount.value")

    def _heading(self, shown: Shown, cells: int) -> list[Line]:
        words = shown.words
        target = words("discount.whole") if self._whole or self._held is None else _name(self._held)
        rows = [line((words("discount.title"), "strong")), apart(line(("› ", "accent"), target), line((self._value, "strong")), cells)]
        rows += wrapped(words("discount.reason") if self._value else words("discount.how"), cells, "muted")
        return [*rows, BLANK]

    def action_target(self) -> None:
        """Tab: the line or the whole basket."""
        if self._held is not None and not self._value:
            self._whole = not self._whole
            self.redraw()

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self.query_one(Choices).move(by)

    @on(Choices.Clicked)
    @on(Entry.Submitted)
    def action_accept(self) -> None:
        """Enter: to the reason, then to the service."""
        entry, choices = self.query_one(Entry), self.query_one(Choices)
        if not self._value:
            self._to_reason(entry.value.strip())
            return
        reason = (entry.value.strip() or choices.chosen)[:REASON_CHARS_MAX]
        shown = self.counter.picture
        if not reason or shown is None:
            return
        milli = percent_milli(self._value)
        minor = None if milli else money(self._value, shown.snapshot.digits)
        if self._whole or self._held is None:
            self.counter.command(DiscountBasket(reason, percent_milli=milli, amount_minor=minor), self)
        else:
            self.counter.command(DiscountLine(self._held.id, reason, percent_milli=milli, amount_minor=minor), self)

    def _to_reason(self, value: str) -> None:
        shown = self.counter.picture
        if shown is None or not (percent_milli(value) or money(value, shown.snapshot.digits)):
            self.refuse_with("discount.not_value")
            return
        self._value = value
        self.refuse(None)
        words, choices, entry = shown.words, self.query_one(Choices), self.query_one(Entry)
        choices.display = True
        choices.offer([Option(text, text_row(text)) for text in (words.maybe(key, key) for key in REASONS)])
        entry.clear()
        self.redraw()

    def action_leave(self) -> None:
        """Esc: back to the value, then out."""
        if not self._value:
            self.dismiss()
            return
        self.query_one(Entry).value = self._value
        self._value = ""
        self.query_one(Choices).display = False
        self.redraw()


def _name(held: LineView) -> str:
    return f"{held.name}, {held.variant}" if held.variant else held.name
