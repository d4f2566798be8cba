"""The sale screen: the basket, the customer, the total; scan or type anything at any time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from edge_agent.views import AnyCommand, Enter, LineView, NextIsCheck, NextQuantity, NoticeView, SetQuantity, Snapshot
from tui.acts import CLOSED_KEY_LINE, key_line
from tui.drawing import customer, total
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line, line
from tui.drawing.stopped import stopped_panel
from tui.screens.base import CounterScreen
from tui.screens.quantity import QuantityDialog
from tui.shown import Shown
from tui.widgets.basket import Basket
from tui.widgets.drawn import Drawn
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget

_AMOUNT = r"(\d{1,4}|\d{1,3}[.,]?\d{0,3} ?kg|\d{1,6} ?g)"
_QUANTITY = re.compile(rf"(?:{_AMOUNT}\*)?{_AMOUNT}", re.IGNORECASE)
"""What may stand before ``*``: pieces, kilograms or grams; the service understands it and has the last word. One that it refused may stand
before the next try."""


def _is_key(character: str, value: str) -> bool:
    """At the beginning of the line, Q, + and - change the chosen line's quantity; ``*`` after a quantity is for the next article."""
    return (not value and character in "qQ+-*") or (character == "*" and _QUANTITY.fullmatch(value.strip()) is not None)


def _hint(shown: Shown) -> str:
    return shown.words("entry.price_placeholder" if shown.snapshot.next_is_check else "entry.placeholder")


class _Quantity:
    """A quantity on its way to the service: a refused one stands in the entry line again, before the code that it was typed for, and sells nothing."""

    def __init__(self, entry: Entry, taken: str) -> None:
        self._entry = entry
        self._taken = taken

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """The service took the quantity, or not."""
        if problem is None:
            self._entry.settle(self._taken)
        else:
            self._entry.give_back(self._taken)


class SaleScreen(CounterScreen):
    """The counter."""

    topic = "sale"
    tells_beside = False
    _of = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("delete", "app.act('remove')", show=False, priority=True),
        Binding("ctrl+r", "app.act('print')", show=False),
    ]

    def body(self) -> Iterable[Widget]:
        """Basket and customer, what is said above the total, the total, the entry line."""
        yield Horizontal(
            Basket(self.counter.clock, id="basket"),
            Drawn(customer.customer_panel, id="customer", topic="customer", heading=customer.customer_title),
            id="upper",
        )
        yield Drawn(stopped_panel, id="stopped")
        yield Drawn(customer.customer_fold, id="fold")
        yield Drawn(total.repriced, id="repriced")
        yield Drawn(total.price_check, id="check")
        yield Drawn(total.total, id="total")
        yield Horizontal(Drawn(self._prompt, id="prompt"), Entry(id="entry", shortcut=_is_key, empties=True, taking="*", hint=_hint), id="entering")

    def opened(self) -> None:
        """The entry line has the focus."""
        super().opened()
        self.query_one(Entry).focus()

    def show(self, shown: Shown) -> None:
        """Draw; a register that must not sell shows why instead."""
        self.set_class(shown.snapshot.phase == "stopped", "-stopped")
        basket = shown.snapshot.basket.id if shown.snapshot.basket else ""
        if (self._of and self._of != basket) or shown.snapshot.shift is None:
            for entry in self.query(Entry):
                entry.clear()  # it was typed for the customer who is gone
        self._of = basket
        super().show(shown)

    def fits(self, snapshot: Snapshot) -> bool:
        """It is always there."""
        return True

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """The function keys, and how to print what did not print."""
        if shown.snapshot.phase == "stopped":
            return key_line(shown, CLOSED_KEY_LINE)
        found = key_line(shown)
        sale = shown.snapshot.last_sale
        if shown.snapshot.basket is None and sale is not None and sale.print_state == "not_printed":
            found.insert(1, KeyHint(shown.words("key.ctrl+r"), shown.words("act.print"), rank=0))
        return found

    @property
    def focus_topic(self) -> str:
        """F1 explains typing once something is typed."""
        entry = self.query_one(Entry)
        if self.focused is entry:
            return "entry" if entry.value else "sale"
        return super().focus_topic

    @property
    def chosen(self) -> LineView | None:
        """The line that a key means."""
        return self.query_one(Basket).chosen

    def _prompt(self, shown: Shown, cells: int) -> list[Line]:
        if shown.snapshot.next_quantity:
            return [line(" ", (f"{shown.snapshot.next_quantity} × ", "accent"))]
        return [line(" ", ("? " if shown.snapshot.next_is_check else "› ", "accent"))]

    # --- keys --------------------------------------------------------------------------------------------------------------------

    def action_choose(self, by: int) -> None:
        """Up and down choose a line."""
        self.query_one(Basket).move(by)

    def action_page(self, by: int) -> None:
        """Page up and down too."""
        basket = self.query_one(Basket)
        basket.move(by * basket.page())

    def action_leave(self) -> None:
        """Esc takes back the last thing that is only half done."""
        entry, shown = self.query_one(Entry), self.counter.picture
        if entry.value:
            entry.clear()
        elif shown is not None and (shown.snapshot.next_quantity or entry.under_way):
            entry.clear()
            self.counter.command(NextQuantity(""))
        elif shown is not None and (shown.snapshot.next_is_check or shown.snapshot.price_check):
            self.counter.command(NextIsCheck(on=False))
        elif not self.query_one(Basket).let_go():
            entry.focus()

    @on(Entry.Submitted)
    def entered(self, event: Entry.Submitted) -> None:
        """Enter sends what was typed; it is understood like a scan."""
        text = event.value.strip()
        if text:
            self.counter.command(Enter(text))

    @on(Entry.Shortcut)
    def shortcut(self, event: Entry.Shortcut) -> None:
        """A key that changes a quantity."""
        if event.character == "*":
            if event.value:
                self.counter.command(NextQuantity(event.value), _Quantity(self.query_one(Entry), f"{event.value}*"))
            elif self.counter.picture is not None and self.counter.picture.snapshot.next_quantity:
                self.counter.command(NextQuantity(""))  # of nothing: the number that waits is forgotten
            return
        if event.character in "qQ":
            self.counter.act("quantity")
            return
        self._one_more(1 if event.character == "+" else -1)

    def _one_more(self, by: int) -> None:
        held = self.chosen
        if held is None:
            self.counter.say("refused.no_line")
        elif not held.quantity.isdecimal() and held.quantity:
            self.counter.lay(QuantityDialog(held))
        elif held.pieces + by < 1:
            self.counter.act("remove")
        else:
            self.counter.command(SetQuantity(held.id, str(held.pieces + by)))
