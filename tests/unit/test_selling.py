"""What scans, discounts, customers and carts do to a basket."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.basket import LineState, PriceSource
from edge_agent.domain.errors import NotAllowed, NotNow, OutOfBounds
from edge_agent.domain.events import DiscountRemoved, LinePicked, LinesRepriced
from edge_agent.domain.market import UNITED_STATES
from edge_agent.domain.shift import RIGHT_DEPARTMENT, RIGHT_DISCOUNT, RIGHTS_ALL
from tests.support_register import COAT, GOLD, JUNIOR, LEASE, MARIA, OFFERS, OMAR, PRALINES, SOCKS, Memory, cart, grams, pieces


def test_the_sketch_of_the_sale_screen_comes_to_its_total():
    till = Memory()
    till.add(COAT)
    till.add(SOCKS, pieces(2))
    till.add(PRALINES, grams(412))
    coat = till.state.basket.lines[0]
    till.do(do.DiscountLine(coat.id, do.Cut("winter offer", percent_milli=20_000)))
    assert [line.amount_minor for line in till.state.basket.lines] == [15920, 2500, 1644]
    totals = till.state.basket.totals(till.market)
    assert totals.total_minor == 20064
    assert [(row.tax_class, row.tax_minor) for row in totals.taxes] == [("standard", 2941), ("reduced", 108)]


def test_scanning_the_same_article_again_raises_the_quantity_and_the_line_that_changed_is_marked():
    till = Memory()
    till.add(COAT)
    till.add(SOCKS)
    till.add(COAT)
    basket = till.state.basket
    assert [(line.sku, line.quantity.amount) for line in basket.lines] == [("COAT", 2), ("SOCKS", 1)]
    assert basket.changed == basket.lines[0].id


def test_a_discounted_line_is_not_merged_into():
    till = Memory()
    till.add(COAT)
    till.do(do.DiscountLine(till.state.basket.lines[0].id, do.Cut("worn", amount_minor=1000)))
    till.add(COAT)
    assert [line.amount_minor for line in till.state.basket.lines] == [18900, 19900]


def test_each_article_with_a_serial_number_has_its_own_line():
    till = Memory()
    till.add(COAT, serial="A1")
    till.add(COAT, serial="A2")
    assert [line.serial for line in till.state.basket.lines] == ["A1", "A2"]
    with pytest.raises(OutOfBounds, match="one by one"):
        till.do(do.ChangeQuantity(till.state.basket.lines[0].id, pieces(2)))


def test_weighed_goods_need_a_weight_and_pieces_need_a_number():
    till = Memory()
    with pytest.raises(OutOfBounds, match="by weight"):
        till.add(PRALINES, pieces(1))
    with pytest.raises(OutOfBounds, match="by the piece"):
        till.add(COAT, grams(100))


def test_a_price_in_the_code_is_the_price_of_the_line():
    till = Memory()
    till.add(PRALINES, pieces(1), price_minor=499)
    line = till.state.basket.lines[0]
    assert (line.amount_minor, line.source) == (499, PriceSource.CODE)


def test_a_label_below_the_book_s_price_is_a_discount_and_keeps_the_book_s_price_beside_it():
    till = Memory()
    till.add(COAT, pieces(1), gtin="04006381333931", price_minor=500)
    line = till.state.basket.lines[0]
    assert (line.amount_minor, line.unit_price_minor, line.base_price_minor, line.source) == (500, 500, 19900, PriceSource.CODE)


@pytest.mark.parametrize(
    ("article", "label", "rights", "reason"),
    [
        (COAT, {"gtin": "04006381333931", "price_minor": 500}, RIGHTS_ALL - {RIGHT_DISCOUNT}, "label_price"),
        (COAT, {"gtin": "04006381333931", "price_minor": 1, "keyed": True}, RIGHTS_ALL - {RIGHT_DEPARTMENT}, "sale_department"),
        (PRALINES, {"price_minor": 499, "keyed": True}, RIGHTS_ALL - {RIGHT_DEPARTMENT}, "sale_department"),
        (COAT, {"gtin": "04006381333931", "price_minor": 19900}, frozenset(), ""),
        (COAT, {"price_minor": 500}, frozenset(), ""),  # the scale's own label
        (PRALINES, {"price_minor": 499}, frozenset(), ""),
        (PRALINES, {"gtin": "04006381333948", "price_minor": 499}, frozenset(), ""),
        (COAT, {"gtin": "04006381333931", "keyed": True}, frozenset(), ""),
    ],
)
def test_a_price_that_is_not_the_book_s_takes_a_right(article, label, rights, reason):
    till = Memory()
    till.state = replace(till.state, operator=replace(till.state.operator, rights=rights))
    if reason:
        with pytest.raises(NotAllowed) as refused:
            till.add(article, pieces(1), **label)
        assert refused.value.reason == reason
        assert till.state.basket is None
    else:
        till.add(article, pieces(1), **label)
        assert len(till.state.basket.lines) == 1


def test_a_basket_discount_is_shared_over_the_rates_to_the_cent():
    till = Memory()
    till.add(COAT)
    till.add(PRALINES, grams(412))
    till.do(do.DiscountBasket(do.Cut("opening", amount_minor=1001)))
    totals = till.state.basket.totals(till.market)
    assert sum(totals.shares_minor) == totals.total_minor == 19900 + 1644 - 1001
    assert sum(row.base_minor + row.tax_minor for row in totals.taxes) == totals.total_minor


def test_tax_comes_on_top_where_the_market_says_so():
    till = Memory(UNITED_STATES)
    till.add(COAT)
    totals = till.state.basket.totals(till.market)
    assert (totals.tax_minor, totals.total_minor) == (1766, 21666)


def test_a_discount_given_by_mistake_is_taken_off_again_and_the_sale_knows_nothing_of_it():
    till = Memory()
    till.add(COAT)
    coat = till.state.basket.lines[0].id
    till.do(do.DiscountLine(coat, do.Cut("worn", amount_minor=1000)))
    till.do(do.DiscountLine(coat, do.Cut("goodwill", percent_milli=10_000)))
    till.do(do.DiscountBasket(do.Cut("opening", amount_minor=500)))
    worn, whole = till.state.basket.lines[0].discounts[0].id, till.state.basket.discounts[0].id
    assert [type(event) for event in till.do(do.RemoveDiscount(worn))] == [DiscountRemoved]
    assert till.total == 19900 - 1990 - 500
    assert till.do(do.RemoveDiscount(whole)) == (DiscountRemoved("", whole, till.now_ms, till.state.operator.id),)
    assert till.total == 19900 - 1990
    with pytest.raises(NotNow, match="not in the basket"):
        till.do(do.RemoveDiscount(whole))
    till.do(do.PayCash(None))
    assert [discount.reason for line in till.sales[0].lines for discount in line.discounts] == ["goodwill"]
    assert till.sales[0].discounts == ()


def test_no_discount_is_larger_than_what_is_left_of_the_line_or_the_basket():
    till = Memory()
    till.add(SOCKS)
    socks = till.state.basket.lines[0].id
    with pytest.raises(OutOfBounds, match="larger") as refused:
        till.do(do.DiscountLine(socks, do.Cut("typo", amount_minor=1251)))
    assert refused.value.args_shown == {"most_minor": "1250"}
    till.do(do.DiscountLine(socks, do.Cut("worn", amount_minor=250)))
    with pytest.raises(OutOfBounds, match="larger"):
        till.do(do.DiscountLine(socks, do.Cut("typo", amount_minor=1001)))
    till.do(do.DiscountBasket(do.Cut("opening", amount_minor=400)))
    with pytest.raises(OutOfBounds, match="larger"):
        till.do(do.DiscountBasket(do.Cut("typo", amount_minor=601)))
    till.do(do.DiscountBasket(do.Cut("gift", amount_minor=600)))
    assert till.total == 0


def test_a_junior_may_sell_but_neither_discount_nor_type_a_price_nor_void():
    till = Memory(operator=JUNIOR)
    till.add(COAT)
    line = till.state.basket.lines[0].id
    for command in (
        do.DiscountLine(line, do.Cut("x", amount_minor=1)),
        do.DiscountBasket(do.Cut("x", amount_minor=1)),
        do.RemoveDiscount("none"),
        do.AddDepartment("Food", "reduced", "", 100, pieces(1)),
        do.VoidBasket("because"),
    ):
        with pytest.raises(NotAllowed):
            till.do(command)


def test_a_customer_brings_member_prices_and_the_totals_before_and_after_are_kept():
    till = Memory()
    till.add(COAT)
    events = till.do(do.AttachCustomer(MARIA, "tag", GOLD))
    repriced = next(event for event in events if isinstance(event, LinesRepriced))
    assert (repriced.before_minor, repriced.after_minor, till.total) == (19900, 17900, 17900)
    till.do(do.DetachCustomer(OFFERS))
    assert till.total == 19900


def test_attaching_the_same_customer_again_changes_nothing():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "tag", {}))
    assert till.do(do.AttachCustomer(MARIA, "card", {})) == ()
    till.do(do.AttachCustomer(OMAR, "card", {}))
    assert till.state.basket.customer.id == "c-omar"


def test_scanning_the_article_in_hand_fulfils_the_carts_line_instead_of_doubling_it():
    till = Memory()
    known = {"COAT": (COAT, OFFERS["COAT"]), "SOCKS": (SOCKS, OFFERS["SOCKS"])}
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 18900), ("w2", "SOCKS", 3, 1250)), LEASE, known))
    assert till.total == 0
    assert all(line.state is LineState.TO_PICK for line in till.state.basket.lines)
    till.add(COAT)
    assert till.total == 18900  # what the web shop promised, because it is less
    till.add(SOCKS)
    till.add(SOCKS)
    by_state = [(line.sku, line.quantity.amount, line.state) for line in till.state.basket.lines]
    assert by_state == [("SOCKS", 1, LineState.TO_PICK), ("COAT", 1, LineState.IN_HAND), ("SOCKS", 2, LineState.IN_HAND)]
    till.add(SOCKS, pieces(3))  # one more than the cart still wants, and one more again
    assert [(line.sku, line.quantity.amount, line.cart_line) for line in till.state.basket.lines] == [
        ("COAT", 1, "w1"),
        ("SOCKS", 3, "w2"),
        ("SOCKS", 2, ""),
    ]
    assert sum(isinstance(event, LinePicked) for event in till.events) == 4


def test_releasing_the_cart_takes_what_is_not_in_hand_with_it():
    till = Memory()
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 18900), ("w2", "SOCKS", 3, 1250)), LEASE, {"COAT": (COAT, OFFERS["COAT"]), "SOCKS": (SOCKS, OFFERS["SOCKS"])}))
    till.add(COAT)
    till.do(do.ReleaseCart())
    assert [(line.sku, line.cart_line) for line in till.state.basket.lines] == [("COAT", "")]
    assert till.state.basket.lease is None


def test_suspend_and_recall_bring_back_the_same_basket_and_only_one_is_open():
    till = Memory()
    till.add(COAT)
    basket = till.state.basket.id
    till.do(do.Suspend("  red   scarf "))
    assert (till.state.basket, till.state.suspended[0].label) == (None, "red scarf")
    till.add(SOCKS)
    with pytest.raises(NotNow, match="open"):
        till.do(do.Recall(basket))
    till.do(do.VoidBasket("changed their mind"))
    till.do(do.Recall(basket))
    assert till.state.basket.id == basket
    assert till.total == 19900


def test_a_removed_line_stays_known_to_loss_prevention():
    till = Memory()
    till.add(COAT)
    till.add(SOCKS)
    till.do(do.RemoveLine(till.state.basket.lines[0].id))
    till.do(do.PayCash(None))
    assert [(gone.sku, gone.amount_minor, gone.operator) for gone in till.sales[0].removed] == [("COAT", 19900, "1001")]


def test_nothing_is_sold_without_a_shift():
    till = Memory()
    till.do(do.CloseShift())
    with pytest.raises(NotNow, match="No shift"):
        till.add(COAT)
