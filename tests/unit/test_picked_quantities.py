"""Goods picked for an online cart that are taken off again, or become more: what is not sold stays the customer's, online."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from edge_agent.api.commands import carry_out
from edge_agent.domain import commands as do
from edge_agent.domain.basket import LineState
from edge_agent.domain.cart import CartLine
from edge_agent.service.facts import sale_data
from edge_agent.views import SetQuantity
from tests.support_counter import scan
from tests.support_register import COAT, GOLD, LEASE, OFFERS, SOCKS, Memory, cart, pieces
from tests.support_shop import MARIAS_CART, MemoryCentral, Rig, register

KNOWN = {"COAT": (COAT, OFFERS["COAT"]), "SOCKS": (SOCKS, OFFERS["SOCKS"])}


def loaded(*lines: tuple[str, str, int, int]) -> Memory:
    till = Memory()
    till.do(do.LoadCart(cart(*lines), LEASE, KNOWN))
    return till


def held(till: Memory) -> list[tuple[str, int, str, str, int]]:
    assert till.state.basket is not None
    return [(line.sku, line.quantity.amount, line.cart_line, line.state.value, line.unit_price_minor) for line in till.state.basket.lines]


def first_in_hand(till: Memory) -> str:
    assert till.state.basket is not None
    return till.state.basket.in_hand[0].id


def told(till: Memory) -> tuple[list[str], list[dict], list[str]]:
    """What the sale's fact says of the cart: sold whole, sold in part, left."""
    till.do(do.PayCash(None))
    said = sale_data(till.sales[-1])["cart"]
    return said["soldLines"], said["partlySold"], said["leftLines"]


def test_a_piece_taken_off_a_picked_line_is_to_pick_again_and_stays_online():
    till = loaded(("w1", "COAT", 2, 10_000))
    till.add(COAT, pieces(2))
    till.do(do.ChangeQuantity(first_in_hand(till), pieces(1)))
    assert sorted(held(till)) == [("COAT", 1, "w1", "in_hand", 10_000), ("COAT", 1, "w1", "to_pick", 10_000)]
    assert till.state.basket.changed == first_in_hand(till)
    assert told(till) == ([], [{"line": "w1", "pieces": 1}], ["w1"])
    assert [line.quantity.amount for line in till.sales[-1].left_online] == [1]


def test_it_joins_what_is_still_to_pick_and_may_be_picked_again():
    till = loaded(("w1", "COAT", 4, 10_000))
    till.add(COAT, pieces(3))
    till.do(do.ChangeQuantity(first_in_hand(till), pieces(1)))
    assert sorted(held(till)) == [("COAT", 1, "w1", "in_hand", 10_000), ("COAT", 3, "w1", "to_pick", 10_000)]
    till.add(COAT, pieces(3))
    assert held(till) == [("COAT", 4, "w1", "in_hand", 10_000)]
    assert told(till) == (["w1"], [], [])


def test_a_picked_line_that_is_taken_out_is_to_pick_again():
    till = loaded(("w1", "COAT", 2, 10_000))
    till.add(COAT, serial="A")
    till.add(COAT, serial="B", batch="7", expiry="2027-01-01")
    till.do(do.DiscountLine(till.state.basket.lines[1].id, do.Cut("worn", percent_milli=10_000)))
    till.do(do.RemoveLine(till.state.basket.lines[1].id))
    (wanted,) = till.state.basket.to_pick
    assert (wanted.quantity.amount, wanted.serial, wanted.batch, wanted.expiry, wanted.discounts) == (1, "", "", "", ())
    assert [gone.sku for gone in till.state.basket.removed] == ["COAT"]
    assert told(till) == ([], [{"line": "w1", "pieces": 1}], ["w1"])


def test_what_is_not_wanted_here_stays_online_though_nobody_is_asked_to_pick_it():
    till = loaded(("w1", "COAT", 2, 10_000))
    till.add(COAT)
    till.do(do.RemoveLine(till.state.basket.to_pick[0].id))
    assert told(till) == ([], [{"line": "w1", "pieces": 1}], ["w1"])


