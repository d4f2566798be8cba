"""One online cart is in one basket of a register at a time, with central and without it, over restarts and in whatever order keys are pressed."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.cart import CartLine
from edge_agent.domain.errors import NotNow
from edge_agent.ports import Link, LinkReport
from tests.support_counter import COAT, MARIA_CARD, SOCKS, eventually, opened, scan
from tests.support_shop import MARIAS_CART, MemoryCentral, Rig, register


async def load_and_suspend(rig: Rig, label: str = "") -> str:
    """The cart in a basket that is set aside; answers that basket's id."""
    await scan(rig, MARIA_CARD)
    await rig.till.clienteling.load("", "")
    held = rig.core.state.basket.id
    await rig.till.set_aside(do.Suspend(label), "")
    return held


def claims(rig: Rig) -> int:
    return len([call for call in rig.central.calls if call[0] == "claim"])


@pytest.mark.parametrize("down", [True, False], ids=["central away", "central answers"])
@pytest.mark.parametrize("by", ["card", "code"])
async def test_a_cart_in_a_suspended_basket_is_not_loaded_again_and_it_is_said_where_it_is(tmp_path, down, by):
    async with register(tmp_path, central=MemoryCentral(down=down)) as rig:
        await opened(rig)
        held = await load_and_suspend(rig, "blue bag")
        asked = claims(rig)
        if by == "card":
            await scan(rig, MARIA_CARD)
            with pytest.raises(NotNow) as told:
                await rig.till.clienteling.load("", "")
            assert (told.value.reason, told.value.args_shown["name"]) == ("cart_aside_named", "blue bag")
        else:
            await scan(rig, MARIAS_CART.id)
            assert (rig.core.desk.notice.key, rig.core.desk.notice.shown["name"]) == ("not_now.cart_aside_named", "blue bag")
            assert rig.core.state.basket is None, "nothing was begun for it"
        assert claims(rig) == asked
        if rig.core.state.basket is not None:
            await rig.till.void("nobody", "")
        await rig.till.recall(held, "")
        assert rig.core.state.basket.lease.cart == MARIAS_CART.id


async def test_a_basket_without_a_name_is_told_by_its_time_and_a_restart_forgets_nothing_of_it(tmp_path):
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await opened(rig)
        await load_and_suspend(rig)
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await scan(rig, MARIAS_CART.id)
        assert rig.core.desk.notice.key == "not_now.cart_aside"
        assert len(rig.core.desk.notice.shown["at"]) == len("14:07")


