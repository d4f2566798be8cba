"""A bug in the screen: the program ends with a line that says what to do, and nothing of what the screen held is on the terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

BUG = """
import sys
import tui.app
from edge_agent.cli import main

def bug(self):
    customer = "Maria Fernandez"
    raise {kind}

tui.app.CounterApp._tick = bug
sys.argv[0] = "edge-agent"
main()
"""
DRAWS_ITSELF = "type('Drawn', (RuntimeError,), {'__rich__': lambda self: customer})('a fault')"


@pytest.mark.parametrize("kind", ["OverflowError('a fault')", DRAWS_ITSELF])
@pytest.mark.parametrize(("language", "says"), [("en", "The screen was ended by a fault"), ("de", "Die Anzeige wurde durch einen Programmfehler beendet")])
def test_a_bug_ends_the_counter_with_one_line_and_exit_1(tmp_path: Path, kind: str, language: str, says: str) -> None:
    config = tmp_path / "edge.toml"
    config.write_text(f'state = "{tmp_path / "state"}"\n')
    ours, theirs = pty.openpty()
    arguments = ["--config", str(config), "till", "--language", language]
    environment = os.environ | {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "xdg"), "TERM": "xterm-256color"}
    program = subprocess.Popen(
        [sys.executable, "-c", BUG.format(kind=kind), *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    drawn = b""
    try:
        while piece := os.read(ours, 65_536):
            drawn += piece
    except OSError:
        pass  # Linux's word for the other side's end
    finally:
        os.close(ours)
        status = program.wait(60)
    text = drawn.decode("utf-8", "replace")
    log = (tmp_path / "xdg" / "edge-agent" / "till.log").read_text("utf-8")
    assert status == 1
    assert f"error: {says}" in text
    assert "\x1b[?1049l" in text, "the terminal is as it was before"
    assert text.index("\x1b[?1049l") < text.index(says)
    assert "till.log" in text
    assert "Maria Fernandez" not in text + log
    assert "Traceback" not in text
    assert "Traceback" in log
    assert "a fault" in log
