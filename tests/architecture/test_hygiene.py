"""Importing has no effect: in a fresh process no module of ours starts anything, writes anything, prints anything or drags in what its part must not know."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support_tree import ROOT, modules

WATCH = """
import json, os, sys, threading
seen = []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
ACTS = {
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate", "os.putenv", "os.unsetenv",
    "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system", "subprocess.Popen", "signal.signal",
    "socket.connect", "socket.bind", "socket.getaddrinfo", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp", "sqlite3.connect", "pty.spawn",
}


def culprit():
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.split(".")[0] in ("edge_agent", "drivers", "sync", "tui"):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"


def hook(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & WRITES and args[0] != "/dev/null":
        seen.append(f"{culprit()} opens {args[0]!r} for writing")
    elif event in ACTS:
        seen.append(f"{culprit()} does {event} {args[:2]!r}")


names = json.loads(sys.argv[1])
report = os.fdopen(int(sys.argv[2]), "w")
sys.addaudithook(hook)
start = threading._start_new_thread


def started(*args):  # the audit event of 3.12 and later does not exist in 3.11
    seen.append(f"{culprit()} does _thread.start_new_thread")
    return start(*args)


threading._start_new_thread = __import__("_thread").start_new_thread = started
failed = []
for name in names:
    try:
        __import__(name)
    except ImportError as error:
        failed.append(f"{name}: {error}")
alive = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
report.write(json.dumps({"seen": seen, "failed": failed, "threads": alive, "modules": sorted(sys.modules)}))
report.close()
"""
"""The audit events that an import would raise if it did something: PEP 578, and the library reference's table of them."""


@functools.cache
def imported(names: tuple[str, ...], cwd: Path | None = None) -> tuple[dict[str, Any], bytes]:
    """What importing ``names`` in a new process did, and all that it printed."""
    read, write = os.pipe()
    argv = [sys.executable, "-B", "-c", WATCH, json.dumps(names), str(write)]
    with subprocess.Popen(argv, cwd=ROOT if cwd is None else cwd, pass_fds=[write], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        os.close(write)
        with os.fdopen(read, "rb") as report:
            told = report.read()
        printed, _ = child.communicate(timeout=90)
    assert child.returncode == 0, printed.decode()
    return json.loads(told), printed


def of(*packages: str, but: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of the modules in ``packages``, except those in ``but`` and programs."""
    return tuple(
        module.name
        for module in modules()
        if any(module.within(package) for package in packages) and not any(module.within(package) for package in but) and not module.name.endswith("__main__")
    )


SCREEN = {"textual"}
PARTS = {
    "the domain": (
        of("edge_agent.domain"),
        SCREEN | {"httpx", "litestar", "serial", "nfc", "sqlite3", "sqlcipher3", "babel", "asyncio", "structlog"},
    ),
    "the service": (of("edge_agent.service", "edge_agent.ports"), SCREEN | {"serial", "nfc", "sqlite3", "sqlcipher3", "litestar", "uvicorn", "httpx"}),
    "the api": (of("edge_agent.api"), {"textual", "serial", "nfc", "sqlite3", "sqlcipher3", "drivers", "sync"}),
    "the payments": (of("edge_agent.payments"), SCREEN | {"litestar", "drivers", "sync", "sqlcipher3"}),
    "the drivers": (of("drivers"), {"textual", "litestar", "sqlcipher3", "sync"}),
    "the sync": (of("sync", but=["sync.central"]), {"textual", "litestar", "serial", "nfc", "drivers"}),
    "central": (of("sync.central"), {"textual", "serial", "nfc", "drivers"}),
    "the terminal": (
        of("tui"),
        {"serial", "nfc", "usb1", "escpos", "sqlite3", "sqlcipher3", "sqlite_utils", "litestar", "uvicorn", "babel", "drivers", "sync"},
    ),
    "the client": (of("edge_agent.client", "edge_agent.views"), {"textual", "litestar", "serial", "nfc", "sqlite3", "sqlcipher3", "babel", "drivers", "sync"}),
    "the counter's process": (
        ("edge_agent.cli", "edge_agent.screen", "tui.app", "tui.terminal"),
        {"litestar", "uvicorn", "serial", "nfc", "usb1", "escpos", "PIL", "sqlite3", "sqlcipher3", "sqlite_utils", "cryptography", "biip", "babel", "drivers"},
    ),
    "the command line": (("edge_agent.cli",), {"textual", "litestar", "nfc", "escpos", "sqlcipher3"}),
}
"""Each part's modules, and the names (of modules and all below them) that importing it may not load."""


@pytest.mark.parametrize("part", PARTS)
def test_a_part_loads_nothing_that_it_must_not_know(part: str) -> None:
    names, strangers = PARTS[part]
    told, _ = imported(names)
    assert told["failed"] == []
    assert [name for name in told["modules"] if name.split(".")[0] in strangers] == []


@pytest.mark.parametrize("part", PARTS)
def test_importing_a_part_does_nothing(part: str) -> None:
    told, printed = imported(PARTS[part][0])
    assert told["seen"] == []
    assert told["threads"] == []
    assert printed == b""


def test_every_module_of_ours_is_looked_at() -> None:
    rest = set(of("edge_agent", "drivers", "sync", "tui")) - {name for names, _ in PARTS.values() for name in names}
    told, printed = imported(tuple(sorted(rest)))
    assert told["failed"] == []
    assert told["seen"] == []
    assert told["threads"] == []
    assert printed == b""


EFFECTS = {
    "opens": "open('made', 'w').close()",
    "os.mkdir": "import os; os.mkdir('made')",
    "_thread.start_new_thread": "import threading; threading.Thread(target=print).start()",
    "subprocess.Popen": "import subprocess; subprocess.run(['true'])",
    "socket.bind": "import socket; socket.socket().bind(('127.0.0.1', 0))",
}


@pytest.mark.parametrize("act", EFFECTS)
def test_an_import_with_an_effect_would_be_seen(act: str, tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(EFFECTS[act] + "\nprint('hello')\n")
    told, printed = imported(("busy",), tmp_path)
    assert any(act in seen for seen in told["seen"]), told
    assert b"hello" in printed
