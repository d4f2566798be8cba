"""The tables of money agree with CLDR's, as Babel carries it; every difference is one that has a source."""

from __future__ import annotations

from babel.core import get_global
from babel.numbers import get_currency_precision

from edge_agent.domain.market import CASH_STEP_BY_CURRENCY, CASH_STEP_BY_EURO_COUNTRY, MARKETS, cash_step_minor
from edge_agent.domain.money import DIGITS_BY_CURRENCY, digits

KNOWN = set(get_global("all_currencies"))
TENDER_NOW = {code for entries in get_global("territory_currencies").values() for code, _, until, tender in entries if tender and until is None}
"""Legal tender somewhere today, by CLDR."""

DIGITS_OF_ISO = {"AFN": 2, "ALL": 2, "IQD": 3, "IRR": 2, "KPW": 2, "LAK": 2, "LBP": 2, "MGA": 2, "MMK": 2, "RSD": 2, "SOS": 2, "SYP": 2, "YER": 2}
"""ISO 4217's minor units (list one) where CLDR says 0 because nobody prices in so small a coin. Terminals and central count ISO's."""

CASH_STEPS_OF_CENTRAL_BANKS = {
    "AUD": 5,  # Reserve Bank of Australia: 1 and 2 cents withdrawn in 1992
    "NZD": 10,  # Reserve Bank of New Zealand: 5 cents withdrawn in 2006
    "SGD": 5,  # Monetary Authority of Singapore: 1 cent withdrawn in 2002
    "MYR": 5,  # Bank Negara Malaysia: rounding mechanism of 2008
    "ZAR": 10,  # South African Reserve Bank: 5 cents withdrawn in 2012
    "HUF": 500,  # Magyar Nemzeti Bank: 1 and 2 forint withdrawn in 2008; Babel's CLDR has the digits without the step of 5
}
"""In minor units, where CLDR has no rounding for cash, or less of it."""


def cldr_cash_step(currency: str) -> int:
    """The smallest cash amount by CLDR (``_cashDigits``, ``_cashRounding``), in our minor units."""
    fractions = get_global("currency_fractions")
    _, _, cash_digits, cash_rounding = fractions.get(currency, fractions["DEFAULT"])
    return max(int(cash_rounding), 1) * int(10 ** (digits(currency) - int(cash_digits)))


def test_every_currency_of_today_has_the_digits_of_cldr_or_of_iso_4217() -> None:
    assert len(TENDER_NOW) > 140
    differ = {code: digits(code) for code in TENDER_NOW if digits(code) != get_currency_precision(code)}
    assert differ == DIGITS_OF_ISO


def test_the_other_currencies_that_differ_are_of_the_past() -> None:
    """What nobody can pay with needs no entry; a currency that comes into use would fail the test above."""
    differ = {code for code in KNOWN - TENDER_NOW if digits(code) != get_currency_precision(code)}
    assert differ.isdisjoint(DIGITS_BY_CURRENCY)


def test_the_table_has_no_currency_that_cldr_does_not_know_and_no_needless_entry() -> None:
    assert set(DIGITS_BY_CURRENCY) <= KNOWN
    assert set(CASH_STEP_BY_CURRENCY) <= TENDER_NOW
    assert [code for code, count in DIGITS_BY_CURRENCY.items() if count == 2] == []
    assert [code for code, step in CASH_STEP_BY_CURRENCY.items() if step == 1] == []


def test_cash_is_rounded_as_cldr_says_or_as_the_central_bank_does() -> None:
    differ = {code: cash_step_minor("", code) for code in TENDER_NOW - {"EUR"} if cash_step_minor("", code) != cldr_cash_step(code)}
    assert differ == CASH_STEPS_OF_CENTRAL_BANKS


def test_the_euro_is_rounded_by_country_and_only_where_it_is_the_money() -> None:
    entries = get_global("territory_currencies")
    for country, step in CASH_STEP_BY_EURO_COUNTRY.items():
        assert step == 5
        assert any(code == "EUR" and until is None for code, _, until, _ in entries[country]), country


def test_every_market_s_currency_is_its_country_s() -> None:
    entries = get_global("territory_currencies")
    for country, market in MARKETS.items():
        assert market.currency in {code for code, _, until, tender in entries[country] if tender and until is None}
        assert all(note % market.cash_step_minor == 0 for note in market.notes_minor)
