"""A program of ours loads no library's own command line, and looks for garbage among what came after its start alone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

COUNTER = "import edge_agent.screen, tui.app, tui.terminal"
TOLD = "print(json.dumps({'loaded': sorted(sys.modules), 'on': gc.isenabled(), 'kept': gc.get_freeze_count()}))"


def told(*lines: str) -> dict[str, Any]:
    """What a process of its own says after these lines."""
    program = "\n".join(("import gc, json, sys", *lines, TOLD))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_the_counter_loads_no_syntax_highlighter_and_collects_nothing_while_it_starts() -> None:
    lean = told("from edge_agent.lean import begin", "begin()", COUNTER)
    heavy = {"pygments", "rich.syntax", "rich.progress", "rich.traceback"}
    assert not heavy & set(lean["loaded"])
    assert heavy & set(told(COUNTER)["loaded"]), "there is nothing to leave out any more: take edge_agent.lean.UNUSED away"
    assert not lean["on"]


def test_what_was_left_out_can_still_be_loaded() -> None:
    assert "rich.traceback" in told("from edge_agent.lean import begin", "begin()", "import rich.traceback")["loaded"]


def test_once_settled_garbage_is_collected_and_what_was_there_is_left_alone() -> None:
    lean = told("from edge_agent.lean import begin, settled", "begin()", COUNTER, "settled()")
    assert lean["on"]
    assert lean["kept"] > 50_000
    assert told("from edge_agent.lean import settled", "settled()")["kept"] == 0


def test_a_command_that_ends_soon_collects_as_usual() -> None:
    program = "import sys; sys.argv = ['edge-agent', 'config', 'check', '--help']; from edge_agent.__main__ import main"
    lean = told(program, "try:", "    main()", "except SystemExit:", "    pass")
    assert lean["on"]
