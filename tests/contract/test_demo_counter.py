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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock

F12, ESCAPE, QUIT, ENTER = b"\x1b[24~", b"\x1b", b"\x11", b"\r"
_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()].|[=>]|P[^\x1b]*\x1b\\)")


class Terminal:
    """A window of 120 columns and 40 lines with the demo (or another command) in it; ``errors`` and ``output`` are files that these streams lead to."""

    def __init__(self, folder: Path, *options: str, command: Sequence[str] = ("demo",), errors: Path | None = None, output: Path | None = None) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", "TMPDIR": str(folder)}
        program = [sys.executable, "-m", "edge_agent", *command, *options]
        with ExitStack() as files:
            leads = [slave if path is None else files.enter_context(path.open("wb")) for path in (output, errors)]
            self.process = subprocess.Popen(program, stdin=slave, stdout=leads[0], stderr=leads[1], env=environment, start_new_session=True)
        os.close(slave)
        self._written = b""

    def wait(self, words: str, seconds: float = 30.0) -> str:
        """Read until ``words`` were drawn since the last wait; what was drawn. AssertionError after ``seconds``."""
        clock = SystemClock()
        deadline = clock.monotonic() + seconds
        while words not in self._drawn():
            left = deadline - clock.monotonic()
            assert left > 0, f"{words!r} was not drawn; the end of what was: {self._drawn()[-3000:]}"
            if select.select([self._master], [], [], min(left, 1.0))[0]:
                with suppress(OSError):
                    self._written += os.read(self._master, 65_536)
        drawn = self._drawn()
        self._written = b""
        return drawn

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


@pytest.mark.parametrize("redirected", [False, True], ids=["in a terminal", "with standard error in a file"])
def test_the_first_scan_sells_and_leaving_leaves_nothing(short_folder: Path, tmp_path: Path, redirected: bool) -> None:
    errors = tmp_path / "errors"
    terminal = Terminal(short_folder, errors=errors if redirected else None)
    try:
        terminal.wait("Setting up the sample shop")
        terminal.wait("F12 plays the customer and the world")
        terminal.press(F12)
        terminal.wait("Shows the loyalty card")
        terminal.press(b"a")
        terminal.wait("Scanned: ")
        terminal.press(ESCAPE)
        terminal.wait("1 article")
        terminal.press(QUIT)
        terminal.wait("Nothing of it is kept.")
        terminal.press(ENTER)
        assert terminal.end() == 0
    finally:
        terminal.close()
    assert list(short_folder.iterdir()) == []
    assert not redirected or errors.read_bytes() == b""


@pytest.mark.parametrize(("number", "options"), [(signal.SIGHUP, ("--market", "us", "--language", "de")), (signal.SIGINT, ("--language", "auto"))])
def test_being_asked_to_end_leaves_nothing_either(short_folder: Path, number: signal.Signals, options: tuple[str, ...]) -> None:
    terminal = Terminal(short_folder, *options)
    try:
        terminal.wait("F12 spielt den Kunden und die Umgebung")
        terminal.process.send_signal(number)
        assert terminal.end() == 0
    finally:
        terminal.close()
    assert list(short_folder.iterdir()) == []


@pytest.mark.parametrize("streams", [("errors",), ("output",), ("errors", "output")])
def test_the_counter_is_drawn_on_the_terminal_wherever_its_streams_lead(short_folder: Path, tmp_path: Path, streams: tuple[str, ...]) -> None:
    (tmp_path / "edge.toml").write_text(f'state = "{tmp_path / "state"}"\n')
    files = {name: tmp_path / name for name in streams}
    terminal = Terminal(short_folder, "--language", "en", command=("--config", str(tmp_path / "edge.toml"), "till"), **files)
    try:
        drawn = terminal.wait("there is no such socket")
        assert [len(row) for row in drawn.splitlines()].count(120) > 30  # as large as the terminal is, not as the library takes a file to be
        terminal.press(QUIT)
        assert terminal.end() == 0
    finally:
        terminal.close()
    assert {path.read_bytes() for path in files.values()} == {b""}


@pytest.mark.parametrize("command", [("demo",), ("till",)])
def test_without_a_terminal_for_its_keys_a_screen_is_refused_in_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "edge_agent", *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0] == "error: The counter needs a terminal to draw on and to read keys from."
    assert len(done.stderr.splitlines()) == 2
