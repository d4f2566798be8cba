"""What the kills need around them: a nursery that starts services quickly, one counter with simulated devices, and who looks at its screen."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from edge_agent.client import AgentClient
from edge_agent.clock import Clock, ClockIds, SystemClock, SystemRandom
from edge_agent.config import load_config
from edge_agent.demo.operations import Operations
from edge_agent.demo.processes import CentralProgram, Program
from edge_agent.demo.sample import sample_feeds, write_folder
from edge_agent.demo.shops import SHOPS
from edge_agent.demo.stock import Stock
from edge_agent.demo.waiting import NotSeen, Screen
from edge_agent.demo.world import World
from edge_agent.hosting import enrol_register

SHOP = SHOPS["DE"]
START_SECONDS_MAX = 60.0
DEAD_SECONDS_MAX = 10.0
LOOK_AGAIN_SECONDS = 0.02


class QuickWorld(World):
    """The demo's world with a terminal that settles soon: the simulated one takes a request up at once or never."""

    def config_text(self) -> str:
        return super().config_text().replace("settle_seconds = 2.0", "settle_seconds = 0.3").replace("answer_seconds = 6.0", "answer_seconds = 2.0")


class Nursery:
    """``killed_service warm``: forks services that have everything imported already. A context manager; its children are the caller's to end."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "tests.simulation.killed_service", "warm"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(DEAD_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def fork(self, point: str, nth: int, bug: str, arguments: Sequence[str]) -> int:
        """A service's process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        wanted = {"point": point, "nth": nth, "bug": bug, "arguments": list(arguments), "log": str(self._log)}
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


class Service:
    """One register's service, again and again: forked by the nursery, or started as IT starts it. ``dead`` is set when it has ended."""

    def __init__(self, nursery: Nursery, config: Path, log: Path) -> None:
        self._nursery = nursery
        self._arguments = ["--config", str(config), "run"]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = -1
        self.pid = 0
        self.dead = asyncio.Event()
        self.dead.set()

    async def start(self, point: str = "", nth: int = 1, bug: str = "", *, cold: bool = False) -> None:
        """Start it; ``cold`` is a program of its own, which takes as long as on a till."""
        assert self.dead.is_set(), "it runs"
        if cold:
            own = [point or "never", str(nth), *(["--bug", bug] if bug else []), "--"]
            program = ["tests.simulation.killed_service", *own] if point or bug else ["edge_agent"]
            with self._log.open("ab") as log:
                self._process = subprocess.Popen([sys.executable, "-m", *program, *self._arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.pid = self._process.pid
        else:
            self.pid = await asyncio.to_thread(self._nursery.fork, point, nth, bug, self._arguments)
        self.dead.clear()
        try:
            self._watch = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self._gone()
            return
        asyncio.get_running_loop().add_reader(self._watch, self._gone)

    def strike(self) -> None:
        """kill -9. When this returns, no call that is in the kernel comes back to the program."""
        if not self.dead.is_set():
            with suppress(ProcessLookupError):  # it is gone already, and the loop does not know yet
                signal.pidfd_send_signal(self._watch, signal.SIGKILL)

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.strike()
        await asyncio.wait_for(self.dead.wait(), DEAD_SECONDS_MAX)

    def _gone(self) -> None:
        if self._watch >= 0:
            asyncio.get_running_loop().remove_reader(self._watch)
            os.close(self._watch)
            self._watch = -1
        if self._process is not None:
            self._process.wait()
            self._process = None
        self.dead.set()


class Counter:
    """One counter, whole: central, network, devices, service, and its screen. An async context manager over a folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self._seed = seed
        self._clock = SystemClock()
        self._random = SystemRandom()
        self.log = folder / "service.log"
        self.command_id = ""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as parts:
            self.central = parts.enter_context(CentralProgram(self.folder / "central", self.folder / "central.log"))
            self.stock = await asyncio.to_thread(self._open_central)
            self.operations = Operations(self.central.url, self.central.token)
            self.world = parts.enter_context(self._made_world(self._clock))
            self.nursery = parts.enter_context(Nursery(self.log))
            await asyncio.to_thread(self._enrol)
            self.service = Service(self.nursery, self.world.config_path, self.log)
            parts.push_async_callback(self.service.kill)
            transport = self._made_transport(self.world.socket)
            self.client = AgentClient(transport, new_id=lambda: self.command_id, pause=lambda seconds: asyncio.sleep(min(seconds, LOOK_AGAIN_SECONDS)))
            self.screen = await parts.enter_async_context(Screen(self.client))
            self._parts = parts.pop_all()
        self.new_id: Callable[[], str] = ClockIds(self._clock, self._random)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._parts.aclose()

    def _made_world(self, clock: Clock) -> World:
        return QuickWorld(self.folder, clock, self.central.address)

    def _made_transport(self, socket: Path) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(uds=str(socket))

    def _open_central(self) -> Stock:
        at_ms = self._clock.now_ms()
        write_folder(self.folder / "sample", self._seed, at_ms)
        seeding = ["-m", "sync.central.cli", "seed", "--data", str(self.folder / "central"), "--folder", str(self.folder / "sample")]
        with Program(seeding, self.folder / "central.log") as program:
            program.start()
            program.wait()
        self.central.serve()
        return Stock(sample_feeds(self._seed, at_ms), SHOP.rules, self._clock.now_ms)

    def _enrol(self) -> None:
        code = self.operations.enrol_code(SHOP.store, SHOP.register)
        enrol_register(load_config(self.world.config_path), self.world.network.url, code)

    def verify_by_command(self) -> str:
        """What ``edge-agent journal verify`` says against the journal's files, once nobody has them open; empty when it is content."""
        with Program(["-m", "edge_agent", "--config", str(self.world.config_path), "journal", "verify"], self.folder / "verify.log") as verify:
            verify.start()
            try:
                verify.wait()
            except NotSeen as wrong:
                return str(wrong)
        return ""
