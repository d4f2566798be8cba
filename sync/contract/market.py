"""A store's market on the wire: what central decides about money, taxes, time and language, and a register is told when it enrols."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge_agent.domain.market import Market, TaxRate, TaxRounding

Name = Annotated[str, Meta(min_length=1, max_length=40)]


class TaxRateRow(Struct, frozen=True, rename="camel"):
    """One tax: the class of goods, the rate in thousandths of a per cent, and how receipts write it."""

    tax_class: Name
    rate_milli: Annotated[int, Meta(ge=0, le=100_000)]
    label: Name


class MarketRow(Struct, frozen=True, rename="camel", kw_only=True):
    """Everything about a store's market. ``locale`` is a CLDR identifier, ``timezone`` an IANA name.

    A class of goods without a rate of its own is taxed as ``standard``, which has to be there.
    """

    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
    locale: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(_[A-Za-z0-9]{2,8}){0,3}$")]
    timezone: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")]
    price_includes_tax: bool
    tax_rounding: Literal["line", "document"]
    tax_rates: Annotated[list[TaxRateRow], Meta(min_length=1, max_length=50)]
    notes_minor: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(min_length=1, max_length=20)]
    day_change_hour: Annotated[int, Meta(ge=0, le=23)] = 4

    def market(self) -> Market:
        """The domain's value of it."""
        return Market(
            country=self.country,
            currency=self.currency,
            locale=self.locale,
            timezone=self.timezone,
            price_includes_tax=self.price_includes_tax,
            tax_rounding=TaxRounding(self.tax_rounding),
            tax_rates=tuple(TaxRate(rate.tax_class, rate.rate_milli, rate.label) for rate in self.tax_rates),
            notes_minor=tuple(self.notes_minor),
            day_change_hour=self.day_change_hour,
        )


def market_row(market: Market) -> MarketRow:
    """A market of the domain as it is written on the wire.

    >>> from edge_agent.domain.market import GERMANY
    >>> market_row(GERMANY).market() == GERMANY
    True
    """
    return MarketRow(
        country=market.country,
        currency=market.currency,
        locale=market.locale,
        timezone=market.timezone,
        price_includes_tax=market.price_includes_tax,
        tax_rounding=market.tax_rounding.value,
        tax_rates=[TaxRateRow(rate.tax_class, rate.rate_milli, rate.label) for rate in market.tax_rates],
        notes_minor=list(market.notes_minor),
        day_change_hour=market.day_change_hour,
    )
