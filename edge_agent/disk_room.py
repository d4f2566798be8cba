"""Tells IT and the counter that the disk runs full while there is still time to make room: once when it does, once when there is room again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import structlog

MB = 1_000_000
ROOM_AGAIN = 1.1
"""There is room again from so many times the floor on: a disk about the floor is told of once, not every second."""

log = structlog.get_logger(__name__)


def free_bytes(folder: Path) -> int | None:
    """What a file in ``folder`` may still take; None where nobody can say."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


class DiskRoom:
    """The room beside the journal. Below ``floor_mb`` (0: never) it is ``short``."""

    def __init__(self, folder: Path, floor_mb: int, free: Callable[[Path], int | None] = free_bytes) -> None:
        self._folder = folder
        self._floor = floor_mb * MB
        self._free = free
        self.left_mb: int | None = None
        self.short = False

    def look(self) -> bool:
        """Look; whether it became short, or stopped being short, just now. ``left_mb`` and ``short`` say how it is."""
        free = self._free(self._folder)
        if free is None:
            return False
        self.left_mb = free // MB
        before, self.short = self.short, free < self._floor * (ROOM_AGAIN if self.short else 1)
        if self.short == before:
            return False
        if self.short:
            log.warning("the disk is nearly full", free_mb=self.left_mb, floor_mb=self._floor // MB, folder=str(self._folder))
        else:
            log.info("the disk has room again", free_mb=self.left_mb)
        return True
