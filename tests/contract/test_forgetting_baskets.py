"""Whose basket it was is forgotten with them: what is left of it is nobody's, under no label, and no price goes up behind anybody's back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.basket import AttachedCustomer, Basket
from edge_agent.domain.errors import StorageFailed
from edge_agent.domain.events import CustomerForgotten
from edge_agent.domain.money import AMOUNT_MINOR_MAX
from edge_agent.domain.register import Register
from edge_agent.domain.tender import NotFound, Unknown
from edge_agent.ports import Commit, EventRow
from edge_agent.service.codec import read_state
from edge_agent.service.forgetting import forget_in_files
from sync.cipher import Connection
from tests.support_counter import COAT, MARIA_CARD, SOCKS, Gate, eventually, impatient, opened, replayed, scan  # noqa: F401 - a fixture
from tests.support_journal import new_id, open_journal, raw
from tests.support_register import COAT as COATS
from tests.support_register import GOLD, MARIA, Memory, pieces
from tests.support_shop import OMAR_KNOWN, MemoryCentral, Rig, register

LABEL = "Mrs Fernandez, blue bag"


async def hers(rig: Rig, *codes: str) -> None:
    """Maria's card is scanned, then these articles."""
    for code in (MARIA_CARD, *codes):
        await scan(rig, code)
    assert rig.core.state.basket.customer.id == MARIA.id


async def erased(rig: Rig) -> bool:
    """Central deleted her, and so does the register."""
    rig.core.ports.people.customers = (OMAR_KNOWN,)
    return await rig.core.forget([MARIA.id])


async def nothing_of_her(rig: Rig, folder: Path) -> None:
    """No key, no link, and neither name nor number in the state, stored or shown."""
    with raw(folder) as db:
        assert not db.execute("SELECT 1 FROM person_key WHERE person = ?", (MARIA.id,)).fetchall()
        assert not db.execute("SELECT 1 FROM sale WHERE customer <> ''").fetchall()
        (state,) = db.execute("SELECT snapshot FROM state").fetchone()
    shown = str(rig.presenter.snapshot()) + str(rig.core.desk.notices) + str(rig.core.state) + state.decode()
    for word in (MARIA.id, MARIA.name, "Fernandez", "blue bag"):
        assert word not in shown
    await eventually(lambda: rig.core.state == replayed(rig))
    found = rig.journal.verify()
    assert found.sound, found.problems


def visits(rig: Rig) -> int:
    return b"".join(rig.journal.export()).count(b'"retail.visit.recorded.v1"')


