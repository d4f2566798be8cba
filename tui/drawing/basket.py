"""The basket's rows: what is in hand, then what is still to be picked, then what comes off the whole."""

from __future__ import annotations

from msgspec import Struct

from edge_agent.views import BasketView, DiscountView, LineView
from tui.drawing.line import BLANK, Line, Piece, apart, centred, line, wrapped
from tui.drawing.rows import reduction
from tui.shown import Shown

AMOUNT_CELLS = 11
ROOMY = 60
"""Columns from which quantity and unit price stand on the article's own line."""


class Row(Struct, frozen=True):
    """One drawn row and the basket line, or the discount off the whole basket, that it belongs to (``""`` for headings)."""

    line: Line
    of: str = ""


def basket_rows(shown: Shown, chosen: str, cells: int, newest_off: str = "") -> list[Row]:
    """Every row of the basket in ``cells`` columns; the chosen line is marked, the one that changed last stands out, and so does the discount off the
    whole basket that was just given (``newest_off``)."""
    basket = shown.snapshot.basket
    if basket is None or not (basket.lines or basket.discounts):
        return []
    rows: list[Row] = []
    for held in _sorted(basket, "in_hand"):
        rows += _line_rows(shown, basket, held, chosen, cells)
    picks = _sorted(basket, "to_pick")
    if picks:
        rows.append(Row(_heading(shown.words.count("basket.to_pick", basket.to_pick), cells)))
        for held in picks:
            rows += _line_rows(shown, basket, held, chosen, cells)
    if basket.discounts:
        rows.append(Row(_heading(shown.words("basket.whole"), cells)))
        rows += [Row(_discount(discount, cells, newest=discount.id == newest_off), discount.id) for discount in basket.discounts]
    return rows


def order(basket: BasketView | None) -> list[str]:
    """The ids of the lines in the order in which they are drawn."""
    return [held.id for held in (*_sorted(basket, "in_hand"), *_sorted(basket, "to_pick"))] if basket else []


def _sorted(basket: BasketView, state: str) -> list[LineView]:
    return [held for held in basket.lines if held.state == state]


def _heading(text: str, cells: int) -> Line:
    return apart(line("  ", (f"{text} ", "pick")), line((" ", "rule")), cells)


def _line_rows(shown: Shown, basket: BasketView, held: LineView, chosen: str, cells: int) -> list[Row]:
    is_chosen, is_changed = held.id == chosen, held.id == basket.changed
    fill = "chosen" if is_chosen else ""
    mark = Piece("›" if is_chosen else "▌" if is_changed else " ", "accent")
    to_pick = held.state == "to_pick"
    name = Piece(_name(held), "pick" if to_pick else "changed" if is_changed or is_chosen else "text")
    left = Line((mark, Piece(" ○ " if to_pick else " ", "pick"), *line(name).pieces), fill)
    rows = [Row(apart(left, _figures(shown, held, cells, is_changed), cells - 1), held.id)]
    under = _quantity(held) if held.quantity and cells < ROOMY else ""
    notes = [note for note in (under, *_notes(shown, held)) if note]
    rows += [Row(Line((*line("    ", (note, "muted")).pieces,), fill), held.id) for note in notes]
    rows += [Row(_discount(discount, cells, fill), held.id) for discount in held.discounts]
    return rows


def _name(held: LineView) -> str:
    return f"{held.name}, {held.variant}" if held.variant else held.name


def _quantity(held: LineView) -> str:
    if not held.quantity:
        return ""
    if held.quantity.endswith("kg"):
        return f"{held.quantity} × {held.unit_price.text}/kg"
    return f"{held.quantity} × {held.unit_price.text}"


def _figures(shown: Shown, held: LineView, cells: int, changed: bool) -> Line:
    """Quantity and amount; what is to be picked says so in words, because it is not in the total yet."""
    quantity = _quantity(held) if cells >= ROOMY else ""
    if held.state == "to_pick":
        count = quantity or (shown.words("basket.pieces", n=held.pieces) if held.pieces > 1 else "")
        return line((f"{count}  " if count else "", "muted"), (shown.words("basket.pick_it"), "pick"), (f"{f'({held.amount.text})':>{AMOUNT_CELLS}}", "muted"))
    return line((quantity, "muted"), (f"{held.gross.text:>{AMOUNT_CELLS}}", "strong" if changed else "text"), " ")


def _notes(shown: Shown, held: LineView) -> list[str]:
    words = shown.words
    notes = []
    if held.source in ("member", "online") and held.base_price.minor > held.unit_price.minor:
        per = "/kg" if held.quantity.endswith("kg") else ""  # beside the line's own amount, the other price is one of a kilogram
        notes.append(words(f"basket.price_{held.source}", before=f"{held.base_price.text}{per}"))
    elif held.source == "code" and held.base_price.minor != held.unit_price.minor:
        notes.append(words("basket.price_code_before", before=held.base_price.text))
    elif held.source in ("code", "keyed"):
        notes.append(words(f"basket.price_{held.source}"))
    if held.label:
        notes.append(words("basket.pieces", n=held.label) if held.label.isdecimal() else held.label)
    expiry = words.dated(held.expiry, shown.now_ms, shown.snapshot.timezone)
    notes += [words(f"basket.{name}", said=said) for name, said in (("batch", held.batch), ("expiry", expiry), ("serial", held.serial)) if said]
    return notes


def _discount(discount: DiscountView, cells: int, fill: str = "", *, newest: bool = False) -> Line:
    left = Line(line(("▌   " if newest else "    ", "accent"), (reduction(discount), "off")).pieces, fill)
    return apart(left, line((f"{discount.amount.text:>{AMOUNT_CELLS}}", "off"), " "), cells - 1)


def empty_rows(shown: Shown, cells: int, height: int) -> list[Line]:
    """What stands where no basket is: what one can do now."""
    words = shown.words
    hints = [
        *wrapped(words("empty.scan"), cells - 4, "strong"),
        BLANK,
        line(("F4", "key"), f" {words('empty.find')}   ", ("F3", "key"), f" {words('empty.customer')}"),
    ]
    waiting = len(shown.snapshot.suspended) + len(shown.snapshot.parked)
    if waiting:
        hints.append(line(("F7", "key"), f" {words.count('empty.recall', waiting)}"))
    above = max(0, (height - len(hints)) // 2)
    return [BLANK] * above + [centred(hint, cells) for hint in hints]
