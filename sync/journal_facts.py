"""The numbered facts of the journal: appended, re-issued under a new identity, or one withheld and the chain after it linked anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from edge_agent.clock import NewId, Random
from edge_agent.ports import FactDraft
from sync.cipher import Connection
from sync.contract.envelope import FIRST_PREVHASH, STREAMS, encode_fact, fact_hash
from sync.contract.messages import PROBLEM_ENVELOPE, Problem

WITHHELD_TYPE = "retail.fact.withheld.v1"
CENTRAL = "central"
"""The cursor that acknowledgements of central move."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this register is on the wire: its CloudEvents source and the epoch that central gave it at enrolment."""

    source: str
    epoch: str


ALONE = Identity("/t/local/s/0/r/0", "0")
"""A register that was never enrolled. Its facts wait; enrolment issues them anew under the identity that central gives."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a stream of the current identity ends."""

    identity: int
    who: Identity
    stream: str
    head: int
    hash: str


def current_identity(db: Connection) -> tuple[int, Identity]:
    """The number and value of the identity that facts are issued under."""
    row = db.execute("SELECT id, source, epoch FROM identity ORDER BY id DESC LIMIT 1").fetchone()
    return row[0], Identity(row[1], row[2])


def chain_of(db: Connection, stream: str) -> Chain:
    """The end of one stream under the current identity."""
    identity, who = current_identity(db)
    row = db.execute("SELECT head, hash FROM stream WHERE identity = ? AND name = ?", (identity, stream)).fetchone()
    head, hash = row or (0, FIRST_PREVHASH)
    return Chain(identity, who, stream, head, hash)


def append_facts(db: Connection, drafts: Sequence[FactDraft], random: Random) -> None:
    """Number, salt, link, encode and store ``drafts`` at the ends of their streams."""
    for draft in drafts:
        assert draft.stream in STREAMS, draft.stream
        chain = chain_of(db, draft.stream)
        wire = encode_fact(
            source=chain.who.source, stream=draft.stream, epoch=chain.who.epoch, number=chain.head + 1, prevhash=chain.hash, id=draft.id,
            type=draft.type, subject=draft.subject, at_ms=draft.at_ms, salt=random.token_bytes(16), data=draft.data,
        )  # fmt: skip
        _put(db, chain, draft.id, draft.type, draft.at_ms, wire)


def adopt(db: Connection, who: Identity, at_ms: int) -> int:
    """Issue facts under ``who`` from now on; those that central did not acknowledge are issued anew under it, with their ids. How many those were."""
    old, before = current_identity(db)
    if who == before:
        return 0
    db.execute("INSERT INTO identity(source, epoch, since_ms) VALUES (?, ?, ?)", (who.source, who.epoch, at_ms))
    moved = 0
    for stream in STREAMS:
        waiting = "SELECT id, type, at_ms, wire FROM fact WHERE identity = ? AND stream = ? AND number >= ? ORDER BY number"
        for id, type, fact_ms, wire in db.execute(waiting, (old, stream, next_for(db, CENTRAL, old, stream))).fetchall():
            chain = chain_of(db, stream)
            _put(db, chain, id, type, fact_ms, _reissued(wire, chain))
            moved += 1
    return moved


def next_for(db: Connection, destination: str, identity: int, stream: str) -> int:
    """The first number that ``destination`` has not acknowledged."""
    row = db.execute("SELECT next FROM cursor WHERE destination = ? AND identity = ? AND stream = ?", (destination, identity, stream)).fetchone()
    return 1 if row is None else int(row[0])


def move_cursor(db: Connection, destination: str, stream: str, next: int) -> None:
    """``destination`` has everything below ``next``. It may also go back (central was restored from a backup), never past the head."""
    chain = chain_of(db, stream)
    assert 1 <= next <= chain.head + 1, (stream, next, chain.head)
    db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?)", (destination, chain.identity, stream, next))


