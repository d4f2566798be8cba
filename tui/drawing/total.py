"""The largest things on the screen: the total, the rest, the change; and above them what a price check or a member's card says."""

from __future__ import annotations

from edge_agent.views import Amount, SaleView
from tui.drawing.digits import ROWS, large
from tui.drawing.line import BLANK, Line, apart, joined, line
from tui.shown import Shown

LOW_ROWS = 20
"""A terminal lower than this has no room for large digits."""
NARROW = 70
LEFT_CELLS_MIN = 16
"""What stays for the words beside a large figure, with the gaps."""


def total(shown: Shown, cells: int) -> list[Line]:
    """Three rows: what the basket holds at the left, what is due large at the right; the change of the last sale until another is begun."""
    snapshot, words = shown.snapshot, shown.words
    if snapshot.basket is not None:
        paid = snapshot.payment is not None and bool(snapshot.payment.paid.minor)
        label = words("total.rest") if paid else words("total.total")
        return _block(shown, _basket_says(shown, cells), label, shown.due or snapshot.basket.total, cells)
    if snapshot.last_sale is not None and snapshot.last_sale.past:
        return _beside(_sale_says(shown, snapshot.last_sale), [], cells)
    if snapshot.last_sale is not None:
        return _block(shown, _sale_says(shown, snapshot.last_sale), *_sale_figure(shown, snapshot.last_sale), cells)
    return _beside([line(" ", row) for row in _aside(shown)], [], cells)


def figure(shown: Shown, label: str, amount: Amount, cells: int) -> list[Line]:
    """One amount with its label and currency, large when the terminal can and it fits; three rows or one."""
    currency, role = shown.snapshot.currency, "large"
    rows = large(amount.text) if shown.glyphs.large and shown.rows >= LOW_ROWS else None
    if rows is None or len(rows[0]) + len(label) + len(currency) + LEFT_CELLS_MIN > cells:
        return [line((f"{label}  ", "muted"), (f"{amount.text} {currency}", role), " ")]
    gap = " " * len(label)
    return [
        line((f"{label}  ", "muted"), (rows[0], role), " " * (len(currency) + 2)),
        line((f"{gap}  ", "muted"), (rows[1], role), " " * (len(currency) + 2)),
        line((f"{gap}  ", "muted"), (rows[2], role), (f" {currency} ", "muted")),
    ]


def _block(shown: Shown, left: list[Line], label: str, amount: Amount, cells: int) -> list[Line]:
    return _beside(left, figure(shown, label, amount, cells), cells)


def _beside(left: list[Line], right: list[Line], cells: int) -> list[Line]:
    """Two columns, at least as high as the right one; what does not fit at the left is left out."""
    height = max(len(right), 1 if not left else min(len(left), ROWS))
    rows = []
    for at in range(height):
        start = left[at] if at < len(left) else BLANK
        rows.append(apart(start, right[at] if at < len(right) else BLANK, cells))
    return rows


def _basket_says(shown: Shown, cells: int) -> list[Line]:
    basket, words = shown.snapshot.basket, shown.words
    assert basket is not None
    tax = words("total.tax_in", tax=basket.tax.text) if basket.tax_included else words("total.tax_on", subtotal=basket.subtotal.text, tax=basket.tax.text)
    articles = words.count("total.articles", basket.articles)
    rows = [line(" ", articles, (f" · {tax}", "muted"))] if cells >= NARROW else [line(" ", articles), line(" ", (tax, "muted"))]
    if basket.to_pick:
        rows.append(line(" ", ("○ ", "pick"), (words.count("total.to_pick", basket.to_pick), "pick")))
    payment = shown.snapshot.payment
    if payment is not None and payment.paid.minor:
        rows.append(line(" ", (words("total.paid", total=basket.total.text, paid=payment.paid.text), "muted")))
    return _three([*rows, *(line(" ", row) for row in _aside(shown))])


def _three(rows: list[Line]) -> list[Line]:
    """At most as many rows as the figure beside them has, the last ones side by side."""
    return rows if len(rows) <= ROWS else [*rows[: ROWS - 1], joined(rows[ROWS - 1 :], " ·")]


def _aside(shown: Shown) -> list[tuple[str, str]]:
    snapshot, words = shown.snapshot, shown.words
    parts = []
    if snapshot.suspended:
        parts.append(words.count("total.suspended", len(snapshot.suspended)))
    if snapshot.parked:
        parts.append(words.count("total.parked", len(snapshot.parked)))
    return [(part, "warn" if snapshot.parked and part is parts[-1] else "muted") for part in parts]


def _sale_says(shown: Shown, sale: SaleView) -> list[Line]:
    words = shown.words
    tenders = ", ".join(words.named("tender", kind) for kind in sale.tenders)
    when = words.when(sale.at_ms, shown.now_ms, shown.snapshot.timezone)
    rows = [line(" ", (words("sale.sold", total=sale.total.text, how=tenders), "strong"), (f"  {when}", "muted"))]
    role = {"not_printed": "bad", "unclear": "warn"}.get(sale.print_state, "muted")
    printed = words.maybe(f"print.{sale.print_state}", "")
    rows.append(line(" ", (words("sale.receipt", receipt=sale.receipt), "muted"), (f" · {printed}" if printed else "", role)))
    return _three([*rows, *(line(" ", row) for row in _aside(shown))])


def _sale_figure(shown: Shown, sale: SaleView) -> tuple[str, Amount]:
    if sale.change.minor:
        return shown.words("total.change"), sale.change
    return shown.words("total.paid_all"), sale.total


def price_check(shown: Shown, cells: int) -> list[Line]:
    """The answer to "how much is this?", said to be no sale; the question itself while it is open; nothing otherwise."""
    snapshot, words = shown.snapshot, shown.words
    price = snapshot.price_check
    if price is None:
        return (
            [apart(line(" ", ("? ", "accent"), (words("check.ask"), "accent")), line((words("check.stop"), "muted"), " "), cells)]
            if snapshot.next_is_check
            else []
        )
    name = f"{price.name}, {price.variant}" if price.variant else price.name
    per = words(f"check.per_{price.per}")
    rows = [line(" ", (name, "strong")), line(" ", (words("check.title", per=per), "accent"))]
    if price.member_price is not None:
        rows.append(line(" ", (words("check.member", price=price.member_price.text), "good")))
    return [*_beside(rows, figure(shown, words("check.price"), price.price, cells), cells), line((" " + "─" * (cells - 2), "rule"))]


def repriced(shown: Shown, cells: int) -> list[Line]:
    """What attaching the customer changed, before and after; nothing when it changed nothing."""
    change = shown.snapshot.repriced
    if change is None or change.before.minor == change.after.minor:
        return []
    before, after = (change.before.text, "muted"), (change.after.text, "good")
    label = line(" ", ("● ", "good"), (shown.words("repriced.title"), "good"))
    return [apart(label, joined([line(before), line(("→", "muted")), line(after)], " "), cells - 1)]
