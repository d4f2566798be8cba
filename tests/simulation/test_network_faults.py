"""Facts through a bad network between two namespaces arrive once, in order, with the chain intact; and the link says what is wrong.

``make proof`` does it with all conditions and 100,000 facts: ``python -m tests.simulation.network``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.simulation.network import BROKEN, SMALL, prove
from tests.simulation.network_lab import missing
from tests.simulation.network_till import BUGS

pytestmark = [pytest.mark.peer, pytest.mark.timeout(240), pytest.mark.xdist_group("namespaces")]
FACTS = 2_000


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    if why := missing():
        if os.environ.get("EDGE_REQUIRE_PEERS") == "1":
            pytest.fail(why)
        pytest.skip(why)


def test_facts_arrive_once_and_in_order_and_the_link_says_what_is_wrong(tmp_path: Path) -> None:
    report = prove(tmp_path, FACTS, 1, only=SMALL)
    assert report.violations == []
    assert set(report.conditions) == set(SMALL)
    assert set(report.said) == {one.name for one in BROKEN} & set(SMALL)
    assert report.facts > FACTS


@pytest.mark.parametrize("bug", BUGS)
def test_a_transport_that_loses_and_a_push_that_skips_are_found(bug: str, tmp_path: Path) -> None:
    report = prove(tmp_path, 600, 1, bug=bug, only=("name not known (DNS)",))
    assert any("facts here" in violation for violation in report.violations), report
