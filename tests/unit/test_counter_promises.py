"""Small promises of the counter that are easily broken: what changed is shown, what is left out is said, what is another customer's stays theirs."""

from __future__ import annotations

from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.reading import Reading
from tests.support_shop import MARIAS_CART, MemoryCentral, register


def scan(rig, text: str, aim: str = "") -> Reading:
    return Reading(text.encode(), "scanner", rig.core.ports.clock.now_ms(), aim=aim)


async def opened(rig):
    await rig.till.day.open("1001", 10_000, rig.core.ports.new_id())


async def test_member_prices_that_came_with_a_cart_code_are_shown_as_before_and_after(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "4006381333931", "]E0"))
        await rig.till.scanned(scan(rig, MARIAS_CART.id))
        assert rig.core.state.basket.lines[0].unit_price_minor == 17_900
        shown = rig.presenter.snapshot().repriced
        assert shown is not None
        assert (shown.before.minor, shown.after.minor) == (19_900, 17_900)


async def test_a_customer_who_takes_a_basket_over_does_not_take_the_first_ones_online_cart(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, MARIAS_CART.id))
        await rig.till.scanned(scan(rig, "LOY0000000002"))
        await rig.till.clienteling.answered(rig.presenter.snapshot().question.id, "replace", "")
        basket = rig.core.state.basket
        assert basket.customer.id == "c-omar"
        assert basket.lease is None, basket.lease


async def test_a_typed_quantity_before_a_scales_label_is_used_or_refused_never_lost(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.till.counter.next_quantity("3")
        await rig.till.scanned(scan(rig, "2112345004129"))  # 412 g of pralines
        basket, said = rig.core.state.basket, rig.core.desk.notice
        lines = basket.lines if basket else ()
        assert said is not None or sum(line.quantity.amount for line in lines) == 3 * 412, lines


async def test_a_customer_whom_only_central_knows_comes_back_with_their_basket(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        rig.core.ports.people.customers = ()
        await opened(rig)
        await rig.till.scanned(scan(rig, "4006381333931", "]E0"))
        await rig.till.scanned(scan(rig, "LOY0000000001"))
        basket = rig.core.state.basket.id
        await rig.till.set_aside(do.Suspend("x"), "")
        await rig.till.recall(basket, "")
        assert rig.core.state.basket.customer.id == "c-maria"
        shown = rig.presenter.snapshot().customer
        assert shown is not None
        assert shown.name == "Maria Fernandez"


async def test_a_card_that_could_not_be_looked_up_is_not_called_unknown(tmp_path):
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "LOY0000009999"))
        offline = rig.core.desk.notice
        rig.central.down = False
        await rig.till.scanned(scan(rig, "LOY0000009999"))
        online = rig.core.desk.notice
        assert (offline.key, offline.text, offline.hint) != (online.key, online.text, online.hint)


async def test_goods_past_their_date_are_not_sold_without_a_word(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "0104006381333931" + "17200101" + "10B1", "]d2"))
        said = rig.core.desk.notice
        assert rig.core.state.basket is None or (said is not None and said.level in ("warn", "bad")), rig.core.state.basket.lines


async def test_cart_lines_that_this_shop_cannot_sell_are_said(tmp_path):
    cart = replace(MARIAS_CART, lines=(*MARIAS_CART.lines, replace(MARIAS_CART.lines[0], line="w9", sku="GONE")))
    async with register(tmp_path, central=MemoryCentral(cart_now=cart)) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, cart.id))
        notice = rig.core.desk.notice
        assert notice.shown["unknown"] == "1"
        assert notice.level == "warn" or "1" in notice.hint or "not" in notice.text, notice
