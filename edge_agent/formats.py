"""Amounts and times as a market writes them, from CLDR through Babel."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

from edge_agent.domain.market import Market
from edge_agent.domain.moments import wall_time

AMOUNTS_CACHED = 2_048
"""Prices and the sums of late: what a screen and a receipt ask for. Every further one is kept for as long as the service runs, 300 bytes each."""


class Formats:
    """How one market writes things. Amounts are cached: the same few thousand come again and again."""

    def __init__(self, market: Market) -> None:
        self._locale = Locale.parse(market.locale)
        self._digits = market.digits
        self._pattern = "#,##0" + ("." + "0" * market.digits if market.digits else "")
        self._zone = ZoneInfo(market.timezone)
        self.decimal: str = get_decimal_symbol(self._locale)
        self.group: str = get_group_symbol(self._locale)
        self.amount = lru_cache(maxsize=AMOUNTS_CACHED)(self._amount)

    def _amount(self, minor: int) -> str:
        """``minor`` units as text, without the currency: ``1.234,50``."""
        return format_decimal(Decimal(minor).scaleb(-self._digits), format=self._pattern, locale=self._locale)

    def percent(self, milli: int) -> str:
        """Thousandths of a per cent as text: ``20 %``."""
        return format_decimal(Decimal(milli).scaleb(-3), format="0.###", locale=self._locale) + " %"

    def moment(self, at_ms: int) -> str:
        """A date and time of day in the market's own time: ``22.11.26, 14:07``."""
        return format_datetime(wall_time(at_ms, self._zone), format="short", tzinfo=self._zone, locale=self._locale)
