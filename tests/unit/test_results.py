"""The table of what was proven and measured: a run of a part leaves the other parts' rows as they were."""

from __future__ import annotations

from tests.bench.results import BENCH, PROOF, commit, keep, machine, rows_in, where


def test_a_part_measured_again_replaces_its_own_rows_and_no_other(tmp_path):
    path = tmp_path / "RESULTS.md"
    keep(PROOF, [["no loss", "1,000 kills", "none", "60", "one day"], ["no double", "5", "none", "1", "one day"]], path)
    keep(BENCH, [["a line", "1.0 ms", "a sync", "0.5 ms", "2.00", "1.5", "one day"]], path)
    keep(PROOF, [["no loss", "2,000 kills", "1", "120", "another day"], ["no lie", "a | b", "none", "3", "another day"]], path)
    text = path.read_text()
    assert rows_in(text, PROOF) == [
        ["no loss", "2,000 kills", "1", "120", "another day"],
        ["no double", "5", "none", "1", "one day"],
        ["no lie", "a / b", "none", "3", "another day"],
    ]
    assert rows_in(text, BENCH) == [["a line", "1.0 ms", "a sync", "0.5 ms", "2.00", "1.5", "one day"]]
    assert text.index("## Proof") < text.index("## Bench")
    keep(PROOF, [["all", "1", "none", "1", "today"]], path, whole=True)
    assert [row[0] for row in rows_in(path.read_text(), PROOF)] == ["all"]
    assert [row[0] for row in rows_in(path.read_text(), BENCH)] == ["a line"]


def test_a_row_says_which_commit_and_which_machine():
    assert commit() in where()
    assert machine() in where()
    assert "Python 3." in machine()
