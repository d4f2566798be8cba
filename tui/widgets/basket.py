"""The basket on the screen: scrolled so that the line that counts is in sight, with one line always chosen."""

from __future__ import annotations

from collections.abc import Sequence

from edge_agent.views import BasketView, LineView
from tui.drawing.basket import Row, basket_rows, empty_rows, order
from tui.drawing.line import Line
from tui.shown import Clock, Shown
from tui.widgets.drawn import Drawn

CHOICE_SECONDS = 4.0
"""So long after an arrow key the chosen line stays chosen, whatever is scanned: nothing moves under the hands."""


class Basket(Drawn):
    """The lines of the basket. The chosen line is the one that changed last, until an arrow key chooses another; beside a payment
    nothing is chosen."""

    def __init__(self, clock: Clock, *, chooses: bool = True, id: str | None = None) -> None:
        super().__init__(topic="basket" if chooses else "", id=id)
        self._chooses = chooses
        self._clock = clock
        self._chosen = ""
        self._changes: tuple[object, ...] = ()
        self._off_before: tuple[str, list[str]] = ("", [])
        self._newest_off = ""
        self._chosen_at: float | None = None
        self._top = 0
        self._rows = 0

    @property
    def chosen(self) -> LineView | None:
        """The line that Del, the quantity keys and a line's discount are for."""
        basket = self._basket
        return next((held for held in basket.lines if held.id == self._chosen), None) if basket else None

    @property
    def _basket(self) -> BasketView | None:
        return self._shown.snapshot.basket if self._shown else None

    def show(self, shown: Shown) -> None:
        """Show this picture; a change brings its line into view, unless a line was just chosen by hand."""
        if not self.is_attached:
            return
        self._follow(shown.snapshot.basket)
        super().show(shown)
        self._say_more(shown)

    def move(self, by: int) -> None:
        """Choose another line, ``by`` lines further down."""
        lines = order(self._basket)
        if not lines:
            return
        at = lines.index(self._chosen) if self._chosen in lines else len(lines) - 1
        self._chosen = lines[max(0, min(len(lines) - 1, at + by))]
        self._chosen_at = self._clock.monotonic()
        self._newest_off = ""
        self.redraw()
        if self._shown is not None:
            self._say_more(self._shown)

    def page(self) -> int:
        """How many lines a page is."""
        return max(1, self.content_size.height - 2)

    def let_go(self) -> bool:
        """Forget a choice by hand; False when there was none."""
        if self._chosen_at is None:
            return False
        self._chosen_at, self._newest_off = None, ""
        basket = self._basket
        self._chosen = basket.changed if basket and basket.changed else (order(basket) or [""])[-1]
        self.redraw()
        return True

    def _follow(self, basket: BasketView | None) -> None:
        lines = order(basket)
        changed = next((held for held in basket.lines if held.id == basket.changed), None) if basket else None
        changes: tuple[object, ...] = (basket.id, changed, len(lines)) if basket else ()
        self._follow_off(basket, new=changes != self._changes)
        held_by_hand = self._chosen_at is not None and self._clock.monotonic() - self._chosen_at <= CHOICE_SECONDS
        if changes != self._changes and not held_by_hand:
            self._chosen, self._chosen_at = (changed.id if changed else ""), None
        self._changes = changes
        if self._chosen not in lines:
            self._chosen, self._chosen_at = (lines[-1] if lines else ""), None

    def _follow_off(self, basket: BasketView | None, *, new: bool) -> None:
        """Keep which discount off the whole basket was just given: it is looked at until something else changes or is chosen."""
        of, before = self._off_before
        off = [given.id for given in basket.discounts] if basket else []
        came = [given for given in off if given not in before] if basket is not None and basket.id == of else []
        if came or new or self._newest_off not in off:
            self._newest_off = came[-1] if came else ""
        self._off_before = (basket.id if basket else "", off)

    def drawing(self, shown: Shown, cells: int) -> Sequence[Line]:
        """The rows that fit, with the chosen line among them."""
        height = self.content_size.height
        rows = basket_rows(shown, self._chosen if self._chooses else "", cells, self._newest_off)
        self._rows = len(rows)
        if not rows:
            self._top = 0
            return empty_rows(shown, cells, height)
        self._top = _scrolled(rows, self._newest_off or self._chosen, self._top, height)
        return [row.line for row in rows[self._top : self._top + height]]

    def _say_more(self, shown: Shown) -> None:
        below = self._rows - self._top - self.content_size.height
        parts = []
        if self._top > 0:
            parts.append(shown.words.count("basket.above", self._top))
        if below > 0:
            parts.append(shown.words.count("basket.below", below))
        more = " · ".join(parts)
        wide = self.screen.has_class("-wide")
        self.frame(self._title(shown) if wide else " " + " · ".join(part for part in (self._title(shown), more) if part) + " ", more if wide else "")

    def _title(self, shown: Shown) -> str:
        """The heading; it names the customer where nothing else has room to."""
        title, customer = shown.words("basket.title"), shown.snapshot.customer
        if self.screen.has_class("-narrow") and customer is not None:
            title = f"{title} · {shown.customer_name(customer.name)}"
        return title

    def on_resize(self) -> None:
        """Another height shows other rows."""
        self.redraw()


def _scrolled(rows: Sequence[Row], chosen: str, top: int, height: int) -> int:
    """The first row to draw, so that all rows of the chosen line (or discount) are in sight, moved no further than that takes."""
    of_chosen = [at for at, row in enumerate(rows) if row.of == chosen]
    top = max(0, min(top, len(rows) - height))
    if not of_chosen or height <= 0:
        return top
    if of_chosen[-1] >= top + height:
        top = of_chosen[-1] - height + 1
    return min(top, of_chosen[0])