async def test_a_cart_whose_basket_was_sold_voided_or_let_it_go_can_be_loaded_again(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        for ends in ("paid", "voided", "released"):
            await rig.till.recall(await load_and_suspend(rig), "")
            if ends == "paid":
                await scan(rig, COAT)
                await rig.till.paying.cash(None, "")
            elif ends == "voided":
                await rig.till.void("changed their mind", "")
            else:
                await rig.till.clienteling.release("")
                await rig.till.void("changed their mind", "")
        await scan(rig, MARIAS_CART.id)
        assert rig.core.state.basket.lease.cart == MARIAS_CART.id


async def test_the_same_cart_of_a_guest_is_not_loaded_into_the_next_guests_basket(tmp_path):
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await opened(rig)
        await load_and_suspend(rig, "one")
        await scan(rig, SOCKS)
        await scan(rig, MARIAS_CART.id)
        assert (rig.core.desk.notice.key, rig.core.state.basket.lease, rig.core.state.basket.customer) == ("not_now.cart_aside_named", None, None)


async def test_what_was_sold_of_a_cart_while_central_is_away_is_not_loaded_from_the_copy_again(tmp_path):
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        for code in (COAT, SOCKS):
            await scan(rig, code)
        await rig.till.paying.cash(None, "")
        await scan(rig, MARIAS_CART.id)
        basket = rig.core.state.basket
        assert [(line.sku, line.quantity.amount) for line in basket.to_pick] == [("SOCKS", 1)]
        await scan(rig, SOCKS)
        await rig.till.paying.cash(None, "")
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await scan(rig, MARIAS_CART.id)
        last = rig.journal.sales("", 1)[0]
        assert (rig.core.desk.notice.key, rig.core.desk.notice.shown) == ("not_now.cart_sold", {"receipt": last.receipt})
        assert rig.core.state.basket is None
        rig.core.ports.people.carts = (replace(MARIAS_CART, version=8),)  # somebody changed it online; central has not heard of the sales all the same
        await scan(rig, MARIAS_CART.id)
        assert (rig.core.desk.notice.key, rig.core.state.basket) == ("not_now.cart_sold", None)
        await rig.journal.acknowledge("central", {stream.stream: stream.head + 1 for stream in rig.journal.streams()})
        later = rig.core.ports.clock.now_ms() + 90_000
        rig.core.ports.people.carts = (replace(MARIAS_CART, version=8, lines=MARIAS_CART.lines[:1], as_of_ms=later),)  # the copy is from after the sales
        await scan(rig, MARIAS_CART.id)
        assert [(line.sku, line.quantity.amount) for line in rig.core.state.basket.to_pick] == [("COAT", 1)]


@pytest.mark.parametrize("sale", ["waits", "is withheld", "was put aside"])
async def test_what_central_has_not_heard_of_is_not_loaded_again_from_central_either(tmp_path, sale):
    async with register(tmp_path, central=(central := MemoryCentral(down=True))) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        await scan(rig, COAT)
        await rig.till.paying.cash(None, "")
        number = next(number for number, wire in rig.journal.facts_after("trade", 0, 100, 1 << 20) if b"retail.sale.completed" in wire)
        if sale == "is withheld":
            assert await rig.journal.withhold("trade", number, "central cannot take it")
        if sale == "was put aside":
            await rig.journal.put_aside([("trade", number, "{}")])
        if sale != "waits":
            await rig.journal.acknowledge("central", {stream.stream: stream.head + 1 for stream in rig.journal.streams()})
        central.down = False
        await scan(rig, MARIAS_CART.id)
        assert [(line.sku, line.quantity.amount) for line in rig.core.state.basket.to_pick] == [("SOCKS", 2)]


async def test_what_was_added_online_to_a_line_since_it_was_sold_is_to_pick(tmp_path):
    async with register(tmp_path, central=(central := MemoryCentral(down=True))) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        await scan(rig, COAT)
        await rig.till.paying.cash(None, "")
        coat, socks = MARIAS_CART.lines
        central.down, central.cart_now = False, replace(MARIAS_CART, version=8, lines=(replace(coat, pieces=3), socks))
        await scan(rig, MARIAS_CART.id)
        assert [(line.sku, line.quantity.amount) for line in rig.core.state.basket.to_pick] == [("COAT", 2), ("SOCKS", 2)]


@pytest.mark.parametrize("ahead_ms", [-3_600_000, 0, 3_600_000], ids=["clock behind", "clock right", "clock ahead"])
@pytest.mark.parametrize(
    ("since_ms", "pieces", "to_pick"),
    [
        (-5_000, {"w1": 1, "w2": 2, "n1": 1}, {"w2": 1, "n1": 1}),
        (5_000, {"w1": 1, "w2": 2, "n1": 1}, {"w2": 1, "n1": 1}),
        (200, {"w2": 1, "n1": 1}, {"w2": 1, "n1": 1}),
        (90_000, {"w1": 1, "w2": 2, "n1": 1}, {"w1": 1, "w2": 2, "n1": 1}),
    ],
    ids=["copied before the sale", "copied while its fact was under way", "copied just after it", "put in again after it"],
)
async def test_an_edited_cart_from_the_copy_is_without_what_was_sold_of_it_after_it_was_copied(tmp_path, ahead_ms, since_ms, pieces, to_pick):
    async with register(tmp_path, central=(central := MemoryCentral())) as rig:
        await opened(rig)
        rig.core.desk.link = LinkReport(Link.IN_STEP, 0, clock_offset_ms=-ahead_ms)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        for code in (COAT, SOCKS):
            await scan(rig, code)
        await rig.till.paying.cash(None, "")
        await rig.journal.acknowledge("central", {stream.stream: stream.head + 1 for stream in rig.journal.streams()})
        central.down = True
        as_of_ms = rig.core.desk.last_sale.completed_ms - ahead_ms + since_ms
        lines = tuple(CartLine(line, "COAT" if line == "w1" else "SOCKS", count, 1_250) for line, count in pieces.items())
        rig.core.ports.people.carts = (replace(MARIAS_CART, version=9, lines=lines, as_of_ms=as_of_ms),)
        await scan(rig, MARIAS_CART.id)
        assert {line.cart_line: line.quantity.amount for line in rig.core.state.basket.to_pick} == to_pick


async def test_a_suspended_basket_says_which_cart_is_in_it_and_how_much_of_it_is_to_pick(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await load_and_suspend(rig, "blue bag")
        (aside,) = rig.presenter.snapshot().suspended
        assert (aside.articles, aside.cart, aside.to_pick) == (0, MARIAS_CART.id, 3)


@pytest.mark.parametrize(
    ("rest", "online"),
    [
        (CartLine("w2", "SOCKS", 1, 1_250), "same"),
        (CartLine("w2", "SOCKS", 2, 1_250), "changed"),
        (CartLine("w2", "SOCKS", 1, 1_150), "changed"),
        (CartLine("w4", "SOCKS", 1, 1_250), "changed"),
    ],
)
async def test_the_rest_of_a_cart_is_not_changed_online_by_what_was_sold_of_it_here(tmp_path, rest, online):
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        for code in (COAT, SOCKS):
            await scan(rig, code)
        await rig.till.paying.cash(None, "")
        await scan(rig, MARIAS_CART.id)
        assert rig.presenter.snapshot().customer.cart.online == "same"
        heard = replace(MARIAS_CART, version=8, lines=(rest, CartLine("w9", "NOT-SOLD-HERE", 1, 100)))  # central knows of the sale now
        rig.central.down, rig.central.cart_now = False, heard
        rig.core.ports.people.carts = (heard,)
        rig.till.clienteling.heard()
        await eventually(lambda: rig.core.desk.cart_fresh and rig.core.desk.cart.version == 8)
        assert rig.presenter.snapshot().customer.cart.online == online
        await scan(rig, SOCKS)
        assert rig.presenter.snapshot().customer.cart.online == online, "also once it is picked"


class Gated(MemoryCentral):
    """Claims are granted at once, but the answer waits for the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.under_way = asyncio.Event(), asyncio.Event()

    async def claim(self, cart_id, version, key):
        lease = await super().claim(cart_id, version, key)
        self.under_way.set()
        await self.gate.wait()
        return lease


async def test_a_basket_suspended_while_its_cart_is_claimed_lets_the_claim_go(tmp_path):
    async with register(tmp_path, central=Gated()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await scan(rig, SOCKS)
        loading = asyncio.create_task(rig.till.clienteling.load("", ""))
        await rig.central.under_way.wait()
        await rig.till.set_aside(do.Suspend("bag"), "")
        rig.central.gate.set()
        with pytest.raises(NotNow, match="another one by now"):
            await loading
        assert all(held.lease is None for held in rig.core.state.baskets)
        await eventually(lambda: ("release", MARIAS_CART.id) in rig.central.calls)
        await scan(rig, MARIAS_CART.id)
        assert rig.core.state.basket.lease.cart == MARIAS_CART.id


@pytest.mark.parametrize("cart", ["", MARIAS_CART.id])
async def test_a_cart_key_pressed_twice_claims_once_and_both_find_it_loaded(tmp_path, cart):
    async with register(tmp_path, central=Gated()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        both = [asyncio.create_task(rig.till.clienteling.load(cart, "")) for _ in range(2)]
        await rig.central.under_way.wait()
        await asyncio.sleep(0.02)
        rig.central.gate.set()
        await asyncio.gather(*both)
        assert claims(rig) == 1
        assert rig.core.state.basket.to_pick
        assert rig.core.desk.notice.level == "good"
