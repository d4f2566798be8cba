"""Taking facts in: one high-water mark per (source, epoch, stream), so that nothing is missing, doubled or out of order.

``next`` moves with what was stored, in the same transaction. A number that is here already with another hash proves that two machines write under
one identity (a cloned disk, a restored backup): the register is frozen until it is enrolled anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from sync.central.books import enter
from sync.central.intake import Arrival, Batch
from sync.central.problems import Refused, refused
from sync.central.registers import Who, freeze
from sync.central.storage import Db
from sync.central.writer import Transaction
from sync.contract.envelope import FIRST_PREVHASH
from sync.contract.messages import (
    PROBLEM_CHAIN,
    PROBLEM_EPOCH_RETIRED,
    PROBLEM_FORK,
    PROBLEM_FROZEN,
    PROBLEM_GAP,
    Problem,
    PushAck,
    Quarantined,
    RegisterAck,
    StreamAck,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chain:
    """Where one stream stands: its row's id, the number wanted next, and the hash of the last fact."""

    id: int
    next: int
    head_hash: str


def take_in(transaction: Transaction, who: Who, batch: Batch) -> PushAck | Refused:
    """Store what is new of ``batch`` and say where each stream stands, or refuse all of it.

    A fork is answered with a Refused *value*, because freezing the register has to be committed; every other refusal is raised and leaves nothing.
    """
    db = transaction.db
    epoch, frozen = db.execute("SELECT epoch, frozen FROM register WHERE source = ?", (who.source,)).fetchone()
    if epoch != who.epoch:
        raise refused(PROBLEM_EPOCH_RETIRED, f"The register's epoch is {epoch}, the token's {who.epoch}.")
    if frozen:
        raise refused(PROBLEM_FROZEN, frozen)
    chains = {stream: _chain(db, who, stream) for stream in batch.streams}
    for stream, facts in batch.streams.items():
        forked = _fork_in(db, chains[stream], facts)
        if forked is not None:
            return _freeze_forked(transaction, who, stream, forked)
        _require_next(chains[stream], stream, facts)
    acks = {stream: _store(transaction, who, chains[stream], facts) for stream, facts in batch.streams.items()}
    return PushAck(registers={who.source: RegisterAck(epoch=str(epoch), streams=acks)})


def _chain(db: Db, who: Who, stream: str) -> Chain:
    key = (who.source, who.epoch, stream)
    row = db.execute("SELECT id, next, head_hash FROM chain WHERE source = ? AND epoch = ? AND stream = ?", key).fetchone()
    if row is None:
        row = db.execute("INSERT INTO chain (source, epoch, stream, next, head_hash) VALUES (?, ?, ?, 1, ?) RETURNING id, next, head_hash",
                         (*key, FIRST_PREVHASH)).fetchone()  # fmt: skip
    return Chain(*row)


def _fork_in(db: Db, chain: Chain, facts: Sequence[Arrival]) -> int | None:
    """The first number that is here with another hash, if any."""
    if facts[0].number >= chain.next:
        return None
    stored = dict(db.execute("SELECT number, hash FROM fact WHERE chain = ? AND number BETWEEN ? AND ?", (chain.id, facts[0].number, facts[-1].number)))
    return next((fact.number for fact in facts if fact.number in stored and bytes(stored[fact.number]) != fact.hash), None)


def _freeze_forked(transaction: Transaction, who: Who, stream: str, number: int) -> Refused:
    why = f"Two machines wrote under one identity: number {number} of {stream} came twice with different content. Enrol the right machine again."
    freeze(transaction, who.source, why)
    log.error("register %s is frozen: %s", who.source, why)
    return refused(PROBLEM_FORK, why, stream=stream)


def _require_next(chain: Chain, stream: str, facts: Sequence[Arrival]) -> None:
    if facts[0].number > chain.next:
        raise refused(PROBLEM_GAP, f"Number {chain.next} of {stream} comes next, not {facts[0].number}.", stream=stream, expected=chain.next)
    for before, fact in pairwise(facts):
        if fact.number != before.number + 1:
            raise refused(PROBLEM_GAP, f"{before.number} is followed by {fact.number} in one batch.", stream=stream, expected=chain.next)
        if fact.number > chain.next and fact.prevhash != before.hash.hex():
            raise refused(PROBLEM_CHAIN, f"Number {fact.number} of {stream} does not name the hash of the fact before it.", stream=stream, expected=chain.next)
    follower = next((fact for fact in facts if fact.number == chain.next), None)
    if follower is not None and follower.prevhash != chain.head_hash:
        raise refused(PROBLEM_CHAIN, f"Number {follower.number} of {stream} does not name the hash of the fact before it.", stream=stream, expected=chain.next)


def _store(transaction: Transaction, who: Who, chain: Chain, facts: Sequence[Arrival]) -> StreamAck:
    known = _known_quarantine(transaction.db, chain, facts)
    fresh = [fact for fact in facts if fact.number >= chain.next]
    if not fresh:
        return StreamAck(next=chain.next, accepted=0, duplicates=len(facts), quarantined=known)
    db, now_ms = transaction.db, transaction.now_ms
    db.executemany(
        "INSERT INTO fact (chain, number, type, id, received_ms, hash, wire) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(chain.id, fact.number, fact.type, fact.id, now_ms, fact.hash, fact.wire) for fact in fresh],
    )
    following, head_hash = fresh[-1].number + 1, fresh[-1].hash.hex()
    db.execute("UPDATE chain SET next = ?, head_hash = ? WHERE id = ?", (following, head_hash, chain.id))
    problems = {fact.number: fact.data for fact in fresh if isinstance(fact.data, Problem)}
    problems |= enter(transaction, who, chain.id, fresh)
    _quarantine(transaction, who, chain.id, fresh, problems)
    found = [Quarantined(sequence=number, problem=problem) for number, problem in sorted(problems.items())]
    return StreamAck(next=following, accepted=len(fresh), duplicates=len(facts) - len(fresh), quarantined=known + found)


def _known_quarantine(db: Db, chain: Chain, facts: Sequence[Arrival]) -> list[Quarantined]:
    """What was quarantined of facts that are sent again: the register may never have had the answer that said so."""
    if facts[0].number >= chain.next:
        return []
    rows = db.execute(
        "SELECT number, problem FROM quarantine WHERE chain = ? AND number BETWEEN ? AND ? ORDER BY number", (chain.id, facts[0].number, facts[-1].number)
    )
    return [Quarantined(sequence=number, problem=msgspec.json.decode(problem, type=Problem)) for number, problem in rows]


def _quarantine(transaction: Transaction, who: Who, chain_id: int, facts: Iterable[Arrival], problems: dict[int, Problem]) -> None:
    if not problems:
        return
    rows = [
        (chain_id, fact.number, fact.type, msgspec.json.encode(problems[fact.number]).decode(), transaction.now_ms) for fact in facts if fact.number in problems
    ]
    transaction.db.executemany("INSERT INTO quarantine (chain, number, type, problem, at_ms) VALUES (?, ?, ?, ?, ?)", rows)
    log.warning("%s: %d facts in quarantine", who.source, len(rows))
