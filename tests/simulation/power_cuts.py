"""Cuts the power of a file system while a register sells on it: ``python -m tests.simulation.power_cuts --cuts 1000 --fs ext4,xfs``.

ext4 or XFS in a file of its own, mounted through a loop device. At a random moment the kernel is told to stop writing (the ioctl that file
system developers test with: nothing after it reaches the disk, not even the log of the file system). What the register had acknowledged
before is compared with what is there when the file system is mounted again. Control: with ``synchronous=NORMAL`` sales must be missing. Needs root.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import fcntl
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.simulation.disk_watch import scratch, shared
from tests.simulation.selling_child import hurry, say_aloud, sell, weaken
from tests.simulation.sold import Told, violations

NEW_MOUNTS, PRIVATE_BELOW = 0x20000, 0x4000 | 0x40000
"""CLONE_NEWNS of unshare(2); MS_REC and MS_PRIVATE of mount(2)."""
SHUTDOWN = 0x8004587D
FLAGS = (2).to_bytes(4, sys.byteorder)
"""Without writing the log of the file system out first."""
MAKE = {
    "ext4": (96, ("mkfs.ext4", "-q", "-F")),
    "xfs": (320, ("mkfs.xfs", "-q", "-f")),
}
"""Size in MiB, and the command that makes one."""
SELL_SECONDS_MAX = 0.25
CUTS_PER_JOURNAL = 10
CONTROL_CUTS_MAX = 40


def unavailable(kinds: Sequence[str]) -> str:
    """Why no such file system can be mounted here, or ``""``."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "mounting needs root on Linux"
    for kind in kinds:
        if shutil.which(MAKE[kind][1][0]) is None:
            return f"{MAKE[kind][1][0]} is not installed"
    base = scratch()
    try:
        for kind in kinds:
            with mounted(base, kind):
                pass
    except subprocess.CalledProcessError as problem:
        return f"{problem.cmd[0]}: {problem.stderr.decode().strip()}"
    finally:
        shutil.rmtree(base)
    return ""


def apart() -> str:
    """Put this process and its children to come among mounts of their own; why that cannot be, or ``""``.

    ``ip netns exec`` copies whatever is mounted where it is started. A file system of which another process has such a copy is not given up
    when it is unmounted, and mounting it again would give the one back that has no power. Nobody copies from here; and what is mounted here goes
    with the last of these processes, however they end.
    """
    system = ctypes.CDLL(None, use_errno=True)
    if system.unshare(NEW_MOUNTS) or system.mount(b"none", b"/", None, PRIVATE_BELOW, None):
        return f"mounts of its own: {os.strerror(ctypes.get_errno())}"
    return ""


def mounts(below: Path) -> list[str]:
    """Where something is mounted below ``below``. The places themselves may not answer."""
    places = (line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines())
    return [place for place in places if place.startswith(f"{below}/")]


class Mount:
    """One file system that can lose its power."""

    def __init__(self, image: Path, at: Path) -> None:
        self._image = image
        self.at = at

    def make(self, kind: str) -> None:
        size, command = MAKE[kind]
        with self._image.open("wb") as file:
            file.truncate(size << 20)
        _run(*command, str(self._image))

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.at))

    def cut(self, before: Callable[[], object] = lambda: None) -> None:
        """From the return of this on nothing is written any more. ``before`` is called in the very last moment."""
        handle = os.open(self.at, os.O_RDONLY)
        try:
            before()
            fcntl.ioctl(handle, SHUTDOWN, FLAGS)
        finally:
            os.close(handle)

    def unmount(self) -> None:
        _run("umount", str(self.at))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def mounted(base: Path, kind: str) -> Iterator[Mount]:
    """A new file system; unmounted and removed at the end whatever happens."""
    mount = Mount(base / f"{kind}.img", base / kind)
    mount.at.mkdir()
    mount.make(kind)
    mount.mount()
    try:
        yield mount
    finally:
        while str(mount.at) in mounts(base):
            subprocess.run(["umount", "-l", str(mount.at)], check=True)
        mount.at.rmdir()
        (base / f"{kind}.img").unlink()


