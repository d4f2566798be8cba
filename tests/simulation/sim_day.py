"""A simulated day: an associate who sells, chaos that interferes, and an auditor who compares everything with everything afterwards.

``python -m tests.simulation.sim_day --seeds 0:100 --sales 50`` prints one line of JSON; exit 1 on any violation. One seed is one history,
and its hash is the same on every version of Python.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import structlog

import edge_agent.service.core
from edge_agent.domain.gs1_library import library
from edge_agent.ports import Link
from sync.contract.rows import CartLineRow, CartRow, CustomerRow, IdentifierRow
from tests.simulation.sim_associate import Associate
from tests.simulation.sim_audit import ahead, audit
from tests.simulation.sim_bugs import PLANTED
from tests.simulation.sim_central import SimCentral, central_app
from tests.simulation.sim_full import full_disks
from tests.simulation.sim_loop import Seeded, SimLoop
from tests.simulation.sim_pc import Gone, SimPC
from tests.simulation.sim_terminal import SimTerminal, silences
from tests.simulation.sim_world import START_MS, Faults, World
from tests.support_shop import MARIA_KNOWN, MARIAS_CART, OMAR_KNOWN

DAY_MS = 86_400_000
DIED = "the process of this seed died"
COUNTED = ("sales", "facts", "virtual_seconds", "steps", "taps", "known_by_tap", "refused_when_full", "recorded_when_full")
TOLD = ("hash", "violations", *COUNTED)
"""What is told beside the faults."""
WATCH_SECONDS = 10.0
QUIET_SECONDS_MAX = 2 * 3_600.0


async def chaos(world: World, pc: SimPC, central: SimCentral) -> None:
    """Interfere until the faults are off."""
    random = Seeded(f"chaos-{world.seed}")
    while not world.faults.off:
        await asyncio.sleep(random.between(1.0, 120.0))
        if world.faults.off:
            return
        drawn = random.fraction()
        if drawn < 0.45:
            pc.plan_death(random.below(300))
        elif drawn < 0.50:
            pc.kill()
        elif drawn < 0.70:
            world.network_up = False
            world.count("network cut")
            await asyncio.sleep(random.between(1.0, 300.0))
            world.network_up = True
        elif drawn < 0.85:
            central.kill()
            world.count("central killed")
            await asyncio.sleep(random.between(0.1, 120.0))
            central.restart()
        else:
            pc.clock.offset_ms = random.one_of((0, 2 * DAY_MS, -2 * DAY_MS, 3_600_000, -61_000))
            world.count("clock jumped")


async def watch_cursors(pc: SimPC, central: SimCentral, associate: Associate) -> None:
    """Look now and then whether the register says that central has what it does not have."""
    while not associate.told.violations:
        await asyncio.sleep(WATCH_SECONDS)
        associate.told.violations += ahead(pc, central)


async def opened(world: World) -> tuple[SimCentral, SimTerminal, SimPC]:
    """Central, open, with a customer's cart; a card terminal; and the PC of a register that is enrolled and not started."""
    central, terminal = SimCentral(world), SimTerminal(world)
    central.start()
    central.seed_shop(_carts(), _customers(), ["01"])
    central.open_for_business()
    pc = SimPC(world, central, terminal)
    await pc.enrol()
    return central, terminal, pc


async def live(world: World, sales: int) -> dict[str, Any]:
    """One day; what was found."""
    world.faults.off = True
    central, terminal, pc = await opened(world)
    await pc.boot()
    world.faults.off = False
    associate = Associate(world, pc, terminal)
    beside = (chaos(world, pc, central), full_disks(world, pc, terminal, associate.told), silences(world, terminal), watch_cursors(pc, central, associate))
    disturbing = [asyncio.get_running_loop().create_task(what) for what in beside]
    while associate.sales < sales and not associate.told.violations:
        try:
            await associate.serve()
        except Gone:
            continue
        await asyncio.sleep(associate._random.between(0.5, 30.0))
    await _quiet(world, pc, central, associate, disturbing)
    return audit(world, pc, central, terminal, associate.told)


async def _quiet(world: World, pc: SimPC, central: SimCentral, associate: Associate, disturbing: Sequence[asyncio.Task[None]]) -> None:
    """No more faults: everything has to come to its end by itself."""
    world.faults.off = True
    world.network_up = True
    pc.room.clear()
    for task in disturbing:
        task.cancel()
    central.restart()
    if pc.life is not None:
        pc.life.steps_left = None
    await associate.back_up()
    await associate.tidy_up()
    began = world.loop.time()
    while not in_step(pc):
        await associate.back_up()
        if world.loop.time() - began > QUIET_SECONDS_MAX:
            associate.told.violations.append(f"never in step with central again: {pc.push.report if pc.push else None}")
            return
        await asyncio.sleep(10.0)


def in_step(pc: SimPC) -> bool:
    """Whether the register says that central has everything, and its journal says so too."""
    if pc.push is None or pc.journal is None or pc.push.report.link is not Link.IN_STEP:
        return False
    return all(status.head == status.acknowledged for status in pc.journal.streams())


def _customers() -> list[CustomerRow]:
    return [
        CustomerRow(
            id=known.id, name=known.name, tier=known.tier, points=0, visits=0, last_visit_ms=None, language="de", sizes=[], birthday="", notes=[], talk=None,
            goes_with=[], identifiers=[IdentifierRow(kind=one.kind.value, value=one.value) for one in known.identifiers],
        )
        for known in (MARIA_KNOWN, OMAR_KNOWN)
    ]  # fmt: skip


