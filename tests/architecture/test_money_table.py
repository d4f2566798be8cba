"""The tables of money agree with CLDR's, as Babel carries it, and every difference is one that we can name a source for."""

from __future__ import annotations

from babel.core import get_global
from babel.numbers import get_currency_precision

from edge_agent.domain.market import CASH_STEP_BY_CURRENCY, CASH_STEP_BY_EURO_COUNTRY, MARKETS, cash_step_minor
from edge_agent.domain.money import DIGITS_BY_CURRENCY, digits

TERRITORIES_BY_CURRENCY: dict[str, tuple[str, ...]] = get_global("all_currencies")
TENDER_NOW = {code for entries in get_global("territory_currencies").values() for code, _, until, tender in entries if tender and until is None}
"""Currencies that are legal tender somewhere today, by CLDR."""

DIGITS_DIFFER = {
    # ISO 4217 says 2 (3 for the Iraqi dinar): what a terminal's protocol and central expect. CLDR says 0: nobody prices in so small a unit.
    "AFN": (2, 0), "ALL": (2, 0), "COP": (2, 2), "IQD": (3, 0), "IRR": (2, 0), "KPW": (2, 0), "LAK": (2, 0), "LBP": (2, 0), "MMK": (2, 0),
    "PKR": (2, 2), "RSD": (2, 0), "SLE": (2, 2), "SOS": (2, 0), "SYP": (2, 0), "TZS": (2, 2), "YER": (2, 0),
}  # fmt: skip
