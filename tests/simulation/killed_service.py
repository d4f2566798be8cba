"""The real service with a trap in it: ``python -m tests.simulation.killed_service POINT NTH [--bug NAME] -- --config FILE run``.

Everything is the product's own program; only the functions at the named points are wrapped, so that the process ends itself by ``kill -9``
when it passes the point for the NTH time. ``warm`` in the place of POINT makes a nursery: it has everything imported, and for each line of
JSON on its standard input it forks a service at once, which saves the two seconds that Python needs to start.

A planted bug (``--bug``) breaks one promise on purpose: the proof has to find it.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

JOB_BYTES_MIN = 64
"""What is written to the printer beyond this is a receipt; questions about its status are of a few bytes."""
PR_SET_PDEATHSIG = 1
IMPORTED = (
    "drivers.devices.nfc_reader", "drivers.devices.receipt_printer", "drivers.devices.serial_scanner", "drivers.terminals.counter_link",
    "edge_agent.hosting", "edge_agent.payments.card_terminal", "edge_agent.payments.cash", "sync.connectors.http",
)  # fmt: skip
"""What a service imports only when its configuration names it."""
PULSE = b"\x1bp"
PULSE_BYTES = 5

START = (
    "start.journal.before", "start.journal.after", "start.adopted", "start.loaded", "start.devices", "start.said.before", "start.recovered.before",
    "start.recovered.after", "start.bound", "start.listening",
)  # fmt: skip
DISK = ("commit.before", "disk.before", "disk.after", "commit.after")
PUSH = ("push.before", "push.after", "acknowledged.before", "acknowledged.after")
PAPER = ("print.before", "drawer.before", "drawer.after", "print.half", "print.after", "print.confirmed")
TERMINAL = ("terminal.before", "terminal.first_byte", "terminal.half", "terminal.last_byte", "terminal.step", "terminal.answer", "learn.before", "learn.after")
POINTS = (*START, *DISK, *PUSH, *PAPER, *TERMINAL)
BUGS = ("ask_first", "forget_id", "answer_early")
UNSYNCED = "unsynced"
"""A bug that only a power cut shows: what is committed is in the log, and is not synced."""


class Trap:
    """Counts how often the armed point is passed, and ends the process there."""

    def __init__(self, point: str, nth: int) -> None:
        self.point = point
        self._left = nth

    def passed(self, point: str) -> None:
        """The program is at ``point``."""
        if point == self.point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def set_traps(trap: Trap) -> None:
    """Wrap the functions in question."""
    from drivers.devices._escpos_session import Session
    from drivers.supervisor import Supervisor
    from edge_agent import hosting
    from edge_agent.domain.commands import Learn
    from edge_agent.service.core import Core
    from edge_agent.service.paying import Paying
    from edge_agent.service.till import Till
    from edge_agent.serving import Listener
    from sync.connectors.http import HttpConnector
    from sync.journal import Journal
    from sync.journal_writer import Writer

    _around(trap, Journal, "commit", "commit.before", "commit.after")
    _around(trap, Writer, "_batch", "disk.before", "disk.after")
    _around(trap, HttpConnector, "push", "push.before", "push.after")
    _around(trap, Journal, "acknowledge", "acknowledged.before", "acknowledged.after")
    _around(trap, Session, "send", "", "print.confirmed")
    _around(trap, Core, "do", "learn.before", "learn.after", lambda arguments: bool(arguments) and isinstance(arguments[0], Learn))
    _around(trap, Journal, "adopt", "", "start.adopted")
    _around(trap, Core, "load", "", "start.loaded")
    _around(trap, Supervisor, "start", "", "start.devices")
    _around(trap, Till, "start", "start.said.before", "")
    _around(trap, Paying, "recover", "start.recovered.before", "start.recovered.after")
    _around(trap, Listener, "start", "start.bound", "start.listening")
    opened = Journal.open.__func__  # type: ignore[attr-defined]  # a classmethod's own function

    def journal_open(kind: type[Journal], *arguments: Any, **keywords: Any) -> Journal:
        trap.passed("start.journal.before")
        journal: Journal = opened(kind, *arguments, **keywords)
        trap.passed("start.journal.after")
        return journal

    Journal.open = classmethod(journal_open)  # type: ignore[assignment,method-assign]
    assert hosting.Listener is Listener
    _in_the_printers_bytes(trap)
    _in_the_terminals_bytes(trap)


def _around(trap: Trap, owner: Any, name: str, before: str, after: str, which: Callable[[Sequence[Any]], bool] = lambda _: True) -> None:
    """Pass ``before`` and ``after`` around ``owner.name``, which may be a coroutine function or not."""
    original = getattr(owner, name)

    @wraps(original)
    async def waited(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if which(arguments):
            trap.passed(before)
        result = await original(self, *arguments, **keywords)
        if which(arguments):
            trap.passed(after)
        return result

    @wraps(original)
    def called(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if which(arguments):
            trap.passed(before)
        result = original(self, *arguments, **keywords)
        if which(arguments):
            trap.passed(after)
        return result

    setattr(owner, name, waited if asyncio.iscoroutinefunction(original) else called)


def _in_the_printers_bytes(trap: Trap) -> None:
    """Before a receipt's first byte, before and after the drawer's pulse, in its middle, and when its last byte is out."""
    from drivers.devices._escpos_transport import TcpTransport

    original = TcpTransport.write

    def write(self: TcpTransport, data: bytes) -> None:
        if len(data) < JOB_BYTES_MIN:
            original(self, data)
            return
        pulse, half = data.find(PULSE), len(data) // 2
        stops = {0: "print.before", half: "print.half", len(data): "print.after"}
        if pulse > 0:
            stops |= {pulse: "drawer.before", pulse + PULSE_BYTES: "drawer.after"}
        at = 0
        for stop, point in sorted(stops.items()):
            if (stop > at and point == trap.point) or stop == len(data):
                original(self, data[at:stop])
                at = stop
            trap.passed(point)

    TcpTransport.write = write  # type: ignore[method-assign]


def _in_the_terminals_bytes(trap: Trap) -> None:
    """Before the request's first byte, after it, in the middle, after the last; at a step, and when the result was heard."""
    from drivers.terminals.counter_link.exchange import Exchange
    from drivers.terminals.counter_link.lines import Result, StepLine

    say, hear = Exchange.say, Exchange.hear

    async def said(self: Exchange, line: bytes) -> None:
        if b'"payment"' not in line and b'"void"' not in line:
            await say(self, line)
            return
        trap.passed("terminal.before")
        at = 0
        for stop, point in ((1, "terminal.first_byte"), (len(line) // 2, "terminal.half"), (len(line), "terminal.last_byte")):
            if point == trap.point or stop == len(line):
                await say(self, line[at:stop])
                at = stop
            trap.passed(point)

    async def heard(self: Exchange, wait_seconds: float) -> Any:
        answer = await hear(self, wait_seconds)
        trap.passed("terminal.answer" if isinstance(answer, Result) else "terminal.step" if isinstance(answer, StepLine) else "")
        return answer

    Exchange.say, Exchange.hear = said, heard  # type: ignore[method-assign]


def plant(bug: str) -> None:
    """Break one promise."""
    from edge_agent.clock import ClockIds, SystemClock, SystemRandom
    from edge_agent.ports import Commit, Committed
    from sync.journal import Journal

    commit = Journal.commit
    match bug:
        case "ask_first":
            _ask_first()
        case "forget_id":  # a command is written under another id than its own: repeated, it has two effects
            new_id = ClockIds(SystemClock(), SystemRandom())

            async def forgetful(self: Journal, wanted: Commit) -> Committed:
                fields = {name: getattr(wanted, name) for name in Commit.__struct_fields__}
                return await commit(self, Commit(**{**fields, "command": new_id()}))

            async def never(self: Journal, command: str) -> bool:
                return False

            Journal.commit, Journal.known_command = forgetful, never  # type: ignore[method-assign]
        case "answer_early":  # it is true before it is on disk
            late: set[asyncio.Task[Any]] = set()

            async def hasty(self: Journal, wanted: Commit) -> Committed:
                async def later() -> None:
                    await asyncio.sleep(0.05)
                    await commit(self, wanted)

                if wanted.command and await self.known_command(wanted.command):
                    return Committed(self.position(), fresh=False)
                task = asyncio.get_running_loop().create_task(later())
                late.add(task)
                task.add_done_callback(late.discard)
                return Committed(self.position() + len(wanted.events), fresh=True)

            Journal.commit = hasty  # type: ignore[method-assign]
        case "unsynced":
            from sync import journal_disk

            settings: Callable[[Any], None] = journal_disk._settings

            def weaker(db: Any) -> None:
                settings(db)
                db.execute("PRAGMA synchronous = NORMAL")

            journal_disk._settings = weaker
        case _:
            raise SystemExit(f"--bug: expected one of {', '.join((*BUGS, UNSYNCED))}, got {bug!r}")


def _ask_first() -> None:
    """The terminal is asked for the money before the attempt is on disk."""
    from edge_agent.domain.commands import StartCard
    from edge_agent.domain.decide import decide
    from edge_agent.service import paying
    from edge_agent.service.core import Core

    do = Core.do

    async def hasty(self: Core, command: Any, *arguments: Any, **keywords: Any) -> Any:
        if isinstance(command, StartCard):
            attempt = paying._started(decide(self.state, command, self.moment()))
            terminal = next(method.terminal for method in self.ports.methods if method.terminal is not None)
            if attempt is not None:
                await terminal.submit(attempt, lambda step: None)
        return await do(self, command, *arguments, **keywords)

    Core.do = hasty  # type: ignore[method-assign]


def run(point: str, nth: int, bug: str, arguments: Sequence[str]) -> None:
    """Be the service, with the trap and the bug in it."""
    if point not in ("", "never"):
        set_traps(Trap(point, nth))
    if bug:
        plant(bug)
    from edge_agent.cli import main as service

    service(list(arguments), prog_name="edge-agent")


def nursery() -> None:
    """Fork a service for each line of standard input, and say its process id; end with the input."""
    for name in IMPORTED:
        importlib.import_module(name)
    from drivers.devices._escpos_job import load_escpos
    from drivers.nfc.library import load_nfcpy

    load_escpos()
    load_nfcpy()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are taken away by the system
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody stays behind who is not looked after
            null, log = os.open(os.devnull, os.O_RDONLY), os.open(wanted["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            for end, to in ((null, 0), (log, 1), (log, 2)):
                os.dup2(end, to)
            run(wanted["point"], wanted["nth"], wanted["bug"], wanted["arguments"])
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def main(words: Sequence[str]) -> None:
    if list(words) == ["warm"]:
        nursery()
        return
    if "--" not in words:
        raise SystemExit(f"{__doc__}\nPoints: {', '.join(POINTS)}")
    own, arguments = list(words[: words.index("--")]), words[words.index("--") + 1 :]
    bug = own.pop(own.index("--bug") + 1) if "--bug" in own else ""
    point, nth = (*[word for word in own if word != "--bug"], "1")[:2]
    if point not in (*POINTS, "never"):
        raise SystemExit(f"expected one of {', '.join(POINTS)}, got {point!r}")
    run(point, int(nth), bug, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
