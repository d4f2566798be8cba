"""What tells pieces of one article apart keeps them in lines of their own: their best-before date, and who scanned them."""

from __future__ import annotations

import pytest

from edge_agent.domain import commands as do
from edge_agent.service.facts import sale_data
from tests.support_register import COAT, JUNIOR, LEASE, OFFERS, Memory, cart, pieces

SOONER, LATER = "2026-12-01", "2027-06-01"


def with_cart(till: Memory) -> None:
    till.do(do.LoadCart(cart(("w1", "COAT", 5, 19_900)), LEASE, {"COAT": (COAT, OFFERS["COAT"])}))


@pytest.mark.parametrize("carts", [False, True])
def test_each_best_before_date_is_a_line_of_its_own(carts):
    till = Memory()
    if carts:
        with_cart(till)
    for expiry in (SOONER, LATER, SOONER, ""):
        till.add(COAT, expiry=expiry)
    assert {(line.expiry, line.quantity.amount) for line in till.state.basket.in_hand} == {(SOONER, 2), (LATER, 1), ("", 1)}
    till.do(do.PayCash(None))
    assert sorted(row["expiry"] or "" for row in sale_data(till.sales[0])["lineItems"]) == ["", SOONER, LATER]


@pytest.mark.parametrize("carts", [False, True])
def test_what_another_operator_scans_is_a_line_of_its_own(carts):
    till = Memory()
    if carts:
        with_cart(till)
    till.add(COAT)
    till.do(do.SignIn(JUNIOR))
    till.add(COAT, pieces(2))
    till.add(COAT)
    assert {(line.operator, line.quantity.amount) for line in till.state.basket.in_hand} == {("1001", 1), ("1002", 3)}


def test_pieces_with_another_code_of_the_article_keep_it_when_they_are_picked():
    till = Memory()
    with_cart(till)
    till.add(COAT, gtin="04006381333931")
    till.add(COAT, gtin="09521246019331")
    assert sorted(line.gtin for line in till.state.basket.in_hand) == ["04006381333931", "09521246019331"]
