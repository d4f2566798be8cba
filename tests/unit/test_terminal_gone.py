"""A card payment whose terminal was taken out of the configuration: nobody can be asked to undo it, so who may decides, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotAllowed, NotNow
from edge_agent.domain.reading import Reading
from edge_agent.domain.tender import NotFound
from edge_agent.service import paying
from tests.support_shop import Rig, ScriptedTerminal, register

COAT = b"4006381333931"
JUNIOR, SENIOR = "1002", "1001"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))


async def eventually(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def part_paid(folder: Path) -> str:
    """A coat of which 100.00 was paid by card at T1; the service ended. The tender's id."""
    async with register(folder) as rig:
        await rig.till.day.open(SENIOR, 0, "")
        await rig.till.scanned(Reading(COAT, "scanner", rig.core.ports.clock.now_ms()))
        rig.terminal.approve(10_000)
        await rig.till.paying.card(10_000, "")
        await eventually(lambda: rig.core.state.basket.settled_minor == 10_000)
        return rig.core.state.basket.tenders[0].id


def another() -> ScriptedTerminal:
    return ScriptedTerminal("T2", findings=[NotFound()])


def void_of(rig: Rig) -> str:
    return rig.presenter.snapshot().payment.attempt.id


@pytest.mark.parametrize("undone", [True, False])
async def test_a_payment_of_a_terminal_that_is_gone_is_undone_by_a_managers_decision(tmp_path: Path, undone: bool) -> None:
    tender = await part_paid(tmp_path)
    async with register(tmp_path, terminal=another()) as rig:
        with pytest.raises(NotNow):
            await rig.till.void("customer left", "")
        await rig.till.paying.give_back(tender, "")
        attempt = rig.presenter.snapshot().payment.attempt
        assert (attempt.kind, attempt.state, rig.core.desk.notice.key) == ("void", "needs_review", "notice.payment_review")
        assert not rig.terminal.asked
        assert not rig.terminal.queried
        await rig.till.set_aside(do.Park(""), "")
        with pytest.raises(NotNow):
            await rig.till.day.close("")
    async with register(tmp_path, terminal=another()) as rig:  # a restart changes nothing
        await rig.till.recall(rig.core.state.parked[0].id, "")
        await rig.till.day.sign_in(JUNIOR, "")
        with pytest.raises(NotAllowed):
            await rig.till.paying.review(void_of(rig), undone, "by its list", "")
        await rig.till.day.sign_in(SENIOR, "")
        await rig.till.paying.review(void_of(rig), undone, "by its list", "")
        assert rig.core.state.basket.settled_minor == (0 if undone else 10_000)
        await rig.till.void("customer left", "")
        owed = rig.till.paying.checking.standing()
        assert [notice.key for notice in owed] == ([] if undone else ["notice.payment_of_a_void"])
        await rig.till.day.close("")
        assert rig.journal.verify().sound


async def test_a_terminal_that_comes_back_is_asked_and_the_payment_undone_there(tmp_path: Path) -> None:
    tender = await part_paid(tmp_path)
    async with register(tmp_path, terminal=another()) as rig:
        await rig.till.paying.give_back(tender, "")
    async with register(tmp_path, terminal=ScriptedTerminal(findings=[NotFound()])) as rig:
        await eventually(lambda: rig.core.state.basket.open_attempt is None)
        assert rig.core.state.basket.settled_minor == 10_000, "it never heard of the undoing"
        (asked,) = {attempt.wire_ref for attempt in rig.terminal.queried}
        assert len(asked) == len(rig.core.state.basket.tenders[0].attempts[0].wire_ref)
        await rig.till.paying.give_back(tender, "")
        rig.terminal.approve(10_000)
        await eventually(lambda: rig.core.state.basket.settled_minor == 0)
        await rig.till.void("customer left", "")


async def test_the_sale_goes_on_when_the_manager_says_that_it_was_undone_and_the_rest_is_paid(tmp_path: Path) -> None:
    tender = await part_paid(tmp_path)
    async with register(tmp_path, terminal=another()) as rig:
        await rig.till.paying.give_back(tender, "")
        with pytest.raises(NotNow):
            await rig.till.paying.cash(None, "")
        await rig.till.paying.review(void_of(rig), True, "undone at the old terminal", "")
        await rig.till.paying.cash(None, "")
        assert rig.core.state.basket is None
        (sale,) = rig.journal.sales("", 5)
        assert sale.total_minor == 19900
