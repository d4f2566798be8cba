"""The largest things on the screen: the total, the rest, the change; and above them what a price check or a member's card says."""

from __future__ import annotations

from edge_agent.views import Amount, BasketView, SaleView
from tui.drawing.digits import ROWS, large
from tui.drawing.line import BLANK, Line, apart, joined, line
from tui.messages import Words
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
        right = figure(shown, label, shown.due or snapshot.basket.total, cells)
        return _beside(_basket_says(shown, [cells - row.cells - 1 for row in right], cells), right, cells)
    if snapshot.last_sale is not None and not snapshot.last_sale.past:
        return _block(shown, _sale_says(shown, snapshot.last_sale), *_sale_figure(shown, snapshot.last_sale), cells)
    return _beside([*_owed(shown), *(line(" ", row) for row in _aside(shown))], [], cells)


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


def _basket_says(shown: Shown, beside: list[int], cells: int) -> list[Line]:
    """What the basket holds, in the columns ``beside`` each row of the figure. A number is said whole or not at all: half of one is another number."""
    basket, words, payment = shown.snapshot.basket, shown.words, shown.snapshot.payment
    assert basket is not None
    first, below = beside[0], beside[1] if len(beside) > 1 else cells
    held, tax = _in_hand(words, basket, first, cells)
    rest = []
    if basket.to_pick:
        long = line(" ", ("○ ", "pick"), (words.count("total.to_pick", basket.to_pick), "pick"))
        short = line(" ", ("○ ", "pick"), (words.count("total.to_pick_short", basket.to_pick), "pick"))
        rest.append(long if cells >= NARROW and long.cells <= below else short)
    if payment is not None and payment.paid.minor:
        rest.append(line(" ", (words("total.paid", total=basket.total.text, paid=payment.paid.text), "muted")))
    rest = [row for row in rest if row.cells <= below] + [line(" ", row) for row in _aside(shown)]
    held = [row for row in held if row.cells <= first] or ([BLANK] if rest else [])
    tax = [row for row in tax if row.cells <= below and len(held) + len(rest) < ROWS]
    return _three([*held, *tax, *rest])


def _in_hand(words: Words, basket: BasketView, room: int, cells: int) -> tuple[list[Line], list[Line]]:
    """How many articles, and the tax in them, on one row if it has the room; no tax of nothing."""
    if not basket.articles and not basket.total.minor:
        return [line(" ", (words("total.nothing"), "muted"))], []
    tax = words("total.tax_in", tax=basket.tax.text) if basket.tax_included else words("total.tax_on", subtotal=basket.subtotal.text, tax=basket.tax.text)
    articles = words.count("total.articles", basket.articles)
    both = line(" ", articles, (f" · {tax}", "muted"))
    return ([both], []) if cells >= NARROW and both.cells <= room else ([line(" ", articles)], [line(" ", (tax, "muted"))])


def _three(rows: list[Line]) -> list[Line]:
    """At most as many rows as the figure beside them has, the last ones side by side."""
    return rows if len(rows) <= ROWS else [*rows[: ROWS - 1], joined(rows[ROWS - 1 :], " ·")]


def _aside(shown: Shown) -> list[tuple[str, str]]:
    """How many baskets wait to be gone on with, and how many payments are not clarified yet, or need a manager."""
    snapshot, words = shown.snapshot, shown.words
    undecided = sum(aside.kind == "parked" and aside.attempt == "needs_review" for aside in snapshot.parked)
    unclear = sum(aside.kind == "parked" for aside in snapshot.parked) - undecided
    waiting = len(snapshot.suspended) + len(snapshot.parked) - unclear - undecided
    rows = [(words.count("total.suspended", waiting), "muted")] if waiting else []
    if unclear:
        rows.append((words.count("total.parked", unclear), "warn"))
    if undecided:
        rows.append((words.count("total.review", undecided), "bad"))
    return rows


def _sale_says(shown: Shown, sale: SaleView) -> list[Line]:
    words = shown.words
    tenders = ", ".join(words.named("tender", kind) for kind in dict.fromkeys(sale.tenders))
    when = words.when(sale.at_ms, shown.now_ms, shown.snapshot.timezone)
    sold = words("sale.sold", total=sale.total.text, how=tenders) if tenders else words("sale.sold_for_nothing", total=sale.total.text)
    if sale.paid != sale.total:
        sold = words("sale.sold_rounded", total=sale.total.text, paid=sale.paid.text, how=tenders)
    rows = [line(" ", (sold, "strong"), (f"  {when}", "muted"))]
    rows.append(line(" ", *_receipt(shown, sale)))
    if sale.left_online:
        rows.append(line(" ", ("○ ", "pick"), (words.count("sale.left_online", sale.left_online), "pick")))
    return _three([*rows, *(line(" ", row) for row in _aside(shown))])


def _owed(shown: Shown) -> list[Line]:
    """Of a sale before the basket that has just gone only its receipt is left to say, when somebody still waits for it: it is not that basket's outcome."""
    sale = shown.snapshot.last_sale
    if sale is None or sale.print_state not in ("not_printed", "unclear", "unknown"):
        return []
    when = shown.words.when(sale.at_ms, shown.now_ms, shown.snapshot.timezone)
    return [line(" ", *_receipt(shown, sale), (f"  {when}", "muted"))]


def _receipt(shown: Shown, sale: SaleView) -> tuple[tuple[str, str], tuple[str, str]]:
    role = {"not_printed": "bad", "unclear": "warn", "unknown": "warn"}.get(sale.print_state, "muted")
    printed = shown.words.maybe(f"print.{sale.print_state}", "")
    return (shown.words("sale.receipt", receipt=sale.receipt), "muted"), (f" · {printed}" if printed else "", role)


def _sale_figure(shown: Shown, sale: SaleView) -> tuple[str, Amount]:
    if sale.change.minor:
        return shown.words("total.change"), sale.change
    return shown.words("total.paid_all"), sale.paid


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
    told = price.label_price
    if told is not None:
        of = f"{price.label} × " if price.label else ""
        rows[1] = line(" ", (words("check.label"), "accent"), (f"  {of}{price.price.text}{'/kg' if price.per == 'kg' else ''}", "muted"))
    if price.member_price is not None:
        rows.append(line(" ", (words("check.member", price=price.member_price.text), "good")))
    return [*_beside(rows, figure(shown, words("check.price"), told or price.price, cells), cells), line((" " + "─" * (cells - 2), "rule"))]


def repriced(shown: Shown, cells: int) -> list[Line]:
    """What attaching the customer changed, before and after; nothing when it changed nothing."""
    change = shown.snapshot.repriced
    if change is None or change.before.minor == change.after.minor:
        return []
    before, after = (change.before.text, "muted"), (change.after.text, "good")
    label = line(" ", ("● ", "good"), (shown.words("repriced.title"), "good"))
    return [apart(label, joined([line(before), line(("→", "muted")), line(after)], " "), cells - 1)]
