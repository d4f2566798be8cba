"""One row each for the lists that one chooses from: articles, customers, baskets set aside, sales, notices, devices."""

from __future__ import annotations

from edge_agent.views import ArticleView, AsideView, CustomerRowView, DeviceView, DiscountView, LinkView, NoticeView, SaleView
from tui.drawing.foot import MARKS
from tui.drawing.line import Line, Piece, apart, fit, line, wrapped
from tui.messages import FALLBACK
from tui.shown import Shown


def article_row(shown: Shown, article: ArticleView, cells: int) -> Line:
    """Name and variant, number, price."""
    name = f"{article.name}, {article.variant}" if article.variant else article.name
    price = f"{article.price.text}{'/kg' if article.per == 'kg' else ''}" if article.price else shown.words("find.no_price")
    number = f"{fit(article.gtin.lstrip('0') or article.sku, 14)}  " if cells >= 70 else ""
    return apart(line(name), line((number, "muted"), (f"{price:>12}", "strong" if article.price else "muted"), " "), cells)


def discount_row(shown: Shown, discount: DiscountView, cells: int) -> Line:
    """A discount that was given: why, its share, how much it takes off."""
    return apart(line((reduction(discount), "off")), line((discount.amount.text, "off"), " "), cells)


def reduction(discount: DiscountView) -> str:
    """Why, and how large a share."""
    return f"{discount.reason} −{discount.percent.lstrip('-−')}" if discount.percent else discount.reason


LAST_CELLS = 22
"""The longest that the last visit takes, with the year: ``zuletzt 28. Sept. 2024``, or in fewer columns when it is more recent."""


def customer_row(shown: Shown, customer: CustomerRowView, cells: int) -> Line:
    """Name, tier, what tells two of one name apart, the last visit."""
    words = shown.words
    tier = words.named("tier", customer.tier) if customer.tier else ""
    last = words("customer.last", when=words.when(customer.last_visit_ms, shown.now_ms, shown.snapshot.timezone)) if customer.last_visit_ms else ""
    right = line((fit(customer.hint, 20), "muted"), (f" {fit(last, LAST_CELLS)}" if cells >= 70 else "", "muted"))
    return apart(line(customer.name, (f"  {tier}", "accent")), right, cells)


def aside_row(shown: Shown, aside: AsideView, cells: int) -> Line:
    """What was set aside, when, and how its payment stands."""
    words = shown.words
    when = words.when(aside.at_ms, shown.now_ms, shown.snapshot.timezone)
    name = aside.label or shown.customer_name(aside.customer) or words("recall.unnamed")
    kind = words(f"aside.{aside.kind}")
    if aside.attempt:
        kind = f"{kind} · {words.named('attempt_state', aside.attempt)}"
    if aside.paid is not None:
        paid = words("aside.paid", amount=aside.paid.text)
        kind = paid if aside.kind == "unpaid" else f"{kind} · {paid}"
    if aside.cart:
        cart = words.count("aside.cart", aside.to_pick) if aside.to_pick else words("aside.cart_all")
        kind = cart if aside.kind == "suspended" else f"{kind} · {cart}"
    role = "muted" if aside.kind == "suspended" else "warn"
    middle = line(f"{when:<9} ", (name, "strong"), (f"  {kind}", role))
    return apart(middle, line((f"{words.count('total.articles', aside.articles)}  ", "muted"), (f"{aside.total.text:>10}", "strong"), " "), cells)


def sale_row(shown: Shown, sale: SaleView, cells: int) -> Line:
    """When, which receipt, how it was paid, how much; and when its receipt did not print."""
    words = shown.words
    when = words.when(sale.at_ms, shown.now_ms, shown.snapshot.timezone)
    how = ", ".join(words.named("tender", kind) for kind in dict.fromkeys(sale.tenders))
    printed = words.maybe(f"print.{sale.print_state}", "") if sale.print_state in ("not_printed", "unclear", "unknown") else ""
    left = line(f"{when:<10} ", (f"{sale.receipt}  ", "strong"), (how, "muted"), (f"  {printed}" if printed else "", "warn"))
    return apart(left, line((f"{sale.total.text:>10}", "strong"), " "), cells)


