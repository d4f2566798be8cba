"""What a line costs: at the offer of who the basket is for, by the label on the goods, and again when a customer or a cart goes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from edge_agent.domain.basket import Basket, Line, PriceSource
from edge_agent.domain.catalogue import Article, Offer, SoldBy
from edge_agent.domain.events import Reprice
from edge_agent.domain.quantity import Quantity, Unit

ONE = Quantity(1, Unit.PIECE)


def priced(article: Article, offer: Offer, quantity: Quantity, *, id: str, position: int, operator: str) -> Line:
    """A line of an article at its offer."""
    price = offer.applied
    return Line(
        id=id, position=position, sku=article.sku, name=article.name, department=article.department, tax_class=article.tax_class, quantity=quantity,
        unit_price_minor=price.amount_minor, base_price_minor=offer.base.amount_minor, source=PriceSource.MEMBER if price is offer.member else PriceSource.BOOK,
        sold_by=article.sold_by, variant=article.variant, gtin=article.gtins[0] if article.gtins else "", book=price.book, version=price.version,
        operator=operator,
    )  # fmt: skip


def labelled(line: Line, price_minor: int, labels: int, *, own: bool) -> tuple[Line, bool]:
    """``line`` (priced at its offer) at ``price_minor``, which its label asks for all of it, ``labels`` times; and whether that is below the offer.

    ``own`` is a label of the shop's own scale: it is below nothing, and no customer's. A price for a kilogram compares with no label that tells no weight.
    """
    quantity, by_weight = line.quantity, line.sold_by is SoldBy.KILOGRAM
    base_minor, below, tied = price_minor, False, False
    if by_weight == (quantity.unit is Unit.GRAM):
        least, most = _asked(line.base_price_minor, quantity)
        below = not own and price_minor < _asked(line.unit_price_minor, quantity)[0]
        tied = not own and not below and price_minor < least
        base_minor = price_minor if least <= price_minor <= most else quantity.cost_minor(line.base_price_minor)
    sold = replace(
        line, quantity=Quantity(labels, Unit.PIECE), unit_price_minor=price_minor, base_price_minor=base_minor, source=PriceSource.CODE, sold_by=SoldBy.PIECE,
        holds=None if quantity == ONE else quantity, tied=tied,
    )  # fmt: skip
    return sold, below


def _asked(unit_price_minor: int, holds: Quantity) -> tuple[int, int]:
    """The least and the most that a label may ask for ``holds`` at that price without asking another price: a scale rounds the price either way, and one
    that weighs in pounds knew the weight to less than half a gram, which is its price as long as that is next to nothing of the whole."""
    cost_minor = holds.cost_minor(unit_price_minor)
    if holds.unit is Unit.PIECE:
        return cost_minor, cost_minor
    slack_minor = 1 + min(unit_price_minor // 2000, cost_minor // 100)
    return cost_minor - slack_minor, cost_minor + slack_minor


def repriced(before: Basket, after: Basket, offers: Mapping[str, Offer], *, granted: bool) -> tuple[Reprice, ...]:
    """The lines of ``after`` that cost something else because its customer, or its cart, is another than in ``before``.

    ``offers`` are those for the customer of ``after``, by sku. Typed prices and labels are nobody's, but for a label that was let in at a customer's own
    price: it stands on if the next customer's is as low, or if the operator may discount (``granted``).
    """
    return tuple(change for line in after.lines if (change := _repriced(line, before, after, offers.get(line.sku), granted)) is not None)


def _repriced(line: Line, before: Basket, after: Basket, offer: Offer | None, granted: bool) -> Reprice | None:
    another = before.customer != after.customer
    match line.source:
        case PriceSource.BOOK if another and offer is not None:
            return _change(line, offered(line, offer))
        case PriceSource.MEMBER if another:
            return _change(line, offered(line, offer))
        case PriceSource.ONLINE if after.lease is None or (offer is not None and offer.applied.amount_minor < line.unit_price_minor):
            return _change(line, offered(line, offer))
        case PriceSource.CODE if another and line.tied:
            return _untied(line, offer, granted)
        case _:
            return None


def offered(line: Line, offer: Offer | None) -> Reprice:
    """What ``line`` costs by its offer; without one, what it cost everybody when it came."""
    if offer is None:
        return Reprice(line.id, line.base_price_minor, line.base_price_minor, PriceSource.BOOK, line.book, line.version)
    price, holds = offer.applied, line.holds or ONE
    source = PriceSource.MEMBER if price is offer.member else PriceSource.BOOK
    return Reprice(line.id, holds.cost_minor(price.amount_minor), holds.cost_minor(offer.base.amount_minor), source, price.book, price.version)


def _change(line: Line, to: Reprice) -> Reprice | None:
    return to if (to.unit_price_minor, to.source) != (line.unit_price_minor, line.source) else None


def _untied(line: Line, offer: Offer | None, granted: bool) -> Reprice | None:
    """A label that was let in at the price of a customer who is gone."""
    if offer is not None and line.unit_price_minor >= _asked(offer.applied.amount_minor, line.holds or ONE)[0]:
        return None
    if granted:
        return Reprice(line.id, line.unit_price_minor, line.base_price_minor, line.source, line.book, line.version)
    return offered(line, offer)
