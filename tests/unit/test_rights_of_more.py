"""A price or a discount that took a right takes it again for more of the same, and a discount does not outlive what it was given for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.api.commands import carry_out
from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotAllowed
from edge_agent.domain.events import DiscountRemoved
from edge_agent.domain.shift import RIGHT_DEPARTMENT, RIGHT_DISCOUNT, RIGHTS_ALL, Operator
from edge_agent.service.codec import read_state, write_state
from edge_agent.views import RemoveLine
from tests.support_counter import scan
from tests.support_register import AYSE, COAT, GOLD, JUNIOR, MARIA, OFFERS, PRALINES, SOCKS, Memory, grams, pieces
from tests.support_shop import register

GTIN = "04006381333931"


def label(till: Memory) -> None:
    till.add(COAT, pieces(1), gtin=GTIN, price_minor=100, labels=2)


def typed_label(till: Memory) -> None:
    till.add(PRALINES, pieces(1), price_minor=1, keyed=True, labels=2)


def discount(till: Memory) -> None:
    till.add(COAT, pieces(2))
    till.do(do.DiscountLine(first(till), do.Cut("worn", 90_000)))


def weighed_discount(till: Memory) -> None:
    till.add(PRALINES, grams(200))
    till.do(do.DiscountLine(first(till), do.Cut("worn", 90_000)))


def department(till: Memory) -> None:
    till.do(do.AddDepartment("Fashion", "standard", "scarf", 100, pieces(2)))


def untied_label(till: Memory) -> None:
    till.do(do.AttachCustomer(MARIA, "card", GOLD))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1), GTIN, 17_900, labels=2))
    till.do(do.DetachCustomer(OFFERS))


def first(till: Memory) -> str:
    assert till.state.basket is not None
    return till.state.basket.lines[0].id


def changed(till: Memory, by: int) -> None:
    held = till.state.basket.lines[0].quantity
    till.do(do.ChangeQuantity(first(till), replace(held, amount=held.amount + by)))


@pytest.mark.parametrize(
    ("granted", "right"),
    [
        (label, RIGHT_DISCOUNT),
        (typed_label, RIGHT_DEPARTMENT),
        (discount, RIGHT_DISCOUNT),
        (weighed_discount, RIGHT_DISCOUNT),
        (department, RIGHT_DEPARTMENT),
        (untied_label, RIGHT_DISCOUNT),
    ],
)
def test_more_of_a_granted_price_takes_the_right_again_and_less_of_it_takes_none(granted: Callable[[Memory], None], right: str):
    till = Memory()
    granted(till)
    till.do(do.SignIn(Operator("1004", "Kim", RIGHTS_ALL - {right})))
    till.state = read_state(write_state(till.state))
    with pytest.raises(NotAllowed) as refused:
        changed(till, 198)
    assert (refused.value.reason, bool(refused.value.hint)) == ("more_granted", True)
    changed(till, -1)
    changed(till, 0)
    with pytest.raises(NotAllowed):
        changed(till, 1)
    till.do(do.SignIn(AYSE))
    changed(till, 198)


def shops_own_label(till: Memory) -> None:
    till.add(COAT, pieces(1), price_minor=500)


def book_price(till: Memory) -> None:
    till.add(COAT)


def members_label(till: Memory) -> None:
    till.do(do.AttachCustomer(MARIA, "card", GOLD))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1), GTIN, 17_900))


@pytest.mark.parametrize("sold", [shops_own_label, book_price, members_label])
def test_what_nobody_had_to_grant_may_become_more(sold: Callable[[Memory], None]):
    till = Memory(operator=JUNIOR)
    sold(till)
    changed(till, 2)
    assert [line.quantity.amount for line in till.state.basket.lines] == [3]


def test_a_members_label_that_becomes_everybodys_price_needs_nothing_any_more():
    till = Memory(operator=JUNIOR)
    members_label(till)
    till.do(do.DetachCustomer(OFFERS))
    changed(till, 2)
    assert till.total == 3 * 19_900


def test_the_baskets_discount_goes_with_the_last_of_the_goods_it_was_given_for():
    till = Memory()
    till.add(SOCKS)
    till.do(do.DiscountBasket(do.Cut("worn", 100_000)))
    till.add(COAT)
    till.do(do.SignIn(JUNIOR))
    gone = till.state.basket.discounts[0].id
    events = till.do(do.RemoveLine(first(till)))
    assert [event for event in events if isinstance(event, DiscountRemoved)] == [DiscountRemoved("", gone, till.now_ms, JUNIOR.id)]
    assert (till.state.basket.discounts, till.total) == ((), 19_900)


def test_an_emptied_basket_has_no_discount_and_is_empty():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "card"))
    till.do(do.DiscountBasket(do.Cut("early", 5_000)))
    till.add(SOCKS)
    till.do(do.DiscountBasket(do.Cut("worn", 100_000)))
    till.do(do.RemoveLine(first(till)))
    assert (till.state.basket.discounts, till.state.basket.is_empty) == ((), True)
    till.add(COAT)
    assert till.total == 19_900


def test_the_baskets_discount_stays_while_any_of_its_goods_is_there():
    till = Memory()
    till.add(SOCKS)
    till.add(COAT)
    till.do(do.DiscountBasket(do.Cut("opening", 10_000)))
    till.do(do.RemoveLine(first(till)))
    assert till.total == 17_910


async def test_the_associate_is_told_that_the_baskets_discount_went_too(tmp_path: Path):
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        await scan(rig, "4006381333931")
        await rig.till.discount(None, do.Cut("worn", 10_000), "")
        await carry_out(rig.till, RemoveLine(rig.core.state.basket.lines[0].id), "c-1")
        snapshot = rig.presenter.snapshot()
        assert (snapshot.notice.key, snapshot.basket.discounts) == ("notice.basket_discount_gone", [])
