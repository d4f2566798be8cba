"""The programs of the scripted day as processes of their own, because what is to be killed has to be one."""

from __future__ import annotations

import contextlib
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from edge_agent.demo.waiting import NotSeen

READY_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 15.0


class Program:
    """One program run by this Python; its output beyond what is read goes to ``log``. Killed, if need be, on leaving the context."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._arguments = [sys.executable, *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(NotSeen):
            self.stop()
        self.kill()

    @property
    def pid(self) -> int:
        """Its process id, 0 while it does not run."""
        return self._process.pid if self._process is not None else 0

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, listen: bool = False) -> str:
        """Start it; with ``listen``, the first line that it prints. Raises NotSeen when that does not come."""
        assert not self.running, self._arguments
        with self._log.open("ab") as log:
            # The program is this Python and the arguments are ours; no shell is between.
            self._process = subprocess.Popen(self._arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if listen else log, stderr=log)  # noqa: S603
        return self._first_line(self._process.stdout) if listen and self._process.stdout is not None else ""

    def wait(self) -> None:
        """Wait until it has ended by itself, successfully. Raises NotSeen."""
        assert self._process is not None, "not started"
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(READY_SECONDS_MAX)
        if self._process.poll() != 0:
            raise NotSeen(f"{' '.join(self._arguments[1:])} did not end well; its log ends:\n{self.tail()}")

    def stop(self) -> None:
        """Ask it to end and wait until it did. Raises NotSeen."""
        if self.running:
            self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.running:
            self._end(signal.SIGKILL)

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-lines:]) if self._log.exists() else ""

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise NotSeen(f"waited {STOP_SECONDS_MAX:g} s for {self._arguments[2]} to end after {number.name}") from None
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _first_line(self, out: IO[bytes]) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            line = out.readline().decode().strip() if selector.select(READY_SECONDS_MAX) else ""
        if not line:
            raise NotSeen(f"waited {READY_SECONDS_MAX:g} s for {self._arguments[2]} to say where it listens; its log ends:\n{self.tail()}")
        return line


class CentralProgram(Program):
    """``edge-central serve`` over ``folder``; the port stays the same over restarts."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self.address = ("", 0)
        super().__init__([], log)

    def serve(self) -> None:
        """Start it, and wait until it listens. Raises NotSeen."""
        self._arguments = [sys.executable, "-m", "sync.central.cli", "serve", "--data", str(self._folder), "--port", str(self.address[1])]
        host, _, port = self.start(listen=True).removeprefix("http://").rpartition(":")
        self.address = (host, int(port))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.address[0]}:{self.address[1]}"

    @property
    def token(self) -> str:
        """The operators' token, which it wrote into its folder."""
        return (self._folder / "ops-token").read_text("ascii").strip()


class ServiceProgram(Program):
    """``edge-agent run`` with one configuration."""

    def __init__(self, config: Path, log: Path) -> None:
        super().__init__(["-m", "edge_agent", "--config", str(config), "run"], log)
