"""The scripted day: at least so many sales by bytes on the wire, with everything going wrong that does, and the books compared at its end.

Central and the service are processes of their own, the devices are simulated in this one, and the script keeps its own books.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import tempfile
from pathlib import Path

import httpx

from edge_agent.client import ApiProblem, ServiceUnreachable
from edge_agent.clock import SystemClock
from edge_agent.demo.playing import Day, Outcome, Plan, Plant, say
from edge_agent.demo.waiting import NotSeen
from edge_agent.domain.errors import EdgeError

LOG_LINES_SHOWN = 40


def run_day(seed: int, sales: int, market: str, keep: Path | None, *, troubles: bool = True, plant: Plant | None = None) -> int:
    """Play the day, print the reconciliation and, last, one line of JSON; 0 when the books agree, 1 on any difference or anything not done in time.

    The folder is a temporary one, or the next free ``day-N`` in ``keep``; a temporary one is kept when the day failed.
    """
    clock = SystemClock()
    began = clock.monotonic()
    folder = _folder(keep)
    plan, outcome = Plan(seed, sales, market, troubles, plant), Outcome()
    try:
        asyncio.run(_cancellable(Day(plan, folder, outcome)))
    except (NotSeen, ApiProblem, ServiceUnreachable, EdgeError, httpx.HTTPError, OSError, AssertionError) as error:
        outcome.failed = f"{type(error).__name__}: {error}"
    except (KeyboardInterrupt, asyncio.CancelledError):
        outcome.failed = "interrupted"
    _report(plan, outcome, folder, clock.monotonic() - began)
    failed = bool(outcome.failed or outcome.found.differences)
    if keep is None and not failed:
        shutil.rmtree(folder, ignore_errors=True)
    return int(failed)


async def _cancellable(day: Day) -> None:
    """The day, which SIGTERM ends as Ctrl+C does: nothing stays behind."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    await day.run()


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="edge-day-"))
    number = 1
    while (folder := keep / f"day-{number}").exists():
        number += 1
    folder.mkdir(parents=True)
    return folder.resolve()


def _report(plan: Plan, outcome: Outcome, folder: Path, seconds: float) -> None:
    for line in outcome.found.lines() if outcome.found.rows else ():
        say(line)
    if outcome.failed or outcome.found.differences:
        log = folder / "service.log"
        for line in log.read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:] if log.exists() else ():
            say(f"service: {line}")
        if outcome.failed:
            say(f"The day did not end: {outcome.failed}")
        say(f"Its files are in {folder}.")
    summary = {
        "seed": plan.seed,
        "market": plan.market,
        "sales": outcome.sales,
        "total_minor": outcome.total_minor,
        "differences": len(outcome.found.differences),
        "failed": outcome.failed,
        "seconds": round(seconds, 1),
        "faults": dict(outcome.faults),
    }
    say(json.dumps(summary))
