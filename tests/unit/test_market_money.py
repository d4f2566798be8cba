"""Cash in each market against printed tables, and amounts as each market writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.domain.cash import QUICK_AMOUNTS_MAX, cash_due_minor, cash_tender, quick_amounts
from edge_agent.domain.errors import OutOfBounds
from edge_agent.domain.market import GERMANY, MARKETS, SWEDEN, UNITED_STATES, Market, cash_step_minor
from edge_agent.domain.money import AMOUNT_MINOR_MAX, digits, round_to_step
from edge_agent.formats import Formats

# CLDR 48.2, supplemental/currencyData: _cashRounding in the currency's cash digits, and _cashDigits, as (rounding, cash digits).
CLDR_CASH = {
    "CHF": (5, 2), "CAD": (5, 2), "DKK": (50, 2), "HUF": (5, 0), "SEK": (0, 0), "NOK": (0, 0), "CZK": (0, 0), "RSD": (0, 0), "TWD": (0, 0), "AMD": (0, 0),
    "CRC": (0, 0),
}  # fmt: skip
# Not in CLDR: the coins that the reserve banks withdrew, and the euro, which is rounded by country.
COINS = [
    ("AU", "AUD", 5), ("NZ", "NZD", 10), ("SG", "SGD", 5), ("MY", "MYR", 5), ("ZA", "ZAR", 10), ("FI", "EUR", 5), ("NL", "EUR", 5), ("BE", "EUR", 5),
    ("IE", "EUR", 5), ("IT", "EUR", 5), ("SK", "EUR", 5), ("EE", "EUR", 5), ("DE", "EUR", 1), ("FR", "EUR", 1), ("US", "USD", 1), ("GB", "GBP", 1),
    ("JP", "JPY", 1),
]  # fmt: skip

# Casio V-R operator's manual, page 81: the last digits of the total, and what they become. (first, last, becomes)
TOTALS = {
    "Australian": (5, 10, ((0, 2, 0), (3, 7, 5), (8, 9, 10))),
    "Finnish": (5, 10, ((0, 2, 0), (3, 7, 5), (8, 9, 10))),
    "Danish": (50, 100, ((0, 24, 0), (25, 74, 50), (75, 99, 100))),
    "Swedish": (100, 100, ((0, 49, 0), (50, 99, 100))),
    "Norwegian": (100, 100, ((0, 49, 0), (50, 99, 100))),
    "New Zealand A": (10, 10, ((0, 4, 0), (5, 9, 10))),
}
# Printed there too, and not what rounding half away from zero gives: a market that wants one of these needs a policy of its own.
NEED_A_POLICY = {
    "New Zealand B (a half rounds down)": (10, 10, ((0, 5, 0), (6, 9, 10)), {5}),
}


def becomes(minor: int, span: int, table: tuple[tuple[int, int, int], ...]) -> int:
    whole, last = divmod(minor, span)
    return whole * span + next(to for first, until, to in table if first <= last <= until)


@pytest.mark.parametrize("currency", CLDR_CASH)
def test_the_smallest_cash_is_cldrs(currency):
    rounding, cash_digits = CLDR_CASH[currency]
    assert cash_step_minor("XX", currency) == max(rounding, 1) * 10 ** (digits(currency) - cash_digits)


@pytest.mark.parametrize(("country", "currency", "step"), COINS)
def test_the_smallest_coin_where_cldr_is_silent(country, currency, step):
    assert cash_step_minor(country, currency) == step


@pytest.mark.parametrize("name", TOTALS)
def test_totals_round_as_the_printed_table_says(name):
    step, span, table = TOTALS[name]
    for minor in range(5 * span):
        assert round_to_step(minor, step) == becomes(minor, span, table), minor


@pytest.mark.parametrize("name", NEED_A_POLICY)
def test_the_printed_tables_that_need_a_policy_differ_from_ours_exactly_there(name):
    step, span, table, differs = NEED_A_POLICY[name]
    assert {minor % span for minor in range(5 * span) if round_to_step(minor, step) != becomes(minor, span, table)} == differs


@pytest.mark.parametrize(
    ("minor", "step", "due"),
    [(1232, 5, 1230), (1233, 5, 1235), (1049, 100, 1000), (1050, 100, 1100), (1005, 10, 1010), (-1233, 5, -1235), (-1050, 100, -1100), (0, 100, 0)],
)
def test_the_worked_examples(minor, step, due):
    assert round_to_step(minor, step) == due


SOUTH_AFRICA = replace(GERMANY, country="ZA", currency="ZAR", locale="en_ZA")


@pytest.mark.parametrize("rest", range(1000, 1020))
def test_a_south_african_never_pays_more_in_cash_than_is_due(rest):
    """The printed table rounds down to five cents (0-4 to 0, 5-9 to 5); their coins went, and ten are the smallest."""
    due = cash_due_minor(rest, SOUTH_AFRICA)
    assert due == becomes(rest, 10, ((0, 9, 0),))
    assert due <= becomes(rest, 10, ((0, 4, 0), (5, 9, 5))) <= rest
    assert cash_tender("t", rest, None, SOUTH_AFRICA).rounding_minor == due - rest


FINLAND = replace(GERMANY, country="FI", locale="fi_FI")
DENMARK = replace(SWEDEN, country="DK", currency="DKK", locale="da_DK")
ANY_MARKET = st.sampled_from([GERMANY, FINLAND, SWEDEN, DENMARK, UNITED_STATES])
REST = st.integers(1, 5_000_000)


@given(ANY_MARKET, REST, st.integers(0, 5_000_000))
def test_change_never_needs_rounding_because_what_is_due_was_rounded(market, rest, more):
    """The printed tables round Danish and Swedish change by another rule; here change is a difference of two amounts that coins make."""
    step = market.cash_step_minor
    given_minor = cash_due_minor(rest, market) + more // step * step
    if given_minor == 0:
        given_minor = None
    tender = cash_tender("t", rest, given_minor, market)
    assert tender.settled_minor == rest
    assert tender.change_minor % step == 0
    assert abs(tender.rounding_minor) * 2 <= step
    assert tender.given_minor - tender.change_minor == tender.settled_minor + tender.rounding_minor


@given(ANY_MARKET, REST, st.data())
def test_less_than_is_due_settles_what_was_given_without_rounding(market, rest, data):
    step = market.cash_step_minor
    due = cash_due_minor(rest, market)
    if due <= step:
        return
    given_minor = data.draw(st.integers(1, due // step - 1)) * step
    tender = cash_tender("t", rest, given_minor, market)
    assert (tender.settled_minor, tender.rounding_minor, tender.change_minor) == (given_minor, 0, 0)
    assert rest - tender.settled_minor > 0


@pytest.mark.parametrize(
    ("market", "rest", "given_minor", "key"),
    [
        (SWEDEN, 19_900, 19_950, "cash_step"), (FINLAND, 1_233, 1_233, "cash_step"), (GERMANY, 100, 0, "cash_amount"), (GERMANY, 100, -5, "cash_amount"),
        (GERMANY, 100, AMOUNT_MINOR_MAX + 1, "cash_amount"),
    ],
)  # fmt: skip
def test_amounts_that_nobody_can_put_down_are_refused(market, rest, given_minor, key):
    with pytest.raises(OutOfBounds) as caught:
        cash_tender("t", rest, given_minor, market)
    assert caught.value.reason == key


@given(ANY_MARKET, st.integers(0, 5_000_000))
def test_quick_amounts_are_few_ascending_payable_and_enough(market, rest):
    amounts = quick_amounts(rest, market)
    assert 1 <= len(amounts) <= QUICK_AMOUNTS_MAX
    assert list(amounts) == sorted(set(amounts))
    assert amounts[0] == cash_due_minor(rest, market)
    assert all(amount % market.cash_step_minor == 0 for amount in amounts)


JAPAN = replace(GERMANY, country="JP", currency="JPY", locale="ja_JP", timezone="Asia/Tokyo")
KUWAIT = replace(GERMANY, country="KW", currency="KWD", locale="en_AE", timezone="Asia/Kuwait")
SWITZERLAND = replace(GERMANY, country="CH", currency="CHF", locale="de_CH", timezone="Europe/Zurich")


@pytest.mark.parametrize(
    ("market", "minor", "text"),
    [
        (GERMANY, 0, "0,00"), (GERMANY, 5, "0,05"), (GERMANY, -3980, "-39,80"), (GERMANY, 123_456_789, "1.234.567,89"),
        (GERMANY, 99_999_999_99, "99.999.999,99"), (UNITED_STATES, 123_456_789, "1,234,567.89"),
        (SWEDEN, 123_456_789, "1\u00a0234\u00a0567,89"), (SWEDEN, -150, "-1,50"),
        (JAPAN, 1_234, "1,234"), (KUWAIT, 1_234, "1.234"), (KUWAIT, 1_234_567, "1,234.567"), (SWITZERLAND, 123_456_789, "1’234’567.89"),
    ],
)  # fmt: skip
def test_amounts_are_written_as_the_market_writes_them(market, minor, text):
    assert Formats(market).amount(minor).replace("\u2212", "-") == text


@given(st.sampled_from([GERMANY, UNITED_STATES, SWEDEN, JAPAN, KUWAIT]), st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX))
def test_an_amounts_text_has_exactly_its_digits(market, minor):
    text = Formats(market).amount(minor)
    assert int("".join(character for character in text if character.isdigit())) == abs(minor)
    assert text.startswith(("-", "\u2212")) == (minor < 0)


@pytest.mark.parametrize(
    ("market", "shown"), [(GERMANY, ("20 %", "8,875 %", "0,5 %")), (UNITED_STATES, ("20 %", "8.875 %", "0.5 %")), (SWEDEN, ("20 %", "8,875 %", "0,5 %"))]
)
def test_shares_are_written_without_idle_zeros(market, shown):
    formats = Formats(market)
    assert tuple(formats.percent(milli) for milli in (20_000, 8_875, 500)) == shown


@pytest.mark.parametrize(
    ("market", "text"), [(GERMANY, "22.11.26, 12:00"), (UNITED_STATES, "11/22/26, 6:00\u202fAM"), (SWEDEN, "2026-11-22 12:00"), (JAPAN, "2026/11/22 20:00")]
)
def test_moments_are_in_the_markets_own_time(market, text):
    assert Formats(market).moment(1_795_345_200_000) == text


@pytest.mark.parametrize("market", MARKETS.values(), ids=lambda market: market.country)
def test_every_market_can_be_written_and_taxes_what_it_does_not_know_like_the_rest(market: Market):
    assert Formats(market).decimal in ",."
    assert market.rate("no-such-class") == market.rate("standard")
    assert all(note % market.cash_step_minor == 0 for note in market.notes_minor)
    assert list(market.notes_minor) == sorted(market.notes_minor)
