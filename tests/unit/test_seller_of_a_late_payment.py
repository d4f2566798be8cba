"""A card payment that is answered late is the sale of who began it, whoever is signed in by then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.tender import Approved, CardResult, Unknown
from edge_agent.service import paying
from tests.support_counter import COAT, MARIA_CARD, eventually, scan
from tests.support_shop import Rig, register

COMPLETED, SETTLED, VISIT = "retail.sale.completed.v1", "retail.payment.settled.v1", "retail.visit.recorded.v1"
SILENT = Unknown("still silent")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(paying, "ASK_SLOWLY_SECONDS", 0.01)


async def parked_by_the_second(rig: Rig) -> None:
    """1002 sells Maria a coat, whose card payment is not answered, and parks it; 1001 takes over."""
    rig.terminal.findings[:] = [SILENT]
    await rig.till.day.open("1001", 0, "")
    await rig.till.day.sign_in("1002", "")
    await scan(rig, MARIA_CARD)
    await scan(rig, COAT)
    await rig.till.paying.card(None, "")
    rig.terminal.answers.put_nowait(Unknown("answer lost"))
    await eventually(lambda: rig.presenter.snapshot().payment.attempt.state == "unknown")
    await rig.till.set_aside(do.Park(""), "")
    await rig.till.day.sign_in("1001", "")


def operators(rig: Rig) -> dict[str, str]:
    """By type of fact, whom it names."""
    streams = ("trade", "people")
    told = [json.loads(wire) for stream in streams for _, wire in rig.journal.facts_after(stream, 0, 100, 1 << 20)]
    return {fact["type"]: fact["data"]["operatorId"] for fact in told}


async def test_the_terminals_late_word_completes_the_sale_of_who_began_it(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await parked_by_the_second(rig)
        minor = rig.presenter.snapshot().parked[0].total.minor
        rig.terminal.findings[:] = [Approved(minor, "EUR", CardResult())]
        await eventually(lambda: rig.core.desk.last_sale is not None)
        first, second = (rig.core.ports.people.operator(badge) for badge in ("1001", "1002"))
        assert rig.core.state.operator.id == first.id
        assert rig.core.desk.last_sale.operator == second.id
        assert {type: operators(rig)[type] for type in (COMPLETED, SETTLED, VISIT)} == dict.fromkeys((COMPLETED, SETTLED, VISIT), second.id)


async def test_a_managers_decision_names_the_manager_and_the_sale_its_seller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "REVIEW_AFTER_SECONDS", 0.2)
    async with register(tmp_path) as rig:
        await parked_by_the_second(rig)
        await eventually(lambda: rig.presenter.snapshot().parked[0].attempt == "needs_review")
        await rig.till.recall(rig.presenter.snapshot().parked[0].id, "")
        await rig.till.paying.review(rig.presenter.snapshot().payment.attempt.id, True, "on the terminal's list", "")
        first, second = (rig.core.ports.people.operator(badge) for badge in ("1001", "1002"))
        assert (operators(rig)[COMPLETED], operators(rig)[SETTLED]) == (second.id, first.id)
