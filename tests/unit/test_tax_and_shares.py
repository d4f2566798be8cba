"""Where tax is rounded, and who gets the last cent: worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.market import GERMANY, UNITED_STATES, TaxRounding
from edge_agent.domain.money import allocate
from edge_agent.domain.tax import tax_rows
from tests.support_register import Memory, pieces

TWICE = [("standard", 199), ("standard", 199)]
"""8.875 % of 1.99 are 0.17661, rounded 0.18; of 3.98 they are 0.35323, rounded 0.35."""
THRICE = [*TWICE, ("standard", 199)]
"""The 19 % in 1.99 are 0.31773, rounded 0.32; in 5.97 they are 0.95319, rounded 0.95."""


@pytest.mark.parametrize(("rounding", "tax"), [(TaxRounding.LINE, 36), (TaxRounding.DOCUMENT, 35)])
def test_tax_on_top_is_rounded_where_the_market_says(rounding, tax):
    (row,) = tax_rows(TWICE, replace(UNITED_STATES, tax_rounding=rounding))
    assert (row.base_minor, row.tax_minor) == (398, tax)


@pytest.mark.parametrize(("rounding", "tax"), [(TaxRounding.LINE, 96), (TaxRounding.DOCUMENT, 95)])
def test_tax_included_is_rounded_where_the_market_says(rounding, tax):
    (row,) = tax_rows(THRICE, replace(GERMANY, tax_rounding=rounding))
    assert (row.base_minor, row.tax_minor) == (597 - tax, tax)


@pytest.mark.parametrize(("rounding", "total"), [(TaxRounding.LINE, 434), (TaxRounding.DOCUMENT, 433)])
def test_a_basket_costs_what_its_markets_rounding_makes_of_its_lines(rounding, total):
    till = Memory(replace(UNITED_STATES, tax_rounding=rounding))
    for name in ("pin", "ribbon"):
        till.do(do.AddDepartment("Fashion", "standard", name, 199, pieces(1)))
    assert till.total == total
    till.do(do.PayCash(total))
    assert till.sales[0].totals.total_minor == total


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (2, (1, 2, 2), (0, 1, 1)),  # 0.4, 0.8, 0.8
        (-2, (1, 2, 2), (0, -1, -1)),
        (1, (1, 1, 2), (0, 0, 1)),  # 0.25, 0.25, 0.5
        (3, (2, 1, 2), (1, 1, 1)),  # 1.2, 0.6, 1.2
        (2, (1, 1, 1), (1, 1, 0)),  # equal remainders: the earlier ones
        (1, (0, 1, 1), (0, 1, 0)),
    ],
)
def test_what_is_left_of_a_discount_goes_to_the_largest_remainder_and_then_to_the_earlier(amount, weights, shares):
    assert allocate(amount, weights) == shares


@given(st.integers(-100_000, 100_000), st.lists(st.integers(0, 50_000), min_size=1, max_size=12).filter(any))
def test_nobody_with_a_larger_remainder_goes_without_what_somebody_with_a_smaller_one_got(amount, weights):
    shares, whole = allocate(amount, weights), sum(weights)
    assert sum(shares) == amount
    rests = [abs(amount) * weight % whole for weight in weights]
    more = [abs(share) - abs(amount) * weight // whole for share, weight in zip(shares, weights, strict=True)]
    assert set(more) <= {0, 1}
    got, without = ([(rest, -at) for at, rest in enumerate(rests) if more[at] == extra] for extra in (1, 0))
    assert not got or not without or min(got) > max(without)
