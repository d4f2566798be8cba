"""Two things at once at one register, and a disk or a driver that fails in the middle: what the journal has is what the counter shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.errors import CodeUnknown, DiskFull, NotNow, OutOfBounds, StorageFailed
from edge_agent.domain.reading import Reading
from edge_agent.domain.receipt import PrintJob, PrintOutcome
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.tender import Approved, Attempt, AttemptState, Cancelled, CardResult, Declined, NotFound, Outcome, Unknown
from edge_agent.payments.card_terminal import CardTerminal
from edge_agent.payments.cash import Cash
from edge_agent.ports import Commit, Committed, Steps
from edge_agent.service import paying
from edge_agent.service.codec import read_event, read_state
from tests.support_journal import raw
from tests.support_shop import MARIAS_CART, MemoryCentral, Rig, ScriptedTerminal, register

COAT, SOCKS, MARIA_CARD, OMAR_CARD = "4006381333931", "4006381333948", "LOY0000000001", "LOY0000000002"
BROKEN = StorageFailed("The disk failed.", hint="Check the disk.")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    for name in ("ABORT_AGAIN_SECONDS", "DISK_SECONDS", "BUG_SECONDS"):
        monkeypatch.setattr(paying, name, 0.01)
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))
    monkeypatch.setattr("edge_agent.service.core.REOPEN_SECONDS", 0.01)


async def eventually(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def scan(rig: Rig, text: str) -> None:
    await rig.till.scanned(Reading(text.encode(), "scanner", rig.core.ports.clock.now_ms()))


async def opened(rig: Rig) -> None:
    await rig.till.day.open("1001", 10_000, "")


class Gate:
    """The real journal, behind a gate: a commit is written at once, but is answered only when the gate opens."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._commit = rig.refusing.commit
        self.written = asyncio.Event()
        self.open = asyncio.Event()
        rig.refusing.commit = self

    async def __call__(self, commit: Commit) -> Committed:
        done = await self._commit(commit)
        self.written.set()
        await self.open.wait()
        return done

    def leave(self) -> None:
        self.open.set()
        self._rig.refusing.commit = self._commit


