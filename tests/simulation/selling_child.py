"""A register that sells without end and says what it has acknowledged: ``python -m tests.simulation.selling_child FOLDER``.

One line on standard output per acknowledgement, written after it was given and before anything else is asked: ``done ID`` for a command,
``sold RECEIPT TOTAL`` for a sale, ``charged WIRE_REF AMOUNT`` when the card terminal was asked. ``ready`` comes first. Started again on the
same folder it goes on where the journal says.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent import views as v
from edge_agent.api.commands import carry_out
from edge_agent.api.idempotency import Once
from edge_agent.domain.errors import StorageError
from edge_agent.domain.events import Event, SaleCompleted
from edge_agent.domain.tender import Approved, Attempt, CardResult, Finding, NotFound, Outcome
from edge_agent.ports import Steps
from edge_agent.service import core, paying
from sync import journal_disk
from sync.journal_facts import CENTRAL
from tests.support_journal import new_id
from tests.support_shop import Rig, ScriptedTerminal, register

SKUS = ("COAT", "SOCKS")
PATIENCE_SECONDS = 15.0
ASK_SECONDS = (0.002, 0.01)
REPEAT_SECONDS = 0.002

Tell = Callable[[str], None]


@dataclass
class LedgerTerminal(ScriptedTerminal):
    """Approves whatever it is asked, and remembers it beyond the life of the register: ``ledger`` is the terminal's own memory."""

    ledger: dict[str, int] = field(default_factory=dict)
    tell: Tell = lambda _: None

    async def submit(self, attempt: Attempt, steps: Steps) -> Outcome:
        assert attempt.wire_ref not in self.ledger, "the same payment was asked for twice"
        self.ledger[attempt.wire_ref] = attempt.amount_minor
        self.tell(f"charged {attempt.wire_ref} {attempt.amount_minor}")
        await self.thinks()
        return self._approved(attempt)

    async def thinks(self) -> None:
        await asyncio.sleep(0)

    async def query(self, attempt: Attempt) -> Finding:
        return self._approved(attempt) if attempt.wire_ref in self.ledger else NotFound()

    @staticmethod
    def _approved(attempt: Attempt) -> Approved:
        return Approved(attempt.amount_minor, attempt.currency, CardResult(provider_ref="p1", brand="visa", last_four="1111"))


