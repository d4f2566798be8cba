"""A disk that fails in the middle, bugs, and limits: what the journal has is what the counter shows, and nothing grows without end."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.errors import DiskFull, OutOfBounds, StorageFailed
from edge_agent.domain.receipt import PrintJob, PrintOutcome
from edge_agent.domain.tender import AttemptState, Declined, NotFound, Unknown
from edge_agent.ports import Commit, Committed
from tests.support_counter import BROKEN, COAT, MARIA_CARD, SOCKS, Ambiguous, eventually, impatient, opened, replayed, scan  # noqa: F401 - a fixture
from tests.support_shop import ScriptedTerminal, register

# --- a disk that fails in the middle ---------------------------------------------------------------------------------------------


async def test_a_sale_that_was_written_although_the_disk_said_no_is_printed_once_when_the_disk_is_back(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await scan(rig, COAT)
        Ambiguous(rig)
        with pytest.raises(StorageFailed):
            await rig.till.paying.cash(20_000, "cash-1")
        assert rig.presenter.snapshot().phase == "stopped"
        assert rig.paper.jobs == []
        await eventually(lambda: rig.presenter.snapshot().phase == "ready")
        snapshot = rig.presenter.snapshot()
        assert (snapshot.last_sale.change.minor, snapshot.customer) == (2_100, None)
        await eventually(lambda: rig.paper.jobs)
        assert await rig.journal.known_command("cash-1")  # the client's next try is answered, not carried out
        assert len(rig.paper.jobs) == 1


async def test_an_attempt_that_was_written_although_the_disk_said_no_is_asked_about_when_the_disk_is_back(tmp_path):
    terminal = ScriptedTerminal(findings=[NotFound()])
    async with register(tmp_path, terminal=terminal) as rig:
        await opened(rig)
        await scan(rig, COAT)
        Ambiguous(rig)
        with pytest.raises(StorageFailed):
            await rig.till.paying.card(None, "")
        await eventually(lambda: terminal.queried)
        await eventually(lambda: rig.core.state.basket.open_attempt is None)
        assert terminal.asked == []  # nothing was ever sent
        assert rig.core.state.basket.tenders[0].attempts[0].state is AttemptState.NOT_PROCESSED
        await rig.till.paying.cash(None, "")
        assert len(rig.journal.sales("", 10)) == 1


async def test_an_outcome_that_the_disk_refuses_is_kept_until_it_takes_it_and_said_once(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        rig.refusing.refuse = BROKEN
        tries = []
        rig.refusing.commit = counting(rig.refusing.commit, tries)
        rig.terminal.approve(19_900)
        await eventually(lambda: len(tries) > 5)
        assert rig.presenter.snapshot().stopped.key == "storage_failed"
        assert [notice.key for notice in rig.core.desk.notices].count("storage_failed") == 1
        rig.refusing.refuse = None
        await eventually(lambda: rig.core.desk.last_sale)
        assert rig.core.desk.last_sale.tenders[0].settled_minor == 19_900
        assert len(rig.terminal.asked) == 1


def counting(commit, tries: list[Commit]):
    async def counted(wanted: Commit) -> Committed:
        tries.append(wanted)
        return await commit(wanted)

    return counted


async def test_the_reason_why_selling_stopped_is_told_anew_when_it_changes(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.refusing.refuse = DiskFull("No room.", hint="Make room.")
        await scan(rig, COAT)
        assert rig.presenter.snapshot().stopped.key == "disk_full"
        rig.refusing.refuse = BROKEN
        await eventually(lambda: rig.presenter.snapshot().stopped.key == "storage_failed")


async def test_a_stopped_register_raises_an_error_of_its_own_each_time(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.refusing.refuse = BROKEN
        caught = []
        for _ in range(3):
            with pytest.raises(StorageFailed) as one:
                await rig.till.run(do.CloseShift(), "")
            caught.append(one.value)
        assert len({id(error) for error in caught}) == 3


async def test_the_service_comes_up_on_a_disk_that_refuses_and_says_that_it_started_when_it_can(tmp_path):
    terminal = ScriptedTerminal(findings=[Unknown("silent")])
    async with register(tmp_path, terminal=terminal) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        facts = {stream.stream: stream.head for stream in rig.journal.streams()}
        await rig.till.paying.close()
        rig.refusing.refuse = DiskFull("No room.", hint="Make room.")
        await rig.till.start("0", clean_stop=False)
        assert rig.presenter.snapshot().stopped.key == "disk_full"
        assert {stream.stream: stream.head for stream in rig.journal.streams()} == facts
        rig.refusing.refuse = None
        await eventually(lambda: {stream.stream: stream.head for stream in rig.journal.streams()}["ops"] == facts["ops"] + 1)
        await eventually(lambda: rig.core.state.basket.open_attempt.state is AttemptState.UNKNOWN)
        await eventually(lambda: terminal.queried)


async def test_a_commit_with_an_id_that_is_in_the_journal_does_nothing(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.core.do(do.PayCash(5_000), "once")
        assert await rig.core.do(do.PayCash(5_000), "once") == ()
        assert rig.core.state == replayed(rig)
        await rig.till.paying.card(None, "once")
        assert rig.terminal.asked == []


async def test_a_terminal_is_asked_to_stop_although_the_disk_refuses(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        rig.refusing.refuse = BROKEN
        with pytest.raises(StorageFailed):
            await rig.till.paying.cancel("")
        await eventually(lambda: rig.terminal.aborted)


async def test_facts_wake_the_sender_and_lines_do_not(tmp_path):
    woken = []
    async with register(tmp_path) as rig:
        rig.core.ports = replace(rig.core.ports, wake_push=lambda: woken.append(1))
        await opened(rig)
        assert len(woken) == 1
        await scan(rig, COAT)
        assert len(woken) == 1
        await rig.till.paying.cash(None, "")
        assert len(woken) == 2


# --- bugs ------------------------------------------------------------------------------------------------------------------------


async def test_a_bug_in_one_reading_does_not_end_the_reading_of_the_next(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        catalogue = rig.core.ports.catalogue
        by_gtin, catalogue.by_gtin = catalogue.by_gtin, lambda _: 1 / 0
        await scan(rig, COAT)
        assert rig.presenter.snapshot().notice.key == "notice.bug"
        catalogue.by_gtin = by_gtin
        await scan(rig, COAT)
        assert rig.core.state.basket is not None


async def test_a_bug_in_the_printer_leaves_a_receipt_that_may_be_complete(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)

        async def broken(job: PrintJob) -> PrintOutcome:
            raise ZeroDivisionError

        rig.paper.print = broken
        await rig.till.paying.cash(None, "")
        await eventually(lambda: rig.presenter.snapshot().last_sale.print_state == "unclear")
        assert rig.presenter.snapshot().notice.key == "notice.print_unclear.bug"


# --- limits ----------------------------------------------------------------------------------------------------------------------


async def test_nothing_about_a_basket_grows_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("edge_agent.domain.settling.ATTEMPTS_MAX", 3)
    monkeypatch.setattr("edge_agent.domain.settling.CASH_TENDERS_MAX", 2)
    monkeypatch.setattr("edge_agent.domain.selling.REMOVED_MAX", 2)
    monkeypatch.setattr("edge_agent.domain.selling.LINE_DISCOUNTS_MAX", 2)
    async with register(tmp_path) as rig:
        await opened(rig)
        for _ in range(3):
            await scan(rig, SOCKS)
            line = rig.core.state.basket.lines[0].id
            if len(rig.core.state.basket.removed) < 2:
                await rig.till.run(do.RemoveLine(line), "")
        with pytest.raises(OutOfBounds, match="taken out"):
            await rig.till.run(do.RemoveLine(rig.core.state.basket.lines[0].id), "")
        for _ in range(2):
            await rig.till.discount(rig.core.state.basket.lines[0].id, do.Cut("x", amount_minor=1), "")
        with pytest.raises(OutOfBounds, match="discounts"):
            await rig.till.discount(rig.core.state.basket.lines[0].id, do.Cut("x", amount_minor=1), "")
        for _ in range(3):
            await rig.till.paying.card(None, "")
            rig.terminal.answers.put_nowait(Declined("refused"))
            await eventually(lambda: rig.core.state.basket.open_attempt is None)
        with pytest.raises(OutOfBounds) as caught:
            await rig.till.paying.card(None, "")
        assert caught.value.key == "out_of_bounds.payments"
        for _ in range(2):
            await rig.till.paying.cash(1, "")
        with pytest.raises(OutOfBounds):
            await rig.till.paying.cash(1, "")
