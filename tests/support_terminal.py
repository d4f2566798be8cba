"""A rig for each terminal package: its driver, its simulated terminal, and how to bring that into each state of the contract."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from drivers.load import DriverContext
from drivers.simulators._card_plan import Plan
from drivers.simulators.card_terminal import CardTerminal
from drivers.terminals.contract import TerminalDriver
from drivers.terminals.load import load_terminal
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.domain.tender import Attempt, AttemptKind, AttemptState, Outcome
from edge_agent.ports import Step

PATIENT, IMPATIENT = 10.0, 1.0
"""Seconds of silence that a driver bears: the second only where silence is what the test is about."""


class CounterLinkRig:
    """Counter Link and its simulated terminal."""

    kind: ClassVar[str] = "counter_link"

    def __init__(self, folder: Path) -> None:
        self._ledger = folder / "ledger.jsonl"
        self._terminal = CardTerminal(self._ledger, SystemClock())
        self._terminal.start()

    def close(self) -> None:
        self._terminal.stop()

    def driver(self, answer_seconds: float = PATIENT, **more: object) -> TerminalDriver:
        config = {"host": "127.0.0.1", "port": self._terminal.port, "answer_seconds": answer_seconds, "connect_seconds": 5.0} | more
        return load_terminal(self.kind, config, DriverContext(SystemClock(), SystemRandom(), name="counter 1", where="test.toml [terminals.counter]"))

    def power_cycle(self) -> None:
        self._terminal.stop()
        port = self._terminal.port
        self._terminal = CardTerminal(self._ledger, SystemClock(), port=port)
        self._terminal.start()

    def charged_minor(self, currency: str = "EUR") -> int:
        return self._terminal.ledger.charged_minor(currency)

    def charges(self) -> dict[str, int]:
        return {entry.ref: entry.charged_minor for entry in self._terminal.ledger.entries() if entry.charged_minor}

    def plan(self, **how: object) -> None:
        self._terminal.plan(Plan(**how))  # type: ignore[arg-type]  # the plan checks its own values

    def at(self, step: str) -> bool:
        payment = self._terminal.payment
        return payment is not None and payment.step == step

    def idle(self) -> bool:
        return self._terminal.payment is None

    def release(self) -> None:
        self._terminal.release()

    def dead(self, on: bool) -> None:
        self._terminal.dead(on)

    def refuse(self, on: bool) -> None:
        self._terminal.refuse(on)

    def busy(self, on: bool) -> None:
        self._terminal.busy(on)

    def reboot(self, in_flight: str) -> None:
        self._terminal.reboot(in_flight)


RIGS = {rig.kind: rig for rig in (CounterLinkRig,)}


@pytest.fixture(name="rig", params=sorted(RIGS))
def fixture_rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CounterLinkRig]:
    made = RIGS[request.param](tmp_path)
    yield made
    made.close()


@dataclass
class Heard:
    """Collects the steps that a driver reports."""

    steps: list[str] = field(default_factory=list)

    def __call__(self, step: Step) -> None:
        self.steps.append(step.key)


def attempt(driver: TerminalDriver, number: int = 1, amount_minor: int = 1250, *, voids: int = 0, currency: str = "EUR") -> Attempt:
    def name(of: int) -> str:
        return f"01924d6a-9b00-7000-8000-{of:012}"

    return Attempt(
        id=name(number), tender="t", kind=AttemptKind.VOID if voids else AttemptKind.SALE, terminal=driver.name, state=AttemptState.SENT,
        amount_minor=amount_minor, currency=currency, wire_ref=driver.wire_ref(name(number)), started_ms=0, updated_ms=0, original=name(voids) if voids else "",
    )  # fmt: skip


async def until(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"did not happen within {seconds} s: {what}"
        await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def running(work: Awaitable[Outcome]) -> AsyncIterator[asyncio.Future[Outcome]]:
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
