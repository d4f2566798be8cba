"""Who this register is, and in which market: what central said at enrolment, and what the file says about codes."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError

from edge_agent.config import Config
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.market import MARKETS, Market
from edge_agent.domain.one_line import one_line
from edge_agent.service.core import Shop
from sync.contract.messages import Enrolled


def shop_of(config: Config, who: Enrolled) -> Shop:
    """Who this register is, from what central said at enrolment and the file says about codes. Raises ConfigError."""
    market = market_at(who)
    rules = config.code_rules(market.currency)
    if "upc_market" not in config.codes:
        rules = replace(rules, upc_market=market.country in ("US", "CA"))
    return Shop(who.tenant, who.store, one_line(who.store_name), who.register, who.epoch, market, rules)


def market_at(who: Enrolled) -> Market:
    """The market of the store that a register was enrolled in. Raises ConfigError."""
    return usable(who.market.market()) if who.market is not None else market_of(who.country)


def market_of(country: str) -> Market:
    """The market of a store's country. Raises ConfigError where none is described yet."""
    market = MARKETS.get(country)
    if market is None:
        raise ConfigError(
            f"Central says that this store is in {country!r}: expected one of {', '.join(sorted(MARKETS))}.", hint="Ask for a version that knows this market."
        )
    return market


def usable(market: Market) -> Market:
    """``market`` as central sent it, if this PC can keep its promises. Raises ConfigError: what, expected, got."""
    hint = "Ask the platform's operator to correct the store's market, then enrol again."
    if all(rate.tax_class != "standard" for rate in market.tax_rates):
        raise ConfigError("The store's market: taxRates: expected a rate for the class standard, got none.", hint=hint, reason="market")
    try:
        ZoneInfo(market.timezone)
        Locale.parse(market.locale)
    except (ZoneInfoNotFoundError, UnknownLocaleError, ValueError, OSError) as problem:  # OSError: a folder of zones, such as Europe
        raise ConfigError(
            f"The store's market: expected a known time zone and locale, got {market.timezone!r} and {market.locale!r}.", hint=hint, reason="market"
        ) from problem
    return market
