"""Seals the personal part of events under a key per person, so that forgetting a person is destroying one key.

AES-256-GCM, a fresh 96-bit nonce before the ciphertext, bound to the person and the event's position, so that no sealed part can stand
in another's place. The chain is over the sealed bytes: it still verifies when the key is gone.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge_agent.clock import Random
from edge_agent.domain.errors import JournalCorrupt
from sync.cipher import CORRUPT_HINT, Connection

NONCE_BYTES = 12
NOT_SEALED = 0
"""The number of the key of an event without a personal part."""


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


def destroy_key(db: Connection, person: str) -> bool:
    """Destroy the person's key and the link from their sales to them; false when there was no key."""
    db.execute("UPDATE sale SET customer = '' WHERE customer = ?", (person,))
    return db.execute("DELETE FROM person_key WHERE person = ?", (person,)).rowcount > 0


def _bound_to(person: str, position: int) -> bytes:
    return f"{position}\n{person}".encode()