def withhold(db: Connection, stream: str, number: int, reason: str, at_ms: int, new_id: NewId, random: Random) -> bool:
    """Use the number of a fact that central cannot take for one that says so, keep its bytes for repair, and link the facts after it anew.

    None of them was ever accepted. False, and nothing done, when the fact itself says that one was withheld.
    """
    end = chain_of(db, stream)
    assert next_for(db, CENTRAL, end.identity, stream) <= number <= end.head, (stream, number, end.head)
    select = "SELECT id, type, at_ms, wire, prev FROM fact WHERE identity = ? AND stream = ? AND number >= ? ORDER BY number"
    culprit, *after = db.execute(select, (end.identity, stream, number)).fetchall()
    if culprit[1] == WITHHELD_TYPE:
        return False
    db.execute("INSERT INTO withheld VALUES (?, ?, ?, ?, ?, ?, ?)", (end.identity, stream, number, culprit[0], culprit[3], reason, at_ms))
    problem = Problem(PROBLEM_ENVELOPE, "Withheld: central cannot take this fact", 422, reason, stream=stream)
    row = (end.identity, stream, number, msgspec.json.encode(problem).decode(), at_ms)
    db.execute("INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)", row)
    db.execute("DELETE FROM fact WHERE identity = ? AND stream = ? AND number >= ?", (end.identity, stream, number))
    chain = Chain(end.identity, end.who, stream, number - 1, culprit[4])
    draft = _withheld_draft(stream, culprit[0], culprit[1], culprit[3], reason, at_ms, new_id())
    wire = encode_fact(
        source=end.who.source, stream=stream, epoch=end.who.epoch, number=number, prevhash=chain.hash, id=draft.id, type=draft.type,
        subject=draft.subject, at_ms=at_ms, salt=random.token_bytes(16), data=draft.data,
    )  # fmt: skip
    chain = _put(db, chain, draft.id, draft.type, at_ms, wire)
    for id, type, fact_ms, old, _ in after:
        chain = _put(db, chain, id, type, fact_ms, _reissued(old, chain))
    return True


def _put(db: Connection, chain: Chain, id: str, type: str, at_ms: int, wire: bytes) -> Chain:
    """Store ``wire`` as the next fact of ``chain``; the chain with it."""
    number, hash = chain.head + 1, fact_hash(wire)
    db.execute("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (chain.identity, chain.stream, number, id, type, at_ms, wire, hash, chain.hash))
    db.execute("INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?)", (chain.identity, chain.stream, number, hash))
    return Chain(chain.identity, chain.who, chain.stream, number, hash)


def _reissued(wire: bytes, chain: Chain) -> bytes:
    """The same fact as the next one of ``chain``: its data byte for byte, its id, type, subject and time as they were."""
    attributes = msgspec.json.decode(wire, type=dict[str, msgspec.Raw])
    place = {"source": chain.who.source, "epoch": chain.who.epoch, "sequence": f"{chain.head + 1:020d}", "prevhash": chain.hash}
    return msgspec.json.encode({**attributes, **place})


_COMMON = ("retailStoreId", "workstationId", "businessDayDate", "shiftId", "operatorId")


def _withheld_draft(stream: str, id: str, type: str, wire: bytes, reason: str, at_ms: int, new_id: str) -> FactDraft:
    """A fact that says which one could not be told. Of the culprit's data only the common members are repeated, as text."""
    told = _members(wire)
    data = {**{name: str(told.get(name, ""))[:64] for name in _COMMON}, "atMs": at_ms, "factId": id[:128], "type": type[:128], "reason": reason[:400]}
    return FactDraft(stream, WITHHELD_TYPE, new_id, id[:128] or "unknown", at_ms, data)


def _members(wire: bytes) -> dict[str, Any]:
    try:
        data = msgspec.json.decode(wire).get("data", {})
    except msgspec.DecodeError:
        return {}
    return data if isinstance(data, dict) else {}


def facts_after(db: Connection, identity: int, stream: str, number: int, limit_facts: int, limit_bytes: int) -> list[tuple[int, bytes]]:
    """(number, wire bytes) of the facts after ``number``, in order: at most ``limit_facts``, at most ``limit_bytes`` in all but always one."""
    found: list[tuple[int, bytes]] = []
    room = limit_bytes
    select = "SELECT number, wire FROM fact WHERE identity = ? AND stream = ? AND number > ? ORDER BY number LIMIT ?"
    for each, wire in db.execute(select, (identity, stream, number, limit_facts)):
        room -= len(wire)
        if room < 0 and found:
            break
        found.append((each, wire))
    return found
