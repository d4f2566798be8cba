"""What tax is in, or comes on top of, a set of amounts."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from edge_agent.domain.market import Market, TaxRounding
from edge_agent.domain.money import divide_half_up

PERCENT_MILLI = 100_000
"""100 % in thousandths of a per cent."""


class TaxRow(Struct, frozen=True):
    """One rate of one sale: ``base_minor`` without tax, and the tax on it. ``base + tax`` is what the customer pays for it."""

    tax_class: str
    rate_milli: int
    label: str
    base_minor: int
    tax_minor: int


def included(gross_minor: int, rate_milli: int) -> int:
    """The tax inside an amount that includes it.

    >>> included(11900, 19_000), included(-11900, 19_000), included(100, 0)
    (1900, -1900, 0)
    """
    return divide_half_up(gross_minor * rate_milli, PERCENT_MILLI + rate_milli)


def on_top(net_minor: int, rate_milli: int) -> int:
    """The tax on an amount that does not include it.

    >>> on_top(10000, 8_875), on_top(199, 8_875)
    (888, 18)
    """
    return divide_half_up(net_minor * rate_milli, PERCENT_MILLI)


def tax_rows(amounts: Iterable[tuple[str, int]], market: Market) -> tuple[TaxRow, ...]:
    """The tax of (tax class, amount) pairs, one row per rate in the market's order.

    Amounts include tax or not as the market says. Rounded once per rate (DOCUMENT) or per pair and added (LINE).
    """
    by_named: dict[str, list[int]] = {}
    for named, amount in amounts:
        by_named.setdefault(named, []).append(amount)
    by_class: dict[str, list[int]] = {}
    for named, parts in by_named.items():
        by_class.setdefault(market.rate(named).tax_class, []).extend(parts)
    return tuple(_row(rate.tax_class, rate.rate_milli, rate.label, by_class[rate.tax_class], market) for rate in market.tax_rates if rate.tax_class in by_class)


def _row(tax_class: str, rate_milli: int, label: str, amounts: list[int], market: Market) -> TaxRow:
    tax_of = included if market.price_includes_tax else on_top
    parts = amounts if market.tax_rounding is TaxRounding.LINE else [sum(amounts)]
    tax = sum(tax_of(part, rate_milli) for part in parts)
    base = sum(amounts) - tax if market.price_includes_tax else sum(amounts)
    return TaxRow(tax_class, rate_milli, label, base, tax)
