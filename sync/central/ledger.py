"""Taking facts in: one high-water mark per (source, epoch, stream), so that nothing is missing, doubled or out of order.

``next`` moves with what was stored, in the same transaction. A number that is here already with another hash proves that two machines write under
one identity (a cloned disk, a restored backup): the register is frozen until it is enrolled anew. So it is by a fact in which it says itself
that its disk ends before central does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec
from msgspec import Struct

from sync.central.books import enter
from sync.central.intake import Arrival, Batch
from sync.central.issued_anew import note_again, told_before
from sync.central.problems import Refused, refused
from sync.central.registers import Who, freeze
from sync.central.storage import Db
from sync.central.writer import Transaction
from sync.contract.envelope import FIRST_PREVHASH
from sync.contract.facts import RegisterBehind
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


class Chain(Struct, frozen=True):
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
    fresh = [fact.data for stream, facts in batch.streams.items() for fact in facts if fact.number >= chains[stream].next]
    behind = next((data for data in fresh if isinstance(data, RegisterBehind) and _is_behind(db, who, data)), None)
    if behind is not None:
        there = f"its disk has {behind.stream} up to {behind.ours}, central up to {behind.central}"
        _freeze(transaction, who, f"Two machines sell as this register, or it lost facts: {there}. Enrol the right machine again.")
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
    why = "Two machines wrote under one identity, or one on an old copy of its disk: "
    why += f"number {number} of {stream} came twice with different content. Enrol the right machine again."
    _freeze(transaction, who, why)
    return refused(PROBLEM_FORK, why, stream=stream)


def _is_behind(db: Db, who: Who, told: RegisterBehind) -> bool:
    """Whether what a register says of itself is true here: it was of this epoch, and central has the very fact that it named as the newest."""
    if told.epoch != str(who.epoch) or told.central <= told.ours:
        return False
    here = "SELECT hash FROM fact WHERE number = ? AND chain = (SELECT id FROM chain WHERE source = ? AND epoch = ? AND stream = ?)"
    row = db.execute(here, (told.central, who.source, who.epoch, told.stream)).fetchone()
    return row is not None and bytes(row[0]).hex() == told.head_hash


def _freeze(transaction: Transaction, who: Who, why: str) -> None:
    freeze(transaction, who.source, why)
    log.error("register %s is frozen: %s", who.source, why)


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
    again, problems = told_before(db, who.source, fresh)
    db.executemany(
        "INSERT INTO fact (chain, number, type, id, received_ms, hash, wire) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(chain.id, fact.number, fact.type, fact.id, now_ms, fact.hash, fact.wire) for fact in fresh],
    )
    following, head_hash = fresh[-1].number + 1, fresh[-1].hash.hex()
    db.execute("UPDATE chain SET next = ?, head_hash = ? WHERE id = ?", (following, head_hash, chain.id))
    note_again(db, chain.id, again)
    new = [fact for fact in fresh if fact.number not in again and fact.number not in problems]
    problems |= {fact.number: fact.data for fact in new if isinstance(fact.data, Problem)}
    problems |= enter(transaction, who, chain.id, new)
    _quarantine(transaction, who, chain.id, fresh, problems)
    found = [Quarantined(sequence=number, problem=problem) for number, problem in sorted(problems.items())]
    accepted = len(fresh) - len(again)
    return StreamAck(next=following, accepted=accepted, duplicates=len(facts) - accepted, quarantined=known + found)


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
