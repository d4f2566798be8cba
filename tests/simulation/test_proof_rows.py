"""What cannot run on a machine says so, and the table of ``make proof`` does not call it proven."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation import controls, network, sim_versions
from tests.simulation.__main__ import SKIPPED, Proof, proofs, row_of
from tests.simulation.controls import CONTROLS, ROOT

PROOF = Proof("a promise", "many faults", ("true",))


@pytest.fixture(autouse=True)
def _nothing_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGE_REQUIRE_PEERS", raising=False)


@pytest.mark.parametrize("there", [{}, {"3.11": "python3.11"}], ids=["none", "one"])
def test_one_version_of_python_alone_proves_nothing(there: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sim_versions, "interpreters", lambda: there)
    assert_not_tried(sim_versions.main, capsys)


def test_an_interpreter_that_pyenv_keeps_is_found_although_the_one_on_the_path_is_its_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal, kept = tmp_path / "shims" / "python3.12", tmp_path / ".pyenv" / "versions" / "3.12.1" / "bin" / "python"
    for program, code in ((refusal, 127), (kept, 0)):
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\nexit {code}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(refusal.parent))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert sim_versions.interpreters() == {"3.12": str(kept)}


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


def test_tests_that_were_skipped_are_not_called_proven() -> None:
    faults, violations, bad = row_of(PROOF, 0, "....s.\n5 passed, 1 skipped in 3.21s\n")
    assert (faults, violations, bad) == ("many faults; 1 of its tests not tried: they were skipped", "none in the others", False)
    assert row_of(PROOF, 0, "......\n6 passed in 3.21s\n") == ("many faults", "none", False)


def test_every_proof_is_told_apart() -> None:
    every = proofs([1, 2], 10)
    assert len({proof.promise for proof in every}) == len({proof.command for proof in every}) == len(every)


def test_every_control_that_is_named_is_there() -> None:
    for control in CONTROLS:
        file, _, name = control.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(), control


def test_a_control_that_finds_nothing_is_told_and_one_that_cannot_run_is_not_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tests = tmp_path / "test_controls.py"
    tests.write_text("import pytest\ndef test_found(): pass\ndef test_missed(): assert False\ndef test_absent(): pytest.skip('no peer')\n")
    assert controls.main([str(tests)]) == 1
    assert json.loads(capsys.readouterr().out) == {"faults": 2, "violations": 1, "not_tried": ["test_absent"]}
    assert controls.main([f"{tests}::test_found"]) == 0
    assert controls.main([f"{tests}::test_absent"]) == SKIPPED
    with pytest.raises(RuntimeError, match="could not be run"):
        controls.main([f"{tests}::test_nowhere"])
