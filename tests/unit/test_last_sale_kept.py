"""The sale that the counter shows outlives the service: its change until another basket is begun, its receipt for as long as it lies unprinted."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import msgspec
import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.receipt import NotPrinted
from edge_agent.domain.tender import Approved, CardResult, Unknown
from edge_agent.service.codec import write_state
from tests.support_counter import COAT, eventually, impatient, opened, scan
from tests.support_shop import Rig, ScriptedTerminal, register

__all__ = ["impatient"]


async def sold(rig: Rig, change: int = 500) -> str:
    """A coat paid with ``change`` too much, whose receipt does not print; the sale's id."""
    rig.paper.outcome = NotPrinted("paper_out", "Put in a new roll.")
    if rig.core.state.shift is None:
        await opened(rig)
    await scan(rig, COAT)
    await rig.till.paying.cash(rig.presenter.snapshot().basket.total.minor + change, "")
    await eventually(lambda: rig.presenter.snapshot().last_sale.print_state == "not_printed")
    await eventually(lambda: all(due.outcome for due in rig.core.state.receipts_due))
    return rig.presenter.snapshot().last_sale.id


async def test_a_power_cut_after_a_sale_takes_neither_its_change_nor_its_unprinted_receipt_off_the_screen(tmp_path: Path) -> None:
    async with register(tmp_path / "before") as rig:
        shown = (await sold(rig), rig.presenter.snapshot().last_sale)
        shutil.copytree(tmp_path / "before", tmp_path / "after")
    async with register(tmp_path / "after") as rig:
        snapshot = rig.presenter.snapshot()
        assert (snapshot.last_sale.id, snapshot.last_sale) == shown
        assert (snapshot.last_sale.past, snapshot.last_sale.change.minor, snapshot.last_sale.print_state) == (False, 500, "not_printed")
        rig.till.printing.again(snapshot.last_sale.id, copy=False)
        await eventually(lambda: rig.presenter.snapshot().last_sale.print_state == "printed")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(await rig.api("t")), base_url="http://till", headers={"Authorization": "Bearer t"}) as http:
            assert (await http.get("/v1/status")).json()["last_sale"]["receipt"] == snapshot.last_sale.receipt


@pytest.mark.parametrize("leaves", ["is open", "is voided", "steps aside"])
async def test_a_basket_begun_before_the_restart_has_taken_the_changes_place(tmp_path: Path, leaves: str) -> None:
    async with register(tmp_path) as rig:
        await sold(rig)
        await scan(rig, COAT)
        if leaves == "is voided":
            await rig.till.void("changed_mind", "")
        elif leaves == "steps aside":
            await rig.till.set_aside(do.Suspend(""), "")
        assert rig.presenter.snapshot().last_sale.past
    async with register(tmp_path) as rig:
        last = rig.presenter.snapshot().last_sale
        assert (last.past, last.print_state) == (True, "not_printed")


async def test_a_shift_that_is_closed_leaves_the_receipt_to_print_and_no_change_to_hand_out(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        sale = await sold(rig)
        await rig.till.day.close("")
        assert (rig.presenter.snapshot().last_sale.id, rig.presenter.snapshot().last_sale.past) == (sale, True)
    async with register(tmp_path) as rig:
        await opened(rig)
        last = rig.presenter.snapshot().last_sale
        assert (last.id, last.past, last.print_state) == (sale, True, "not_printed")
        rig.till.printing.again(sale, copy=False)
        await eventually(lambda: rig.presenter.snapshot().last_sale.print_state == "printed")


async def test_after_a_restart_the_change_still_stands_before_a_parked_sale_that_was_paid_later(tmp_path: Path) -> None:
    async with register(tmp_path, terminal=ScriptedTerminal(findings=[Unknown("no_answer")])) as rig:
        await opened(rig)
        await scan(rig, COAT)
        due = rig.presenter.snapshot().basket.total.minor
        await rig.till.paying.card(None, "")
        rig.terminal.answers.put_nowait(Unknown("connection_lost"))
        await eventually(lambda: rig.presenter.snapshot().payment.attempt.can_park)
        await rig.till.set_aside(do.Park(""), "")
        cash = await sold(rig)
        rig.terminal.findings = [Approved(due, "EUR", CardResult(provider_ref="p1", brand="visa", last_four="1111"))]
        await eventually(lambda: not rig.core.state.parked)
        assert [row.id for row in rig.journal.sales("", 9)][1] == cash
        assert rig.presenter.snapshot().last_sale.id == cash
    async with register(tmp_path) as rig:
        last = rig.presenter.snapshot().last_sale
        assert (last.id, last.past, last.change.minor) == (cash, False, 500)


async def test_of_a_journal_from_before_this_was_kept_the_newest_sale_is_known_and_past(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        sale = await sold(rig)
        stored = msgspec.json.decode(write_state(rig.core.state))
        del stored["last_sale"]
        rig.refusing.load = lambda: (msgspec.json.encode(stored), ())
        rig.core.desk.last_sale = None
        rig.core.changed()
        rig.core.load()
        last = rig.presenter.snapshot().last_sale
        assert (last.id, last.past) == (sale, True)
