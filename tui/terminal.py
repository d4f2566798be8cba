"""Which terminal the counter draws on: the one that its keys come from, wherever standard output and standard error lead.

And what becomes of the counter when that terminal goes away (a window closed, a line dropped, and nobody sends SIGHUP): it ends. The library's writer
would die with its first error, whoever draws would wait for it for ever, and the thread that reads keys would spin at the end of its file.
"""

from __future__ import annotations

import asyncio
import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import TextIOWrapper
from threading import Event, Thread
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from textual.app import App

LOOKED_EVERY_SECONDS = 0.5
"""How often it is looked whether the terminal is still there."""


@cache
def drawing_terminal() -> TextIOWrapper | None:
    """Standard error where that is a terminal, else the terminal of standard output or of standard input; None where keys come from no terminal.

    Whoever sends standard error to a file wants messages in it, and the counter on the screen all the same.
    """
    keys, error, output = sys.__stdin__, sys.__stderr__, sys.__stdout__
    if keys is None or not keys.isatty():
        return None
    if os.name != "posix":  # the library draws on standard output there
        return output if output is not None and output.isatty() else None
    if error is not None and error.isatty():
        return error
    with suppress(OSError):
        return open(os.ttyname(keys.fileno()), "w", encoding="utf-8", errors="backslashreplace")  # open as long as the process
    return output if output is not None and output.isatty() else None


def draw_on_the_terminal(app: App[None]) -> None:
    """Have ``app`` draw on ``drawing_terminal`` and be as large as that is: the library looks at standard error and at standard output alone."""
    found = drawing_terminal()
    if found is None or os.name != "posix":
        return
    stream: TextIOWrapper = found
    from textual.drivers.linux_driver import LinuxDriver

    if app.driver_class is not LinuxDriver:  # another one was asked for
        return

    class OnTerminal(LinuxDriver):
        def __init__(self, app: App[None], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None) -> None:
            super().__init__(app, debug=debug, mouse=mouse, size=size)
            self._file = cast("TextIOWrapper", Lasting(stream))
            self._closed = Event()

        def start_application_mode(self) -> None:
            loop = asyncio.get_running_loop()
            watch = Thread(target=wait_for_hangup, args=(self.fileno, self._closed, lambda: loop.call_soon_threadsafe(self._app.exit)), daemon=True)
            super().start_application_mode()  # type: ignore[no-untyped-call]
            watch.start()

        def close(self) -> None:
            self._closed.set()
            super().close()

        def _get_terminal_size(self) -> tuple[int, int]:
            with suppress(OSError):
                columns, lines = os.get_terminal_size(stream.fileno())
                if columns and lines:
                    return columns, lines
            return super()._get_terminal_size()

    app.driver_class = OnTerminal


class Lasting:
    """A terminal to write to, that may go away: what is written after that is lost, and nobody fails."""

    def __init__(self, stream: TextIOWrapper) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text``, if anybody can still read it."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Send what was written."""
        with suppress(OSError):
            self._stream.flush()

    def fileno(self) -> int:
        """The file descriptor."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether it is, or was, a terminal."""
        return True


def wait_for_hangup(descriptor: int, closed: Event, gone: Callable[[], object]) -> None:
    """Call ``gone`` once the other side of the terminal ``descriptor`` is no more; return then, or once ``closed`` is set."""
    poll = select.poll()
    poll.register(descriptor, 0)  # hang-ups are told without being asked for
    while not closed.is_set():
        if poll.poll(0):
            with suppress(RuntimeError):  # the loop is closed: it ends already
                gone()
            return
        closed.wait(LOOKED_EVERY_SECONDS)
