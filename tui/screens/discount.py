"""Money off: how much, off what, and why; and money off that was given by mistake, taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from edge_agent.views import AnyCommand, DiscountBasket, DiscountLine, DiscountView, LineView, NoticeView, RemoveDiscount, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, apart, line, wrapped
from tui.drawing.rows import discount_row
from tui.messages import Words
from tui.screens.base import Dialog
from tui.screens.confirm import Confirm
from tui.screens.reasons import REASON_CHARS_MAX, in_words
from tui.shown import Shown, money, no_money
from tui.widgets.choices import Choices, Option, row_of, text_row
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


def takes_off(left: int, milli: int | None, minor: int | None) -> int:
    """What a share or an amount would take off ``left`` minor units.

    >>> takes_off(995, 99_950, None), takes_off(500, None, 700)
    (995, 700)
    """
    return (left * milli + 50_000) // 100_000 if milli else minor or 0


class DiscountDialog(Dialog):
    """First the value (``20%`` or an amount; Tab changes between the line and the whole basket), then the reason.

    While nothing is typed, what was given already stands there: Del takes it off again, after asking.
    """

    topic = "discount"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "target", show=False, priority=True),
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("enter", "accept", show=False),
        Binding("delete", "take_off", show=False, priority=True),
    ]

    def __init__(self, held: LineView | None, basket: str) -> None:
        super().__init__()
        self._held = held
        self._basket = basket
        self._whole = held is None
        self._value = ""
        self._asked = ""
        self._gone: DiscountView | None = None

    def box(self) -> Iterable[Widget]:
        """Target, value, reasons."""
        yield Drawn(self._heading)
        yield Choices(id="choices")
        yield Entry(id="value", hint=self._typing)

    def opened(self) -> None:
        """Begin with the value."""
        super().opened()
        self.query_one(Entry).focus()

    def show(self, shown: Shown) -> None:
        """Draw; what was given may have changed meanwhile."""
        super().show(shown)
        if not self._value:
            self._offer_given(shown)

    def _offer_given(self, shown: Shown) -> None:
        given = self._given(shown.snapshot)
        for choices in self.query(Choices):  # none yet in a box that is just opening
            choices.display = bool(given)
            choices.offer([Option(discount.id, row_of(discount_row, discount)) for discount in given], chosen=choices.chosen)

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as the basket, and the line, are there."""
        if snapshot.basket is None or snapshot.basket.id != self._basket:
            return False
        return self._held is None or any(held.id == self._held.id for held in snapshot.basket.lines)

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """What each step offers."""
        words = shown.words
        found = [KeyHint("Enter", words("discount.do") if self._value else words("key_does.next"), rank=0)]
        if self._marked is not None:
            found += [KeyHint(words("key.delete"), words("discount.take_off"), rank=0), KeyHint("↑↓", words("key_does.choose"), rank=1)]
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
        taken = line((self._taken(shown), "off")) if self._value else line()
        rows = [line((words("discount.title"), "strong")), apart(line(("› ", "accent"), target), taken, cells)]
        rows += wrapped(words("discount.reason") if self._value else words("discount.how", amount=shown.amount(5 * 10**shown.snapshot.digits)), cells, "muted")
        given = not self._value and self._given(shown.snapshot)
        return [*rows, BLANK, *(wrapped(words("discount.given"), cells, "muted") if given else [])]

    def _taken(self, shown: Shown) -> str:
        """What the typed value takes off, before it is given: a share as such and as an amount, an amount with its currency."""
        milli = percent_milli(self._value)
        off = takes_off(self._left(shown.snapshot), milli, None if milli else money(self._value, shown.snapshot.digits))
        amount = f"−{shown.amount(off)} {shown.snapshot.currency}"
        if not milli:
            return amount
        whole, part = divmod(milli, 1000)
        share = f"{whole}{shown.snapshot.decimal}{part:03}".rstrip("0") if part else str(whole)
        return f"−{share} %  {amount}"

    # --- what it is about --------------------------------------------------------------------------------------------------------

    def _line(self, snapshot: Snapshot) -> LineView | None:
        """The line as it is now; None when it is about the whole basket."""
        if self._whole or self._held is None or snapshot.basket is None:
            return None
        return next((held for held in snapshot.basket.lines if held.id == self._held.id), None)

    def _given(self, snapshot: Snapshot) -> list[DiscountView]:
        about = self._line(snapshot) or snapshot.basket
        return about.discounts if about is not None else []

    def _left(self, snapshot: Snapshot) -> int:
        """What there is to take something off."""
        held = self._line(snapshot)
        if held is not None:
            return held.amount.minor
        return snapshot.basket.subtotal.minor + sum(given.amount.minor for given in snapshot.basket.discounts) if snapshot.basket else 0

    @property
    def _marked(self) -> DiscountView | None:
        """The given discount that Del takes off; None once something is typed."""
        shown = self.counter.picture
        if shown is None or self._value or any(entry.value.strip() for entry in self.query(Entry)):
            return None
        chosen = [choices.chosen for choices in self.query(Choices)]
        return next((given for given in self._given(shown.snapshot) if given.id in chosen), None)

    # --- keys --------------------------------------------------------------------------------------------------------------------

    @on(Entry.Changed)
    def typing(self) -> None:
        """Enter means something else once something is typed."""
        self.redraw()

    def action_target(self) -> None:
        """Tab: the line or the whole basket."""
        if self._held is not None and not self._value:
            self._whole, self._asked = not self._whole, ""
            self.refuse(None)
            if self.counter.picture is not None:
                self._offer_given(self.counter.picture)
            self.redraw()

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self.query_one(Choices).move(by)

    @on(Choices.Clicked)
    def clicked(self) -> None:
        """A click takes a reason; a given discount it only marks."""
        if self._value:
            self.action_accept()

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
        if not in_words(reason):
            self.refuse_with("reason.words")
            return
        milli = percent_milli(self._value)
        minor = None if milli else money(self._value, shown.snapshot.digits)
        if self._whole or self._held is None:
            self.give(DiscountBasket(reason, percent_milli=milli, amount_minor=minor))
        else:
            self.give(DiscountLine(self._held.id, reason, percent_milli=milli, amount_minor=minor))

    def _to_reason(self, value: str) -> None:
        shown = self.counter.picture
        if shown is None:
            return
        milli, minor, left = percent_milli(value), money(value, shown.snapshot.digits), self._left(shown.snapshot)
        if not (milli or minor):
            self.refuse_as(no_money("discount.not_value", shown, value))
            return
        if not milli and minor and minor > left:
            self.refuse_with("discount.at_most", most=shown.amount(left))
            return
        if 0 < left <= takes_off(left, milli, minor) and self._asked != value:
            self._asked = value
            self.refuse_with("discount.ask_again", amount=shown.amount(left))
            return
        self._value = value
        self.refuse(None)
        words, choices, entry = shown.words, self.query_one(Choices), self.query_one(Entry)
        choices.display = True
        choices.offer([Option(text, text_row(text)) for text in (words.maybe(key, key) for key in REASONS)])
        entry.clear()
        self.redraw()

    def action_take_off(self) -> None:
        """Del: the marked discount, after asking; in typed text, what stands right of the cursor."""
        if self._marked is not None:
            self.counter.lay(TakeOff(self.counter.words, self._marked, self._take_off))
        else:
            self.query_one(Entry).action_delete_right()

    def _take_off(self, given: DiscountView) -> None:
        """Have it taken off; the answer comes here."""
        if self._gone is None:
            self._gone = given
            self.give(RemoveDiscount(given.id))

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """Say what was taken off; a refusal may be tried again."""
        gone, self._gone = self._gone, None
        super().answered(command, problem)
        if gone is not None and problem is None:
            said = self.counter.words("discount.taken_off", reason=gone.reason, amount=gone.amount.text.lstrip("-−"))
            self.counter.say_notice(NoticeView("", "info", said))

    def action_leave(self) -> None:
        """Esc: back to the value, then out."""
        if not self._value:
            self.dismiss()
            return
        self.query_one(Entry).value = self._value
        self._value = self._asked = ""
        if self.counter.picture is not None:
            self._offer_given(self.counter.picture)
        self.redraw()


class TakeOff(Confirm):
    """Whether a discount that was given is to be taken off: Enter, or Del again, has ``take_off`` do it."""

    def __init__(self, words: Words, given: DiscountView, take_off: Callable[[DiscountView], None]) -> None:
        text = words("discount.take_off_asked", reason=given.reason, amount=given.amount.text.lstrip("-−"))
        super().__init__(text, RemoveDiscount(given.id), words("discount.take_off"))
        self._given = given
        self._take_off = take_off

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as the discount is there."""
        basket = snapshot.basket
        given = [*basket.discounts, *(discount for held in basket.lines for discount in held.discounts)] if basket is not None else []
        return any(self._given.id == discount.id for discount in given)

    def action_accept(self) -> None:
        """Enter."""
        self.dismiss()
        self._take_off(self._given)

    def action_accept_removal(self) -> None:
        """The second Del."""
        self.action_accept()


def _name(held: LineView) -> str:
    return f"{held.name}, {held.variant}" if held.variant else held.name
