"""Filling a central from a folder of NDJSON files: stores.ndjson and one file per feed.

Each line of a feed's file is ``{"op":"put","key":...,"data":{...}}`` or ``{"op":"del","key":...}``; without ``op`` it is a put. Of lines with one
key the last one holds, so that a file may be written on, and seeding it again changes nothing. When a row is valid stands in its data.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from edge_agent.domain.errors import ConfigError
from sync.central.central import Central
from sync.central.problems import Refused
from sync.contract.messages import FEEDS
from sync.contract.rows import StoreRow

LINE_BYTES_MAX = 1024 * 1024
T = TypeVar("T")


class SeedLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a feed's file. ``put`` carries the whole row; ``del`` is for registers a tombstone, and what data it has is not looked at."""

    key: str
    data: dict[str, Any] | None = None
    op: str = "put"

    def __post_init__(self) -> None:
        if self.op not in ("put", "del"):
            raise ValueError(f"op: expected put or del, got {self.op[:40]!r}")
        if self.op == "put" and self.data is None:
            raise ValueError("data: expected the row to put, got none")

    @property
    def row(self) -> dict[str, Any] | None:
        """The row to put, or None when it is to be deleted."""
        return self.data if self.op == "put" else None


def seed_folder(central: Central, folder: Path) -> dict[str, int]:
    """Publish every file that is there, stores first; answers how many rows each changed. Raises ConfigError naming file and line."""
    counts: dict[str, int] = {}
    stores = folder / "stores.ndjson"
    if stores.exists():
        counts["stores"] = central.seed_stores(list(read_lines(stores, StoreRow)))
    for feed in FEEDS:
        path = folder / f"{feed}.ndjson"
        if path.exists():
            rows = {line.key: line.row for line in read_lines(path, SeedLine)}
            try:
                counts[feed] = central.seed(feed, rows.items())
            except Refused as problem:
                raise ConfigError(f"{path}: {problem.problem.detail}", hint="Correct the row; nothing of this file was published.", reason="seed") from problem
    if not counts:
        raise ConfigError(f"{folder} has no stores.ndjson and none of {', '.join(FEEDS)} as .ndjson.", hint="Give another --folder.", reason="seed")
    return counts


def read_lines(path: Path, kind: type[T]) -> Iterator[T]:
    """The lines of an NDJSON file as ``kind``. Raises ConfigError naming file and line."""
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LINE_BYTES_MAX), b""), start=1):
            if not line.strip():
                continue
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as problem:
                raise ConfigError(f"{path}, line {number}: {problem}.", hint="Correct the line.", reason="seed") from problem
