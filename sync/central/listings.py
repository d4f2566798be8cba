"""What operators and engineers read: registers, stored facts, quarantine, refunds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from sync.central.storage import Db
from sync.contract.messages import Problem, StreamCursor


class RegisterState(Struct, frozen=True, rename="camel"):
    """One configured register; ``epoch`` 0 was never enrolled. ``frozen`` says why nothing is taken from it, or is empty."""

    source: str
    store: str
    register: str
    epoch: int
    device: str
    enrolled_ms: int | None
    frozen: str
    frozen_ms: int | None
    streams: dict[str, StreamCursor]
    received_ms: int | None


class StoredFact(Struct, frozen=True, rename="camel"):
    """A fact as it was sent, with its place in central's own order and its problem, if it is in quarantine."""

    position: int
    received_ms: int
    problem: Problem | None
    event: msgspec.Raw


class QuarantinedFact(Struct, frozen=True, rename="camel"):
    """A fact that central keeps and does not believe."""

    source: str
    epoch: int
    stream: str
    sequence: int
    type: str
    at_ms: int
    problem: Problem


class RefundTask(Struct, frozen=True, rename="camel"):
    """A line that was sold in store and was no longer in the cart: ordered_online, removed_online or sold_in_store before. Somebody refunds or explains it."""

    id: int
    cart: str
    line: str
    sale: str
    source: str
    cause: str
    at_ms: int


def registers(db: Db) -> list[RegisterState]:
    """Every configured register, in its newest epoch."""
    rows = db.execute(
        "SELECT source, store, register, epoch, device, enrolled_ms, frozen, frozen_ms FROM register ORDER BY store, register"
    ).fetchall()  # fmt: skip
    states: list[RegisterState] = []
    for source, store, register, epoch, device, enrolled_ms, frozen, frozen_ms in rows:
        streams, received_ms = _streams(db, source, epoch)
        states.append(RegisterState(source, store, register, epoch, device, enrolled_ms, frozen, frozen_ms, streams, received_ms))
    return states


def _streams(db: Db, source: str, epoch: int) -> tuple[dict[str, StreamCursor], int | None]:
    chains = db.execute("SELECT id, stream, next, head_hash FROM chain WHERE source = ? AND epoch = ? ORDER BY stream", (source, epoch)).fetchall()
    newest = "SELECT received_ms FROM fact WHERE chain = ? ORDER BY number DESC LIMIT 1"
    received = [row[0] for chain, *_ in chains for row in db.execute(newest, (chain,))]
    return {stream: StreamCursor(next=following, head_hash=head) for _, stream, following, head in chains}, max(received, default=None)


def facts(db: Db, after: int, *, source: str = "", type: str = "", stream: str = "") -> Iterator[StoredFact]:
    """Stored facts above a position, in the order they were stored; empty filters let everything through."""
    rows = db.execute(
        """SELECT f.position, f.received_ms, q.problem, f.wire FROM fact f JOIN chain c ON c.id = f.chain
           LEFT JOIN quarantine q ON q.chain = f.chain AND q.number = f.number
           WHERE f.position > ?1 AND (?2 = '' OR c.source = ?2) AND (?3 = '' OR f.type = ?3) AND (?4 = '' OR c.stream = ?4) ORDER BY f.position""",
        (after, source, type, stream),
    )
    for position, received_ms, problem, wire in rows:
        yield StoredFact(position, received_ms, None if problem is None else msgspec.json.decode(problem, type=Problem), msgspec.Raw(wire))


def quarantine(db: Db, limit: int) -> list[QuarantinedFact]:
    """Facts in quarantine, newest first."""
    rows = db.execute(
        """SELECT c.source, c.epoch, c.stream, q.number, q.type, q.at_ms, q.problem FROM quarantine q JOIN chain c ON c.id = q.chain
           ORDER BY q.at_ms DESC, q.chain, q.number DESC LIMIT ?""",
        (limit,),
    ).fetchall()
    return [
        QuarantinedFact(source, epoch, stream, number, kind, at_ms, msgspec.json.decode(problem, type=Problem))
        for source, epoch, stream, number, kind, at_ms, problem in rows
    ]


def refund_tasks(db: Db, limit: int) -> list[RefundTask]:
    """Refund tasks, newest first."""
    rows: list[Any] = db.execute("SELECT id, cart, line, sale, source, cause, at_ms FROM refund_task ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
    return [RefundTask(*row) for row in rows]
