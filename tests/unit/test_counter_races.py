"""Two things at once at one register, and a cart that is claimed meanwhile: what the journal has is what the counter shows."""

from __future__ import annotations

import asyncio

import pytest

from edge_agent.domain.errors import CodeUnknown, NotNow, StorageFailed
from edge_agent.domain.tender import Declined
from tests.support_counter import BROKEN, COAT, MARIA_CARD, OMAR_CARD, SOCKS, Gate, eventually, impatient, opened, replayed, scan  # noqa: F401 - a fixture
from tests.support_shop import MARIAS_CART, MemoryCentral, register

# --- two at once -----------------------------------------------------------------------------------------------------------------


async def test_a_caller_that_is_cancelled_while_the_disk_writes_leaves_memory_and_journal_agreeing(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        gate = Gate(rig)
        scanning = asyncio.create_task(scan(rig, COAT))
        await gate.written.wait()
        scanning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await scanning
        gate.leave()
        await scan(rig, SOCKS)
        assert [line.sku for line in rig.core.state.basket.lines] == ["COAT", "SOCKS"]
        assert rig.core.state == replayed(rig)


@pytest.mark.parametrize("first", ["article", "customer"])
async def test_an_article_and_a_customer_at_the_same_moment_meet_at_the_members_price(tmp_path, first):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, SOCKS)
        gate = Gate(rig)
        acts = [scan(rig, COAT), rig.till.clienteling.chosen("c-maria", "")]
        one = asyncio.create_task(acts.pop(0 if first == "article" else 1))
        await gate.written.wait()
        two = asyncio.create_task(acts.pop())
        await asyncio.sleep(0)
        gate.leave()
        await asyncio.gather(one, two)
        coat = next(line for line in rig.core.state.basket.lines if line.sku == "COAT")
        assert (coat.unit_price_minor, coat.base_price_minor) == (17_900, 19_900)


async def test_two_clients_that_take_cash_at_once_take_it_once(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        results = await asyncio.gather(rig.till.paying.cash(None, ""), rig.till.paying.cash(None, ""), return_exceptions=True)
        assert [type(result) for result in results] == [tuple, NotNow]
        assert len(rig.journal.sales("", 10)) == 1


async def test_what_is_told_while_a_command_runs_is_not_wiped_by_its_end(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        assert rig.core.desk.notice.key == "notice.shift_opened"
        gate = Gate(rig)
        scanning = asyncio.create_task(scan(rig, COAT))
        await gate.written.wait()
        rig.core.tell("notice.not_printed.no_paper", "bad", "Receipt 7 was not printed.")
        gate.leave()
        await scanning
        assert rig.presenter.snapshot().notice.key == "notice.not_printed.no_paper"
        await scan(rig, COAT)
        assert rig.presenter.snapshot().notice is None


async def test_a_new_attempt_takes_the_refusal_of_the_one_before_off_the_screen(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        rig.terminal.answers.put_nowait(Declined("refused"))
        await eventually(lambda: rig.core.desk.notice and rig.core.desk.notice.key == "notice.payment_declined")
        await rig.till.paying.card(None, "")
        assert rig.presenter.snapshot().notice is None


async def test_a_question_goes_with_the_basket_it_is_about(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await scan(rig, OMAR_CARD)
        question = rig.presenter.snapshot().question
        await rig.till.void("left", "")
        assert rig.presenter.snapshot().question is None
        await scan(rig, COAT)
        with pytest.raises(NotNow):
            await rig.till.clienteling.answered(question.id, "replace", "")
        assert rig.core.state.basket.customer is None


async def test_an_answer_that_the_disk_refused_can_be_given_again(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await scan(rig, OMAR_CARD)
        question = rig.presenter.snapshot().question.id
        rig.refusing.refuse = BROKEN
        with pytest.raises(StorageFailed):
            await rig.till.clienteling.answered(question, "replace", "")
        rig.refusing.refuse = None
        await eventually(lambda: rig.presenter.snapshot().phase == "selling")
        await rig.till.clienteling.answered(rig.presenter.snapshot().question.id, "replace", "")
        assert rig.presenter.snapshot().customer.name == "Omar Said"


async def test_a_typed_quantity_is_for_what_it_was_typed_with(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        with pytest.raises(CodeUnknown):
            await rig.till.counter.entered("3*96385074", "")
        assert rig.presenter.snapshot().next_quantity == ""
        await rig.till.counter.entered(f"3*{MARIA_CARD}", "")
        assert rig.presenter.snapshot().next_quantity == ""
        await scan(rig, COAT)
        assert rig.core.state.basket.lines[0].quantity.amount == 1
        await rig.till.counter.entered("2*", "")
        assert rig.presenter.snapshot().next_quantity == "2"
        with pytest.raises(CodeUnknown):
            await rig.till.counter.entered("3*96385074", "")
        assert rig.presenter.snapshot().next_quantity == "2"
        await rig.till.counter.entered("0.412 kg*", "")
        assert rig.presenter.snapshot().next_quantity == "0,412 kg"


async def test_before_and_after_of_the_prices_go_with_the_next_act(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await scan(rig, MARIA_CARD)
        assert rig.presenter.snapshot().repriced.after.minor == 17_900
        await scan(rig, SOCKS)
        assert rig.presenter.snapshot().repriced is None


# --- carts -----------------------------------------------------------------------------------------------------------------------


async def test_a_claim_that_cannot_be_used_is_let_go_again(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await eventually(lambda: rig.core.desk.cart_fresh)
        claim = rig.central.claim

        async def and_the_disk_fails(cart_id, version, key):
            rig.refusing.refuse, rig.central.claim = BROKEN, claim
            return await claim(cart_id, version, key)

        rig.central.claim = and_the_disk_fails
        with pytest.raises(StorageFailed):
            await rig.till.clienteling.load("", "")
        await eventually(lambda: ("release", MARIAS_CART.id) in rig.central.calls)
        rig.refusing.refuse = None
        await eventually(lambda: rig.core.desk.stopped is None and not rig.core.state.claims)


async def test_nothing_is_claimed_that_the_disk_did_not_take_before(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await eventually(lambda: rig.core.desk.cart_fresh)
        rig.refusing.refuse = BROKEN
        for _ in range(2):
            with pytest.raises(StorageFailed):
                await rig.till.clienteling.load("", "")
        assert all(call[0] != "claim" for call in rig.central.calls)


async def test_nothing_is_claimed_for_a_basket_that_cannot_take_it(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        with pytest.raises(NotNow):
            await rig.till.clienteling.load(MARIAS_CART.id, "")
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        with pytest.raises(NotNow):
            await rig.till.clienteling.load(MARIAS_CART.id, "")
        assert all(call[0] != "claim" for call in rig.central.calls)


async def test_central_is_told_of_whole_lines_at_once_and_of_a_part_of_one_by_the_fact_alone(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        for articles in ((COAT, SOCKS), (COAT,)):  # one of two pairs of socks; then none of them
            await scan(rig, MARIA_CARD)
            await rig.till.clienteling.load("", "")
            for article in articles:
                await scan(rig, article)
            await rig.till.paying.cash(None, "")
            await rig.journal.acknowledge("central", {stream.stream: stream.head + 1 for stream in rig.journal.streams()})
        await eventually(lambda: any(call[0] == "complete" for call in rig.central.calls))
        last = rig.journal.sales("", 1)[0].id
        assert [(call[2], call[3]) for call in rig.central.calls if call[0] == "complete"] == [(last, ("w1",))]
