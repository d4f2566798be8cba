"""The checks themselves are checked: ``python -m tests.simulation.controls``.

Every test named here breaks the product on purpose, in one way each, and passes when the check that it belongs to finds it. Prints one line of JSON
(``faults``: broken in so many ways, ``violations``: not found); exit 1 when one was not found, 3 when none of them can run here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
SKIPPED = 3
CONTROLS = (
    "tests/simulation/test_kills.py::test_a_planted_bug_is_found",
    "tests/simulation/test_network_faults.py::test_a_transport_that_loses_and_a_push_that_skips_are_found",
    "tests/simulation/test_journal_faults.py::test_the_same_kills_find_commits_that_are_acknowledged_before_they_are_on_disk",
    "tests/simulation/test_journal_faults.py::test_a_row_that_was_tampered_with_is_found_although_the_pages_are_right",
    "tests/simulation/test_journal_faults.py::test_damage_in_the_log_is_found_and_nothing_is_touched",
    "tests/simulation/test_every_await.py::test_the_same_deaths_find_a_register_that_forgets_its_open_payments",
    "tests/unit/test_attempt_model.py::test_the_same_search_finds_both_wrongs_in_a_policy_that_has_them",
    "tests/unit/test_attempt_model.py::test_the_same_search_finds_a_register_that_settles_wrongly",
    "tests/unit/test_attempt_model.py::test_decisions_that_nobody_checks_leave_wrong_ones_unsaid",
    "tests/unit/test_register_properties.py::test_the_same_sequences_find_a_register_that_is_broken",
)


def judged(tests: Sequence[str]) -> dict[str, list[str]]:
    """Which of ``tests`` found what they broke, which did not, and which could not run here. Raises RuntimeError when they could not be run at all."""
    with tempfile.TemporaryDirectory(prefix="edge-controls-") as folder:
        report = Path(folder) / "report.xml"
        command = (sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--timeout=600", f"--junitxml={report}", *tests)
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode not in (0, 1) or not report.exists():
            raise RuntimeError(f"the controls could not be run:\n{done.stdout[-3000:]}")
        found: dict[str, list[str]] = {"found": [], "missed": [], "skipped": []}
        for case in ElementTree.parse(report).iter("testcase"):
            wrong = case.find("failure") is not None or case.find("error") is not None
            found["missed" if wrong else "skipped" if case.find("skipped") is not None else "found"].append(str(case.get("name")))
    return found


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.controls", description="Every check finds what it is there for.")
    parser.add_argument("tests", metavar="TEST", nargs="*", help="only these")
    said = parser.parse_args(words)
    found = judged(said.tests or CONTROLS)
    if not found["found"] and not found["missed"]:
        print(json.dumps({"skipped": "none of the controls can run here"}))
        return SKIPPED
    for name in found["missed"]:
        print(f"NOT FOUND: {name}", file=sys.stderr)
    tried = len(found["found"]) + len(found["missed"])
    print(json.dumps({"faults": tried, "violations": len(found["missed"]), "not_tried": found["skipped"]}))
    return 1 if found["missed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
