"""The numbered facts of the journal: appended, re-issued under a new identity, or one withheld and the chain after it linked anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from edge_agent.clock import NewId, Random
from edge_agent.ports import FactDraft
from sync.cipher import Connection
from sync.contract.envelope import FIRST_PREVHASH, STREAMS, encode_fact, fact_hash
from sync.contract.fields import UNREADABLE
from sync.contract.messages import PROBLEM_ENVELOPE, Problem, StreamCursor
from sync.identity import ALONE, Identity

WITHHELD_TYPE = "retail.fact.withheld.v1"
BEHIND_TYPE = "retail.register.behind.v1"
CENTRAL = "central"
"""The cursor that acknowledgements of central move."""


FACTS_AT_ONCE = 500
Earlier = Mapping[str, Mapping[str, StreamCursor]]
"""By epoch and stream, where central stands with the earlier epochs of the register that is enrolled; what is not there has no facts at central."""


class Behind(Struct, frozen=True):
    """Central has facts of ``stream`` up to ``central``, with ``head_hash``, this disk only up to ``ours``."""

    stream: str
    ours: int
    central: int
    head_hash: str


class _Told(Struct, frozen=True):
    id: str
    type: str
    subject: str = ""


class Chain(Struct, frozen=True):
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


def adopt(db: Connection, who: Identity, at_ms: int, earlier: Earlier | None = None) -> int:
    """Issue facts under ``who`` from now on; its own that central does not have are issued anew under it, in order, with their ids. How many those were.

    ``earlier`` says what central has of the register's earlier epochs: it may have lost what it acknowledged. Where it did not say (None), what it
    acknowledged counts. Facts of another register that this device was name that register: they stay under its identity and wait for it.
    """
    if who == current_identity(db)[1]:
        return 0
    db.execute("INSERT INTO identity(source, epoch, since_ms) VALUES (?, ?, ?)", (who.source, who.epoch, at_ms))
    moved, mixed = 0, _was_another(db)
    for stream in STREAMS:
        firsts = _lacking(db, who, stream, earlier)
        for identity, first in firsts:
            for id, type, fact_ms, wire in _facts_from(db, identity, stream, first):
                chain = chain_of(db, stream)
                if not (mixed and _another_s(db, id, who)) and not _kept(db, id, stream, [*firsts, (chain.identity, chain.head + 1)]):
                    _put(db, chain, id, type, fact_ms, _reissued(wire, chain))
                    moved += 1
    anew = "SELECT 1 FROM fact was JOIN fact anew ON anew.identity = (SELECT max(id) FROM identity) AND anew.id = was.id"
    was = "was.identity = quarantine.identity AND was.stream = quarantine.stream AND was.number = quarantine.number"
    db.execute(f"DELETE FROM quarantine WHERE EXISTS ({anew} WHERE {was}) AND {_SENT}")  # noqa: S608 - constants
    return moved


def waiting_by_source(db: Connection) -> dict[str, int]:
    """By source, how many facts of each register that this device is or was central has not acknowledged; of none the register is not named.

    It is asked at every start: what is acknowledged is not looked at.
    """
    newest = db.execute("SELECT max(id), source FROM identity WHERE source <> ? GROUP BY source", (ALONE.source,)).fetchall()
    owned = f"AND ({_OWNER.format(fact='fact.id')}) = ?" if len(newest) > 1 else ""
    select = f"SELECT count(*) FROM fact WHERE identity = ? AND stream = ? AND number >= ? {owned}"  # noqa: S608 - a constant
    waiting, who = dict[str, int](), current_identity(db)[1]
    for identity, source in newest:
        more = (ALONE.source, source) if owned else ()
        withheld = db.execute("SELECT count(*) FROM withheld WHERE identity IN (SELECT id FROM identity WHERE source = ?)", (source,)).fetchone()[0]
        counts = [withheld] if source != who.source else []  # of the one that it is now they are told by themselves
        counts += [db.execute(select, (identity, stream, next_for(db, CENTRAL, identity, stream), *more)).fetchone()[0] for stream in STREAMS]
        waiting |= {source: sum(counts)} if any(counts) else {}
    return waiting


_OWNER = """SELECT first.source FROM identity first CROSS JOIN fact owned ON owned.identity = first.id AND owned.id = {fact}
            WHERE first.source <> ? ORDER BY first.id LIMIT 1"""
"""The register under which a fact was issued first. CROSS JOIN: by the few identities and the index, never through all facts."""


def _was_another(db: Connection) -> bool:
    return bool(db.execute("SELECT count(DISTINCT source) > 1 FROM identity WHERE source <> ?", (ALONE.source,)).fetchone()[0])


def _another_s(db: Connection, id: str, who: Identity) -> bool:
    """Whether the fact with that id is another register's: versions before this one issued those anew as well."""
    row = db.execute(_OWNER.format(fact="?"), (id, ALONE.source)).fetchone()
    return row is not None and row[0] != who.source