def forked(work: Callable[[], None], stdout: int, *, quiet: bool = False) -> int:
    """Run ``work`` in a process of its own, which ends with it; its standard output goes to ``stdout``."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(stdout, 1)
        if quiet:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        work()
        code = 0
    except BaseException:  # whatever it is, this copy of the parent goes no further
        traceback.print_exc()
    finally:
        os._exit(code)


def heard_until_the_cut(mount: Mount, folder: Path, seed: int, told: Told, seconds: float) -> None:
    """Let a register sell in ``folder``, cut the power after ``seconds``, and add to ``told`` what it had said by then."""
    read, write = os.pipe()
    child = forked(lambda: asyncio.run(sell(folder, seed, dict(told.charged), say_aloud)), write, quiet=True)
    os.close(write)
    heard = b""
    try:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([read], [], [], left)[0]:
                more = os.read(read, 65536)
                assert more, "the register ended by itself"
                heard += more
    finally:
        mount.cut()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        charged = heard
        while more := os.read(read, 65536):
            charged += more
        os.close(read)
    whole = heard[: heard.rfind(b"\n") + 1].decode().splitlines()
    told.hear(whole)
    # What the terminal did is no promise of the register: it has it in its own memory, whenever it was.
    late = Told().hear(charged[: charged.rfind(b"\n") + 1].decode().splitlines())
    told.charged.update(late.charged)


def found_after(folder: Path, told: Told) -> list[str]:
    """What is broken, seen by a process of its own (nothing of it holds the file system)."""
    read, write = os.pipe()
    child = forked(lambda: say_aloud(json.dumps(violations(folder, told))), write)
    os.close(write)
    with os.fdopen(read) as lines:
        said = lines.read()
    os.waitpid(child, 0)
    return list(json.loads(said)) if said else ["the check did not end"]


def cuts(base: Path, kind: str, count: int, seed: int, enough: int = 0) -> list[str]:
    """Cut the power ``count`` times; what was found broken. Ends early after ``enough``."""
    chance, found = random.Random(f"{kind} {seed}"), list[str]()
    with mounted(base, kind) as mount:
        told, folder, broken = Told(), mount.at, list[str]()
        for number in range(count):
            if number % CUTS_PER_JOURNAL == 0 or broken:
                for old in mount.at.glob("register-*"):
                    shutil.rmtree(old)
                told, folder = Told(), mount.at / f"register-{number}"  # a new name: what was removed may come back by a cut
            heard_until_the_cut(mount, folder, seed * 100_000 + number, told, chance.uniform(0.0, SELL_SECONDS_MAX))
            mount.unmount()
            mount.mount()
            broken = found_after(folder, told)
            if broken:
                found.append(f"{kind}, cut {number}: {'; '.join(broken)}")
                if enough and len(found) >= enough:
                    break
    return found


def _worker(job: tuple[str, str, int, int]) -> list[str]:
    signal.signal(signal.SIGTERM, stopped)
    base, kind, count, seed = job
    hurry()
    folder = Path(base) / f"{kind}-{seed}"
    folder.mkdir()
    return cuts(folder, kind, count, seed)


def stopped(number: int, _: object) -> None:
    """On SIGTERM: end by an exception, so that nothing is left mounted."""
    raise SystemExit(128 + number)


def control(base: Path, kind: str) -> int:
    """How many cuts lost something acknowledged when commits are not synced, until the first few."""
    os.environ["EDGE_SELLING_SYNCHRONOUS"] = "NORMAL"
    hurry()
    weaken()
    folder = base / f"control-{kind}"
    folder.mkdir()
    return len(cuts(folder, kind, CONTROL_CUTS_MAX, 1, enough=2))


def clean(base: Path) -> None:
    """Leave nothing mounted and nothing behind, also after a worker that was killed."""
    for where in mounts(base):
        subprocess.run(["umount", "-l", where], check=False)
    shutil.rmtree(base, ignore_errors=True)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="power_cuts")
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--fs", default="ext4,xfs")
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args(words)
    kinds = said.fs.split(",")
    why = unavailable(kinds) or apart()
    if why:
        print(json.dumps({"skipped": why}))
        return 3
    signal.signal(signal.SIGTERM, stopped)
    base = scratch()
    try:
        jobs = [(str(base), kind, said.cuts // len(kinds), said.seed) for kind in kinds]
        found = [line for lines in shared(_worker, jobs, len(jobs)) for line in lines]
        lost = {kind: control(base, kind) for kind in kinds}
    finally:
        clean(base)
    for line in found[:20]:
        print(line, file=sys.stderr)
    print(json.dumps({"faults": sum(job[2] for job in jobs), "violations": len(found), "control_found": sum(lost.values())}))
    return 1 if found or not all(lost.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
