"""How a bench tells what it measured: one figure beside a peer's or a physical limit's from the same run, and the ratio of the two."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLLECTED = "EDGE_BENCH_FIGURES"
"""The file to which figures are added, one line of JSON each, when this names one."""


@dataclass(frozen=True)
class Figure:
    """``ours`` beside ``theirs``, both in ``unit``; ``aim`` says in words what we want it to be."""

    what: str
    ours: float
    beside: str
    theirs: float
    unit: str
    aim: str

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs if self.theirs else float("inf")


def tell(figure: Figure) -> None:
    """Print it, and keep it for the table."""
    print(
        f"{figure.what:66} {figure.ours:10.1f} {figure.unit:4} beside {figure.beside}: {figure.theirs:.1f}   ratio {figure.ratio:6.2f}   aim {figure.aim}",
        flush=True,
    )
    kept = os.environ.get(COLLECTED)
    if kept:
        with Path(kept).open("a") as file:
            file.write(json.dumps({**asdict(figure), "ratio": figure.ratio}) + "\n")


def skip(what: str, why: str) -> None:
    """Say that something cannot be measured here, in the table as well."""
    print(f"{what:66} not measured: {why}", flush=True)
    kept = os.environ.get(COLLECTED)
    if kept:
        with Path(kept).open("a") as file:
            file.write(json.dumps({"what": what, "skipped": why}) + "\n")


def timed(call: Callable[[], object]) -> float:
    """How long ``call`` takes, in microseconds."""
    start = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - start) / 1000


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which ``part`` (0 to 1) of them lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


SLOW_SYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
static void wait_so_long(void) {
    const char *text = getenv("EDGE_SYNC_DELAY_MS");
    long ms = text ? atol(text) : 0;
    struct timespec left = { ms / 1000, (ms % 1000) * 1000000L };
    if (ms > 0) nanosleep(&left, 0);
}
int fsync(int fd) { static int (*real)(int); if (!real) real = dlsym(RTLD_NEXT, "fsync"); wait_so_long(); return real(fd); }
int fdatasync(int fd) { static int (*real)(int); if (!real) real = dlsym(RTLD_NEXT, "fdatasync"); wait_so_long(); return real(fd); }
"""


def slow_sync(folder: Path, delay_ms: int) -> dict[str, str] | None:
    """The environment in which every sync of a program takes ``delay_ms`` longer, or None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, library = folder / "slow_sync.c", folder / "slow_sync.so"
    source.write_text(SLOW_SYNC)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    return {**os.environ, "LD_PRELOAD": str(library), "EDGE_SYNC_DELAY_MS": str(delay_ms)}


def memory_mb(pid: int) -> float:
    """What a process holds of memory that is its own or shared (resident set)."""
    text = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) / 1024


@contextmanager
def cold() -> Iterator[bool]:
    """Forget what the operating system holds of files, where we may (root); False where not."""
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        yield False
        return
    yield True


def python(*arguments: str) -> list[str]:
    """This interpreter with these arguments."""
    return [sys.executable, *arguments]