def _lacking(db: Connection, who: Identity, stream: str, earlier: Earlier | None) -> list[tuple[int, int]]:
    """By identity, in order, the first number of the stream that central is not known to have: of ``who``'s own earlier epochs as it told, or else as it
    acknowledged, and of the journal before it was enrolled."""
    own = "SELECT id, epoch FROM identity WHERE id < (SELECT max(id) FROM identity) AND source IN (?, ?) ORDER BY id"
    return [
        (identity, next_for(db, CENTRAL, identity, stream) if earlier is None else _first_told(db, identity, stream, earlier.get(epoch, {}).get(stream)))
        for identity, epoch in db.execute(own, (who.source, ALONE.source)).fetchall()
    ]


def _first_told(db: Connection, identity: int, stream: str, told: StreamCursor | None) -> int:
    """The first number that central, as it told, has not. Where the fact before is none of this disk's, another machine wrote in its place, and which of
    this disk's facts are there nobody knows: all of them are told again, and central counts each once."""
    if told is None:
        return 1
    here = "SELECT 1 FROM fact WHERE identity = ? AND stream = ? AND number = ? AND hash = ?"
    return told.next if db.execute(here, (identity, stream, told.next - 1, told.head_hash)).fetchone() else 1


def _facts_from(db: Connection, identity: int, stream: str, first: int) -> Iterator[tuple[str, str, int, bytes]]:
    """Id, type, time and wire bytes of the facts from ``first`` on, a few hundred at a time: it may be all that was ever sold."""
    select = "SELECT number, id, type, at_ms, wire FROM fact WHERE identity = ? AND stream = ? AND number >= ? ORDER BY number LIMIT ?"
    while rows := db.execute(select, (identity, stream, first, FACTS_AT_ONCE)).fetchall():
        for _, *fact in rows:
            yield tuple(fact)
        first = rows[-1][0] + 1


def _kept(db: Connection, id: str, stream: str, firsts: Sequence[tuple[int, int]]) -> bool:
    """Whether the fact with that id stands below one of these numbers of its stream, by identity, or is withheld: that waits for ``resend``."""
    select = "SELECT 1 FROM fact WHERE identity = ? AND id = ? AND stream = ? AND number < ?"
    if db.execute("SELECT 1 FROM withheld WHERE fact = ?", (id,)).fetchone():
        return True
    return any(db.execute(select, (identity, id, stream, first)).fetchone() for identity, first in firsts)


def next_for(db: Connection, destination: str, identity: int, stream: str) -> int:
    """The first number that ``destination`` has not acknowledged."""
    row = db.execute("SELECT next FROM cursor WHERE destination = ? AND identity = ? AND stream = ?", (destination, identity, stream)).fetchone()
    return 1 if row is None else int(row[0])


_SENT = "(identity, stream, number) NOT IN (SELECT identity, stream, number FROM withheld)"


def move_cursor(db: Connection, destination: str, stream: str, next: int) -> None:
    """``destination`` has everything below ``next``. It may also go back (central was restored from a backup), never past the head.

    What central had put aside of that it is sent again, and judges again; what is withheld stays so.
    """
    chain = chain_of(db, stream)
    assert 1 <= next <= chain.head + 1, (stream, next, chain.head)
    if destination == CENTRAL:
        db.execute(f"DELETE FROM quarantine WHERE identity = ? AND stream = ? AND number >= ? AND {_SENT}", (chain.identity, stream, next))  # noqa: S608
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


