"""How soon the service answers and the counter can be used, from nothing, and what both hold of memory.

``python -m tests.bench.bench_start [rounds]``. Beside the service stands a bare Python that imports the same HTTP stack and SQLite; beside the
counter one that draws one line with the same terminal library. Cold means that the operating system forgot every file (root only).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

from edge_agent.demo.processes import ServiceProgram
from edge_agent.demo.sample import write_folder
from sync.central.seeding import seed_folder
from sync.central.serving import EmbeddedCentral
from tests.bench.measure import ROOT, Figure, cold, median, memory_mb, python, skip, tell

ONE_LINE = """
from textual.app import App
from textual.widgets import Static
class One(App):
    def compose(self):
        yield Static("scan, or type a code")
One().run()
"""
SAME_IMPORTS = "import asyncio, litestar, uvicorn, httpx, msgspec, sqlcipher3, structlog, serial; print('there', flush=True)"
SECONDS_MAX = 30.0


def configured(folder: Path) -> Path:
    """A register that is enrolled and has the sample shop's copy; central is gone afterwards, as on a morning without network."""
    config = folder / "edge.toml"
    config.write_text(f'state = "{folder / "state"}"\n')
    write_folder(folder / "sample", 1)
    central = EmbeddedCentral(folder / "central")
    central.start()
    for _ in seed_folder(central.central, folder / "sample") or ():
        pass
    code = central.central.enrol_code("0001", "02").code
    subprocess.run(python("-m", "edge_agent", "--config", str(config), "enrol", central.url, code), check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    with ServiceProgram(config, folder / "log") as service:
        service.start()
        answered(folder)
        asyncio.run(copied(folder))
    central.stop()
    return config


async def copied(folder: Path) -> None:
    """Wait until the local copy has the sample."""
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(folder / "state" / "api.sock")), base_url="http://service") as http:
        deadline = time.monotonic() + SECONDS_MAX
        while not (await http.get("/v1/articles", params={"q": "coat"})).json()["rows"]:
            assert time.monotonic() < deadline, "the sample did not come"
            await asyncio.sleep(0.1)


def answered(folder: Path) -> None:
    """Wait until the service's socket answers with its snapshot."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(folder / "state" / "api.sock")), base_url="http://service") as http:
                if http.get("/v1/snapshot").status_code == 200:
                    return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the service does not answer"
            time.sleep(0.002)


def until_drawn(command: list[str], words: bytes, look: Callable[[int], None] = lambda _: None) -> float:
    """Milliseconds from the spawn of a terminal program to ``words`` on its screen."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=ROOT, start_new_session=True)
    os.close(slave)
    drawn = b""
    try:
        while words not in drawn:
            assert time.perf_counter() - start < SECONDS_MAX, drawn[-2000:]
            if select.select([master], [], [], 0.5)[0]:
                with suppress(OSError):
                    drawn += os.read(master, 65_536)
        took = (time.perf_counter() - start) * 1000
        look(process.pid)
        return took
    finally:
        process.kill()
        process.wait()
        os.close(master)


def until_ready(config: Path, folder: Path, look: Callable[[int], None] = lambda _: None) -> float:
    """Milliseconds from the service's spawn to its first answer."""
    with ServiceProgram(config, folder / "log") as service:
        start = time.perf_counter()
        service.start()
        answered(folder)
        took = (time.perf_counter() - start) * 1000
        look(service.pid)
        return took


def until_said(command: list[str]) -> float:
    """Milliseconds from the spawn of a program to its first line."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took = (time.perf_counter() - start) * 1000
    return took


def as_installed(folder: Path) -> None:
    """Programs start as they do on a store's PC: with their bytecode, and without pydantic, which only a development installation has."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    folder.mkdir()
    (folder / "pydantic.py").write_text("raise ImportError('not on a store PC')\n")
    os.environ["PYTHONPATH"] = str(folder)


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        as_installed(folder / "absent")
        config = configured(folder)
        services: list[float] = []
        imports: list[float] = []
        counters: list[float] = []
        lines: list[float] = []
        memory: dict[str, list[float]] = {"service": [], "counter": [], "line": []}
        till = python("-m", "edge_agent", "--config", str(config), "till")
        until_drawn(till, b"seit")  # compiles what nobody imported before
        for _ in range(rounds):
            imports.append(until_said(python("-c", SAME_IMPORTS)))
            services.append(until_ready(config, folder, lambda pid: memory["service"].append(memory_mb(pid))))
            lines.append(until_drawn(python("-c", ONE_LINE), b"scan", lambda pid: memory["line"].append(memory_mb(pid))))
            with ServiceProgram(config, folder / "log") as service:
                service.start()
                answered(folder)
                counters.append(until_drawn(till, b"Berlin", lambda pid: memory["counter"].append(memory_mb(pid))))
        tell(Figure("the service answers, from its spawn, warm", median(services), "bare imports", median(imports), "ms", "600 ms"))
        tell(Figure("the counter is drawn, from its spawn, warm", median(counters), "one line drawn", median(lines), "ms", "350 ms"))
        tell(Figure("memory of the service", median(memory["service"]), "one line drawn", median(memory["line"]), "MB", "100 MB"))
        tell(Figure("memory of the counter", median(memory["counter"]), "one line drawn", median(memory["line"]), "MB", "100 MB"))
        with ServiceProgram(config, folder / "log") as service:
            service.start()
            answered(folder)
            ours: list[float] = []
            theirs: list[float] = []
            for _ in range(max(1, rounds // 2)):
                with cold() as forgotten:
                    if not forgotten:
                        skip("the counter is drawn, from its spawn, cold", "only root may make the system forget files")
                        return
                    theirs.append(until_drawn(python("-c", ONE_LINE), b"scan"))
                with cold():
                    ours.append(until_drawn(till, b"Berlin"))
            tell(Figure("the counter is drawn, from its spawn, cold", median(ours), "one line drawn", median(theirs), "ms", "600 ms"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
