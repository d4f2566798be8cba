"""A market: the country's money, language, taxes and cash, fixed by configuration for a store."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct, field

from edge_agent.domain.money import digits


class TaxRounding(Enum):
    """Where tax is rounded to the minor unit; one choice per market, stored with every sale."""

    LINE = "line"
    DOCUMENT = "document"


class TaxRate(Struct, frozen=True):
    """One tax: the class of goods it is for, and its rate in thousandths of a per cent (19 % is 19_000)."""

    tax_class: str
    rate_milli: int
    label: str


CASH_STEP_BY_CURRENCY = {
    # CLDR 48 supplemental/currencyData, _cashRounding and _cashDigits, in minor units.
    "CHF": 5, "CAD": 5, "DKK": 50, "SEK": 100, "NOK": 100, "CZK": 100, "HUF": 500, "RSD": 100, "TWD": 100, "AMD": 100, "CRC": 100,
    "COP": 100, "GYD": 100, "IDR": 100, "MNT": 100, "MUR": 100, "PKR": 100, "TZS": 100, "UZS": 100,
    # CLDR gives them no minor unit at all: ISO 4217's is one of account, without coins.
    "AFN": 100, "ALL": 100, "IQD": 1000, "IRR": 100, "KPW": 100, "LAK": 100, "LBP": 100, "MGA": 100, "MMK": 100, "SOS": 100, "SYP": 100, "YER": 100,
    # Missing there; Reserve Bank, MAS, BNM and SARB withdrew the smaller coins.
    "AUD": 5, "NZD": 10, "SGD": 5, "MYR": 5, "ZAR": 10,
}  # fmt: skip
CASH_ROUNDS_DOWN = frozenset({"ZAR"})
"""Where what is due in cash is never rounded up. Older tables round to five cents there, which are not in use any more: down to the ten below."""
CASH_STEP_BY_EURO_COUNTRY = {"BE": 5, "EE": 5, "FI": 5, "IE": 5, "IT": 5, "LT": 5, "NL": 5, "SK": 5}
"""The euro is rounded in cash by country, not by currency."""


def cash_step_minor(country: str, currency: str) -> int:
    """The smallest amount that can be paid in cash, in minor units.

    >>> cash_step_minor("DE", "EUR"), cash_step_minor("FI", "EUR"), cash_step_minor("SE", "SEK"), cash_step_minor("US", "USD")
    (1, 5, 100, 1)
    """
    if currency == "EUR":
        return CASH_STEP_BY_EURO_COUNTRY.get(country, 1)
    return CASH_STEP_BY_CURRENCY.get(currency, 1)


class Market(Struct, frozen=True):
    """Everything about a country that a sale depends on. ``locale`` is a CLDR identifier (``de_DE``), ``timezone`` an IANA name."""

    country: str
    currency: str
    locale: str
    timezone: str
    price_includes_tax: bool
    tax_rounding: TaxRounding
    tax_rates: tuple[TaxRate, ...]
    notes_minor: tuple[int, ...] = field(default=(500, 1000, 2000, 5000, 10000))
    """Banknotes, ascending: the quick amounts on the cash screen are made of them."""
    day_change_hour: int = 4
    """Until this hour of local time a new shift still belongs to the day before."""

    def rate(self, tax_class: str) -> TaxRate:
        """The rate for a class of goods; an unknown class is taxed like ``standard`` (never silently untaxed)."""
        by_class = {rate.tax_class: rate for rate in self.tax_rates}
        return by_class.get(tax_class) or by_class["standard"]

    @property
    def cash_step_minor(self) -> int:
        return cash_step_minor(self.country, self.currency)

    @property
    def cash_rounds_down(self) -> bool:
        return self.currency in CASH_ROUNDS_DOWN

    @property
    def digits(self) -> int:
        return digits(self.currency)


GERMANY = Market(
    country="DE", currency="EUR", locale="de_DE", timezone="Europe/Berlin", price_includes_tax=True, tax_rounding=TaxRounding.DOCUMENT,
    tax_rates=(TaxRate("standard", 19_000, "19 %"), TaxRate("reduced", 7_000, "7 %"), TaxRate("zero", 0, "0 %")),
)  # fmt: skip
UNITED_STATES = Market(
    country="US", currency="USD", locale="en_US", timezone="America/New_York", price_includes_tax=False, tax_rounding=TaxRounding.LINE,
    # New York City, clothing and food exemptions stand as the zero class in the sample.
    tax_rates=(TaxRate("standard", 8_875, "8.875 %"), TaxRate("reduced", 4_500, "4.5 %"), TaxRate("zero", 0, "0 %")),
)  # fmt: skip
SWEDEN = Market(
    country="SE", currency="SEK", locale="sv_SE", timezone="Europe/Stockholm", price_includes_tax=True, tax_rounding=TaxRounding.DOCUMENT,
    tax_rates=(TaxRate("standard", 25_000, "25 %"), TaxRate("reduced", 12_000, "12 %"), TaxRate("zero", 0, "0 %")),
    notes_minor=(2000, 5000, 10000, 20000, 50000),
)  # fmt: skip
MARKETS = {market.country: market for market in (GERMANY, UNITED_STATES, SWEDEN)}
