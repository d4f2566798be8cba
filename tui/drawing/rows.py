"""One row each for the lists that one chooses from: articles, customers, baskets set aside, sales, notices, devices."""

from __future__ import annotations

from edge_agent.views import ArticleView, AsideView, CustomerRowView, DeviceView, NoticeView, SaleView
from tui.drawing.line import Line, apart, fit, line
from tui.shown import Shown


def article_row(shown: Shown, article: ArticleView, cells: int) -> Line:
    """Name and variant, number, price."""
    name = f"{article.name}, {article.variant}" if article.variant else article.name
    price = f"{article.price.text}{'/kg' if article.per == 'kg' else ''}" if article.price else shown.words("find.no_price")
    number = f"{fit(article.gtin.lstrip('0') or article.sku, 14)}  " if cells >= 70 else ""
    return apart(line(name), line((number, "muted"), (f"{price:>12}", "strong" if article.price else "muted"), " "), cells)


def customer_row(shown: Shown, customer: CustomerRowView, cells: int) -> Line:
    """Name, tier, what tells two of one name apart, the last visit."""
    words = shown.words
    tier = words.named("tier", customer.tier) if customer.tier else ""
    last = words("customer.last", when=words.when(customer.last_visit_ms, shown.now_ms, shown.snapshot.timezone)) if customer.last_visit_ms else ""
    right = line((fit(customer.hint, 20), "muted"), (f" {fit(last, 16)}" if cells >= 70 else "", "muted"))
    return apart(line(customer.name, (f"  {tier}", "accent")), right, cells)


def aside_row(shown: Shown, aside: AsideView, cells: int) -> Line:
    """What was set aside, when, and how its payment stands."""
    words = shown.words
    when = words.when(aside.at_ms, shown.now_ms, shown.snapshot.timezone)
    name = aside.label or shown.customer_name(aside.customer) or words("recall.unnamed")
    kind = words(f"aside.{aside.kind}")
    if aside.kind == "parked" and aside.attempt:
        kind = f"{kind}: {words.named('attempt_state', aside.attempt)}"
    role = "warn" if aside.kind == "parked" else "muted"
    middle = line(f"{when:<9} ", (name, "strong"), (f"  {kind}", role))
    return apart(middle, line((f"{words.count('total.articles', aside.articles)}  ", "muted"), (f"{aside.total.text:>10}", "strong"), " "), cells)


def sale_row(shown: Shown, sale: SaleView, cells: int) -> Line:
    """When, which receipt, how it was paid, how much; and when its receipt did not print."""
    words = shown.words
    when = words.when(sale.at_ms, shown.now_ms, shown.snapshot.timezone)
    how = ", ".join(words.named("tender", kind) for kind in sale.tenders)
    printed = words.maybe(f"print.{sale.print_state}", "") if sale.print_state in ("not_printed", "unclear") else ""
    left = line(f"{when:<10} ", (f"{sale.receipt}  ", "strong"), (how, "muted"), (f"  {printed}" if printed else "", "warn"))
    return apart(left, line((f"{sale.total.text:>10}", "strong"), " "), cells)


_MARKS = {"info": ("· ", "muted"), "good": ("● ", "good"), "warn": ("▲ ", "warn"), "bad": ("■ ", "bad")}


def notice_row(shown: Shown, notice: NoticeView, cells: int) -> Line:
    """When, and what was said."""
    text, hint = shown.words.notice(notice)
    when = shown.words.when(notice.at_ms, shown.now_ms, shown.snapshot.timezone)
    return apart(line((f"{when:<9} ", "muted"), _MARKS[notice.level], shown.discreet(text), (f"  {hint}", "muted")), line(), cells)


def device_row(shown: Shown, device: DeviceView, cells: int) -> Line:
    """A device, its state in a word, since when, and what to do about it."""
    words = shown.words
    mark = {"ready": ("● ", "good"), "degraded": ("◐ ", "warn"), "opening": ("◐ ", "muted")}.get(device.state, ("○ ", "warn"))
    since = words("status.since", since=words.when(device.since_ms, shown.now_ms, shown.snapshot.timezone))
    state = words(f"device_state.{device.state}")
    why = words.maybe(f"trouble.{device.reason}", device.detail) if device.reason else ""
    left = line(mark, (f"{words.named('device', device.kind)} ", "strong"), (f"({device.name})  ", "muted"), state)
    right = line(f": {why}" if why and why != state else "", (f"  {device.hint}" if device.hint else "", "muted"))
    return apart(Line((*left.pieces, *right.pieces)), line((since, "muted"), " "), cells)
