"""Card payments at the counter while something else happens: bugs in a driver, late answers, restarts, cancelling, parking, undoing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotNow
from edge_agent.domain.tender import Approved, Attempt, AttemptState, Cancelled, CardResult, Outcome, Unknown
from edge_agent.payments.card_terminal import CardTerminal
from edge_agent.payments.cash import Cash
from edge_agent.ports import Steps
from tests.support_counter import COAT, MARIA_CARD, SOCKS, Gate, eventually, impatient, opened, scan  # noqa: F401 - a fixture
from tests.support_journal import raw
from tests.support_shop import ScriptedTerminal, register


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
        assert rig.core.desk.notice.key == "notice.payment_decided_unpaid"
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


@pytest.mark.parametrize("stops", [True, False])
async def test_a_stop_that_came_too_late_is_told_with_what_the_card_paid(tmp_path, stops):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        if stops:
            await rig.till.paying.cancel("")
        rig.terminal.approve(19_900)
        await eventually(lambda: rig.core.state.basket is None)
        wanted = "notice.payment_too_late" if stops else "notice.payment_approved"
        await eventually(lambda: wanted in [notice.key for notice in rig.core.desk.notices])
        told = next(notice for notice in rig.core.desk.notices if notice.key == wanted)
        assert told.shown.get("amount", "199,00 EUR") == "199,00 EUR"
