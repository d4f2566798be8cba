"""A power cut while a receipt prints: after the start it is told once that nobody knows, it is in the list of past sales, and no second original comes out."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotNow
from edge_agent.domain.reading import Reading
from edge_agent.domain.receipt import NotPrinted, PrintJob, PrintOutcome, Unclear
from edge_agent.domain.register import RECEIPTS_DUE_MAX, ReceiptDue, Register, evolve
from edge_agent.service.codec import read_event, read_state, write_state
from tests.support_register import COAT as A_COAT
from tests.support_register import Memory
from tests.support_shop import Rig, register

COAT = "4006381333931"


async def eventually(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def sold(rig: Rig) -> str:
    """A sale's receipt code."""
    if rig.core.state.shift is None:
        await rig.till.day.open("1001", 10_000, "")
    await rig.till.scanned(Reading(COAT.encode(), "scanner", rig.core.ports.clock.now_ms()))
    await rig.till.paying.cash(None, "")
    assert rig.core.desk.last_sale is not None
    return rig.core.desk.last_sale.receipt


def sell(counter: Memory) -> None:
    counter.add(A_COAT)
    counter.do(do.PayCash(None))


def state_of(rig: Rig, receipt: str) -> str:
    return rig.presenter.sale(rig.till.printing.sale(receipt)).print_state


async def killed_while_printing(folder: Path) -> str:
    """A register whose power goes while its receipt prints; its files are in ``folder / "after"``."""
    never = asyncio.Event()

    async def printing(job: PrintJob) -> PrintOutcome:
        await never.wait()
        return Unclear("no_answer", "Look at the paper.")

    async with register(folder / "before") as rig:
        rig.paper.print = printing
        receipt = await sold(rig)
        shutil.copytree(folder / "before", folder / "after")
        never.set()
    return receipt


async def test_a_receipt_that_a_power_cut_interrupted_is_told_once_and_printed_as_a_copy_alone(tmp_path: Path) -> None:
    receipt = await killed_while_printing(tmp_path)
    async with register(tmp_path / "after") as rig:
        notice = rig.core.desk.notice
        assert (notice.key, notice.level, notice.shown["code"]) == ("notice.print_unknown", "warn", receipt)
        assert state_of(rig, receipt) == "unknown"
        with pytest.raises(NotNow, match="may have been printed already"):
            rig.till.printing.again(receipt, copy=False)
    async with register(tmp_path / "after") as rig:
        assert (rig.core.desk.notice, state_of(rig, receipt)) == (None, "unknown"), "told once, and still in the list"
        rig.till.printing.again(receipt, copy=True)
        await eventually(lambda: rig.core.state.receipts_due == ())
        assert (state_of(rig, receipt), rig.paper.jobs[0].copy) == ("none", True)


async def test_a_receipt_that_was_printed_is_told_to_nobody_after_a_restart(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        receipt = await sold(rig)
        assert rig.core.state.receipts_due == (ReceiptDue(rig.core.desk.last_sale.id, receipt),), "the sale waits for no printer"
        await eventually(lambda: state_of(rig, receipt) == "printed" and rig.core.state.receipts_due == ())
    async with register(tmp_path) as rig:
        assert (rig.core.desk.notice, state_of(rig, receipt)) == (None, "none")


async def test_a_receipt_that_was_not_printed_is_known_so_after_a_restart_and_comes_out_as_the_original(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        rig.paper.outcome = NotPrinted("paper_out", "Put in a new roll.")
        receipt = await sold(rig)
        await eventually(lambda: any(due.outcome for due in rig.core.state.receipts_due))
    async with register(tmp_path) as rig:
        assert state_of(rig, receipt) == "not_printed"
        rig.till.printing.again(receipt, copy=False)
        await eventually(lambda: rig.core.state.receipts_due == ())
        assert [job.copy for job in rig.paper.jobs] == [False]


async def test_what_is_kept_of_a_receipt_leaves_what_the_associate_reads_on_the_screen(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await sold(rig)
        rig.core.tell("notice.voided", "info", "Read me.")
        await eventually(lambda: rig.core.state.receipts_due == ())
        assert rig.core.desk.notice.text == "Read me."
        stored = rig.journal.tail(1)[0]
        assert (stored.row.type, read_event(stored.row).outcome) == ("ReceiptTried", "printed")
        assert [row.receipt for row in rig.journal.sales("", 5)] == [rig.core.desk.last_sale.receipt]


def test_a_register_without_a_printer_owes_no_receipt_and_one_with_a_broken_one_remembers_so_many() -> None:
    without = Memory()
    sell(without)
    assert without.state.receipts_due == ()
    counter = Memory(prints=True)
    for _ in range(RECEIPTS_DUE_MAX + 5):
        sell(counter)
    assert len(counter.state.receipts_due) == RECEIPTS_DUE_MAX
    assert read_state(write_state(counter.state)) == counter.state
    newest = counter.state.receipts_due[-1].sale
    (tried,) = counter.do(do.NoteReceipt(newest, "unclear"))
    assert counter.do(do.NoteReceipt(newest, "unclear")) == ()
    assert counter.do(do.NoteReceipt("another", "printed")) == ()
    assert evolve(Register(), tried) == Register()
