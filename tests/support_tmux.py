"""A real terminal for tests: a program alone in a tmux window of its own, driven by keys, read as text, looked after when it has gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support import wait_until
from tui.drawing.digits import large

SEES_SECONDS_MAX = 20.0
LOOK_SECONDS = 0.05
TMUX_SECONDS_MAX = 10.0
SCREENS_TOLD = 4
"""When something does not come about, so many of the last screens that differed are shown."""


class Terminal:
    """``command`` in a terminal of ``size`` (columns, rows) that calls itself ``term``.

    The program's home and its folder for temporary files are its own and new, so that what it leaves behind can be told from everything
    else. The last screen can be read when it has ended. Nothing of tmux's configuration, and no other server of it, is touched.
    """

    def __init__(self, command: Sequence[str], size: tuple[int, int], *, term: str = "tmux-256color", environment: Mapping[str, str] | None = None) -> None:
        self._command = list(command)
        self._size = size
        self._term = term
        self._environment = dict(environment or {})
        self._screens: list[str] = []

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="tmux-"))
        self.temporary, self.home = self._folder / "tmp", self._folder / "home"
        for folder in (self.temporary, self.home):
            folder.mkdir()
        columns, rows = self._size
        variables = {"TMPDIR": str(self.temporary), "HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1"} | self._environment
        begin = ["new-session", "-d", "-x", str(columns), "-y", str(rows), "-s", "till"]
        for name, value in variables.items():
            begin += ["-e", f"{name}={value}"]
        keep = [
            "set",
            "-g",
            "exit-empty",
            "off",
            ";",
            "set",
            "-g",
            "status",
            "off",
            ";",
            "set",
            "-g",
            "remain-on-exit",
            "on",
            ";",
            "set",
            "-g",
            "escape-time",
            "0",
        ]
        self._tmux("start-server", ";", *keep, ";", "set", "-g", "remain-on-exit-format", "", ";", "set", "-g", "default-terminal", self._term)
        self._tmux(*begin, "--", "sh", "-c", '"$@"; printf %s "$?" > "$0"', str(self._folder / "status"), *self._command)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._tmux("kill-server", check=False)
        try:
            if error is None:
                wait_until(lambda: not self.processes(), "the program's end", SEES_SECONDS_MAX)
        finally:
            for process in self._processes():  # of a test that failed: nothing of it stays behind
                with suppress(OSError):
                    os.kill(process, signal.SIGKILL)
            shutil.rmtree(self._folder, ignore_errors=True)

    # --- keys and looks ----------------------------------------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Press keys (``F2``, ``Enter``, ``Escape``, ``a``, ``C-p``) in one burst, faster than anybody types."""
        self._tmux("send-keys", "-t", "till", *keys)

    def type(self, text: str) -> None:
        """Type ``text`` as it is, in one burst."""
        self._tmux("send-keys", "-t", "till", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        """Make the window larger or smaller."""
        self._tmux("resize-window", "-t", "till", "-x", str(columns), "-y", str(rows))

    def close_window(self) -> None:
        """Close the window under the program, as somebody does with a mouse, and wait until it has ended."""
        self._tmux("set", "-g", "remain-on-exit", "off", ";", "kill-window", "-t", "till")
        wait_until(lambda: not self.processes(), "the end after its window", SEES_SECONDS_MAX)

    def text(self, *, colours: bool = False) -> str:
        """The screen as text; with ``colours`` the escape sequences that colour it are in it."""
        return self._tmux("capture-pane", "-p", *(["-e"] if colours else []), "-t", "till")

    def running(self) -> str:
        """The screen's words in one run, without frames, so that a sentence over two rows is found."""
        return " ".join(self.text().translate(dict.fromkeys(map(ord, "│╭╮╰╯─▌›"), " ")).split())

    def sees(self, *texts: str, seconds: float = SEES_SECONDS_MAX) -> str:
        """Wait until all of these are on the screen; the screen."""
        self.until(lambda: all(text in self.running() or text in self.text() for text in texts), f"seeing {texts}", seconds)
        return self.text()

    def misses(self, *texts: str, seconds: float = SEES_SECONDS_MAX) -> None:
        """Wait until none of these is on the screen."""
        self.until(lambda: not any(text in self.running() for text in texts), f"seeing nothing of {texts}", seconds)

    def sees_large(self, amount: str) -> None:
        """Wait until this amount is on the screen in large digits."""
        rows = large(amount)
        assert rows is not None, amount
        self.until(lambda: _stands(rows, self.text().split("\n")), f"seeing {amount} in large digits")

    def until(self, condition: Callable[[], bool], what: str, seconds: float = SEES_SECONDS_MAX) -> None:
        """Wait for a condition, with a deadline; no longer than the program runs."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self._screens[-1:] != [screen := self.text()]:
                self._screens.append(screen)
            why = "the program ended before" if self._dead() else f"not within {seconds:g} s" if time.monotonic() > deadline else ""
            assert not why or condition(), f"{what}: {why}; the last screens:\n{_ruled(self._screens)}"
            time.sleep(LOOK_SECONDS)

    # --- the end -----------------------------------------------------------------------------------------------------------------

    def ended(self, seconds: float = SEES_SECONDS_MAX) -> int:
        """Wait until the program has ended; its exit status."""
        self.until(self._dead, "the program's end", seconds)
        return int((self._folder / "status").read_text())

    def processes(self) -> list[str]:
        """The command lines of the processes that run with this terminal's folder for temporary files."""
        return list(self._processes().values())

    def left_behind(self) -> list[str]:
        """What lies in the program's home and its folder for temporary files."""
        return sorted(str(path.relative_to(self._folder)) for folder in (self.temporary, self.home) for path in folder.rglob("*"))

    def _processes(self) -> dict[int, str]:
        """The same by their numbers."""
        mark = f"TMPDIR={self.temporary}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue  # it ended meanwhile, or is somebody else's
        return found

    def _dead(self) -> bool:
        return self._tmux("display-message", "-p", "-t", "till", "#{pane_dead}").strip() == "1"

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE", "COLORTERM")}
        done = subprocess.run(
            ["tmux", "-S", str(self._folder / "server"), "-f", "/dev/null", *arguments],
            capture_output=True,
            text=True,
            env=environment | {"LC_ALL": "C.UTF-8"},
            timeout=TMUX_SECONDS_MAX,
            check=False,
        )
        assert not check or done.returncode == 0, f"tmux {arguments}: {done.stderr}"
        return done.stdout


def _ruled(screens: Sequence[str]) -> str:
    return ("=" * 40 + "\n").join(screens[-SCREENS_TOLD:])


def _stands(rows: Sequence[str], screen: Sequence[str]) -> bool:
    """Whether ``rows`` stand under each other somewhere on ``screen``."""
    for at in range(len(screen) - len(rows) + 1):
        column = screen[at].find(rows[0].rstrip())
        while column >= 0:
            if all(screen[at + below][column:].startswith(row.rstrip()) for below, row in enumerate(rows)):
                return True
            column = screen[at].find(rows[0].rstrip(), column + 1)
    return False
