"""What belongs to one customer does not reach the next one: a typed quantity, a sale's change, the outcome of a parked payment."""

from __future__ import annotations

import asyncio

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.errors import EdgeError, OutOfBounds
from edge_agent.domain.reading import Reading
from edge_agent.domain.tender import Approved, CardResult, Declined, Unknown
from edge_agent.service import paying
from tests.support_shop import Rig, ScriptedTerminal, register

COAT = "4006381333931"


async def eventually(condition, what="it", seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))


async def scanned(rig: Rig) -> int:
    """A coat in the basket; what is due."""
    await rig.till.scanned(Reading(COAT.encode(), "scanner", rig.core.ports.clock.now_ms(), aim="]E0"))
    return rig.presenter.snapshot().basket.total.minor


async def opened(rig: Rig) -> None:
    await rig.till.day.open("1001", 10_000, rig.core.ports.new_id())


@pytest.mark.parametrize("leaves", ["pays", "steps aside", "is voided"])
async def test_a_quantity_and_a_question_for_a_price_go_with_the_customer(tmp_path, leaves):
    async with register(tmp_path) as rig:
        await opened(rig)
        due = await scanned(rig)
        rig.till.counter.next_quantity("3")
        rig.till.counter.next_is_check(on=True)
        if leaves == "pays":
            await rig.till.paying.cash(due, "")
        elif leaves == "steps aside":
            await rig.till.set_aside(do.Suspend(""), "")
        else:
            await rig.till.void("scanned wrongly", "")
        snapshot = rig.presenter.snapshot()
        assert (snapshot.basket, snapshot.next_quantity, snapshot.next_is_check) == (None, "", False)


async def test_a_quantity_typed_before_the_first_article_is_for_that_article(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.till.counter.next_quantity("3")
        await scanned(rig)
        assert rig.presenter.snapshot().basket.articles == 3


async def test_the_change_is_due_until_another_basket_is_begun(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.paying.cash(await scanned(rig) + 500, "")
        assert (rig.presenter.snapshot().last_sale.change.minor, rig.presenter.snapshot().last_sale.past) == (500, False)
        await scanned(rig)
        await rig.till.set_aside(do.Suspend(""), "")
        assert rig.presenter.snapshot().last_sale.past


async def test_a_parked_sale_that_is_paid_says_so_and_leaves_the_change_on_the_screen(tmp_path):
    async with register(tmp_path, terminal=ScriptedTerminal(findings=[Unknown("no_answer")])) as rig:
        await opened(rig)
        due = await parked(rig)
        await rig.till.paying.cash(await scanned(rig) + 500, "")
        shown = rig.core.desk.last_sale
        rig.terminal.findings = [Approved(due, "EUR", CardResult(provider_ref="p1", brand="visa", last_four="1111"))]
        await eventually(lambda: rig.core.desk.notice is not None and rig.core.desk.notice.key == "notice.parked_paid")
        assert rig.core.desk.notice.shown == {"receipt": rig.core.ports.journal.sales("", 1)[0].receipt}
        assert (rig.core.desk.last_sale, rig.core.state.parked) == (shown, ())


async def test_a_parked_sale_that_is_not_paid_is_not_taken_for_the_next_customers_payment(tmp_path):
    async with register(tmp_path, terminal=ScriptedTerminal(findings=[Unknown("no_answer")])) as rig:
        await opened(rig)
        await parked(rig)
        await scanned(rig)
        rig.terminal.findings = [Declined("insufficient_funds")]
        await eventually(lambda: rig.core.desk.notice is not None and rig.core.desk.notice.key == "notice.parked_unpaid")
        assert rig.core.desk.notice.shown == {"reason": "insufficient_funds"}


async def parked(rig: Rig) -> int:
    """A sale parked with a payment whose answer was lost; what was asked for."""
    due = await scanned(rig)
    await rig.till.paying.card(None, "")
    rig.terminal.answers.put_nowait(Unknown("connection_lost"))
    await eventually(lambda: rig.presenter.snapshot().payment.attempt.can_park)
    await rig.till.set_aside(do.Park(""), "")
    return due


@pytest.mark.parametrize("refused", ["0", "10000", "many"])
async def test_a_quantity_that_is_refused_takes_the_one_before_with_it_and_its_advice_is_about_the_quantity(tmp_path, refused):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.till.counter.next_quantity("3")
        with pytest.raises(EdgeError) as caught:
            await rig.till.counter.entered(f"{refused}*", "")
        assert "line" not in caught.value.hint
        assert rig.presenter.snapshot().next_quantity == ""
        await scanned(rig)
        assert [line.pieces for line in rig.presenter.snapshot().basket.lines] == [1]


async def test_a_quantity_that_is_refused_together_with_its_code_changes_nothing(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.till.counter.next_quantity("3")
        with pytest.raises(OutOfBounds) as caught:
            await rig.till.counter.entered(f"0*{COAT}", "")
        assert caught.value.key == "out_of_bounds.next_quantity"
        assert (rig.presenter.snapshot().basket, rig.presenter.snapshot().next_quantity) == (None, "3")
