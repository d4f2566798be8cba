"""A terminal that goes away without a word to anybody (no SIGHUP): the counter ends, and does not spin or hang."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

PROGRAM = """
import sys
from textual.app import App
from textual.widgets import Label
from tui.terminal import draw_on_the_terminal

class Busy(App):
    def compose(self):
        yield Label("0", id="number")
    def on_mount(self):
        self.number = 0
        self.set_interval(0.01, self.more)
    def more(self):
        self.number += 1
        self.query_one("#number").update(str(self.number) * 200)

app = Busy()
draw_on_the_terminal(app)
app.run()
"""
ENDS_WITHIN_SECONDS = 30.0


def test_the_counter_ends_when_its_terminal_is_gone() -> None:
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env={**os.environ, "TERM": "xterm-256color"}
    )
    try:
        os.close(theirs)
        seen = b""
        until = time.monotonic() + ENDS_WITHIN_SECONDS
        while b"?1049h" not in seen or len(seen) < 5_000:
            assert time.monotonic() < until, seen
            if select.select([ours], [], [], 1.0)[0]:
                seen += os.read(ours, 65_536)
        assert program.poll() is None
        os.close(ours)
        assert program.wait(ENDS_WITHIN_SECONDS) is not None
    finally:
        program.kill()
        program.wait()
