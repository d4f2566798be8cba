"""The real service is killed at named points and at random moments; nothing acknowledged is lost, nothing has two effects.

A seeded third of the points; ``make proof`` takes all of them and a thousand moments: ``python -m tests.simulation.kills``.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from tests.simulation.killed_service import POINTS
from tests.simulation.kills import kill, plan_of

SEED = 20
RANDOM_KILLS = 10
SHARE = Random(SEED).sample(POINTS, len(POINTS) // 3)


@pytest.mark.timeout(400)
def test_killed_at_named_points_and_at_random_the_books_agree(tmp_path: Path) -> None:
    report = kill(tmp_path, plan_of(RANDOM_KILLS, SHARE, 1, SEED), SEED, cold_every=20)
    assert report.violations == []
    assert sum(report.faults.values()) == len(SHARE) + RANDOM_KILLS
    assert not report.not_reached
    assert report.sales > 0
    assert report.audits == 1


@pytest.mark.parametrize(
    ("bug", "point", "found"),
    [
        pytest.param("forget_id", "commit.after", "expected (one effect|the basket before or after)", id="a repeated command is carried out twice"),
        pytest.param("ask_first", "terminal.answer", "books None", id="the terminal is asked before the commit"),
    ],
)
@pytest.mark.timeout(240)
def test_a_planted_bug_is_found(bug: str, point: str, found: str, tmp_path: Path) -> None:
    report = kill(tmp_path, [point] * 4, SEED, bug, cold_every=100)
    assert any(re.search(found, violation) for violation in report.violations), report
