"""A catalogue of a million articles, copied from a snapshot's bytes with its search index, while the counter goes on looking articles up.

``python -m tests.bench.bench_import [rows]``. Beside it: the same lines decoded and put into one bare table in one transaction.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
import zstandard
from biip.checksums import gs1_standard_check_digit

from edge_agent.clock import SystemClock
from sync.cipher import open_file
from sync.contract.rows import ArticleRow
from sync.feed_store import FeedLine, FeedState, parse_lines
from sync.pull import READ_BYTES, _decompressed
from sync.replica_catalogue import CatalogueReplica
from tests.bench.measure import Figure, median, percentile, skip, tell, timed

NAMES = ("Wool coat", "Socks, merino", "Jeans, slim", "Linen shirt", "Cap, cotton", "Silk scarf", "Boots, leather", "Rain jacket", "Käsemesser", "Döschen")
COLOURS = ("navy", "black", "white", "red", "olive", "stone", "grün", "charcoal")
ASKED = 4_000


def gtin_of(number: int) -> str:
    """A GTIN with the right check digit."""
    digits = f"040{number:010d}"
    return f"{digits}{gs1_standard_check_digit(digits)}"


def article(number: int) -> ArticleRow:
    """One of a large shop's articles."""
    name = f"{NAMES[number % len(NAMES)]} {COLOURS[number // 7 % len(COLOURS)]} {number % 4999}"
    return ArticleRow(
        sku=f"SKU-{number:07d}", name=name, variant=f"{30 + number % 24}", gtins=[gtin_of(number)], item="", department="Fashion", tax_class="standard",
                      sold_by="piece")  # fmt: skip


def written(path: Path, rows: int) -> None:
    """A snapshot as central sends it."""
    with path.open("wb") as file, zstandard.ZstdCompressor(3).stream_writer(file) as packed:
        for number in range(rows):
            row = article(number)
            packed.write(msgspec.json.encode({"op": "put", "key": row.sku, "rev": number + 1, "data": row}) + b"\n")


def lines_of(path: Path) -> Iterator[FeedLine]:
    return parse_lines(_decompressed(path))


def bare(path: Path, snapshot: Path) -> float:
    """Seconds for the same lines in one table."""
    db = open_file(path, None)
    for setting in ("journal_mode = OFF", "synchronous = OFF"):
        db.execute(f"PRAGMA {setting}").fetchone()
    db.execute("CREATE TABLE article(sku TEXT PRIMARY KEY, name TEXT, variant TEXT, gtin TEXT) WITHOUT ROWID")
    start = time.perf_counter()
    db.execute("BEGIN")
    rows = (msgspec.json.decode(bytes(line.data), type=ArticleRow) for line in lines_of(snapshot))
    db.executemany("INSERT INTO article VALUES (?, ?, ?, ?)", ((row.sku, row.name, row.variant, row.gtins[0]) for row in rows))
    db.execute("COMMIT")
    seconds = time.perf_counter() - start
    db.close()
    return seconds


def main(rows: int) -> None:
    assert READ_BYTES
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        snapshot = Path(folder) / "catalogue.ndjson.zst"
        written(snapshot, rows)
        theirs = bare(Path(folder) / "bare.db", snapshot)
        replica = CatalogueReplica(Path(folder), SystemClock())
        replica.replace("catalogue", lines_of(snapshot), lambda: FeedState("1", "", 1), lambda _: None)
        random = Random(1)
        idle = [timed(lambda: replica.by_gtin(gtin_of(random.randrange(rows)))) for _ in range(ASKED)]
        took: list[float] = []

        def again() -> None:
            start = time.perf_counter()
            replica.replace("catalogue", lines_of(snapshot), lambda: FeedState("2", "", 2), lambda _: None)
            took.append(time.perf_counter() - start)

        importing = threading.Thread(target=again)
        importing.start()
        busy: list[float] = []
        while importing.is_alive():
            busy.append(timed(lambda: replica.by_gtin(gtin_of(random.randrange(rows)))))
            time.sleep(0.002)
        importing.join()
        found = [timed(lambda: replica.find("wool coat nav", 20)) for _ in range(50)]
        replica.close()
    tell(Figure(f"{rows:,} articles imported with search", took[0], "one bare table", theirs, "s", "6 s"))
    if busy:
        tell(Figure("an article looked up while they come in, p99", percentile(busy, 0.99), "idle", percentile(idle, 0.99), "us", "1000 us"))
    else:
        skip("an article looked up while they come in", "the import was over too soon")
    tell(Figure("an article found by typing three words", median(found), "looked up by GTIN", median(idle), "us", "-"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
