"""What cannot run on a machine says so, and the table of ``make proof`` does not call it proven."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.simulation import network, sim_versions
from tests.simulation.__main__ import SKIPPED, Proof, proofs, row_of

PROOF = Proof("a promise", "many faults", ("true",))


@pytest.fixture(autouse=True)
def _nothing_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGE_REQUIRE_PEERS", raising=False)


@pytest.mark.parametrize("there", [{}, {"3.11": "python3.11"}], ids=["none", "one"])
def test_one_version_of_python_alone_proves_nothing(there: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sim_versions, "interpreters", lambda: there)
    assert_not_tried(sim_versions.main, capsys)


def test_without_namespaces_no_network_is_proven(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(network, "missing", lambda: "namespaces need root")
    assert_not_tried(lambda: network.main([]), capsys)


def assert_not_tried(main: Callable[[], int], capsys: pytest.CaptureFixture[str]) -> None:
    code = main()
    told = capsys.readouterr().out
    assert code == SKIPPED
    assert row_of(PROOF, code, told) == ("none", f"not tried: {json.loads(told)['skipped']}", False)


def test_a_row_counts_its_faults_and_a_violation_is_one() -> None:
    assert row_of(PROOF, 0, '{"faults": 1200, "violations": 0}') == ("1,200: many faults", "none", False)
    assert row_of(PROOF, 1, '{"faults": 1200, "violations": 2}') == ("1,200: many faults", "2", True)
    assert row_of(PROOF, 1, "Traceback") == ("many faults", "FOUND", True)


def test_every_proof_is_told_apart() -> None:
    every = proofs([1, 2], 10)
    assert len({proof.promise for proof in every}) == len({proof.command for proof in every}) == len(every)
