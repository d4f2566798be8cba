"""Seals the personal part of events under a key per person, so that forgetting a person is destroying one key.

AES-256-GCM, a fresh 96-bit nonce before the ciphertext, bound to the person and the event's position, so that no sealed part can stand
in another's place. The chain is over the sealed bytes: it still verifies when the key is gone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge_agent.clock import Random
from edge_agent.domain.errors import JournalCorrupt
from sync.cipher import CORRUPT_HINT, Connection

NONCE_BYTES = 12
NOT_SEALED = 0
"""The number of the key of an event without a personal part."""
UNLINK = "UPDATE sale SET customer = '' WHERE customer = ? AND customer <> ''"
"""The second condition says nothing new, but without it the index on the customers of sales, which has nobody's left out, is not used."""
KEPT = """
    SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM person_key WHERE person = value)
    OR EXISTS (SELECT 1 FROM sale WHERE customer = value AND customer <> '')
"""


def seal(db: Connection, person: str, personal: bytes, position: int, at_ms: int, random: Random) -> tuple[int, bytes]:
    """The number of the person's key (made now if there is none) and ``personal`` sealed under it. Part of the caller's transaction."""
    row = db.execute("SELECT id, key FROM person_key WHERE person = ?", (person,)).fetchone()
    if row is None:
        key = random.token_bytes(32)
        insert = "INSERT INTO person_key(person, key, made_ms) VALUES (?, ?, ?) RETURNING id"
        row = (db.execute(insert, (person, key, at_ms)).fetchone()[0], key)
    nonce = random.token_bytes(NONCE_BYTES)
    return row[0], nonce + AESGCM(row[1]).encrypt(nonce, personal, _bound_to(person, position))


def unseal(db: Connection, seal_key: int, sealed: bytes, person: str, position: int) -> bytes:
    """The personal part, or nothing once the key was destroyed. Raises JournalCorrupt when key and bytes do not fit."""
    if seal_key == NOT_SEALED:
        return b""
    row = db.execute("SELECT key FROM person_key WHERE id = ?", (seal_key,)).fetchone()
    if row is None:
        return b""
    try:
        return AESGCM(row[0]).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(person, position))
    except InvalidTag as problem:
        raise JournalCorrupt(f"The personal part of event {position} does not open with its key.", hint=CORRUPT_HINT, position=position) from problem


def kept_of(db: Connection, persons: Collection[str]) -> list[str]:
    """Those of ``persons`` who have a key, or a sale that leads to them."""
    return [row[0] for row in db.execute(KEPT, (json.dumps(list(persons)),))]


def note_erasures(db: Connection, gone: Collection[str], back: Collection[str]) -> None:
    """``gone`` are to be forgotten, and ``back`` not any more."""
    db.executemany("INSERT OR IGNORE INTO erasure VALUES (?)", ((person,) for person in gone))
    db.executemany("DELETE FROM erasure WHERE person = ?", ((person,) for person in back))


def erasures(db: Connection, after: str, limit: int) -> list[str]:
    """Who is to be forgotten, in order, after that one."""
    return [row[0] for row in db.execute("SELECT person FROM erasure WHERE person > ? ORDER BY person LIMIT ?", (after, limit))]


def erasures_among(db: Connection, persons: Collection[str]) -> list[str]:
    """Those of ``persons`` who are to be forgotten."""
    return [row[0] for row in db.execute("SELECT value FROM json_each(?) WHERE value IN (SELECT person FROM erasure)", (json.dumps(list(persons)),))]


def destroy_keys(db: Connection, persons: Sequence[str]) -> bool:
    """Destroy these persons' keys and the links from their sales to them; false when there was neither of anybody."""
    rows = 0
    for person in persons:
        rows += db.execute(UNLINK, (person,)).rowcount
        rows += db.execute("DELETE FROM person_key WHERE person = ?", (person,)).rowcount
    return rows > 0


def _bound_to(person: str, position: int) -> bytes:
    return f"{position}\n{person}".encode()
