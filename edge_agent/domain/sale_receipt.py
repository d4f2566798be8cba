"""The receipt of a completed sale, as lines; what a printer prints and what the screen shows are these lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from edge_agent.domain.basket import Line, PriceSource
from edge_agent.domain.one_line import one_line
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.receipt import Align, Barcode, Cut, Feed, Pair, QrCode, Receipt, ReceiptLine, Rule, Text
from edge_agent.domain.sale import Sale
from edge_agent.domain.tender import CardResult, TenderKind

LEFT_LINES_MAX = 5
"""Lines of the online cart that stay there and are named one by one; of more only their number is printed."""


class Letterhead(Struct, frozen=True):
    """What stands above every receipt, and how amounts and times are written. ``amount`` takes minor units, ``moment`` milliseconds since 1970."""

    lines: tuple[str, ...]
    words: Mapping[str, str]
    decimal: str
    amount: Callable[[int], str]
    moment: Callable[[int], str]


def sale_receipt(sale: Sale, head: Letterhead, *, operator: str, copy: bool = False) -> Receipt:
    """The receipt of ``sale``; ``operator`` is the name that is printed. A copy says so at its top and its end."""
    words = head.words
    lines: list[ReceiptLine] = [Text(text, bold=at == 0, double=at == 0, align=Align.CENTER) for at, text in enumerate(head.lines)]
    if copy:
        lines.append(Text(f"*** {words['copy']} ***", bold=True, align=Align.CENTER))
    lines += [Rule(), Pair(f"{words['receipt']} {sale.receipt}", head.moment(sale.completed_ms)), Text(f"{words['operator']} {operator}"), Rule()]
    for line in sale.lines:
        lines += _line(line, head)
    lines += [*_sums(sale, head), *_taxes(sale, head), *_tenders(sale, head)]
    lines += _left_online(sale, words)
    lines += [Feed(), Text(words["thanks"], align=Align.CENTER), QrCode(sale.receipt), Barcode(sale.receipt)]
    if copy:
        lines.append(Text(f"*** {words['copy']} ***", bold=True, align=Align.CENTER))
    return Receipt((*map(_unbroken, lines), Feed(2), Cut()), copy, sale.receipt)


def _unbroken(line: ReceiptLine) -> ReceiptLine:
    """No name on the receipt writes a line of its own."""
    match line:
        case Text():
            return replace(line, text=one_line(line.text))
        case Pair():
            return replace(line, left=one_line(line.left))
        case _:
            return line


def _line(line: Line, head: Letterhead) -> list[ReceiptLine]:
    lines: list[ReceiptLine] = [Pair(_named(line), head.amount(line.gross_minor))]
    if line.quantity.unit is Unit.GRAM:
        lines.append(Text(f"  {line.quantity.shown(decimal=head.decimal)} x {head.amount(line.unit_price_minor)}/kg"))
    elif line.quantity.amount != 1:
        lines.append(Text(f"  {line.quantity.amount} x {head.amount(line.unit_price_minor)}"))
    if line.holds is not None:
        lines.append(Text(f"  {_label_of(line, line.holds, head)}"))
    if line.source is PriceSource.MEMBER:
        lines.append(Text(f"  {head.words['member']}, {head.words['instead']} {head.amount(line.base_price_minor)}"))
    elif line.source is PriceSource.CODE and line.unit_price_minor != line.base_price_minor:
        lines.append(Text(f"  {head.words['label_price']}, {head.words['instead']} {head.amount(line.base_price_minor)}"))
    lines += [Text(f"  {extra}") for extra in (line.batch, line.serial) if extra]
    lines += [Pair(f"  {discount.reason}", head.amount(-off)) for discount, off in zip(line.discounts, line.discounts_minor, strict=True)]
    return lines


def _label_of(line: Line, holds: Quantity, head: Letterhead) -> str:
    """What a label that also says the price says is there: no price for a piece or a kilogram stands beside it, which need not come to the label's."""
    each = holds.shown(decimal=head.decimal) if holds.unit is Unit.GRAM else f"{holds.amount} {head.words['pieces']}"
    return each if line.quantity.amount == 1 else f"{line.quantity.amount} x {each}"


def _left_online(sale: Sale, words: Mapping[str, str]) -> list[ReceiptLine]:
    """What of the cart was not picked: each line by its name, or how many articles where a list would be longer than the sale; nothing
    where it is not known to be online still."""
    if not sale.rest_is_online:
        return []
    if len(sale.left_online) > LEFT_LINES_MAX:
        return [Text(f"{sum(line.quantity.amount for line in sale.left_online)} {words['rest_online_many']}")]
    return [Text(f"{line.quantity.amount} x {_named(line)}: {words['rest_online']}") for line in sale.left_online]


def _named(line: Line) -> str:
    return f"{line.name}, {line.variant}" if line.variant else line.name


def _sums(sale: Sale, head: Letterhead) -> list[ReceiptLine]:
    lines: list[ReceiptLine] = [Rule()]
    if sale.discounts or not sale.price_includes_tax:
        lines.append(Pair(head.words["subtotal"], head.amount(sale.totals.lines_minor)))
    lines += [Pair(discount.reason, head.amount(-off)) for discount, off in zip(sale.discounts, sale.totals.basket_discounts_minor, strict=True)]
    if not sale.price_includes_tax:
        lines += [Pair(f"{head.words['tax_on_top']} {row.label}", head.amount(row.tax_minor)) for row in sale.totals.taxes]
    return [*lines, Pair(f"{head.words['total']} {sale.currency}", head.amount(sale.totals.total_minor), bold=True, double=True), Rule()]


def _taxes(sale: Sale, head: Letterhead) -> list[ReceiptLine]:
    if not sale.price_includes_tax:
        return []
    rows: list[ReceiptLine] = [
        Pair(f"{head.words['tax_included']} {row.label} ({head.words['net']} {head.amount(row.base_minor)})", head.amount(row.tax_minor))
        for row in sale.totals.taxes
    ]
    return [*rows, Rule()]


def _tenders(sale: Sale, head: Letterhead) -> list[ReceiptLine]:
    lines: list[ReceiptLine] = []
    for tender in sale.tenders:
        if not tender.settled_minor:
            continue
        if tender.kind is TenderKind.CASH:
            if tender.rounding_minor:
                lines.append(Pair(head.words["rounding"], head.amount(tender.rounding_minor)))
            lines.append(Pair(head.words["cash"], head.amount(tender.given_minor)))
            if tender.change_minor:
                lines.append(Pair(head.words["change"], head.amount(tender.change_minor), bold=True))
            continue
        approved = tender.approved_attempt
        brand = approved.result.brand if approved else ""
        lines.append(Pair(" ".join(part for part in (head.words["card"], brand) if part), head.amount(tender.settled_minor)))
        if approved is not None:
            lines += _card(approved.result)
    return lines


def _card(result: CardResult) -> list[ReceiptLine]:
    """What stands on the receipt about the card: the terminal's own lines, as it gave them (the card schemes say what is in them); without any, ours."""
    if any(text.strip() for text in result.receipt_lines):
        return [Text(text) for text in result.receipt_lines]
    ours = " ".join(part for part in (f"**** {result.last_four}" if result.last_four else "", result.approval) if part)
    return [Text(f"  {ours}")] if ours else []
