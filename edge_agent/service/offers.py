"""What articles cost the customer of the open basket now, from the local copy of the price book."""

from __future__ import annotations

from edge_agent.domain.cart import Cart
from edge_agent.domain.catalogue import Article, Offer, offer
from edge_agent.service.core import Core


def offer_of(core: Core, sku: str, tier: str) -> Offer | None:
    """The offer of one article for a customer of ``tier``; None without a price in the market's currency."""
    rows = [price for price in core.ports.catalogue.prices(sku) if price.currency == core.shop.market.currency]
    return offer(rows, core.ports.clock.now_ms(), tier)


def tier_of_basket(core: Core) -> str:
    """The tier of the open basket's customer, or empty."""
    basket = core.state.basket
    return basket.customer.tier if basket and basket.customer else ""


def offers_of_basket(core: Core, tier: str) -> dict[str, Offer]:
    """What the articles in the open basket cost a customer of ``tier``, by sku."""
    basket = core.state.basket
    found = {line.sku: offer_of(core, line.sku, tier) for line in basket.lines if line.sku} if basket else {}
    return {sku: one for sku, one in found.items() if one is not None}


def known_of_cart(core: Core, cart: Cart) -> dict[str, tuple[Article, Offer]]:
    """The article and offer of each line of ``cart`` that this shop can sell, by sku."""
    known: dict[str, tuple[Article, Offer]] = {}
    for line in cart.lines:
        article = core.ports.catalogue.by_sku(line.sku)
        found = offer_of(core, line.sku, tier_of_basket(core))
        if article is not None and found is not None:
            known[line.sku] = (article, found)
    return known
