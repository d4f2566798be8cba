"""Builds recorder.c and starts processes under it; reads what it recorded, and drives the failures that it makes."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import NamedTuple, TypeVar

SOURCE = Path(__file__).with_name("recorder.c")
Job = TypeVar("Job")
Done = TypeVar("Done")
HEAD = struct.Struct("<BIQI")


class Kind(IntEnum):
    """What was recorded."""

    OPENED = 1
    WROTE = 2
    CUT = 3
    SYNCED = 4
    RENAMED = 5
    REMOVED = 6
    FOLDER_SYNCED = 7
    SAID = 8
    SYNC_FAILED = 9
    BEGAN = 10


class Calls(IntFlag):
    """Which calls shall fail."""

    WRITES = 1
    SYNCS = 2
    CUTS = 4


class Step(NamedTuple):
    """One recorded step: ``at`` is an offset, a size, or for OPENED whether the file was there before."""

    kind: Kind
    file: int
    at: int
    data: bytes


def compiler() -> str | None:
    """The C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc")


def build(folder: Path) -> Path:
    """The library, compiled into ``folder``."""
    library = folder / "recorder.so"
    cc = compiler()
    assert cc is not None, "a C compiler (cc) is needed"
    subprocess.run([cc, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"], check=True)
    return library


def under(library: Path, folder: Path, record: Path | None = None) -> dict[str, str]:
    """The environment of a process whose work in ``folder`` is recorded, or may be made to fail."""
    into = {} if record is None else {"EDGE_DISK_RECORD": str(record)}
    return {**os.environ, "LD_PRELOAD": str(library), "EDGE_DISK_FOLDER": str(folder.resolve()), **into}


def steps(record: Path) -> Iterator[Step]:
    """What was recorded, in order; a last step that was cut short by a kill is left out."""
    whole = record.read_bytes()
    at = 0
    while at + HEAD.size <= len(whole):
        kind, file, place, length = HEAD.unpack_from(whole, at)
        at += HEAD.size
        if at + length > len(whole):
            return
        yield Step(Kind(kind), file, place, whole[at : at + length])
        at += length


def scratch() -> Path:
    """Where files of a proof go that need no disk: memory, if it has room."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30
    return Path(tempfile.mkdtemp(prefix="edge-disk-", dir=memory if roomy else None))


def shared(work: Callable[[Job], Done], jobs: Sequence[Job], processes: int) -> list[Done]:
    """``work`` for every job, on a few processes of their own."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        done = pool.map(work, jobs, chunksize=1)
        pool.close()
        pool.join()
    return done


class Disk:
    """Switches on what the library that this process runs under can make fail. Errors are counted by ``failed``."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.edge_failed.restype = ctypes.c_long

    def fail(self, calls: Calls, number: int, after: int, count: int, *, tears: bool = False) -> None:
        """After ``after`` more of ``calls``, ``count`` of them fail with errno ``number``; -1 is all, until ``heal``."""
        self._library.edge_fail(ctypes.c_int(calls), ctypes.c_int(number), ctypes.c_long(after), ctypes.c_long(count), ctypes.c_int(tears))

    def full(self, room_bytes: int) -> None:
        """Files may grow by this much, and by what is removed meanwhile."""
        self._library.edge_full(ctypes.c_int64(room_bytes))

    def heal(self) -> None:
        """Everything works again."""
        self._library.edge_heal()

    @property
    def failed(self) -> int:
        """How many calls were made to fail so far."""
        return int(self._library.edge_failed())
