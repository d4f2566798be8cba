"""Journals, commits and facts for tests."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.domain.tender import Attempt, AttemptKind, AttemptState
from edge_agent.ports import Commit, EventRow, FactDraft, SaleRow
from sync.cipher import Connection, open_file
from sync.journal import Journal

KEY = bytes(range(32))
BALLAST_BYTES = 256 * 1024
PAGE_BYTES = 4096
new_id = ClockIds(SystemClock(), SystemRandom())


def open_journal(folder: Path, ballast_bytes: int = BALLAST_BYTES) -> Journal:
    return Journal.open(folder, KEY, clock=SystemClock(), random=SystemRandom(), new_id=new_id, ballast_bytes=ballast_bytes)


def a_commit(command: str = "", *, events: int = 1, facts: int = 0, stream: str = "trade", **more: object) -> Commit:
    """A commit of some events and facts, under a command id of its own."""
    command = command or new_id()
    rows = tuple(EventRow("LineAdded", b'{"line":%d,"of":"%s"}' % (number, command.encode())) for number in range(events))
    return Commit(command, rows, tuple(a_fact(stream) for _ in range(facts)), **more)  # type: ignore[arg-type] # the caller's keywords are Commit's own


def a_fact(stream: str = "trade", type: str = "retail.sale.completed.v1", **data: object) -> FactDraft:
    id = new_id()
    common = {"retailStoreId": "0001", "workstationId": "02", "businessDayDate": "2026-11-22", "shiftId": "s1", "operatorId": "o1", "atMs": 1_795_388_400_000}
    return FactDraft(stream, type, id, id, 1_795_388_400_000, {**common, "totalMinor": 1999, **data})


def a_sale(number: int, total_minor: int = 1999, customer: str = "", currency: str = "EUR") -> SaleRow:
    return SaleRow(new_id(), number, f"R-0001-02-{number:06d}", 1_795_388_400_000 + number, total_minor, currency, customer, b"{}")


def completed(sale: SaleRow) -> EventRow:
    """The event that completed it, as much of it as the journal's own check reads."""
    said = {"id": sale.id, "number": sale.number, "receipt": sale.receipt, "completed_ms": sale.at_ms, "currency": sale.currency}
    return EventRow("SaleCompleted", json.dumps({"sale": {**said, "totals": {"total_minor": sale.total_minor}}}).encode())


def an_attempt(tender: str, wire_ref: str, state: AttemptState = AttemptState.INTENT, terminal: str = "t1", id: str = "") -> Attempt:
    return Attempt(id or new_id(), tender, AttemptKind.SALE, terminal, state, 1000, "EUR", wire_ref, 1, 1)


WRITER_DONE_SECONDS = 0.02
"""A journal that is open goes on writing for a moment after its answer (the mark, room in the log); one connection alone may do that at a time."""


@contextmanager
def raw(folder: Path) -> Iterator[Connection]:
    """The journal's file itself, for looking and for doing harm."""
    time.sleep(WRITER_DONE_SECONDS)
    db = open_file(folder / "journal.db", KEY)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of its own with that much room. Where none may be mounted the test is skipped; with EDGE_REQUIRE_PEERS=1 it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        _without_mount("mounting needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode != 0:
        _without_mount(mounted.stderr.decode().strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _without_mount(why: str) -> NoReturn:
    import pytest  # not above: the process that is killed many times starts without it

    reason = f"no file system of its own for the test: {why}"
    if os.environ.get("EDGE_REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def plain_pages(path: Path) -> Iterator[bytes]:
    """Every page of a journal's file and of its log, as it is under the encryption (SQLCipher 4: AES-256-CBC, of each page the last 80 bytes are its own)."""
    log = path.with_name(f"{path.name}-wal")
    frames = log.read_bytes() if log.exists() else b""
    whole = path.read_bytes()
    pages = [whole[at : at + PAGE_BYTES] for at in range(0, len(whole), PAGE_BYTES)]
    pages += [frames[at + 24 : at + 24 + PAGE_BYTES] for at in range(32, len(frames) - PAGE_BYTES, 24 + PAGE_BYTES)]
    for number, page in enumerate(pages):
        hidden, vector = page[16 if number == 0 else 0 : -80], page[-80:-64]  # the file begins with its salt
        decryptor = Cipher(algorithms.AES256(KEY), modes.CBC(vector)).decryptor()
        yield decryptor.update(hidden) + decryptor.finalize()