def _carts() -> list[CartRow]:
    lines = [CartLineRow(line=line.line, sku=line.sku, pieces=line.pieces, unit_price_minor=line.unit_price_minor) for line in MARIAS_CART.lines]
    return [CartRow(id=MARIAS_CART.id, customer="c-maria", version=7, currency="EUR", lines=lines, channel="web", opened_ms=START_MS, held_by="")]


def run_seed(seed: int, sales: int, faults: Faults | None = None, base: Path | None = None) -> dict[str, Any]:
    """One history, in a folder of its own, in this process. What was found, as plain data."""
    return run_world(seed, lambda world: live(world, sales), faults or Faults(), base)


def run_world(seed: int, lived: Callable[[World], Coroutine[Any, Any, dict[str, Any]]], faults: Faults, base: Path | None = None) -> dict[str, Any]:
    """What ``lived`` comes to in a world of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"sim-{seed}-", dir=base))
    loop = SimLoop(Seeded(f"loop-{seed}"))
    world = World(loop, folder, seed, faults)
    began = time.perf_counter()
    try:
        found = loop.run(lived(world))
        found["violations"] += loop.failures
    except Exception:
        found = {"violations": [traceback.format_exc()]}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    digest = hashlib.sha256("\n".join(world.trace).encode()).hexdigest()
    return {
        "seed": seed,
        "hash": digest,
        "virtual_seconds": round(loop.time()),
        "steps": loop.steps,
        "seconds": time.perf_counter() - began,
        **found,
        "happened": world.happened,
    }


def in_child(seed: int, sales: int, base: Path | None = None, bug: str = "") -> dict[str, Any]:
    """One day in a process of its own; with a bug planted, if one is named."""
    return apart(lambda: run_seed(seed, sales, base=base), bug) or {"seed": seed, "violations": [DIED], "happened": {}}


def apart(work: Callable[[], dict[str, Any]], bug: str = "") -> dict[str, Any] | None:
    """What ``work`` finds in a process of its own, so that what an ended life left behind is gone with it; None when that process died."""
    central_app()  # these once, and not in every child
    library()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            begin_quietly()
            if bug:
                PLANTED[bug]()
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(json.dumps(work()).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    found: dict[str, Any] | None = json.loads(told) if told else None
    return found


def begin_quietly() -> None:
    """What the code under test logs about its faults is not of interest, nor every try to open a journal on a disk that is still full: each checks
    all of it, and would be most of what the day computes."""
    edge_agent.service.core.REOPEN_SECONDS = 15.0
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def seeds_of(text: str) -> tuple[int, int]:
    """``7`` or ``0:100``: the first seed, and the one after the last."""
    first, _, last = text.partition(":")
    return int(first), int(last) if last else int(first) + 1


def one_after_another(seeds: Sequence[int], sales: int, bug: str = "", *, show: bool = False) -> dict[str, Any]:
    """Every seed in a child; what came of them together."""
    totals: Counter[str] = Counter()
    violated = 0
    digest = hashlib.sha256()
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None  # memory: a simulated disk need not be synced
    for seed in seeds:
        found = in_child(seed, sales, base, bug)
        digest.update(str(found.get("hash")).encode())
        totals.update({name: found.get(name, 0) for name in COUNTED})
        totals.update(found["happened"])
        if found["violations"]:
            violated += 1
            print(f"seed {seed}: " + "\n".join(found["violations"]), file=sys.stderr, flush=True)
        if show:
            print(json.dumps(found), file=sys.stderr)
    return {"hash": digest.hexdigest(), "violations": violated, **totals}


def side_by_side(seeds: Sequence[int], sales: int, jobs: int) -> dict[str, Any]:
    """The same in so many processes, each with its share of the seeds."""
    share = -(-len(seeds) // jobs)
    shares = [seeds[at : at + share] for at in range(0, len(seeds), share)]
    command = [sys.executable, "-m", "tests.simulation.sim_day", "--sales", str(sales)]
    running = [subprocess.Popen([*command, "--seeds", f"{part[0]}:{part[-1] + 1}"], stdout=subprocess.PIPE, text=True) for part in shares]
    totals: Counter[str] = Counter()
    digest = hashlib.sha256()
    for process in running:
        told = json.loads(process.communicate()[0].splitlines()[-1])
        digest.update(told.pop("hash").encode())
        told.pop("faults")
        totals.update(told)
    return {"hash": digest.hexdigest(), **totals}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.sim_day", description="Simulated days of faults; exit 1 on any violation.")
    parser.add_argument("--seeds", default="0:10", help="One seed, or FIRST:LAST (the last is left out).")
    parser.add_argument("--sales", type=int, default=50, help="Sales of each seed.")
    parser.add_argument("--jobs", type=int, default=1, help="Processes side by side.")
    parser.add_argument("--bug", default="", choices=["", *PLANTED], help="Plant a bug, to see it found.")
    parser.add_argument("--show", action="store_true", help="Tell every seed's result on standard error.")
    given = parser.parse_args(words)
    seeds = range(*seeds_of(given.seeds))
    found = side_by_side(seeds, given.sales, given.jobs) if given.jobs > 1 else one_after_another(seeds, given.sales, given.bug, show=given.show)
    faults = sum(count for name, count in found.items() if name not in TOLD)
    print(json.dumps({"faults": faults, **found}))
    return 1 if found["violations"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