def test_more_than_the_cart_asked_for_goes_off_first():
    till = Memory()
    till.add(COAT, pieces(3))
    till.do(do.DiscountLine(first_in_hand(till), do.Cut("worn", percent_milli=10_000)))
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 10_000)), LEASE, KNOWN))
    till.do(do.ChangeQuantity(first_in_hand(till), pieces(1)))
    assert till.state.basket.to_pick == ()
    assert told(till) == (["w1"], [], [])


def test_of_a_line_that_holds_more_than_the_cart_asked_for_no_more_is_told_to_be_sold_of_the_cart():
    till = Memory()
    till.add(COAT, pieces(3))
    till.do(do.DiscountLine(first_in_hand(till), do.Cut("worn", percent_milli=10_000)))
    till.do(do.LoadCart(cart(("w1", "COAT", 2, 10_000)), LEASE, KNOWN))
    assert told(till) == (["w1"], [], [])
    assert sale_data(till.sales[-1])["cart"]["soldPieces"] == [{"line": "w1", "pieces": 2}]


def test_a_cart_that_asks_for_more_than_a_line_holds_is_not_told_that_all_is_sold():
    till = loaded(("w1", "SOCKS", 12_000, 1_250))
    till.add(SOCKS, pieces(9_999))
    assert told(till) == ([], [{"line": "w1", "pieces": 9_999}], ["w1"])


def test_what_was_picked_for_a_cart_that_is_gone_goes_off_for_good():
    till = loaded(("w1", "COAT", 2, 19_900))
    till.add(COAT, pieces(2))
    till.do(do.ReleaseCart(OFFERS))
    till.do(do.ChangeQuantity(first_in_hand(till), pieces(1)))
    assert [line.state for line in till.state.basket.lines] == [LineState.IN_HAND]


def test_more_than_the_cart_asks_for_is_a_line_of_its_own_at_its_own_price():
    till = loaded(("w2", "SOCKS", 1, 100))
    till.add(SOCKS)
    till.do(do.ChangeQuantity(first_in_hand(till), pieces(500), OFFERS["SOCKS"]))
    assert held(till) == [("SOCKS", 1, "w2", "in_hand", 100), ("SOCKS", 499, "", "in_hand", 1250)]
    till.do(do.ChangeQuantity(first_in_hand(till), pieces(2), OFFERS["SOCKS"]))
    assert held(till) == [("SOCKS", 1, "w2", "in_hand", 100), ("SOCKS", 500, "", "in_hand", 1250)]


def test_a_higher_quantity_takes_first_what_the_cart_still_wants():
    till = loaded(("w1", "COAT", 3, 10_000))
    till.add(COAT)
    till.do(do.ChangeQuantity(first_in_hand(till), pieces(2), OFFERS["COAT"]))
    assert held(till) == [("COAT", 1, "w1", "to_pick", 10_000), ("COAT", 2, "w1", "in_hand", 10_000)]
    till.do(do.ChangeQuantity(first_in_hand(till), pieces(4), GOLD["COAT"]))
    assert held(till) == [("COAT", 3, "w1", "in_hand", 10_000), ("COAT", 1, "", "in_hand", 17_900)]


def test_a_discount_on_a_picked_line_is_not_for_the_pieces_that_come_to_it():
    till = loaded(("w1", "COAT", 1, 19_900))
    till.add(COAT)
    till.do(do.DiscountLine(first_in_hand(till), do.Cut("worn", percent_milli=90_000)))
    till.do(do.ChangeQuantity(first_in_hand(till), pieces(3), None))
    assert [line.amount_minor for line in till.state.basket.lines] == [1_990, 2 * 19_900]


async def test_the_surplus_costs_what_it_costs_this_customer_here(tmp_path: Path):
    cheap = replace(MARIAS_CART, lines=(CartLine("w1", "COAT", 1, 1_000),))
    async with register(tmp_path, central=MemoryCentral(cart_now=cheap)) as rig:
        await rig.till.day.open("1002", 0, "")
        await scan(rig, MARIAS_CART.id)
        await scan(rig, "4006381333931")
        await carry_out(rig.till, SetQuantity(first_line(rig), "3"), "c-1")
        lines = rig.presenter.snapshot().basket.lines
        assert [(line.quantity, line.from_cart, line.unit_price.minor) for line in lines] == [("", True, 1_000), ("2", False, 17_900)]


def first_line(rig: Rig) -> str:
    assert rig.core.state.basket is not None
    return rig.core.state.basket.lines[0].id
