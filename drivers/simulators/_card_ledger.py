"""The simulated card terminal's own books: one JSON line per entry, synced before anything is said, read again after a restart.

They are the other opinion: tests and the demo's reconciliation compare them with the till's. Nothing here knows the till.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct
from msgspec.structs import replace

IN_FLIGHT, APPROVED, DECLINED, CANCELLED, ROLLED_BACK = "in_flight", "approved", "declined", "cancelled", "rolled_back"


class Entry(Struct, frozen=True):
    """What the books say about one reference. ``kind`` is payment or void; ``detail`` the reason of a decline or who cancelled.

    ``booked_minor`` is what moved (0 until approved); ``voided_by`` the reference of the void that gave it back, or empty.
    """

    ref: str
    kind: str
    asked_minor: int
    currency: str
    original: str = ""
    state: str = IN_FLIGHT
    booked_minor: int = 0
    detail: str = ""
    provider_ref: str = ""
    offline: bool = False
    voided_by: str = ""
    at_ms: int = 0

    @property
    def charged_minor(self) -> int:
        """What the customer's card is charged in the end for this reference: nothing for a void, or for a payment that was voided."""
        return self.booked_minor if self.kind == "payment" and self.state == APPROVED and not self.voided_by else 0


class Ledger:
    """The books in one file, which it holds open. ``add`` may be called from one thread, everything else from any."""

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._entries = {entry.ref: entry for entry in read_ledger(path)}
        self._file = _opened(path)

    def add(self, entry: Entry) -> Entry:
        """Write ``entry`` as the newest word on its reference and sync it; returns it with its time."""
        entry = replace(entry, at_ms=self._now_ms())
        line = {name: getattr(entry, name) for name in Entry.__struct_fields__ if name != "voided_by"}
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        with self._lock:
            _enter(self._entries, entry)
        return entry

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def get(self, ref: str) -> Entry | None:
        """The newest word on ``ref``."""
        with self._lock:
            return self._entries.get(ref)

    def entries(self) -> tuple[Entry, ...]:
        """All references, in the order they were taken up."""
        with self._lock:
            return tuple(self._entries.values())

    def charged_minor(self, currency: str) -> int:
        """What all cards are charged in ``currency``, voids taken off."""
        return sum(entry.charged_minor for entry in self.entries() if entry.currency == currency)


def read_ledger(path: Path) -> tuple[Entry, ...]:
    """The entries of a ledger file, running terminal or not; a last line that was not finished does not count."""
    entries: dict[str, Entry] = {}
    if path.exists():
        for line in path.read_bytes().split(b"\n")[:-1]:
            _enter(entries, Entry(**json.loads(line)))
    return tuple(entries.values())


def totals_of(entries: Iterable[Entry]) -> list[dict[str, object]]:
    """The sums of approved payments and voids by currency, as the protocol says them."""
    rows: list[dict[str, object]] = []
    approved = [entry for entry in entries if entry.state == APPROVED]
    for currency in sorted({entry.currency for entry in approved}):
        payments = [entry.booked_minor for entry in approved if entry.currency == currency and entry.kind == "payment"]
        voids = [entry.booked_minor for entry in approved if entry.currency == currency and entry.kind == "void"]
        rows.append({"currency": currency, "payments": len(payments), "paymentsMinor": sum(payments), "voids": len(voids), "voidsMinor": sum(voids)})
    return rows


def _enter(entries: dict[str, Entry], entry: Entry) -> None:
    known = entries.get(entry.ref)
    entries[entry.ref] = replace(entry, voided_by=known.voided_by) if known else entry
    if entry.kind == "void" and entry.state == APPROVED and entry.original in entries:
        entries[entry.original] = replace(entries[entry.original], voided_by=entry.ref)


def _opened(path: Path) -> BinaryIO:
    """The file at its end, without the half line that a power cut may have left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+b")
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)
    return file
