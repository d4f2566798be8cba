"""Disks that fill up under a simulated register and stay full for a while; and whoever looks meanwhile that money goes on being recorded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from edge_agent.domain.tender import Attempt, AttemptState
from tests.simulation.sim_disk import COMMIT_BYTES_MAX
from tests.simulation.sim_loop import Seeded
from tests.simulation.sim_pc import SimPC
from tests.simulation.sim_terminal import SimTerminal
from tests.simulation.sim_world import World

if TYPE_CHECKING:
    from tests.simulation.sim_associate import Told

FULL_SECONDS_MAX = 300.0
"""Most disks have room again sooner."""
RECORDED_SECONDS_MAX = 45.0
"""An answer that is lost is asked for again every five seconds: by then it was heard."""


async def full_disks(world: World, pc: SimPC, terminal: SimTerminal, told: Told) -> None:
    """Let the disk be full now and then, half of the times while a payment is under way, until the faults are off."""
    random = Seeded(f"full-{world.seed}")
    while not world.faults.off:
        await asyncio.sleep(60.0 + 4_000.0 * random.fraction() ** 2)
        if random.chance(0.5):
            await _payment_under_way(world, pc)
        if world.faults.off:
            return
        pc.room.fill(random.below(COMMIT_BYTES_MAX))
        world.count("disk full")
        world.tell("disk full")
        await _watched(world, pc, terminal, told, 2.0 + FULL_SECONDS_MAX * random.fraction() ** 5)
        pc.room.clear()
        world.tell("disk has room")


async def _payment_under_way(world: World, pc: SimPC, seconds: float = 120.0) -> None:
    until = world.loop.time() + seconds
    while world.loop.time() < until and not (pc.till is not None and any(pc.till.core.state.open_attempts())):
        await asyncio.sleep(0.5)


async def _watched(world: World, pc: SimPC, terminal: SimTerminal, told: Told, seconds: float) -> None:
    """So many seconds of a full disk. What the terminal is done with has to be recorded all the same, unless the service dies meanwhile."""
    until, life = world.loop.time() + seconds, pc.life
    opened: dict[str, Attempt] = {}
    done_since: dict[str, float] = {}
    while (now := world.loop.time()) < until and not world.faults.off:
        if pc.life is not life or pc.till is None:
            life, opened, done_since = pc.life, {}, {}
        else:
            before, opened = opened, {attempt.id: attempt for attempt in pc.till.core.state.open_attempts()}
            told.recorded_when_full += len(before.keys() - opened.keys())
            for attempt in opened.values():
                charge = terminal.charge(attempt.wire_ref)
                if charge is None or charge.state == "running" or attempt.state is AttemptState.NEEDS_REVIEW:
                    continue
                if now - done_since.setdefault(attempt.id, now) > RECORDED_SECONDS_MAX:
                    told.violations.append(f"{attempt.wire_ref} is {charge.state}, and on a full disk it stays {attempt.state.value}")
                    return
        await asyncio.sleep(0.5)
