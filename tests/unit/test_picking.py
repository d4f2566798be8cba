"""An online cart and the goods on the counter meet, whichever comes first: nothing is sold twice, nothing is lost, and nobody pays more for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain import commands as do
from edge_agent.domain.basket import PriceSource
from edge_agent.domain.errors import OutOfBounds
from tests.support_register import COAT, GOLD, LEASE, MARIA, OFFERS, PRALINES, SOCKS, Memory, cart, grams, pieces

KNOWN = {"COAT": (COAT, OFFERS["COAT"]), "SOCKS": (SOCKS, OFFERS["SOCKS"])}


def load(till: Memory, *lines: tuple[str, str, int, int]) -> None:
    till.do(do.LoadCart(cart(*lines), LEASE, KNOWN))


def held(till: Memory) -> list[tuple[str, int, str, str]]:
    assert till.state.basket is not None
    return [(line.sku, line.quantity.amount, line.cart_line, line.state.value) for line in till.state.basket.lines]


def test_what_lies_on_the_counter_fulfils_the_carts_line_when_the_cart_comes():
    till = Memory()
    till.add(COAT)
    load(till, ("w1", "COAT", 1, 18900), ("w2", "SOCKS", 3, 1250))
    assert held(till) == [("COAT", 1, "w1", "in_hand"), ("SOCKS", 3, "w2", "to_pick")]
    assert till.total == 18900, "what the web shop promised, because it is less"
    till.do(do.PayCash(None))
    assert (till.sales[0].cart_lines_sold, [line.cart_line for line in till.sales[0].left_online]) == ({"w1"}, ["w2"])


def test_fewer_than_the_cart_wants_leave_the_others_to_be_picked_and_join_them():
    till = Memory()
    till.add(SOCKS, pieces(2))
    load(till, ("w2", "SOCKS", 3, 1250))
    assert held(till) == [("SOCKS", 1, "w2", "to_pick"), ("SOCKS", 2, "w2", "in_hand")]
    till.add(SOCKS)
    assert held(till) == [("SOCKS", 3, "w2", "in_hand")]


def test_more_than_the_cart_wants_stay_a_line_of_their_own_at_their_own_price():
    till = Memory()
    till.add(COAT, pieces(3))
    load(till, ("w1", "COAT", 1, 18900))
    assert held(till) == [("COAT", 2, "", "in_hand"), ("COAT", 1, "w1", "in_hand")]
    assert till.total == 2 * 19900 + 18900


def test_two_lines_of_the_cart_share_what_lies_there():
    till = Memory()
    till.add(SOCKS, pieces(3))
    load(till, ("w1", "SOCKS", 2, 1250), ("w2", "SOCKS", 2, 1250))
    assert held(till) == [("SOCKS", 2, "w1", "in_hand"), ("SOCKS", 1, "w2", "to_pick"), ("SOCKS", 1, "w2", "in_hand")]


def test_each_article_with_its_own_serial_number_counts_for_the_cart_and_keeps_it():
    till = Memory()
    till.add(COAT, serial="A1")
    till.add(COAT, serial="A2")
    load(till, ("w1", "COAT", 3, 19900))
    assert held(till) == [("COAT", 1, "w1", "to_pick"), ("COAT", 1, "w1", "in_hand"), ("COAT", 1, "w1", "in_hand")]
    assert [line.serial for line in till.state.basket.in_hand] == ["A1", "A2"]
    with_another = Memory()
    with_another.add(COAT, serial="A1")
    load(with_another, ("w1", "COAT", 2, 19900))
    with_another.add(COAT)
    assert [(line.serial, line.quantity.amount) for line in with_another.state.basket.in_hand] == [("A1", 1), ("", 1)]
    till.do(do.PayCash(None))
    assert till.sales[0].cart_pieces_sold_in_part == {"w1": 2}


def test_a_discount_that_was_given_stays_with_its_line_which_is_not_torn():
    till = Memory()
    till.add(COAT, pieces(2))
    till.do(do.DiscountLine(till.state.basket.lines[0].id, do.Cut("worn", amount_minor=1000)))
    before = till.total
    load(till, ("w1", "COAT", 1, 18900))
    assert held(till) == [("COAT", 2, "w1", "in_hand")]
    assert till.total == before


def test_a_members_price_that_is_less_than_the_promise_is_kept():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "card"))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1)))
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 18900)), LEASE, {"COAT": (COAT, GOLD["COAT"])}))
    (line,) = till.state.basket.lines
    assert (line.unit_price_minor, line.source, line.cart_line) == (17900, PriceSource.MEMBER, "w1")


def test_a_labels_price_and_weighed_goods_are_not_taken_for_the_carts():
    till = Memory()
    till.add(COAT, price_minor=9900)
    till.add(PRALINES, grams(412))
    load(till, ("w1", "COAT", 1, 18900))
    assert [(sku, line, state) for sku, _, line, state in held(till)] == [("COAT", "", "in_hand"), ("PRAL", "", "in_hand"), ("COAT", "w1", "to_pick")]


def test_a_cart_that_was_released_and_comes_again_finds_what_was_picked_for_it():
    till = Memory()
    load(till, ("w1", "COAT", 1, 18900))
    till.add(COAT)
    till.do(do.ReleaseCart())
    load(till, ("w1", "COAT", 1, 18900))
    assert held(till) == [("COAT", 1, "w1", "in_hand")]
    assert till.total == 18900


SCANS = st.lists(st.tuples(st.sampled_from([COAT, SOCKS]), st.integers(1, 3)), max_size=6)
WANTED = st.lists(st.tuples(st.sampled_from(["COAT", "SOCKS"]), st.integers(1, 4), st.integers(900, 25000)), min_size=1, max_size=4)


@given(SCANS, SCANS, WANTED)
def test_the_same_pieces_are_sold_and_left_whether_they_were_scanned_before_or_after_the_cart_came(early, late, wanted):
    lines = [(f"w{number}", *line) for number, line in enumerate(wanted)]
    met, after = Memory(), Memory()
    for article, count in early:
        met.add(article, pieces(count))
    dearest = met.total if early else 0
    load(met, *lines)
    assert met.total <= dearest, "a cart that comes in never makes what lies there dearer"
    load(after, *lines)
    for article, count in early:
        after.add(article, pieces(count))
    for article, count in late:
        met.add(article, pieces(count))
        after.add(article, pieces(count))
    assert _pieces(met) == _pieces(after)
    scanned = sum(count for _, count in (*early, *late))
    assert sum(count for key, count in _pieces(met).items() if key[2] == "in_hand") == scanned
    assert len({line.id for line in met.state.basket.lines}) == len(met.state.basket.lines)
    assert len({line.position for line in met.state.basket.lines}) == len(met.state.basket.lines)


def _pieces(till: Memory) -> dict[tuple[str, bool, str], int]:
    """How many pieces of what are the cart's or not, in hand or to pick."""
    found: dict[tuple[str, bool, str], int] = {}
    for line in till.state.basket.lines:
        key = (line.sku, bool(line.cart_line), line.state.value)
        found[key] = found.get(key, 0) + line.quantity.amount
    return found


def test_a_basket_without_room_for_the_cart_says_so_and_changes_nothing():
    till = Memory()
    for number in range(499):
        till.add(COAT, serial=str(number))
    before = till.state
    with pytest.raises(OutOfBounds, match="at most 500 lines"):
        load(till, ("w1", "SOCKS", 1, 1250), ("w2", "SOCKS", 1, 1250))
    assert till.state == before