async def test_the_open_basket_is_nobodys_and_costs_what_it_costs_everybody(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await opened(rig)
        await hers(rig, COAT)
        assert rig.presenter.snapshot().basket.total.minor == 17_900
        assert await erased(rig)
        assert not await rig.core.forget([MARIA.id])
        assert (rig.core.desk.customer, rig.core.desk.notice.key) == (None, "notice.customer_erased")
        assert rig.presenter.snapshot().basket.total.minor == 19_900
        await nothing_of_her(rig, tmp_path)
        await rig.till.set_aside(do.Suspend("red scarf"), "")
        await rig.till.recall(rig.core.state.suspended[0].id, "")
        await rig.till.paying.cash(None, "")
        assert rig.core.desk.last_sale.customer == ""
        assert visits(rig) == 0
        await nothing_of_her(rig, tmp_path)


async def test_her_online_cart_goes_from_the_open_basket_and_central_may_have_it_back(tmp_path: Path) -> None:
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await hers(rig)
        await rig.till.clienteling.load("", "")
        assert rig.core.state.basket.lease is not None
        assert await erased(rig)
        assert (rig.core.state.basket.lease, rig.core.state.basket.to_pick, len(rig.core.state.claims)) == (None, (), 1)
        await nothing_of_her(rig, tmp_path)


async def test_a_basket_set_aside_keeps_its_prices_and_not_its_name(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await opened(rig)
        await hers(rig, COAT)
        await rig.till.set_aside(do.Suspend(LABEL), "")
        await scan(rig, SOCKS)
        await rig.till.set_aside(do.Suspend("red scarf"), "")
        assert await erased(rig)
        assert [basket.label for basket in rig.core.state.suspended] == ["", "red scarf"]
        await nothing_of_her(rig, tmp_path)
    async with register(tmp_path) as rig:
        assert [basket.label for basket in rig.core.state.suspended] == ["", "red scarf"]
        await rig.till.recall(rig.core.state.suspended[0].id, "")
        assert rig.core.desk.customer is None
        await rig.till.paying.cash(None, "")
        assert (rig.core.desk.last_sale.totals.total_minor, rig.core.desk.last_sale.customer, visits(rig)) == (17_900, "", 0)
        await nothing_of_her(rig, tmp_path)


@pytest.mark.parametrize("money", ["cash in part", "a card under way"])
async def test_no_price_changes_on_a_basket_with_money_on_it(tmp_path: Path, money: str) -> None:
    async with register(tmp_path) as rig:
        await opened(rig)
        await hers(rig, COAT)
        await (rig.till.paying.cash(5_000, "") if money == "cash in part" else rig.till.paying.card(None, ""))
        if money == "a card under way":
            await eventually(lambda: rig.terminal.asked)
        assert await erased(rig)
        assert rig.presenter.snapshot().basket.total.minor == 17_900
        await nothing_of_her(rig, tmp_path)
        if money == "cash in part":
            await rig.till.paying.cash(None, "")
        else:
            rig.terminal.approve(17_900)
        await eventually(lambda: rig.core.state.basket is None)
        assert (rig.core.desk.last_sale.totals.total_minor, rig.core.desk.last_sale.customer, visits(rig)) == (17_900, "", 0)
        await nothing_of_her(rig, tmp_path)


async def test_a_parked_sale_whose_payment_is_unclear_ends_as_nobodys(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        rig.terminal.findings = [Unknown("no_answer")]
        await opened(rig)
        await hers(rig, COAT)
        await rig.till.paying.card(None, "")
        rig.terminal.answers.put_nowait(Unknown("connection_lost"))
        await eventually(lambda: rig.presenter.snapshot().payment.attempt.can_park)
        await rig.till.set_aside(do.Park(LABEL), "")
        assert await erased(rig)
        await nothing_of_her(rig, tmp_path)
        rig.terminal.findings = [NotFound()]
        await rig.till.recall(rig.core.state.parked[0].id, "")
        await eventually(lambda: rig.core.state.basket.open_attempt is None)
        await rig.till.paying.cash(None, "")
        assert (rig.core.desk.last_sale.totals.total_minor, rig.core.desk.last_sale.customer) == (17_900, "")
        await nothing_of_her(rig, tmp_path)


async def test_what_an_older_version_wrote_in_the_open_does_not_come_back_with_a_restart(tmp_path: Path) -> None:
    """It sealed no label, and kept those of customers in the state that it stored."""
    async with register(tmp_path) as rig:
        await opened(rig)
        await hers(rig, COAT)
        basket = rig.core.state.basket.id
        body = msgspec.json.encode({"basket": basket, "label": LABEL, "at_ms": 5})
        known = AttachedCustomer(MARIA.id, "gold", 10, "card", MARIA.name)
        stored = msgspec.json.encode(Register(parked=(Basket("b-9", 1, customer=known, label=LABEL),)))
        await rig.journal.commit(Commit(new_id(), [EventRow("BasketSuspended", body)]))
    async with register(tmp_path) as rig:
        assert [basket.label for basket in rig.core.state.suspended] == [LABEL]

        def as_of_before(db: Connection) -> None:
            """Her basket was opened."""
            db.execute("UPDATE state SET snapshot = ?", (_named(db.execute("SELECT snapshot FROM state").fetchone()[0], stored),))

        await rig.journal._writer.run(as_of_before)  # one connection alone writes
        assert await erased(rig)
        assert [basket.label for basket in rig.core.state.suspended] == [""]
    async with register(tmp_path) as rig:
        assert [(basket.id, basket.label) for basket in rig.core.state.suspended] == [(basket, "")]
        await nothing_of_her(rig, tmp_path)


def _named(state: bytes, stored: bytes) -> bytes:
    """The stored ``state`` with the parked baskets of ``stored``."""
    return msgspec.json.encode(replace(read_state(state), parked=read_state(stored).parked))


async def test_a_journal_that_does_not_take_it_changes_nothing_and_says_so(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await opened(rig)
        await hers(rig, COAT)
        rig.refusing.refuse = StorageFailed("The disk failed.", hint="Check the disk.")
        before = rig.core.state
        with pytest.raises(StorageFailed):
            await erased(rig)
        assert rig.core.state == before
        rig.refusing.refuse = None
        await eventually(lambda: rig.core.desk.stopped is None)
        assert await erased(rig)
        await nothing_of_her(rig, tmp_path)


async def test_whoever_asked_for_it_may_go_meanwhile(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await opened(rig)
        await hers(rig, COAT)
        gate = Gate(rig)
        asked = asyncio.create_task(erased(rig))
        await gate.written.wait()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        gate.leave()
        await eventually(lambda: not rig.journal.kept_of([MARIA.id]))
        assert rig.core.state.basket.customer is None
        await nothing_of_her(rig, tmp_path)


async def test_without_a_service_the_baskets_in_the_files_are_nobodys_as_well(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await opened(rig)
        await hers(rig, COAT)
        await rig.till.set_aside(do.Suspend(LABEL), "")
        await hers(rig, COAT)
    async with open_journal(tmp_path) as journal:
        assert await forget_in_files(journal, new_id, [MARIA.id])
        assert not await forget_in_files(journal, new_id, [MARIA.id])
    async with register(tmp_path) as rig:
        assert (rig.core.desk.customer, rig.presenter.snapshot().basket.total.minor) == (None, 17_900)
        await nothing_of_her(rig, tmp_path)


def test_where_everybodys_price_is_more_than_a_sale_may_be_the_one_that_was_said_stays() -> None:
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "card", GOLD))
    till.do(do.AddArticle(COATS, GOLD["COAT"], pieces(1)))
    basket = till.state.basket
    assert basket is not None
    dear = tuple(replace(line, base_price_minor=AMOUNT_MINOR_MAX + 1) for line in basket.lines)
    till.state = replace(till.state, basket=replace(basket, lines=dear))
    assert till.do(do.ForgetCustomers(frozenset({MARIA.id, "somebody-else"}))) == (CustomerForgotten(basket.id),)
    assert (till.total, till.state.basket.customer) == (17_900, None)
    assert till.do(do.ForgetCustomers(frozenset({MARIA.id}))) == ()