class Seller:
    """Serves one customer after another at ``rig``, through the commands that a screen would send."""

    def __init__(self, rig: Rig, chance: random.Random, tell: Tell) -> None:
        self.rig = rig
        self.chance = chance
        self.tell = tell
        self.once = Once(rig.journal.known_command, rig.journal.said)
        self.refusal = ""
        self._happened = rig.core.on_events
        rig.core.on_events = self._on_events

    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, SaleCompleted):
                self.tell(f"sold {event.sale.receipt} {event.sale.totals.total_minor}")
        self._happened(events)

    async def ask(self, command: v.AnyCommand) -> None:
        """One command, repeated under its id while the disk refuses, until it is acknowledged."""
        command_id = new_id()
        async with self._bounded(type(command).__name__):
            while not await self.once_asked(command_id, command):
                await self.rig.core.wait_beyond(self.rig.core.view, REPEAT_SECONDS)
        self.tell(f"done {command_id}")

    async def once_asked(self, command_id: str, command: v.AnyCommand) -> bool:
        """Whether ``command`` was acknowledged; False when the disk refused."""
        try:
            await self.once.run(command_id, v.ENCODER.encode(command), lambda: carry_out(self.rig.till, command, command_id))
        except StorageError as problem:
            self.refusal = str(problem)
            return False
        return True

    async def open(self) -> None:
        """Go on where the journal says: settle what is under way, and finish the sale that is open."""
        await self.quiet()
        if self.rig.core.state.shift is None:
            await self.ask(v.OpenShift("1001", 10_000))
        basket = self.rig.core.state.basket
        if basket is not None:
            await self.ask(v.PayCash() if basket.lines else v.VoidBasket("mistake"))

    async def customer(self) -> None:
        """One customer comes, and goes with or without goods."""
        chance = self.chance
        for _ in range(chance.randint(1, 4)):
            await self.ask(v.AddArticle(chance.choice(SKUS), str(chance.randint(1, 3))))
        if chance.random() < 0.2:
            await self.ask(v.AttachCustomer("c-omar"))
        await self.ends(chance.random())

    async def ends(self, draw: float) -> None:
        suspended = self.rig.core.state.suspended
        if draw < 0.1:
            await self.ask(v.Suspend("later"))
        elif draw < 0.2:
            await self.ask(v.VoidBasket("customer"))
        elif draw < 0.65:
            await self.ask(v.PayCash())
        elif draw < 0.85:
            await self.card(None)
        else:
            await self.card(500)
            held = self.rig.core.state.basket
            if held is not None and draw > 0.95:
                await self.ask(v.ReturnTender(held.tenders[0].id))
                await self.quiet()
            await self.ask(v.PayCash())
        if suspended and self.chance.random() < 0.5:
            await self.ask(v.Recall(suspended[0].id))
            await self.ask(v.PayCash())

    async def card(self, amount_minor: int | None) -> None:
        await self.ask(v.PayCard(amount_minor))
        await self.quiet()

    async def quiet(self) -> None:
        """Return once no payment is under way."""
        await self.until(lambda: not self.rig.core.state.open_attempts())

    async def until(self, come: Callable[[], bool]) -> None:
        news = self.rig.core
        async with self._bounded("waiting"):
            while not come():
                await news.wait_beyond(news.view, 0.05)
                self.waited()

    @asynccontextmanager
    async def _bounded(self, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                yield
        except TimeoutError as problem:
            state, talking = self.rig.core.state, self.rig.till.paying.conversations
            attempts = [(attempt.id, attempt.kind.value, attempt.state.value, attempt.id in talking) for attempt in state.open_attempts()]
            raise AssertionError(f"nothing moves: {what}, selling {self.rig.core.desk.stopped}, refused last by {self.refusal!r}, {attempts}") from problem

    def waited(self) -> None:
        """Called while nothing moves; a proof may let the disk come back."""

    async def pushed(self) -> None:
        """As if central had taken every fact."""
        try:
            await self.rig.journal.acknowledge(CENTRAL, {stream.stream: stream.head + 1 for stream in self.rig.journal.streams()})
        except StorageError:
            return  # they are sent again


async def sell(folder: Path, seed: int, ledger: dict[str, int], tell: Tell) -> None:
    """Sell in ``folder`` until the process ends."""
    chance = random.Random(seed)
    async with register(folder, terminal=LedgerTerminal(ledger=ledger, tell=tell)) as rig:
        seller = Seller(rig, chance, tell)
        tell("ready")
        await seller.open()
        while True:
            await seller.customer()
            if chance.random() < 0.1:
                await seller.pushed()


def say_aloud(line: str) -> None:
    os.write(1, line.encode() + b"\n")


def hurry() -> None:
    """Let the service ask the terminal, and try the disk again, sooner than it would at a counter."""
    paying.ASK_SECONDS = ASK_SECONDS
    paying.DISK_SECONDS = core.REOPEN_SECONDS = REPEAT_SECONDS


def weaken() -> None:
    """For the proofs' controls, and to meet more copies of the log: what the environment says is set otherwise than the product sets it."""
    frames = os.environ.get("EDGE_SELLING_CHECKPOINT_FRAMES")
    if frames:
        journal_disk.CHECKPOINT_FRAMES = int(frames)
    synchronous = os.environ.get("EDGE_SELLING_SYNCHRONOUS")
    if synchronous:
        settings: Any = journal_disk._settings

        def weaker(db: Any) -> None:
            settings(db)
            db.execute(f"PRAGMA synchronous = {synchronous}")

        journal_disk._settings = weaker


def main(words: Sequence[str]) -> None:
    seed = int(words[words.index("--seed") + 1]) if "--seed" in words else 1
    ledger = {}
    if "--ledger" in words:
        lines = (line.split() for line in Path(words[words.index("--ledger") + 1]).read_text().splitlines())
        ledger = {wire_ref: int(minor) for _, wire_ref, minor in lines}
    hurry()
    weaken()
    run: Awaitable[None] = sell(Path(words[0]), seed, ledger, say_aloud)
    asyncio.run(run)  # type: ignore[arg-type] # a coroutine


if __name__ == "__main__":
    main(sys.argv[1:])
