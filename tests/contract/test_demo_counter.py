"""The demo counter as a person opens it: in a terminal, with keys, and nothing left behind when it is closed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock

F12, ESCAPE, QUIT = b"\x1b[24~", b"\x1b", b"\x11"
_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()].|[=>]|P[^\x1b]*\x1b\\)")


class Terminal:
    """A window of 120 columns and 40 lines with the demo in it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", "TMPDIR": str(folder)}
        command = [sys.executable, "-m", "edge_agent", "demo", *options]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True)
        os.close(slave)
        self._written = b""

    def wait(self, words: str, seconds: float = 30.0) -> None:
        """Read until ``words`` were drawn since the last wait; AssertionError after ``seconds``."""
        clock = SystemClock()
        deadline = clock.monotonic() + seconds
        while words not in self._drawn():
            left = deadline - clock.monotonic()
            assert left > 0, f"{words!r} was not drawn; the end of what was: {self._drawn()[-3000:]}"
            if select.select([self._master], [], [], min(left, 1.0))[0]:
                with suppress(OSError):
                    self._written += os.read(self._master, 65_536)
        self._written = b""

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self, seconds: float = 15.0) -> int:
        """The exit code, once it has ended by itself; what it still draws is read, as a terminal does."""
        clock = SystemClock()
        deadline = clock.monotonic() + seconds
        while self.process.poll() is None:
            assert clock.monotonic() < deadline, "does not end"
            if select.select([self._master], [], [], 0.05)[0]:
                with suppress(OSError):
                    self._written += os.read(self._master, 65_536)
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._master)

    def _drawn(self) -> str:
        return _ESCAPES.sub(b"", self._written).decode("utf-8", "replace")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose name leaves room for a Unix socket's."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="edge-test-") as folder:
        yield Path(folder)


def test_the_first_scan_sells_and_leaving_leaves_nothing(short_folder: Path) -> None:
    terminal = Terminal(short_folder)
    try:
        terminal.wait("F12 plays the customer and the world")
        terminal.press(F12)
        terminal.wait("shows the loyalty card")
        terminal.press(b"a")
        terminal.wait("Scanned: ")
        terminal.press(ESCAPE)
        terminal.wait("1 article")
        terminal.press(QUIT)
        assert terminal.end() == 0
    finally:
        terminal.close()
    assert list(short_folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_being_asked_to_end_leaves_nothing_either(short_folder: Path, number: signal.Signals) -> None:
    terminal = Terminal(short_folder, "--market", "US", "--language", "de")
    try:
        terminal.wait("F12 spielt die Kundschaft und die Welt")
        terminal.process.send_signal(number)
        assert terminal.end() == 0
    finally:
        terminal.close()
    assert list(short_folder.iterdir()) == []