def notice_row(shown: Shown, notice: NoticeView, cells: int) -> Line:
    """When, and what was said."""
    text, hint = shown.told(notice)
    when = shown.words.when(notice.at_ms, shown.now_ms, shown.snapshot.timezone)
    return apart(line((f"{when:<9} ", "muted"), MARKS[notice.level], text, (f"  {hint}", "muted")), line(), cells)


BLOCKED = {"paper_out", "cover_open", "error", "offline"}
"""What a device that answers can say of itself and do nothing until somebody comes."""
_STATES = {"ready": ("●", "good"), "degraded": ("◐", "warn"), "opening": ("◐", "muted")}


def device_state(device: DeviceView) -> str:
    """Its state as a word's key: a printer without paper answers, and prints nothing."""
    return "blocked" if device.state == "degraded" and device.reason in BLOCKED else device.state


def device_mark(device: DeviceView) -> tuple[str, str]:
    """Its mark and the mark's role."""
    return _STATES.get(device_state(device), ("○", "warn"))


def device_row(shown: Shown, device: DeviceView, cells: int) -> Line:
    """A device, its state in a word, and since when."""
    words = shown.words
    mark, role = device_mark(device)
    since = words("status.since", since=words.when(device.since_ms, shown.now_ms, shown.snapshot.timezone))
    state = words(f"device_state.{device_state(device)}")
    why = words.maybe(f"trouble.{device.reason}", device.detail) if device.reason else ""
    left = line((f"{mark} ", role), (f"{words.named('device', device.kind)} ", "strong"), (f"({device.name})  ", "muted"), state)
    right = line(f": {why}" if why and why != state else "")
    return apart(Line((*left.pieces, *right.pieces)), line((since, "muted"), " "), cells)


REFUSED = "refused_"
"""So begins the reason of a link whose requests central refuses; the HTTP status follows."""
UNTAKEN = {"no_progress", "withheld_refused"}
STOPPED_ON_THE_WAY = "too_large_on_the_way"
"""The reason of a link on which something, which is not central, stops one record and with it those of its stream, until IT sees to it."""

NOT_ASKED = "stopped"
"""The reason of a link over which nothing is asked, because the journal cannot be opened."""


def link_refuses(link: LinkView) -> bool:
    """Whether central answers, and takes nothing: then the network is not what is wrong."""
    return link.state in ("offline", "frozen") and (link.reason.startswith(REFUSED) or link.reason in UNTAKEN)


def link_advice(shown: Shown, cells: int) -> list[Line]:
    """Why not everything goes to central, a line of it; nothing while it does, or while nobody knows."""
    words, link = shown.words, shown.snapshot.link
    if link.state == "alone" or not link.reason:
        return []
    known = "link_reason.refused" if link.reason.startswith(REFUSED) else ""
    why = words.maybe(known, link.detail, status=link.reason.removeprefix(REFUSED))
    why = words.maybe(f"link_reason.{link.reason}", why, detail=link.detail)
    return _advice(words("link_reason", why=why), cells) if why else []


def _advice(text: str, cells: int) -> list[Line]:
    return [Line((Piece(" " * 3 if at else " ▲ ", "warn"), *row.pieces)) for at, row in enumerate(wrapped(text, cells - 4))]


def device_advice(shown: Shown, device: DeviceView, cells: int) -> list[Line]:
    """What to do about a device, in as many rows as it takes; nothing about one that works."""
    words = shown.words
    said = words.maybe(f"trouble.{device.reason}.hint", device.hint) if device.reason else device.hint
    hint = device.hint if device.hint and words.language == FALLBACK else said  # the service's own says more, in English
    if not hint or device.state == "ready":
        return []
    return _advice(f"{words.named('device', device.kind)} ({device.name}): {hint}", cells)
