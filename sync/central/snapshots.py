"""A feed's whole content as one compressed file, for registers that start or were away too long.

The file holds the rows of one market and no end line; its manifest says how many there are, its hash, and the cursor to go on from. Only articles and prices
travel so: people are read page by page and lie in no file.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import zstandard
from msgspec import Struct

from sync.central.feed_pages import Cursor, edition_of, encode_row, mark_of
from sync.central.limits import Limits
from sync.central.problems import refused
from sync.central.storage import Db
from sync.contract.messages import PROBLEM_NOT_FOUND, SnapshotManifest

SNAPSHOT_FEEDS = ("catalogue", "prices")
SNAPSHOT_SCHEMA = 1
ZSTD_LEVEL = 6
SUFFIX = ".ndjson.zst"


class Snapshot(Struct, frozen=True):
    """A finished file and what is said of it."""

    path: Path
    manifest: SnapshotManifest


class Snapshots:
    """The files in ``folder``, built when they are asked for and out of date. Thread-safe; one is built at a time."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._newest: dict[tuple[str, str], Snapshot] = {}
        self._kept: dict[tuple[str, str], list[Path]] = {}
        self._lock = threading.Lock()
        self._swept = False
        folder.mkdir(mode=0o700, exist_ok=True)

    def current(self, db: Db, instance: str, feed: str, market: str, now_ms: int) -> SnapshotManifest:
        """The manifest of a snapshot that is new enough, built now if need be. Raises Refused (not found) for a feed that is read page by page only."""
        if feed not in SNAPSHOT_FEEDS:
            raise refused(PROBLEM_NOT_FOUND, f"{feed} has no snapshot; read the feed from its beginning.")
        with self._lock:
            self._sweep()
            newest = self._newest.get((feed, market))
            head = int(db.execute("SELECT head FROM feed WHERE name = ?", (feed,)).fetchone()[0])
            cursor = Cursor(edition_of(instance, market), head, head, mark_of(db, feed, head))
            if newest is None or not self._good_enough(newest, cursor, now_ms):
                newest = self._newest[feed, market] = self._build(db, feed, market, cursor, now_ms)
                self._drop_old((feed, market), newest.path)
            return newest.manifest

    def _good_enough(self, newest: Snapshot, cursor: Cursor, now_ms: int) -> bool:
        young = now_ms - newest.manifest.issued_ms < self._limits.snapshot_age_ms_max
        return newest.path.exists() and (young or newest.manifest.cursor == cursor.text)

    def _sweep(self) -> None:
        """Before the first file of this process, remove those of the ones before. Not earlier: a command that only looks into the folder
        must leave the files of the process that serves it alone."""
        if not self._swept:
            for left_over in self._folder.iterdir():
                left_over.unlink(missing_ok=True)
            self._swept = True

    def path(self, feed: str, market: str, name: str) -> Path:
        """The file of that name. Raises Refused (not found), also for one that was replaced."""
        with self._lock:
            found = next((path for path in self._kept.get((feed, market), []) if path.name == name), None)
        if found is None:
            raise refused(PROBLEM_NOT_FOUND, "No such snapshot; ask for the newest.")
        return found

    def _build(self, db: Db, feed: str, market: str, cursor: Cursor, now_ms: int) -> Snapshot:
        unfinished = self._folder / f"{feed}-{market}.unfinished"
        digest, rows = hashlib.sha256(), 0
        query = """SELECT op, key, rev, data, valid_from_ms, valid_to_ms, scope FROM feed_row
                   WHERE feed = ? AND op = 'put' AND (scope = '' OR scope = ?) ORDER BY key"""
        with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
            packer = zstandard.ZstdCompressor(ZSTD_LEVEL).compressobj()
            put = _both(file.write, digest.update)
            for row in db.execute(query, (feed, market)):
                rows += 1
                put(packer.compress(encode_row(row, market)))
            put(packer.flush())
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        sha256 = digest.hexdigest()
        path = self._folder / f"{feed}-{market}-{cursor.rev}-{sha256[:16]}{SUFFIX}"
        unfinished.replace(path)
        url = f"/edge/v1/snapshots/{feed}/{path.name}"
        manifest = SnapshotManifest(
            feed=feed, schema=SNAPSHOT_SCHEMA, cursor=cursor.text, sha256=sha256, size=size, rows=rows, issued_ms=now_ms, url=url
        )  # fmt: skip
        return Snapshot(path, manifest)

    def _drop_old(self, place: tuple[str, str], newest: Path) -> None:
        kept = [path for path in self._kept.get(place, []) if path != newest] + [newest]
        for old in kept[: -self._limits.snapshots_kept]:
            old.unlink(missing_ok=True)
        self._kept[place] = kept[-self._limits.snapshots_kept :]


def _both(write: Callable[[bytes], object], update: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def put(data: bytes) -> None:
        write(data)
        update(data)

    return put
