"""A simulated card terminal with a list of its own, which is the truth about money."""

from __future__ import annotations

import asyncio
from contextvars import Context
from dataclasses import dataclass

from edge_agent.domain.tender import (
    Approved,
    Attempt,
    AttemptKind,
    Cancelled,
    CardResult,
    Declined,
    Finding,
    InFlight,
    NotFound,
    NotProcessed,
    Outcome,
    Unknown,
)
from edge_agent.ports import Capabilities, Step, Steps
from tests.simulation.sim_loop import Life, Seeded, life_here
from tests.simulation.sim_world import World

GIVEN_UP_SECONDS = 6.0
"""So long the register waits for an answer; then it closes the line."""


@dataclass
class Charge:
    """One entry of the terminal's own list, which is the truth about money."""

    wire_ref: str
    kind: str
    amount_minor: int
    original: str = ""
    state: str = "running"
    approved_minor: int = 0
    abort: bool = False


class SimTerminal:
    """A card terminal that outlives the register. It may not hear, may be slow, and its answers get lost; it never forgets."""

    name = "T1"

    def __init__(self, world: World) -> None:
        self._world = world
        self.charges: list[Charge] = []
        self._active: Charge | None = None
        self._refs_by_attempt: dict[str, str] = {}
        self.silent = False
        """Whether nothing is heard of it; it goes on with what it has begun."""

    def capabilities(self) -> Capabilities:
        return Capabilities()

    def wire_ref(self, attempt_id: str) -> str:
        return attempt_id.replace("-", "")[-16:].upper()

    def settle_ms(self) -> int:
        return 4_000

    def charge(self, wire_ref: str) -> Charge | None:
        """The newest entry under that reference."""
        return next((charge for charge in reversed(self.charges) if charge.wire_ref == wire_ref), None)

    async def submit(self, attempt: Attempt, steps: Steps) -> Outcome:
        world, random = self._world, self._world.random
        self._refs_by_attempt[attempt.id] = attempt.wire_ref
        if random.chance(world.faults.terminal_deaf):
            world.count("terminal deaf")
            if random.chance(0.5):
                return NotProcessed("unreachable")
            if random.chance(0.7):
                life = life_here()
                world.loop.create_task(self._arrives_late(attempt, life, random.between(1.5, 3.9)), context=Context())
                if life is not None and not world.faults.off and random.chance(0.7):
                    life.steps_left = random.below(6)
            await asyncio.sleep(GIVEN_UP_SECONDS)
            return Unknown("no_answer")
        if self.silent:
            await asyncio.sleep(GIVEN_UP_SECONDS)
            return Unknown("no_answer")
        charge = await self._arrived(attempt, random.between(0.002, 0.02))
        if charge is None:
            return NotProcessed("busy")
        steps(Step("present_card"))
        for _ in range(600):
            await asyncio.sleep(random.between(0.05, 0.3))
            if charge.state != "running":
                break
        else:
            return Unknown("slow")
        if self.silent or random.chance(world.faults.terminal_lost):
            world.count("terminal answer lost")
            await asyncio.sleep(GIVEN_UP_SECONDS)
            return Unknown("no_answer")
        return self._outcome(charge)

    async def query(self, attempt: Attempt) -> Finding:
        world, random = self._world, self._world.random
        await asyncio.sleep(random.between(0.01, 0.2))
        if self.silent or random.chance(world.faults.terminal_deaf * 4):
            return Unknown("no_answer")
        charge = self.charge(attempt.wire_ref)
        await asyncio.sleep(random.between(0.01, 2.0))  # the answer is on its way while the world goes on
        if charge is None:
            return NotFound()
        return InFlight("present_card") if charge.state == "running" else self._outcome(charge)

    async def abort(self, attempt: Attempt) -> None:
        await asyncio.sleep(self._world.random.between(0.002, 0.02))
        charge = self.charge(attempt.wire_ref)
        if charge is not None and not self._world.random.chance(self._world.faults.terminal_lost):
            charge.abort = True

    async def _arrives_late(self, attempt: Attempt, life: Life | None, seconds: float) -> None:
        """The bytes lay in a buffer, and arrive so long after the line was given up, or after the register died that held it."""
        until = self._world.loop.time() + GIVEN_UP_SECONDS
        while self._world.loop.time() < until and (life is None or life.alive):
            await asyncio.sleep(0.1)
        await asyncio.sleep(seconds)
        self._world.count("request to the terminal late" if life is None or life.alive else "request to the terminal after a death")
        self._begin(attempt)

    async def _arrived(self, attempt: Attempt, seconds: float) -> Charge | None:
        """The payment that began with the request, None while another one is under way. It begins although the register dies meanwhile."""
        begun: asyncio.Future[Charge | None] = self._world.loop.create_future()

        def arrive() -> None:
            charge = self._begin(attempt)
            if not begun.done():
                begun.set_result(charge)

        self._world.loop.call_later(seconds, arrive, context=Context())
        return await begun

    def _begin(self, attempt: Attempt) -> Charge | None:
        if self._active is not None:
            return None
        if attempt.kind is AttemptKind.VOID:
            charge = Charge(attempt.wire_ref, "void", attempt.amount_minor, self._refs_by_attempt.get(attempt.original, attempt.original))
        else:
            charge = Charge(attempt.wire_ref, "sale", attempt.amount_minor)
        self.charges.append(charge)
        self._active = charge
        self._world.loop.create_task(self._conduct(charge), context=Context())
        return charge

    async def _conduct(self, charge: Charge) -> None:
        """The customer and the acquirer; goes on whatever becomes of the register."""
        random = self._world.random
        for _ in range(1 + random.below(10)):
            await asyncio.sleep(random.between(0.05, 1.0))
            if charge.abort:
                charge.state = "cancelled"
                break
        else:
            drawn = random.fraction()
            if drawn < 0.82 or charge.kind == "void":
                charge.state, charge.approved_minor = "approved", charge.amount_minor
            elif drawn < 0.86 and charge.amount_minor > 1:
                charge.state, charge.approved_minor = "approved", 1 + random.below(charge.amount_minor - 1)
            elif drawn < 0.95:
                charge.state = "declined"
            else:
                charge.state = "cancelled"
        self._active = None
        self._world.tell("terminal", charge.wire_ref, charge.kind, charge.state, charge.approved_minor)

    def _outcome(self, charge: Charge) -> Outcome:
        match charge.state:
            case "approved":
                return Approved(charge.approved_minor, "EUR", CardResult(provider_ref=charge.wire_ref, brand="visa", last_four="1111"))
            case "declined":
                return Declined("refused")
            case _:
                return Cancelled("customer")


async def silences(world: World, terminal: SimTerminal) -> None:
    """Have the terminal be silent now and then, mostly for seconds, sometimes until a person has to decide; until the faults are off."""
    random = Seeded(f"silent-{world.seed}")
    while not world.faults.off:
        await asyncio.sleep(300.0 + 4_000.0 * random.fraction())
        if world.faults.off:
            break
        terminal.silent = True
        world.count("terminal silent")
        try:
            await asyncio.sleep(5.0 + 1_500.0 * random.fraction() ** 2)
        finally:
            terminal.silent = False
