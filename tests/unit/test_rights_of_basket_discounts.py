"""A share off the whole basket is granted on what is there: goods that come after do not get it by themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotAllowed
from edge_agent.domain.shift import RIGHT_DISCOUNT, RIGHTS_ALL, Operator
from edge_agent.service.codec import read_state, write_state
from tests.support_counter import scan
from tests.support_register import AYSE, COAT, GOLD, LEASE, MARIA, OFFERS, PRALINES, SOCKS, Memory, cart, grams, pieces
from tests.support_shop import register

KIM = Operator("1004", "Kim", RIGHTS_ALL - {RIGHT_DISCOUNT})


def granted(*, percent: int = 20_000) -> Memory:
    """A coat at 199.00 with a fifth off everything; the operator without the right goes on with it after a restart."""
    till = Memory()
    till.add(COAT)
    till.do(do.DiscountBasket(do.Cut("scratched", percent)))
    till.do(do.SignIn(KIM))
    till.state = read_state(write_state(till.state))
    return till


def coat(till: Memory) -> str:
    return till.state.basket.lines[0].id


@pytest.mark.parametrize(
    "more",
    [
        lambda till: till.add(SOCKS),
        lambda till: till.add(COAT),
        lambda till: till.add(PRALINES, grams(100)),
        lambda till: till.do(do.AddDepartment("Fashion", "standard", "scarf", 100, pieces(1))),
        lambda till: till.do(do.ChangeQuantity(coat(till), pieces(2))),
    ],
    ids=["another article", "the same", "by weight", "by department", "a larger quantity"],
)
def test_more_goods_under_a_baskets_discount_take_the_right_again(more: Callable[[Memory], object]):
    till = granted()
    with pytest.raises(NotAllowed) as refused:
        more(till)
    assert (refused.value.reason, bool(refused.value.hint)) == ("more_discounted", True)
    assert till.total == 15_920
    till.do(do.SignIn(AYSE))
    more(till)
    assert till.total > 15_920


def test_goods_taken_out_make_room_for_no_more_than_was_granted():
    till = granted()
    till.do(do.SignIn(AYSE))
    till.add(SOCKS)
    till.do(do.DiscountBasket(do.Cut("late", 10_000)))
    till.do(do.SignIn(KIM))
    socks = till.state.basket.lines[1].id
    total = till.total
    till.do(do.RemoveLine(socks))
    with pytest.raises(NotAllowed):
        till.add(PRALINES, grams(2_000))  # more than the socks were
    assert till.total < total


def test_what_was_scanned_by_mistake_can_be_replaced_within_what_was_granted():
    till = Memory()
    till.add(COAT)
    till.add(SOCKS)
    till.do(do.DiscountBasket(do.Cut("opening", 10_000)))
    till.do(do.SignIn(KIM))
    before = till.total
    till.do(do.RemoveLine(till.state.basket.lines[1].id))
    till.add(SOCKS)
    assert till.total == before


def test_an_amount_off_does_not_grow_so_anything_may_come_after_it():
    till = Memory()
    till.add(COAT)
    till.do(do.DiscountBasket(do.Cut("voucher", amount_minor=1_000)))
    till.do(do.SignIn(KIM))
    till.add(SOCKS)
    assert till.total == 19_900 + 1_250 - 1_000


def test_the_goods_of_a_cart_that_was_there_are_picked_under_its_discount():
    till = Memory()
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 19_900)), LEASE, {"COAT": (COAT, OFFERS["COAT"])}))
    till.do(do.DiscountBasket(do.Cut("promised", 10_000)))
    till.do(do.SignIn(KIM))
    till.add(COAT)
    assert till.total == 17_910
    with pytest.raises(NotAllowed):
        till.add(SOCKS)


def test_a_customer_who_goes_takes_their_prices_along_whatever_the_discount():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "card", GOLD))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1)))
    till.do(do.DiscountBasket(do.Cut("scratched", 10_000)))
    till.do(do.SignIn(KIM))
    till.do(do.DetachCustomer(OFFERS))
    assert till.total == 17_910


async def test_the_associate_is_told_in_one_line_and_the_basket_stays_as_it_was(tmp_path: Path):
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        await scan(rig, "4006381333931")
        await rig.till.discount(None, do.Cut("worn", 10_000), "")
        await rig.till.day.sign_in("1002", "")
        await scan(rig, "4006381333931")
        snapshot = rig.presenter.snapshot()
        assert (snapshot.notice.key, snapshot.basket.total.minor) == ("not_allowed.more_discounted", 17_910)
