"""The bench of the bad networks: the lab, the programs in it, and what the link of the till said last."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.simulation.network_front import write_certificates
from tests.simulation.network_lab import CENTRAL_AT, Lab

READY_SECONDS_MAX = 60.0
CENTRAL_PORT = 8000


class Program:
    """A process in a namespace, its lines as they come."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.name, self._log = " ".join(command), log
        self.lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.put(line.strip())

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def heard(self, seconds: float = READY_SECONDS_MAX) -> str:
        """The next line. Raises TimeoutError."""
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"{self.name} said nothing for {seconds:g} s; see {self._log}") from None

    def end(self, seconds: float = 20.0) -> int:
        """Close its input and wait; killed if need be."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1
        finally:
            self._reader.join(2.0)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def stop(self) -> None:
        """SIGTERM, or kill -9 when that does not help."""
        self._process.terminate()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self.kill()
        self.end()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Bench:
    """The lab, what runs in it, and what the link said last."""

    lab: Lab
    folder: Path
    front: Program
    central: Program
    till: Program | None = None
    last: dict[str, Any] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)

    def become(self, mode: str) -> None:
        """What stands at central's address; whoever is connected is reset."""
        self.front.say(mode)
        assert self.front.heard() == mode

    def look(self) -> None:
        """Take in what the link said."""
        assert self.till is not None
        while not self.till.lines.empty():
            self.last = json.loads(self.till.lines.get())
            self.said.append(self.last)

    def restart_central(self) -> None:
        """kill -9, and a start over the same folder."""
        self.central.kill()
        self.central.end()
        self.central = central_program(self.lab, self.folder)

    def well(self) -> None:
        """Nothing is wrong any more. Connections stay as they are."""
        self.lab.firewall()
        self.lab.known(CENTRAL_AT)
        self.lab.line()
        self.lab.cable(plugged=True)
        self.lab.way("veth")


def python(lab: Lab, where: str, *words: str) -> list[str]:
    return lab.inside(where, sys.executable, "-m", *words)


def central_program(lab: Lab, folder: Path) -> Program:
    """``edge-central serve``, listening."""
    words = ("sync.central.cli", "serve", "--data", str(folder / "central"), "--port", str(CENTRAL_PORT))
    program = Program(python(lab, lab.central, *words), folder / "central.log")
    program.heard()
    return program


@contextmanager
def opened(folder: Path, facts: int, seed: int) -> Iterator[Bench]:
    """The lab with central in it, and a register whose facts are written and wait."""
    with ExitStack() as exits:
        lab = exits.enter_context(Lab())
        write_certificates(folder)
        central = central_program(lab, folder)
        front = Program(python(lab, lab.central, "tests.simulation.network_front", str(folder), str(CENTRAL_PORT)), folder / "front.log")
        bench = Bench(lab, folder, front, central)
        exits.callback(lambda: bench.central.stop())
        exits.callback(front.end)
        front.heard()
        code = _enrol_code(folder)
        words = ("tests.simulation.network_till", "fill", str(folder / "register"), code, str(facts), str(folder / "authority.pem"), str(seed))
        subprocess.run(python(lab, lab.till, *words), check=True, timeout=READY_SECONDS_MAX + facts / 200)
        yield bench


def _enrol_code(folder: Path) -> str:
    """The store in central's books, and a code for its register."""
    source = folder / "sample"
    source.mkdir()
    row = {"store": "0001", "storeName": "Berlin Mitte", "country": "DE", "registers": ["02"]}
    (source / "stores.ndjson").write_text(json.dumps(row) + "\n")
    command = (sys.executable, "-m", "sync.central.cli")
    subprocess.run((*command, "seed", "--data", str(folder / "central"), "--folder", str(source)), check=True, timeout=READY_SECONDS_MAX, capture_output=True)
    code = (*command, "enrol-code", "--data", str(folder / "central"), "--store", "0001", "--register", "02")
    return subprocess.run(code, check=True, timeout=READY_SECONDS_MAX, capture_output=True, text=True).stdout.strip()
