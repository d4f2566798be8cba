"""The customer: a panel beside the basket, two lines above the total, and a page of their own."""

from __future__ import annotations

from edge_agent.views import CartView, CustomerView, TalkView
from tui.drawing.line import BLANK, Line, apart, cropped, indented, joined, line, wrapped
from tui.shown import Shown

FRESH_MS = 60_000
"""While central answers, knowledge younger than this needs no word about its age."""


def customer_panel(shown: Shown, cells: int, *, page: bool = False) -> list[Line]:
    """The panel beside the basket; what to do without a customer when there is none. A ``page`` has room, and keys of its own."""
    customer = shown.snapshot.customer
    if customer is None:
        return [*wrapped(shown.words("customer.none"), cells, "muted"), BLANK, line(("F3", "key"), f" {shown.words('customer.find')}")]
    rows = [*_name(shown, customer, cells), *_standing(shown, customer, cells)]
    if customer.cart:
        rows += [BLANK, *_cart(shown, customer.cart, cells)]
    if customer.talk:
        rows += [BLANK, *_talk(shown, customer.talk, cells, page)]
    about = _about(shown, customer)
    if about:
        rows += [BLANK, *wrapped(about, cells, "muted")]
    if customer.goes_with:
        rows += [BLANK, *(row for sentence in customer.goes_with[:2] for row in wrapped(sentence, cells))]
    if customer.private_notes and not page:
        rows += [BLANK, apart(line((shown.words.count("customer.notes", customer.private_notes), "muted")), line(("F3", "key")), cells)]
    return rows


def customer_title(shown: Shown) -> str:
    """The panel's heading."""
    return shown.words("customer.title")


def customer_fold(shown: Shown, cells: int) -> list[Line]:
    """Two lines above the total, where the panel has no room; nothing without a customer."""
    customer = shown.snapshot.customer
    if customer is None:
        return []
    words = shown.words
    points = words.count("customer.points", customer.points)
    first = line(" ", (shown.customer_name(customer.name), "strong"), (f" · {_tier(shown, customer)} · {points}{_age(shown, customer)}", "muted"))
    parts = []
    if customer.cart:
        cart = customer.cart
        parts.append(line(("F5", "key"), f" {words('cart.title')}: {_cart_says(shown, cart)} ", (_cart_total(cart), "strong"), _cart_age(shown, cart)))
    if customer.talk:
        channel = words.named("channel", customer.talk.channel)
        parts.append(line(("F3", "key"), f" {channel}", (f": {words('customer.promised')}" if customer.talk.promised else "", "warn")))
    if not parts:
        parts.append(line((_about(shown, customer), "muted")))
    return [apart(first, line(), cells), apart(indented(joined(parts), 1), line(), cells)]


def customer_page(shown: Shown, notes: list[str] | None, cells: int) -> list[Line]:
    """Everything about the customer on a page; ``notes`` once they were asked for, where the eye is."""
    customer = shown.snapshot.customer
    if customer is None:
        return [line((shown.words("customer.none"), "muted"))]
    rows = customer_panel(shown, cells, page=True)
    if customer.cart and customer.cart.lines:
        rows += [BLANK, line((shown.words("customer.cart_lines"), "strong"))]
        rows += [apart(line(f"{row.pieces:>3} × {row.name}"), line(row.amount.text), cells) for row in customer.cart.lines]
    if notes is None:
        return rows
    noted = [row for note in notes for row in wrapped(f"· {note}", cells)] or [line((shown.words("customer.no_notes"), "muted"))]
    return [rows[0], BLANK, line((shown.words("customer.notes_title"), "strong")), *noted, BLANK, *rows[1:]]


def _name(shown: Shown, customer: CustomerView, cells: int) -> list[Line]:
    """The name whole, as far as there is room; a tier that has none beside it stands below."""
    name, tier = line((shown.customer_name(customer.name), "strong")), line((_tier(shown, customer), "accent"))
    if name.cells + 1 + tier.cells <= cells:
        return [apart(name, tier, cells)]
    return [cropped(name, cells), *wrapped(tier.text, cells, "accent")]


def _tier(shown: Shown, customer: CustomerView) -> str:
    return shown.words.named("tier", customer.tier) if customer.tier else shown.words("tier.none")


def _standing(shown: Shown, customer: CustomerView, cells: int) -> list[Line]:
    words = shown.words
    parts = [words.count("customer.points", customer.points), words.count("customer.visits", customer.visits)]
    if customer.last_visit_ms is not None:
        parts.append(words("customer.last", when=words.when(customer.last_visit_ms, shown.now_ms, shown.snapshot.timezone)))
    return wrapped(" · ".join(parts) + _age(shown, customer), cells, "muted")


def _age(shown: Shown, customer: CustomerView) -> str:
    return _as_of(shown, customer.as_of_ms, fresh=customer.fresh, unanswered=customer.unanswered)


