"""A customer's online cart as a view: what is online, or what of it this basket still wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast

from edge_agent.domain.basket import Basket, Line
from edge_agent.domain.cart import Cart, Lease
from edge_agent.domain.catalogue import SoldBy
from edge_agent.domain.picking import asks_the_same
from edge_agent.domain.quantity import Unit
from edge_agent.service.core import Core
from edge_agent.service.offers import known_of_cart
from edge_agent.views import Amount, CartLineView, CartView

Priced = Callable[[int], Amount]


def cart_view(core: Core, priced: Priced, customer: str) -> CartView | None:
    """The cart in the open basket, else the customer's own; ``priced`` makes an amount of minor units."""
    basket, cart = core.state.basket, core.desk.cart
    if basket is not None and basket.lease is not None:
        return _cart_here(core, priced, basket, basket.lease)
    if cart is None or cart.customer != customer or not cart.lines:
        return None
    return CartView(
        id=cart.id,
        articles=sum(line.pieces for line in cart.lines),
        total=priced(cart.total_minor),
        channel=cart.channel,
        opened_ms=cart.opened_ms,
        as_of_ms=cart.as_of_ms,
        state="held" if cart.held_by else "open",
        lines=[_cart_line(core, priced, line.sku, line.pieces, line.unit_price_minor) for line in cart.lines],
        held_by=cart.held_by,
        fresh=core.desk.cart_fresh,
        unanswered=core.desk.unanswered,
    )


def _cart_here(core: Core, priced: Priced, basket: Basket, lease: Lease) -> CartView:
    """A cart in this basket, by what the basket still wants of it: one figure, that of the lines below it."""
    cart = core.desk.cart
    known = cart if cart is not None and cart.id == lease.cart else core.ports.people.cart(lease.cart)
    return CartView(
        id=lease.cart,
        articles=articles_of(basket.to_pick),
        total=priced(sum(line.amount_minor for line in basket.to_pick)),
        channel=known.channel if known else "",
        opened_ms=known.opened_ms if known else 0,
        as_of_ms=known.as_of_ms if known else 0,
        state="here",
        lines=[CartLineView(line.sku, line.name, line.quantity.amount, priced(line.amount_minor)) for line in basket.to_pick],
        held_by=lease.lost.holder if lease.lost else "",
        offline_copy=not lease.token,
        online=_online(core, basket, lease),
        fresh=core.desk.cart_fresh,
        unanswered=core.desk.unanswered,
    )


def _online(core: Core, basket: Basket, lease: Lease) -> Literal["same", "changed", "gone", "taken", "run_out"]:
    """How a cart that is here stands online: as its lease was found, else as the newest copy says."""
    cart = core.desk.cart
    if lease.lost is not None:
        return cast("Literal['gone', 'taken', 'run_out']", lease.lost.why)
    if cart is not None and cart.id == lease.cart and cart.version > lease.version:
        return "gone" if not cart.lines else "same" if _asks_the_same(core, basket, cart) else "changed"
    return "gone" if cart is None and core.desk.cart_fresh else "same"


def _asks_the_same(core: Core, basket: Basket, cart: Cart) -> bool:
    sold = {sku for sku, (article, _) in known_of_cart(core, cart).items() if article.sold_by is not SoldBy.KILOGRAM}
    return asks_the_same(basket, cart, sold, core.shop.market.currency)


def _cart_line(core: Core, priced: Priced, sku: str, pieces: int, unit_price_minor: int) -> CartLineView:
    article = core.ports.catalogue.by_sku(sku)
    return CartLineView(sku, article.name if article else sku, pieces, priced(pieces * unit_price_minor))


def articles_of(lines: Sequence[Line]) -> int:
    """How many articles these are: pieces, and one for each that is weighed."""
    return sum(line.quantity.amount if line.quantity.unit is Unit.PIECE else 1 for line in lines)