class Ambiguous:
    """A disk that writes the next commit and says that it failed."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._commit = rig.refusing.commit
        rig.refusing.commit = self

    async def __call__(self, commit: Commit) -> Committed:
        self._rig.refusing.commit = self._commit
        await self._commit(commit)
        raise BROKEN.again()


def replayed(rig: Rig) -> Register:
    body, stored = rig.journal.load()
    state = read_state(body) if body is not None else Register()
    for event in stored:
        state = evolve(state, read_event(event.row))
    return state


def nameless(state: Register) -> Register:
    """Without what a stored state leaves out."""
    if state.basket is None or state.basket.customer is None:
        return state
    return replace(state, basket=replace(state.basket, customer=replace(state.basket.customer, name="")))


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
        rig.refusing.refuse = BROKEN
        with pytest.raises(StorageFailed):
            await rig.till.clienteling.load("", "")
        await eventually(lambda: ("release", MARIAS_CART.id) in rig.central.calls)


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


async def test_central_is_told_of_whole_lines_only(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        await scan(rig, COAT)
        await scan(rig, SOCKS)  # one of two
        await rig.till.paying.cash(None, "")
        await eventually(lambda: any(call[0] == "complete" for call in rig.central.calls))
        assert next(call for call in rig.central.calls if call[0] == "complete")[3] == ("w1",)


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


# --- bugs --------------------------------------------------------------------------------------------------------------------------


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


# --- payments --------------------------------------------------------------------------------------------------------------------


@dataclass
class BrokenDriver(ScriptedTerminal):
    """A driver with a bug: its submission fails in a way that no driver may."""

    name: str = "T1"

    async def submit(self, attempt: Attempt, steps: Steps) -> Outcome:
        self.asked.append(attempt)
        raise ZeroDivisionError


async def test_a_bug_in_a_driver_leaves_a_payment_that_is_asked_about(tmp_path):
    terminal = BrokenDriver(findings=[Approved(19_900, "EUR", CardResult())])
    async with register(tmp_path, terminal=terminal) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        await eventually(lambda: rig.core.desk.last_sale)
        assert (len(terminal.asked), len(terminal.queried)) == (1, 1)


async def test_an_approval_that_does_not_fit_goes_on_being_asked_about(tmp_path):
    terminal = ScriptedTerminal(findings=[Approved(19_901, "EUR", CardResult())])
    async with register(tmp_path, terminal=terminal) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        terminal.approve(19_901)
        await eventually(lambda: len(terminal.queried) > 2)
        assert rig.core.state.basket.open_attempt.state is AttemptState.NEEDS_REVIEW
        terminal.findings[:] = [Approved(19_900, "EUR", CardResult())]
        await eventually(lambda: rig.core.desk.last_sale)


async def test_a_decision_while_the_terminal_is_being_asked_is_the_end_of_it(tmp_path):
    terminal = ScriptedTerminal(findings=[Unknown("silent")])
    async with register(tmp_path, terminal=terminal) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        asking, answer = asyncio.Event(), asyncio.Event()

        async def slowly(attempt: Attempt) -> Unknown:
            asking.set()
            await answer.wait()
            return Unknown("silent")

        terminal.query = slowly
        terminal.approve(1, "USD")
        await asking.wait()
        attempt = rig.core.state.basket.open_attempt.id
        await rig.till.paying.review(attempt, False, "not on the list", "")
        answer.set()
        await eventually(lambda: not rig.till.paying.conversations)
        assert rig.core.state.basket.tenders[0].attempts[0].state is AttemptState.NOT_PROCESSED
        await rig.till.paying.cash(None, "")


async def test_a_terminal_that_is_gone_after_a_restart_leaves_the_payment_to_a_person(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
    async with register(tmp_path, terminal=ScriptedTerminal(name="another")) as rig:
        await eventually(lambda: rig.core.state.basket.open_attempt.state is AttemptState.NEEDS_REVIEW)
        await rig.till.paying.review(rig.core.state.basket.open_attempt.id, True, "the old terminal's list has it", "")
        assert rig.core.desk.last_sale.totals.total_minor == 19_900


async def test_cancelling_returns_at_once_and_is_repeated_while_the_terminal_goes_on(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        stuck = asyncio.Event()
        abort = rig.terminal.abort

        async def slowly(attempt: Attempt) -> None:
            await abort(attempt)
            if len(rig.terminal.aborted) == 1:
                await stuck.wait()

        rig.terminal.abort = slowly
        async with asyncio.timeout(1):
            await rig.till.paying.cancel("")
        assert rig.presenter.snapshot().payment.attempt.state == "aborting"
        stuck.set()
        await eventually(lambda: len(rig.terminal.aborted) >= 3)
        rig.terminal.answers.put_nowait(Cancelled("associate"))
        await eventually(lambda: rig.core.state.basket.open_attempt is None)
        asked = len(rig.terminal.aborted)
        await eventually(lambda: not rig.till.paying.conversations)
        assert len(rig.terminal.aborted) <= asked + 1


async def test_cancelling_just_after_the_approval_is_told_that_there_is_nothing_to_cancel(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        gate = Gate(rig)
        rig.terminal.approve(19_900)
        await gate.written.wait()  # on disk, not yet applied
        cancelling = asyncio.create_task(rig.till.paying.cancel(""))
        await asyncio.sleep(0)
        gate.leave()
        with pytest.raises(NotNow) as caught:
            await cancelling
        assert caught.value.key == "not_now.no_payment"
        assert rig.core.desk.last_sale is not None
        assert rig.terminal.aborted == []


async def test_a_parked_payment_settles_without_touching_the_next_customers_basket(tmp_path):
    terminal = ScriptedTerminal(findings=[Unknown("silent")])
    async with register(tmp_path, terminal=terminal) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        terminal.answers.put_nowait(Unknown("lost"))
        await eventually(lambda: terminal.queried)
        await rig.till.set_aside(do.Park("coat"), "")
        await scan(rig, MARIA_CARD)
        await scan(rig, SOCKS)
        terminal.findings[:] = [Approved(19_900, "EUR", CardResult())]
        await eventually(lambda: rig.core.desk.last_sale)
        snapshot = rig.presenter.snapshot()
        assert (snapshot.customer.name, [line.sku for line in snapshot.basket.lines], snapshot.parked) == ("Maria Fernandez", ["SOCKS"], [])
        await eventually(lambda: rig.core.desk.notice is not None and rig.core.desk.notice.key == "notice.parked_paid")


@dataclass
class TwoTerminals:
    """Two card methods; the second is where the money was taken."""

    first: ScriptedTerminal = field(default_factory=lambda: ScriptedTerminal("T1"))
    second: ScriptedTerminal = field(default_factory=lambda: ScriptedTerminal("T2"))


async def test_a_payment_is_undone_at_the_terminal_that_took_it(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        both = TwoTerminals()
        rig.core.ports = replace(rig.core.ports, methods=(Cash(), CardTerminal(both.second, lambda: ""), CardTerminal(both.first, lambda: "")))
        await rig.till.paying.card(5_000, "")
        both.second.approve(5_000)
        await eventually(lambda: rig.core.state.basket.settled_minor)
        rig.core.ports = replace(rig.core.ports, methods=(Cash(), CardTerminal(both.first, lambda: ""), CardTerminal(both.second, lambda: "")))
        await rig.till.paying.give_back(rig.core.state.basket.tenders[0].id, "")
        await eventually(lambda: len(both.second.asked) == 2)
        assert both.first.asked == []
        both.second.approve(5_000)
        await eventually(lambda: rig.core.state.basket.settled_minor == 0)
    with raw(tmp_path) as db:
        assert sorted(db.execute("SELECT kind, state FROM attempt").fetchall()) == [("sale", "voided"), ("void", "approved")]


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
