"""How long a scanned line takes to be true, as a ratio to the least a disk can do, and what the screen's picture of a long basket costs.

``python -m tests.bench.bench_hot_path [rounds]``. The floor is 4 KB appended to a plain file and ``fdatasync``, in the same folder and in turns
with ours, so that a slow disk slows both. Then the same with every sync made slower, as a worn SSD or an SD card does. Nothing is asserted.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.basket import LINES_MAX
from edge_agent.domain.catalogue import Offer, Price
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.reading import Reading
from tests.bench.measure import ROOT, Figure, median, percentile, python, skip, slow_sync, tell, timed
from tests.support_register import COAT, SOCKS
from tests.support_shop import Rig, register

FLOOR_BYTES = 4096
ACTS_PER_ROUND = 20
BASKET_LINES = 20
"""A basket as people fill it."""
LONG_LINES = 200
"""One as they fill it before a holiday."""
BESIDE = "4 KB appended and synced"
DELAYS_MS = (10, 50)


def slower() -> str:
    """What the disk of this run is like."""
    delay = os.environ.get("EDGE_SYNC_DELAY_MS")
    return f", every sync {delay} ms slower" if delay else ""


def aim_of(usual: str) -> str:
    """On a slow disk we want the sync and 2 ms, whatever that is as a ratio."""
    return "the sync plus 2 ms" if slower() else usual


class Floor:
    """A plain file that grows by FLOOR_BYTES and is synced."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def append(self) -> None:
        os.write(self._file, bytes(FLOOR_BYTES))
        os.fdatasync(self._file)

    def close(self) -> None:
        os.close(self._file)


def a_line(number: int, name: str = "SOCKS") -> do.AddArticle:
    """An article of its own for every number, so that no two become one line."""
    sku = f"{name}-{number}"
    return do.AddArticle(replace(SOCKS, sku=sku), Offer(Price(sku, 1250, "EUR", "book", "1")), Quantity(1, Unit.PIECE))


async def committed(rig: Rig, rounds: int, floor: Floor) -> None:
    """Lines through ``core.do``: decided, encoded, synced, applied, announced; the basket begins anew before it is full."""
    raw: list[float] = []
    ours: list[float] = []
    number = 0
    for _ in range(rounds):
        for _ in range(ACTS_PER_ROUND):
            raw.append(timed(floor.append))
            number += 1
            command = a_line(number)
            start = time.perf_counter_ns()
            await rig.core.do(command)
            ours.append((time.perf_counter_ns() - start) / 1000)
            if number % BASKET_LINES == 0:
                await rig.till.void("bench", "")
    tell(Figure(f"a line, decided and on disk{slower()}, p50", median(ours), BESIDE, median(raw), "us", aim_of("p50 at most 1.5")))
    tell(Figure(f"a line, decided and on disk{slower()}, p99", percentile(ours, 0.99), BESIDE, percentile(raw, 0.99), "us", aim_of("-")))
    if rig.core.state.basket:
        await rig.till.void("bench", "")


async def scanned(rig: Rig, rounds: int, floor: Floor) -> None:
    """Bytes as a scanner sends them, to the acknowledged line and the snapshot in bytes that a client gets."""
    raw: list[float] = []
    ours: list[float] = []
    for _ in range(rounds):
        for _ in range(ACTS_PER_ROUND):
            raw.append(timed(floor.append))
            start = time.perf_counter_ns()
            await rig.till.scanned(Reading(COAT.gtins[0][1:].encode(), "scanner", rig.core.ports.clock.now_ms()))
            msgspec.json.encode(rig.presenter.snapshot())
            ours.append((time.perf_counter_ns() - start) / 1000)
    tell(Figure(f"a scan, to the bytes of the new snapshot{slower()}, p50", median(ours), BESIDE, median(raw), "us", aim_of("-")))
    await rig.till.void("bench", "")


async def pictures(rig: Rig, rounds: int) -> None:
    """The snapshot of a basket with LONG_LINES lines after one of them changed, and what its bytes cost beside it."""
    assert LONG_LINES < LINES_MAX
    for number in range(LONG_LINES):
        await rig.core.do(a_line(number, "LONG"))
    lines = [line.id for line in rig.core.state.basket.lines]
    built: list[float] = []
    encoded: list[float] = []
    for count in range(rounds * 2):
        await rig.core.do(do.ChangeQuantity(lines[count % LONG_LINES], Quantity(2 + count % 5, Unit.PIECE)))
        built.append(timed(rig.presenter.snapshot))
        encoded.append(timed(lambda: msgspec.json.encode(rig.presenter.snapshot())))
    tell(Figure(f"the snapshot of {LONG_LINES} lines", median(built), "its JSON", median(encoded), "us", "-"))


async def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        floor = Floor(Path(folder) / "floor")
        async with register(Path(folder) / "register") as rig:
            await rig.till.day.open("1001", 0, "")
            await committed(rig, rounds, floor)
            await scanned(rig, rounds, floor)
            if not slower():
                await pictures(rig, rounds)
        floor.close()


def on_slow_disks(rounds: int) -> None:
    """The same in a process whose syncs take longer."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for delay_ms in DELAYS_MS:
            environment = slow_sync(Path(folder), delay_ms)
            if environment is None:
                skip(f"a line, every sync {delay_ms} ms slower", "no C compiler (cc)")
                continue
            subprocess.run(python("-m", "tests.bench.bench_hot_path", str(max(2, rounds // 4))), cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    asyncio.run(main(wanted))
    if not slower():
        on_slow_disks(wanted)
