"""A hundred online carts that customers of the sample shop left open."""

from __future__ import annotations

from edge_agent.demo.dice import Dice
from edge_agent.demo.sample_articles import DAY_MS, Row, SampleArticle, sold_in
from edge_agent.demo.sample_people import home_of

CARTS = 100
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CURRENCIES = {"DE": "EUR", "US": "USD"}


def cart_rows(articles: list[SampleArticle], prices: list[Row], customers: list[Row], dice: Dice, at_ms: int) -> list[Row]:
    """Rows of the carts feed: one open cart for each of CARTS customers, of 1 to 6 lines, at the price of the day it was put in or a little less.

    The first is Maria's: a coat and two pairs of socks to go with it.
    """
    now = {(row["sku"], row["currency"]): row["amountMinor"] for row in prices if not row["group"] and row["fromMs"] == 0}
    by_country = {country: [one for one in articles if not one.item and one.tax_class != "zero" and sold_in(one, country)] for country in _CURRENCIES}
    maria, *others = customers
    carts = [
        _cart(
            maria,
            "EUR",
            [_line(1, "COAT-WOOL-NAVY-38", 1, now[("COAT-WOOL-NAVY-38", "EUR")], dice), _line(2, "SOCKS-MERINO-NAVY-39-42", 2, 1250, dice)],
            dice,
            at_ms,
        )
    ]
    for customer in dice.some(others, CARTS - 1):
        country = home_of(customer)
        chosen = dice.some(by_country[country], dice.between(1, 6))
        lines = [_line(number, one.sku, dice.pick((1, 1, 1, 2, 3)), now[(one.sku, _CURRENCIES[country])], dice) for number, one in enumerate(chosen, 1)]
        carts.append(_cart(customer, _CURRENCIES[country], lines, dice, at_ms))
    return carts


def _cart(customer: Row, currency: str, lines: list[Row], dice: Dice, at_ms: int) -> Row:
    return {
        "id": "CART-" + "".join(dice.pick(_CROCKFORD) for _ in range(8)),
        "customer": customer["id"],
        "version": dice.between(1, 12),
        "currency": currency,
        "lines": lines,
        "channel": dice.pick(("web", "web", "app", "instagram")),
        "openedMs": at_ms - dice.between(1, 14 * 24 * 60) * (DAY_MS // 24 // 60),
        "heldBy": "",
    }


def _line(number: int, sku: str, pieces: int, price: object, dice: Dice) -> Row:
    assert isinstance(price, int)
    return {"line": f"L{number}-{dice.below(16**6):06x}", "sku": sku, "pieces": pieces, "unitPriceMinor": price * 95 // 100 if dice.chance(15) else price}
