"""A serial number is one piece: it is in a basket once, and once is all that it is sold."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotNow, OutOfBounds
from edge_agent.domain.reading import Reading
from tests.support_register import COAT, LEASE, OFFERS, PRALINES, SOCKS, Memory, cart, grams, pieces
from tests.support_shop import Rig, register

SOCKS_GTIN = "04006381333948"


async def scan(rig: Rig, elements: str) -> None:
    await rig.till.scanned(Reading(elements.encode(), "scanner", rig.core.ports.clock.now_ms(), aim="]d2"))


async def opened(rig: Rig) -> None:
    await rig.till.day.open("1001", 10_000, "")


def held(rig: Rig) -> list[tuple[str, int]]:
    basket = rig.core.state.basket
    return [(line.serial, line.quantity.amount) for line in basket.lines] if basket else []


async def test_the_same_serial_number_scanned_again_is_refused_and_said(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, f"01{SOCKS_GTIN}21SER1")
        await scan(rig, f"01{SOCKS_GTIN}21SER1")
        assert held(rig) == [("SER1", 1)]
        assert rig.core.desk.notice.key == "not_now.serial_twice"
        await scan(rig, f"01{SOCKS_GTIN}21SER2")
        assert held(rig) == [("SER1", 1), ("SER2", 1)]


@pytest.mark.parametrize(
    ("typed", "elements"), [("3", f"01{SOCKS_GTIN}21SER2"), ("", f"01{SOCKS_GTIN}302\x1d21SER3"), ("2", f"01{SOCKS_GTIN}39221250\x1d21SER4")]
)
async def test_several_under_one_serial_number_are_refused(tmp_path, typed, elements):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.till.counter.next_quantity(typed)
        await scan(rig, elements)
        assert held(rig) == []
        assert rig.core.desk.notice.key == "out_of_bounds.serial"
        rig.till.counter.next_quantity("")
        await scan(rig, f"01{SOCKS_GTIN}21SER9")
        assert held(rig) == [("SER9", 1)]


async def test_typing_is_held_to_it_as_scanning_is(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.counter.entered(f"(01){SOCKS_GTIN}(21)SER1", "")
        with pytest.raises(NotNow) as twice:
            await rig.till.counter.entered(f"(01){SOCKS_GTIN}(21)SER1", "")
        assert twice.value.reason == "serial_twice"
        with pytest.raises(OutOfBounds) as several:
            await rig.till.counter.entered(f"3*(01){SOCKS_GTIN}(21)SER2", "")
        assert several.value.reason == "serial"
        assert held(rig) == [("SER1", 1)]


def test_a_piece_that_was_taken_out_may_come_back_and_another_article_may_have_the_same_number():
    till = Memory()
    till.add(COAT, serial="S")
    till.add(SOCKS, serial="S")
    till.do(do.RemoveLine(till.state.basket.lines[0].id))
    till.add(COAT, serial="S")
    assert [(line.sku, line.serial) for line in till.state.basket.lines] == [("SOCKS", "S"), ("COAT", "S")]


def test_a_piece_picked_for_the_cart_is_not_picked_again():
    till = Memory()
    till.do(do.LoadCart(cart(("w1", "COAT", 2, 18_900)), LEASE, {"COAT": (COAT, OFFERS["COAT"])}))
    till.add(COAT, serial="S")
    with pytest.raises(NotNow):
        till.add(COAT, serial="S")
    assert [(line.state.value, line.quantity.amount) for line in till.state.basket.lines] == [("to_pick", 1), ("in_hand", 1)]


def test_one_weighed_piece_may_have_a_serial_number():
    till = Memory()
    ham = replace(PRALINES, gtins=("09521246019331",))
    till.add(ham, grams(412), serial="S")
    till.add(ham, grams(412), serial="T", gtin="09521246019331", price_minor=1644)
    assert [line.amount_minor for line in till.state.basket.lines] == [1644, 1644]
    with pytest.raises(OutOfBounds, match="one by one"):
        till.do(do.ChangeQuantity(till.state.basket.lines[1].id, pieces(2)))


def test_a_suspended_basket_comes_back_as_it_was_whatever_was_scanned_meanwhile():
    till = Memory()
    till.add(COAT, serial="S")
    first = till.state.basket.id
    till.do(do.Suspend(""))
    till.add(COAT, serial="S")
    till.do(do.Suspend(""))
    till.do(do.Recall(first))
    assert [line.serial for line in till.state.basket.lines] == ["S"]
    with pytest.raises(NotNow):
        till.add(COAT, serial="S")