def _as_of(shown: Shown, as_of_ms: int, *, fresh: bool, unanswered: bool) -> str:
    """Nothing is believed without its age: a copy says as of when it is, and so does everything while central does not answer.

    ``unanswered``: central was just given up for the copy, whatever the link still says.
    """
    if not is_old(shown, as_of_ms, fresh=fresh, unanswered=unanswered):
        return ""
    return f" · {age(shown, as_of_ms)}"


def age(shown: Shown, as_of_ms: int) -> str:
    """As of when a copy is."""
    if not as_of_ms:
        return shown.words("customer.as_of_unknown")
    return shown.words("customer.as_of", when=shown.words.when(as_of_ms, shown.now_ms, shown.snapshot.timezone))


def is_old(shown: Shown, as_of_ms: int, *, fresh: bool, unanswered: bool) -> bool:
    """Whether it has to be said as of when this is."""
    young = shown.now_ms - as_of_ms < FRESH_MS and not unanswered
    online = shown.snapshot.link.state in ("in_step", "sending")
    return not ((fresh or young) if online else (fresh and young))


def _cart_says(shown: Shown, cart: CartView) -> str:
    words = shown.words
    if cart.state == "here":
        return words.count("cart.here", cart.articles) if cart.articles else words("cart.here_all")
    if cart.state == "held":
        here = any(held.cart == cart.id for held in (*shown.snapshot.suspended, *shown.snapshot.parked))
        return words("cart.held_aside") if here else words("cart.held", register=cart.held_by)
    return words.count("cart.open", cart.articles)


def _cart(shown: Shown, cart: CartView, cells: int) -> list[Line]:
    words = shown.words
    key = line((words("cart.release") if cart.state == "here" else words("cart.load") if cart.state == "open" else "", "muted"), " ", ("F5", "key"))
    rows = [
        apart(line((words("cart.title"), "strong")), line((_cart_total(cart), "strong")), cells),
        apart(line(("  ", "text"), (_cart_says(shown, cart), "pick" if cart.state == "here" else "text")), key, cells),
        *(indented(row, 2) for row in wrapped(_cart_opened(shown, cart), cells - 2, "muted")),
    ]
    if cart.offline_copy:
        as_of = words("cart.copy", when=words.when(cart.as_of_ms, shown.now_ms, shown.snapshot.timezone))
        rows += [indented(row, 2) for row in wrapped(as_of, cells - 2, "warn")]
    if cart.online != "same":
        rows += [indented(row, 2) for row in wrapped(f"▲ {words(f'cart.online_{cart.online}', register=cart.held_by)}", cells - 2, "warn")]
    return rows


def _cart_total(cart: CartView) -> str:
    """What is online; of a cart in this basket what is still to pick, which is nothing once all of it is in hand."""
    return cart.total.text if cart.articles else ""


def _cart_opened(shown: Shown, cart: CartView) -> str:
    words = shown.words
    if not cart.opened_ms:
        return ""
    opened = words("cart.opened", when=words.when(cart.opened_ms, shown.now_ms, shown.snapshot.timezone), channel=words.named("channel", cart.channel))
    return opened if cart.state == "here" else opened + _cart_as_of(shown, cart)


def _cart_as_of(shown: Shown, cart: CartView) -> str:
    return _as_of(shown, cart.as_of_ms, fresh=cart.fresh, unanswered=cart.unanswered)


def _cart_age(shown: Shown, cart: CartView) -> tuple[str, str]:
    """In the fold there is room for one word: that it was changed, else how old it is."""
    if cart.online != "same":
        return f" ▲ {shown.words(f'cart.online_{cart.online}_short')}", "warn"
    return ("" if cart.state == "here" and not cart.offline_copy else _cart_as_of(shown, cart)), "muted"


def _talk(shown: Shown, talk: TalkView, cells: int, page: bool) -> list[Line]:
    """That there is a talk; what was said is for the page."""
    words = shown.words
    when = words.when(talk.at_ms, shown.now_ms, shown.snapshot.timezone)
    first = line((words("talk.title"), "strong"), (f"  {words.named('channel', talk.channel)}, {when}", "muted"))
    promised = [line("  ", ("▲ ", "warn"), (words("talk.promised"), "warn"))] if talk.promised else []
    said = [indented(row, 2) for row in wrapped(talk.text, cells - 2)] if page else []
    return [apart(first, line() if page else line(("F3", "key")), cells), *promised, *said]


def _about(shown: Shown, customer: CustomerView) -> str:
    words = shown.words
    parts = [words("customer.size", sizes=", ".join(customer.sizes))] if customer.sizes else []
    if not customer.has_email:
        parts.append(words("customer.no_email"))
    if not customer.has_phone:
        parts.append(words("customer.no_phone"))
    if customer.birthday:
        parts.append(words("customer.birthday", when=words.birthday(customer.birthday, shown.now_ms, shown.snapshot.timezone)))
    return " · ".join(parts)
