"""The online cart at the counter: it meets what lies there, says what stays online, and follows what happens to it online."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.cart import Cart, CartLine, Lease
from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import CentralConflict, CentralUnreachable, NotNow
from edge_agent.domain.reading import Reading
from tests.support_shop import MARIA_KNOWN, MARIAS_CART, OMAR_KNOWN, MemoryCentral, Rig, register

COAT, SOCKS, MARIA_CARD, OMAR_CARD = "4006381333931", "4006381333948", "LOY0000000001", "LOY0000000002"
NEWER = replace(MARIAS_CART, version=8, lines=(*MARIAS_CART.lines, CartLine("w3", "COAT", 1, 18900)))


async def eventually(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def scan(rig: Rig, text: str) -> None:
    await rig.till.scanned(Reading(text.encode(), "scanner", rig.core.ports.clock.now_ms()))


async def opened(rig: Rig) -> None:
    await rig.till.day.open("1001", 10_000, "")


def published(rig: Rig, *carts: Cart) -> None:
    """Central's feed brought these carts in place of what the copy had."""
    rig.core.ports.people.carts = carts
    rig.till.clienteling.heard()


# --- meeting the goods -----------------------------------------------------------------------------------------------------------


async def test_an_article_scanned_before_its_cart_is_the_carts_and_the_price_that_it_promised_is_shown_as_a_change(tmp_path):
    async with register(
        tmp_path, central=MemoryCentral(cart_now=replace(MARIAS_CART, lines=(CartLine("w1", "COAT", 1, 15000), *MARIAS_CART.lines[1:])))
    ) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await scan(rig, MARIAS_CART.id)
        snapshot = rig.presenter.snapshot()
        assert [(line.sku, line.state, line.from_cart) for line in snapshot.basket.lines] == [("COAT", "in_hand", True), ("SOCKS", "to_pick", True)]
        assert (snapshot.repriced.before.minor, snapshot.repriced.after.minor, snapshot.basket.total.minor) == (19_900, 15_000, 15_000)
        assert (snapshot.notice.key, snapshot.notice.shown["to_pick"]) == ("notice.cart_loaded", "2")


