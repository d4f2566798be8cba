"""A terminal's "not found" is final only if the transport had settled before the question was put: what arrived meanwhile, the answer does not know."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.domain.tender import Attempt, AttemptState, Finding, NotFound, Unknown
from edge_agent.service import checking, paying
from tests.support_counter import COAT, eventually, impatient, opened, scan  # noqa: F401 - a fixture
from tests.support_shop import Rig, ScriptedTerminal, register

DEAD = Unknown("unreachable")


class ClockAhead(SystemClock):
    """The computer's clock, which goes on as a test says."""

    ahead_seconds = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_seconds


@dataclass
class SlowTerminal(ScriptedTerminal):
    """Every "not found" of it is on its way for as long as the transport may still deliver."""

    settle: int = 60_000
    clock: ClockAhead = field(default_factory=ClockAhead)

    async def query(self, attempt: Attempt) -> Finding:
        finding = await super().query(attempt)
        if finding == NotFound():
            self.clock.ahead_seconds += self.settle / 1000
        return finding


async def by_card(rig: Rig) -> None:
    """A coat by card; the answer is lost."""
    await opened(rig)
    await scan(rig, COAT)
    await rig.till.paying.card(None, "")
    rig.terminal.answers.put_nowait(Unknown("connection_lost"))


async def test_a_payment_stays_unknown_when_its_transport_settled_only_while_the_answer_was_on_its_way(tmp_path: Path) -> None:
    terminal = SlowTerminal(findings=[NotFound(), DEAD])
    async with register(tmp_path, terminal=terminal, clock=terminal.clock) as rig:
        await by_card(rig)
        await eventually(lambda: rig.core.state.basket.open_attempt is None or len(terminal.queried) > 2)
        assert rig.core.state.basket.open_attempt is not None
        assert rig.core.state.basket.open_attempt.state is AttemptState.UNKNOWN
        terminal.findings[:] = [NotFound()]
        await eventually(lambda: rig.core.state.basket.open_attempt is None)


async def test_a_decision_is_not_contradicted_by_an_answer_on_whose_way_the_transport_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "REVIEW_AFTER_SECONDS", 0.02)
    monkeypatch.setattr(paying, "ASK_SLOWLY_SECONDS", 0.01)
    monkeypatch.setattr(checking, "CHECK_SECONDS", 0.01)
    terminal = SlowTerminal(findings=[DEAD])
    async with register(tmp_path, terminal=terminal, clock=terminal.clock) as rig:
        await by_card(rig)
        await eventually(lambda: rig.core.state.basket.open_attempt.state is AttemptState.NEEDS_REVIEW)
        await rig.till.paying.review(rig.core.state.basket.open_attempt.id, True, "so says its list", "")
        terminal.findings[:] = [NotFound(), DEAD]
        before = len(terminal.queried)
        await eventually(lambda: rig.core.state.reviewed[0].found is not None or len(terminal.queried) > before + 2)
        assert rig.core.state.reviewed[0].found is None
        terminal.findings[:] = [NotFound()]
        await eventually(lambda: rig.core.state.reviewed[0].found is not None)
