"""What a line costs follows from who the basket is for and which cart is held: a price that was somebody's goes with them."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.basket import PriceSource
from edge_agent.domain.cart import CartLine
from edge_agent.domain.catalogue import Offer
from edge_agent.domain.customer import Customer
from edge_agent.domain.errors import NotNow, RuleError
from edge_agent.domain.events import CartReleased, LinesRepriced
from edge_agent.domain.reading import Reading
from edge_agent.domain.shift import RIGHT_DISCOUNT, RIGHTS_ALL
from tests.support_register import AYSE, COAT, GOLD, JUNIOR, LEASE, MARIA, OFFERS, OMAR, PRALINES, SOCKS, Memory, cart, check_prices, grams, pieces, price
from tests.support_shop import MARIAS_CART, MemoryCentral, Rig, register

COAT_GTIN = "04006381333931"
CHEAP = replace(MARIAS_CART, lines=(CartLine("w1", "COAT", 1, 9_900), CartLine("w2", "SOCKS", 2, 1_250)))
MEMBER_LABEL = f"01{COAT_GTIN}392217900"
JUST_SELLS = RIGHTS_ALL - {RIGHT_DISCOUNT}
SILVER = {"COAT": Offer(price("COAT", 19900), price("COAT", 18500, "silver"))}
KNOWN = {"COAT": (COAT, OFFERS["COAT"]), "SOCKS": (SOCKS, OFFERS["SOCKS"])}


async def scan(rig: Rig, text: str, aim: str = "") -> None:
    await rig.till.scanned(Reading(text.encode(), "scanner", rig.core.ports.clock.now_ms(), aim=aim))


async def opened(rig: Rig, rights: frozenset[str] = RIGHTS_ALL) -> None:
    await rig.till.day.open("1001", 10_000, "")
    rig.core.state = replace(rig.core.state, operator=replace(rig.core.state.operator, rights=rights))


def only(rig: Rig) -> tuple[int, str, int]:
    """Price and source of the first line, and the total."""
    basket = rig.presenter.snapshot().basket
    return basket.lines[0].unit_price.minor, basket.lines[0].source, basket.total.minor


def shown(rig: Rig) -> tuple[int, int] | None:
    change = rig.presenter.snapshot().repriced
    return (change.before.minor, change.after.minor) if change else None


def till_of(rights: frozenset[str]) -> Memory:
    till = Memory()
    till.state = replace(till.state, operator=replace(till.state.operator, rights=rights))
    return till


def lines_of(till: Memory) -> list[tuple[int, str]]:
    return [(line.unit_price_minor, line.source.value) for line in till.state.basket.lines]


# --- a label at a member's price -------------------------------------------------------------------------------------------------


async def test_a_label_that_came_in_at_a_member_s_price_is_the_book_s_when_they_go(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig, JUST_SELLS)
        await scan(rig, "LOY0000000001")
        await scan(rig, MEMBER_LABEL, "]C1")
        assert only(rig) == (17_900, "code", 17_900)
        await rig.till.clienteling.detach("")
        assert only(rig) == (19_900, "book", 19_900)
        assert shown(rig) == (17_900, 19_900)


async def test_who_may_discount_lets_such_a_label_stand_and_nobody_after_them_takes_it_back(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, "LOY0000000001")
        await scan(rig, MEMBER_LABEL, "]C1")
        await rig.till.clienteling.detach("")
        assert only(rig) == (17_900, "code", 17_900)
        assert shown(rig) in (None, (17_900, 17_900))
        rig.core.state = replace(rig.core.state, operator=replace(rig.core.state.operator, rights=JUST_SELLS))
        await scan(rig, "LOY0000000002")
        await rig.till.clienteling.detach("")
        assert only(rig) == (17_900, "code", 17_900)


def test_a_label_that_a_colleague_gave_as_a_discount_stays_when_the_customer_goes():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "tag", GOLD))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1), COAT_GTIN, 5_000))
    till.state = replace(till.state, operator=replace(till.state.operator, rights=frozenset()))
    till.do(do.DetachCustomer(OFFERS))
    assert lines_of(till) == [(5_000, "code")]


def test_a_scale_s_own_label_and_a_typed_price_stay_whoever_goes():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "tag", GOLD))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1), "", 17_900))
    till.add(PRALINES, pieces(1), price_minor=499)
    till.do(do.AddDepartment("Fashion", "standard", "", 100, pieces(1)))
    till.state = replace(till.state, operator=replace(till.state.operator, rights=frozenset()))
    till.do(do.DetachCustomer(OFFERS))
    assert lines_of(till) == [(17_900, "code"), (499, "code"), (100, "keyed")]


@pytest.mark.parametrize(("offers", "line"), [(GOLD, (17_900, "code")), (SILVER, (18_500, "member")), (OFFERS, (19_900, "book")), ({}, (19_900, "book"))])
def test_another_customer_has_such_a_label_at_their_own_price(offers, line):
    till = till_of(JUST_SELLS)
    till.do(do.AttachCustomer(MARIA, "tag", GOLD))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1), COAT_GTIN, 17_900))
    till.do(do.AttachCustomer(OMAR, "card", offers))
    assert lines_of(till) == [line]


def test_a_label_with_a_weight_or_a_count_falls_back_to_the_book_s_price_for_all_of_it():
    till = till_of(JUST_SELLS)
    gold = {"PRAL": Offer(price("PRAL", 3990), price("PRAL", 2990, "gold")), "SOCKS": Offer(price("SOCKS", 1250), price("SOCKS", 1000, "gold"))}
    till.do(do.AttachCustomer(MARIA, "tag", gold))
    till.do(do.AddArticle(PRALINES, gold["PRAL"], grams(412), "09521246019331", 1232))
    till.do(do.AddArticle(SOCKS, gold["SOCKS"], pieces(4), "04006381333948", 4_000))
    till.do(do.AddArticle(SOCKS, gold["SOCKS"], pieces(1), "04006381333948"))
    assert till.total == 1232 + 4_000 + 1_000
    till.do(do.DetachCustomer(OFFERS))
    assert [line.amount_minor for line in till.state.basket.lines] == [1644, 5_000, 1_250]
    till.do(do.AttachCustomer(MARIA, "tag", gold))
    assert [line.amount_minor for line in till.state.basket.lines] == [1232, 4_000, 1_000]
    assert [line.source for line in till.state.basket.lines] == [PriceSource.MEMBER] * 3


# --- a price that the cart promised ----------------------------------------------------------------------------------------------


async def test_what_the_cart_promised_goes_with_the_cart_and_the_member_s_price_with_the_member(tmp_path):
    async with register(tmp_path, central=MemoryCentral(cart_now=CHEAP)) as rig:
        await opened(rig)
        await scan(rig, CHEAP.id)
        await scan(rig, "4006381333931")
        assert [(line.sku, line.unit_price_minor) for line in rig.core.state.basket.in_hand] == [("COAT", 9_900)]
        await rig.till.clienteling.release("")
        assert only(rig) == (17_900, "member", 17_900)
        assert shown(rig) == (9_900, 17_900)
        await rig.till.clienteling.detach("")
        assert only(rig) == (19_900, "book", 19_900)
        assert shown(rig) == (17_900, 19_900)


async def test_a_customer_who_goes_takes_cart_and_prices_in_one_step_that_is_shown_whole(tmp_path):
    async with register(tmp_path, central=MemoryCentral(cart_now=CHEAP)) as rig:
        await opened(rig)
        await scan(rig, CHEAP.id)
        await scan(rig, "4006381333931")
        await rig.till.clienteling.detach("")
        basket = rig.core.state.basket
        assert (basket.customer, basket.lease, only(rig)) == (None, None, (19_900, "book", 19_900))
        assert shown(rig) == (9_900, 19_900)
        assert rig.core.desk.notice.key == "notice.cart_released"


async def test_a_basket_that_comes_back_is_whose_it_was_at_the_prices_that_it_had(tmp_path):
    async with register(tmp_path, central=MemoryCentral(cart_now=CHEAP)) as rig:
        await opened(rig)
        await scan(rig, CHEAP.id)
        await scan(rig, "4006381333931")
        basket = rig.core.state.basket
        await rig.till.set_aside(do.Suspend(""), "")
        await rig.till.recall(basket.id, "")
        assert rig.core.state.basket.lines == basket.lines
        await rig.till.clienteling.detach("")
        assert only(rig) == (19_900, "book", 19_900)


def test_another_customer_has_neither_the_first_one_s_promise_nor_their_price():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "tag", GOLD))
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 9_900)), LEASE, {"COAT": (COAT, GOLD["COAT"])}))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1)))
    events = till.do(do.AttachCustomer(OMAR, "card", SILVER))
    assert lines_of(till) == [(18_500, "member")]
    assert isinstance(events[0], CartReleased)
    assert [(event.before_minor, event.after_minor) for event in events if isinstance(event, LinesRepriced)] == [(9_900, 18_500)]


def test_a_guest_s_cart_keeps_its_promise_to_whoever_comes_unless_their_own_price_is_less():
    gold = GOLD | {"SOCKS": Offer(price("SOCKS", 1250), price("SOCKS", 1200, "gold"))}
    till = Memory()
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 18_900), ("w2", "SOCKS", 1, 1_100), customer=""), LEASE, KNOWN))
    till.add(COAT)
    till.add(SOCKS)
    till.do(do.AttachCustomer(MARIA, "tag", gold))
    assert lines_of(till) == [(17_900, "member"), (1_100, "online")]
    till.do(do.DetachCustomer(OFFERS))
    assert lines_of(till) == [(19_900, "book"), (1_250, "book")]
    assert till.state.basket.lease is None


def test_an_article_that_the_price_book_has_no_more_falls_back_to_everybody_s_price():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "tag", GOLD))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1)))
    till.do(do.LoadCart(cart(("w2", "SOCKS", 1, 1_100)), LEASE, KNOWN))
    till.add(SOCKS)
    till.do(do.ReleaseCart())
    assert lines_of(till) == [(17_900, "member"), (1_250, "book")]
    till.do(do.DetachCustomer())
    assert lines_of(till) == [(19_900, "book"), (1_250, "book")]


def test_a_cart_that_goes_changes_no_other_price():
    till = Memory()
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 9_900)), LEASE, KNOWN))
    till.add(SOCKS)
    later = {"SOCKS": Offer(price("SOCKS", 1_500))}
    assert [type(event) for event in till.do(do.ReleaseCart(later))] == [CartReleased]
    assert lines_of(till) == [(1_250, "book")]


def test_a_discount_on_goods_of_the_cart_is_reckoned_from_what_they_cost_now():
    till = Memory()
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 10_000)), LEASE, KNOWN))
    till.add(COAT)
    till.do(do.DiscountLine(till.state.basket.lines[0].id, do.Cut("worn", percent_milli=10_000)))
    assert till.total == 9_000
    till.do(do.ReleaseCart(OFFERS))
    assert till.total == 17_910


def test_a_cart_is_not_let_go_while_its_prices_would_fall_below_what_is_paid():
    till = Memory()
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 9_900)), LEASE, KNOWN))
    till.add(COAT)
    till.do(do.PayCash(9_000))
    with pytest.raises(NotNow, match="paid"):
        till.do(do.ReleaseCart({"COAT": Offer(price("COAT", 8_000))}))
    assert till.state.basket.lease is not None


async def test_a_void_lets_the_cart_go_at_what_it_was_shown_to_come_to(tmp_path):
    async with register(tmp_path, central=MemoryCentral(cart_now=CHEAP)) as rig:
        await opened(rig)
        await scan(rig, CHEAP.id)
        await scan(rig, "4006381333931")
        await rig.till.void("changed their mind", "")
        assert rig.core.state.basket is None
        await scan(rig, "4006381333931")
        assert only(rig) == (19_900, "book", 19_900)


async def test_an_old_price_of_the_cart_s_is_nobody_s_in_a_catalogue_without_the_article(tmp_path):
    async with register(tmp_path, central=MemoryCentral(cart_now=CHEAP)) as rig:
        await opened(rig)
        await scan(rig, CHEAP.id)
        await scan(rig, "4006381333931")
        rig.core.ports.catalogue.rows = ()
        await rig.till.clienteling.release("")
        assert only(rig) == (19_900, "book", 19_900)


def test_a_customer_who_was_never_there_changes_nothing():
    till = Memory()
    till.add(COAT)
    with pytest.raises(NotNow):
        till.do(do.DetachCustomer(OFFERS))
    with pytest.raises(NotNow):
        till.do(do.ReleaseCart(OFFERS))
    till.do(do.AttachCustomer(Customer("c-new", "New"), "card", OFFERS))
    assert lines_of(till) == [(19_900, "book")]


# --- whatever happens ------------------------------------------------------------------------------------------------------------

ACTS = ("coat", "socks", "label", "cart", "release", "maria", "omar", "detach", "suspend", "junior", "manager")


def act(till: Memory, what: str) -> None:
    basket = till.state.basket
    offers = OFFERS | (GOLD if basket and basket.customer and basket.customer.tier == "gold" else {})
    match what:
        case "coat":
            till.do(do.AddArticle(COAT, offers["COAT"], pieces(1)))
        case "socks":
            till.do(do.AddArticle(SOCKS, offers["SOCKS"], pieces(1)))
        case "label":
            till.do(do.AddArticle(COAT, offers["COAT"], pieces(1), COAT_GTIN, 17_900))
        case "cart":
            known = {"COAT": (COAT, offers["COAT"]), "SOCKS": (SOCKS, offers["SOCKS"])}
            till.do(do.LoadCart(cart(("w1", "COAT", 1, 9_900), ("w2", "SOCKS", 2, 1_100)), LEASE, known))
        case "release":
            till.do(do.ReleaseCart(offers))
        case "maria":
            till.do(do.AttachCustomer(MARIA, "tag", OFFERS | GOLD))
        case "omar":
            till.do(do.AttachCustomer(OMAR, "card", OFFERS))
        case "detach":
            till.do(do.DetachCustomer(OFFERS))
        case "suspend" if basket is not None:
            till.do(do.Suspend(""))
            till.do(do.Recall(basket.id))
        case "junior" | "manager":
            till.do(do.SignIn(JUNIOR if what == "junior" else AYSE))


@settings(max_examples=int(os.environ.get("EDGE_EXAMPLES", "300")), deadline=None)
@given(st.lists(st.sampled_from(ACTS), min_size=4, max_size=30))
def test_no_price_of_somebody_s_is_left_whoever_comes_and_goes(acts):
    till = Memory(operator=JUNIOR)
    for what in acts:
        before = till.total if till.state.basket else 0
        try:
            act(till, what)
        except RuleError:
            continue
        if till.state.basket is None:
            continue
        check_prices(till.state.basket)
        told = [event for event in till.events[-3:] if isinstance(event, LinesRepriced)] if what in ("release", "maria", "omar", "detach") else []
        if till.total != before and what in ("release", "maria", "omar", "detach"):
            assert (told[-1].before_minor, told[-1].after_minor) == (before, till.total)