async def test_what_was_not_picked_is_counted_after_the_sale_and_central_lets_the_cart_go(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        await scan(rig, COAT)
        await rig.till.paying.cash(None, "")
        assert rig.presenter.snapshot().last_sale.left_online == 2
        await eventually(lambda: any(call[0] == "complete" for call in rig.central.calls))


# --- one figure, and what happens online -----------------------------------------------------------------------------------------


async def test_a_cart_here_counts_what_is_still_to_pick_at_the_baskets_prices(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await eventually(lambda: rig.core.desk.cart_fresh)
        before = rig.presenter.snapshot().customer.cart
        assert (before.state, before.articles, before.total.minor, before.fresh) == ("open", 3, 18_900 + 2 * 1_250, True)
        await rig.till.clienteling.load("", "")
        for scanned in ((), (COAT,), (SOCKS,), (SOCKS,)):
            for text in scanned:
                await scan(rig, text)
            snapshot = rig.presenter.snapshot()
            wanted = [line for line in snapshot.basket.lines if line.state == "to_pick"]
            cart = snapshot.customer.cart
            assert (cart.state, cart.articles, cart.total.minor) == ("here", snapshot.basket.to_pick, sum(line.amount.minor for line in wanted))
            assert sum(line.amount.minor for line in cart.lines) == cart.total.minor
        assert (cart.articles, cart.total.minor, cart.online) == (0, 0, "same")


async def test_the_heading_follows_what_the_customer_does_online(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await eventually(lambda: rig.core.desk.cart_fresh)
        rig.central.cart_now = NEWER
        published(rig, NEWER)
        await eventually(lambda: rig.presenter.snapshot().customer.cart.articles == 4)
        rig.central.cart_now = None
        published(rig)
        await eventually(lambda: rig.presenter.snapshot().customer.cart is None)


async def test_who_was_attached_while_central_was_away_is_looked_up_when_it_is_heard_again_or_publishes(tmp_path):
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await opened(rig)
        rig.till.clienteling.in_touch()  # nobody stands here
        await scan(rig, MARIA_CARD)
        for tell in (rig.till.clienteling.in_touch, rig.till.clienteling.heard):
            rig.central.down = True
            rig.till.clienteling.in_touch()
            await eventually(lambda: rig.presenter.snapshot().customer.unanswered)
            rig.central.down = False
            tell()
            await eventually(lambda: rig.presenter.snapshot().customer.fresh and rig.presenter.snapshot().customer.cart.fresh)
            assert not rig.presenter.snapshot().customer.unanswered


async def test_news_about_other_customers_asks_central_nothing(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await eventually(lambda: rig.core.desk.cart_fresh)
        asked = len(rig.central.calls)
        published(rig, MARIAS_CART, replace(MARIAS_CART, id="CART-OF-OMAR", customer="c-omar"))
        await asyncio.sleep(0)
        assert len(rig.central.calls) == asked


async def test_a_cart_that_is_changed_online_while_it_is_here_says_so_and_keeps_the_baskets_figure(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        rig.central.cart_now = NEWER
        published(rig, NEWER)
        await eventually(lambda: rig.presenter.snapshot().customer.cart.online == "changed")
        cart = rig.presenter.snapshot().customer.cart
        assert (cart.state, cart.articles, cart.total.minor) == ("here", 3, 17_900 + 2_500)  # gold pays less than the cart promised


async def test_a_cart_that_is_bought_online_while_its_copy_is_here_can_still_be_released(tmp_path):
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        rig.central.down, rig.central.cart_now = False, None
        published(rig)
        await eventually(lambda: rig.presenter.snapshot().customer.cart.online == "gone")
        assert rig.presenter.snapshot().customer.cart.state == "here"
        await rig.till.clienteling.release("")
        assert rig.presenter.snapshot().basket.to_pick == 0


# --- an answer that comes too late -----------------------------------------------------------------------------------------------


class SlowCentral(MemoryCentral):
    """Central answers who it is only when the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.gate = asyncio.Event(), asyncio.Event()

    async def identify(self, identifier):
        self.asked.set()
        await self.gate.wait()
        return await super().identify(identifier)


@pytest.mark.parametrize("ends", ["paid", "voided", "suspended"])
@pytest.mark.parametrize("after", ["another basket", "nothing"])
async def test_a_customer_whom_central_names_after_the_sale_ended_is_not_put_on_the_next_one(tmp_path, ends, after):
    async with register(tmp_path, central=SlowCentral()) as rig:
        rig.core.ports.people.customers = ()
        await opened(rig)
        await scan(rig, COAT)
        tap = asyncio.create_task(scan(rig, MARIA_CARD))
        await rig.central.asked.wait()
        if ends == "paid":
            await rig.till.paying.cash(None, "")
        elif ends == "voided":
            await rig.till.void("changed their mind", "")
        else:
            await rig.till.set_aside(do.Suspend(""), "")
        if after == "another basket":
            await scan(rig, SOCKS)
        rig.central.gate.set()
        await tap
        basket, snapshot = rig.core.state.basket, rig.presenter.snapshot()
        assert (basket.customer if basket else None, snapshot.customer, snapshot.question) == (None, None, None)
        assert (snapshot.notice.key, snapshot.notice.level) == ("not_now.sale_before", "bad")


async def test_a_customer_whom_central_names_while_their_basket_is_begun_belongs_to_it(tmp_path):
    async with register(tmp_path, central=SlowCentral()) as rig:
        rig.core.ports.people.customers = ()
        await opened(rig)
        tap = asyncio.create_task(scan(rig, MARIA_CARD))
        await rig.central.asked.wait()
        await scan(rig, COAT)
        rig.central.gate.set()
        await tap
        assert rig.core.state.basket.customer.id == "c-maria"


async def test_a_cart_whose_basket_ended_while_central_was_asked_stays_out_of_the_next_one(tmp_path):
    async with register(tmp_path, central=SlowCentral()) as rig:
        rig.core.ports.people.customers = ()
        await opened(rig)
        await scan(rig, COAT)
        loading = asyncio.create_task(rig.till.clienteling.load(MARIAS_CART.id, ""))
        await rig.central.asked.wait()
        await rig.till.paying.cash(None, "")
        await scan(rig, SOCKS)
        rig.central.gate.set()
        with pytest.raises(NotNow, match="sale before"):
            await loading
        assert (rig.core.state.basket.customer, rig.core.state.basket.lease) == (None, None)


# --- nobody's cart ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("card", ["", MARIA_CARD])
async def test_a_guests_cart_is_loaded_by_its_code_whoever_stands_here_and_can_be_let_go_again(tmp_path, card):
    central = MemoryCentral(cart_now=replace(MARIAS_CART, customer=""))
    async with register(tmp_path, central=central) as rig:
        await opened(rig)
        if card:
            await scan(rig, card)
        await scan(rig, MARIAS_CART.id)
        loaded = rig.presenter.snapshot()
        assert (loaded.basket.cart, loaded.basket.to_pick, loaded.customer is not None) == (MARIAS_CART.id, 3, bool(card))
        assert not any(call[0] == "identify" and call[1].value == "" for call in central.calls)
        await rig.till.clienteling.release("")
        assert (rig.presenter.snapshot().basket.cart, rig.presenter.snapshot().basket.to_pick) == ("", 0)
        await eventually(lambda: ("release", MARIAS_CART.id) in central.calls)


async def test_a_cart_that_only_central_could_know_is_not_said_to_be_gone_while_it_does_not_answer(tmp_path):
    central = MemoryCentral(cart_now=None, down=True)
    async with register(tmp_path, central=central) as rig:
        await opened(rig)
        for down, key in ((True, "code_unknown.cart_offline"), (False, "code_unknown.cart_code")):
            central.down = down
            await scan(rig, "CART-7777")
            assert rig.core.desk.notice.key == key
        assert rig.core.state.basket is None


class LateCentral(MemoryCentral):
    """Central grants the first claim, but its answer comes too late; a claim is found again by its key, and holds until it is let go."""

    holds: str = ""
    late: int = 1

    async def claim(self, cart_id, version, key):
        self._called("claim", cart_id, version)
        if self.holds not in ("", key):
            raise CentralConflict("Register 0001/02 holds that cart.", hint="Ask there.", reason="held")
        self.holds = key
        if self.late:
            self.late -= 1
            raise CentralUnreachable("No answer within a second.", hint="The local copy is used.")
        return Lease(cart_id, version, f"token-{key}", 2**41)

    async def release(self, lease):
        await super().release(lease)
        assert lease.token == f"token-{self.holds}"
        self.holds = ""

    async def complete(self, lease, sale, sold):
        await super().complete(lease, sale, sold)
        assert lease.token == f"token-{self.holds}"


@pytest.mark.parametrize("late", [1, 2])
async def test_a_claim_that_was_answered_too_late_keeps_no_register_out_of_the_cart(tmp_path, late):
    central = LateCentral()
    central.late = late
    async with register(tmp_path, central=central) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        assert rig.core.desk.notice.key == "notice.cart_copy_loaded"
        await rig.till.clienteling.release("")
        await eventually(lambda: len([call for call in central.calls if call[0] == "claim"]) == 2)
        await eventually(lambda: late == 2 or central.holds == "")
        await rig.till.clienteling.load("", "")
        assert rig.core.desk.notice.key == "notice.cart_loaded"
        await rig.till.clienteling.release("")
        await eventually(lambda: central.holds == "")


async def test_a_cart_that_was_claimed_too_late_is_completed_all_the_same(tmp_path):
    central = LateCentral()
    async with register(tmp_path, central=central) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        await scan(rig, COAT)
        await rig.till.paying.cash(None, "")
        await eventually(lambda: any(call[0] == "complete" for call in central.calls))


@pytest.mark.parametrize(
    ("typed", "asked"), [("c-maria", []), ("C-1009", ["customer"]), ("LOY0000000001", ["loyalty"]), ("LOY9999999999", ["loyalty", "customer"])]
)
async def test_a_typed_number_that_the_copy_does_not_know_is_asked_of_central_as_each_thing_that_it_may_be(tmp_path, typed, asked):
    central = MemoryCentral()
    async with register(tmp_path, central=central) as rig:
        rig.core.ports.people.customers = ()
        found = await rig.till.clienteling.typed(typed)
        assert [call[1].kind.value for call in central.calls] == asked
        assert (not found) == (typed != "LOY0000000001")
        central.down = True
        assert not await rig.till.clienteling.typed("LOY9999999999")
        assert [call[1].kind.value for call in central.calls] == [*asked, "loyalty"]


async def test_a_release_that_central_did_not_hear_keeps_no_register_out_of_the_cart(tmp_path):
    central = LateCentral()
    central.late = 0
    async with register(tmp_path, central=central) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        central.down = True
        await rig.till.clienteling.release("")
        await eventually(lambda: central.calls[-1][0] == "release")
        central.down = False
        await rig.till.clienteling.load("", "")
        assert rig.core.desk.notice.key == "notice.cart_loaded"


async def test_every_claim_without_an_answer_is_looked_into(tmp_path):
    central = LateCentral()
    central.late = 1
    async with register(tmp_path, central=central) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")  # granted, and the answer was lost
        central.down = True
        await rig.till.clienteling.release("")
        await eventually(lambda: len([call for call in central.calls if call[0] == "claim"]) >= 2)
        central.down = False
        await rig.till.clienteling.load("", "")
        assert rig.core.desk.notice.key == "notice.cart_loaded"
        assert central.holds


async def test_a_claim_under_way_is_not_taken_for_one_that_was_given_up(tmp_path):
    central, gate, under_way = LateCentral(), asyncio.Event(), asyncio.Event()
    central.late, claim = 0, central.claim

    async def slowly(cart_id, version, key):
        lease = await claim(cart_id, version, key)  # granted; the answer is on its way
        under_way.set()
        await gate.wait()
        return lease

    async with register(tmp_path, central=central) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        central.claim = slowly
        loading = asyncio.create_task(rig.till.clienteling.load("", ""))
        await under_way.wait()
        again = asyncio.create_task(rig.till.clienteling.load("", ""))  # the key was pressed twice
        await asyncio.sleep(0.02)
        gate.set()
        await asyncio.gather(loading, again, return_exceptions=True)
        assert rig.core.state.basket.lease.token == f"token-{central.holds}", "what the basket counts on is held"
        assert not any(call[0] == "release" for call in central.calls)


async def test_a_card_of_two_customers_picks_neither_and_leads_to_the_choice(tmp_path):
    shared = Identifier(IdentifierKind.LOYALTY, "LOY0000000009")
    maria, omar = (replace(known, identifiers=(*known.identifiers, shared)) for known in (MARIA_KNOWN, OMAR_KNOWN))
    central = MemoryCentral(customers=(maria, omar))
    async with register(tmp_path, central=central) as rig:
        await opened(rig)
        for people in ((maria, omar), ()):  # the copy knows both; it knows nobody, and central both
            rig.core.ports.people.customers = people
            await scan(rig, shared.value)
            snapshot = rig.presenter.snapshot()
            assert snapshot.customer is None
            assert (snapshot.notice.key, snapshot.notice.shown["code"]) == ("code_unknown.customers", shared.value)
            assert "F3" in snapshot.notice.hint
        assert await rig.till.clienteling.typed(shared.value) == [maria, omar]
        rig.core.ports.people.customers = (maria, omar)
        await rig.till.clienteling.chosen(omar.id, "")
        assert rig.presenter.snapshot().customer.id == omar.id