def unsent_naming(db: Connection, identity: int, stream: str, type: str, naming: str) -> list[str]:
    """The subjects of the facts of ``type`` that are not in central's books and whose bytes have ``naming`` in them: those that wait, those that are
    withheld, and those that central put aside."""
    named = naming.encode()
    waiting = "SELECT wire FROM fact WHERE identity = ? AND stream = ? AND number >= ? AND type = ? AND instr(wire, ?)"
    rows = db.execute(waiting, (identity, stream, next_for(db, CENTRAL, identity, stream), type, named)).fetchall()
    rows += db.execute("SELECT wire FROM withheld WHERE stream = ? AND instr(wire, ?)", (stream, named)).fetchall()
    aside = "SELECT wire FROM quarantine JOIN fact USING (identity, stream, number) WHERE stream = ? AND type = ? AND instr(wire, ?)"
    rows += db.execute(aside, (stream, type, named)).fetchall()
    subjects = list[str]()
    for (wire,) in rows:
        with suppress(*UNREADABLE):  # what is withheld may be anything
            if (told := msgspec.json.decode(wire, type=_Told)).type == type:
                subjects.append(told.subject)
    return subjects


def resend(db: Connection) -> tuple[int, int]:
    """Issue withheld facts anew at the ends of their streams, in the order that they had in them, with their own ids and data; how many, and of how many
    the bytes are none that could be issued, which stay withheld. Their old numbers stay the facts' that say so. One that stands in the current identity
    already, because it was issued anew and withheld once more, or taken, is issued once. Those of another register that this device was wait for it."""
    again = left = 0
    own = "SELECT id FROM identity WHERE source IN (?, ?)"
    select = f"SELECT identity, stream, number, wire, at_ms FROM withheld WHERE identity IN ({own}) ORDER BY identity, stream, number"  # noqa: S608 - constants
    rows = db.execute(select, (current_identity(db)[1].source, ALONE.source)).fetchall()
    for identity, stream, number, wire, at_ms in rows:
        chain = chain_of(db, stream)
        try:
            told = msgspec.json.decode(wire, type=_Told)
            reissued = _reissued(wire, chain)
        except UNREADABLE:
            left += 1
            continue
        if not db.execute("SELECT 1 FROM fact WHERE identity = ? AND id = ?", (chain.identity, told.id)).fetchone():
            _put(db, chain, told.id, told.type, at_ms, reissued)
            again += 1
        db.execute("DELETE FROM withheld WHERE identity = ? AND stream = ? AND number = ?", (identity, stream, number))
        db.execute("DELETE FROM quarantine WHERE identity = ? AND stream = ? AND number = ?", (identity, stream, number))
    return again, left


def say_behind(db: Connection, behind: Behind, at_ms: int, new_id: NewId, random: Random) -> int:
    """The number of the fact of ``ops`` that tells central so: the one that waits already, or a new one. It is nobody's act, so it names no shift."""
    identity, who = current_identity(db)
    said = {"epoch": who.epoch, "stream": behind.stream, "ours": behind.ours, "central": behind.central, "headHash": behind.head_hash}
    waiting = "SELECT number, wire FROM fact WHERE identity = ? AND stream = 'ops' AND type = ? AND number >= ? ORDER BY number"
    for number, wire in db.execute(waiting, (identity, BEHIND_TYPE, next_for(db, CENTRAL, identity, "ops"))).fetchall():
        if said.items() <= _members(wire).items():
            return int(number)
    _, _, _, _, store, _, register = who.source.split("/")
    common = {"retailStoreId": store, "workstationId": register, "businessDayDate": "", "shiftId": "", "operatorId": "", "atMs": at_ms}
    append_facts(db, [FactDraft("ops", BEHIND_TYPE, new_id(), behind.stream, at_ms, {**common, **said})], random)
    return chain_of(db, "ops").head


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
