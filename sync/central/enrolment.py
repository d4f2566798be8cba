"""Making a device a register: a single-use code, proof that the device holds its key, and the next epoch."""

from __future__ import annotations

import base64
import binascii

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from edge_agent.clock import Random
from sync.central.problems import refused
from sync.central.registers import find_register, new_secret, secret_hash
from sync.central.storage import Db
from sync.central.writer import Transaction
from sync.contract.market import MarketRow
from sync.contract.messages import (
    EARLIER_EPOCHS_MAX,
    EPOCHS_AHEAD_MAX,
    PROBLEM_CODE_INVALID,
    PROBLEM_INVALID,
    Enrolled,
    EnrolRequest,
    StreamCursor,
    enrol_message,
)

CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is read as a digit."""
CODE_CHARACTERS = 10
"""50 bits: at a million guesses a second, a code that lives ten minutes is found with a chance of one in two million."""
REPLACES = "Make a new code only if this device is to be the register from now on: the one that is the register now will be retired."
READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class EnrolCode(Struct, frozen=True):
    """A code to type at the register, and until when (wall ms)."""

    code: str
    source: str
    expires_ms: int


def plain_code(typed: str) -> str:
    """What a person typed, as the code was made.

    >>> plain_code("7kq2m-9xwol ")
    '7KQ2M9XW01'
    """
    return typed.upper().translate(READ_AS)


def make_code(transaction: Transaction, random: Random, store: str, register: str, lives_ms: int) -> EnrolCode:
    """A new code for a configured register; codes made for it before end: one that was not used buys nothing, a used one cannot be repeated any more.

    Raises Refused (not found).
    """
    source = find_register(transaction.db, store, register)
    code = "".join(CODE_ALPHABET[byte % len(CODE_ALPHABET)] for byte in random.token_bytes(CODE_CHARACTERS))
    expires_ms = transaction.now_ms + lives_ms
    transaction.db.execute("DELETE FROM enrol_code WHERE source = ? AND used_ms IS NULL", (source,))
    transaction.db.execute("UPDATE enrol_code SET epoch = NULL WHERE source = ?", (source,))
    transaction.db.execute("INSERT INTO enrol_code (hash, source, expires_ms) VALUES (?, ?, ?)", (secret_hash(code), source, expires_ms))
    return EnrolCode(f"{code[:5]}-{code[5:]}", source, expires_ms)


def enrol(transaction: Transaction, random: Random, tenant: str, request: EnrolRequest) -> Enrolled:
    """The register that the device now is. Raises Refused (code-invalid, or invalid when the proof does not verify, which leaves the code usable).

    A code is used once, by one key: the same key may repeat the call while the code lives (its answer may have been lost) and is given a fresh token
    for the same epoch. It may not once the answer cannot have been lost, or is not the newest word about the register or the device any more: else a
    machine that was replaced would take the register from the one in its place.
    """
    _require_proof(request)
    code = secret_hash(plain_code(request.code))
    row = transaction.db.execute("SELECT source, expires_ms, used_key, epoch FROM enrol_code WHERE hash = ?", (code,)).fetchone()
    if row is None:
        raise refused(PROBLEM_CODE_INVALID, "No such code; it may have been replaced by a newer one.")
    source, expires_ms, used_key, epoch = row
    if transaction.now_ms >= expires_ms:
        raise refused(PROBLEM_CODE_INVALID, "The code has expired; make a new one.")
    if used_key is not None and used_key != request.public_key:
        raise refused(PROBLEM_CODE_INVALID, "The code was used by another device; make a new one.")
    if used_key is None:
        _use(transaction, code, source, request)
    else:
        _require_repeatable(transaction.db, source, epoch)
    return _issue_token(transaction, random, tenant, source)


def _use(transaction: Transaction, code: bytes, source: str, request: EnrolRequest) -> None:
    """The code buys the register's next epoch; what the device bought before, for this register or another one, is over."""
    db = transaction.db
    db.execute("UPDATE enrol_code SET epoch = NULL WHERE used_key = ?", (request.public_key,))
    _next_epoch(transaction, source, request)
    db.execute(
        "UPDATE enrol_code SET used_key = ?, used_ms = ?, epoch = (SELECT epoch FROM register WHERE source = ?) WHERE hash = ?",
        (request.public_key, transaction.now_ms, source, code),
    )


def _require_repeatable(db: Db, source: str, epoch: int | None) -> None:
    """Raise Refused (code-invalid) unless ``epoch``, which the code bought (None: a newer code was made or used), is still the register's newest, unused."""
    (current,) = db.execute("SELECT epoch FROM register WHERE source = ?", (source,)).fetchone()
    if epoch != current:
        raise refused(PROBLEM_CODE_INVALID, f"The code was used, and a newer one was made since. {REPLACES}")
    if db.execute("SELECT 1 FROM chain WHERE source = ? AND epoch = ?", (source, epoch)).fetchone() is not None:
        raise refused(PROBLEM_CODE_INVALID, f"The code was used, and the register that it made has sent facts since. {REPLACES}")


def _require_proof(request: EnrolRequest) -> None:
    try:
        key = Ed25519PublicKey.from_public_bytes(_unpadded(request.public_key))
        key.verify(_unpadded(request.proof), enrol_message(request.code, request.public_key))
    except (InvalidSignature, ValueError) as problem:
        raise refused(PROBLEM_INVALID, "The proof was not made by this key over this code.") from problem


def _unpadded(text: str) -> bytes:
    """Raises ValueError for anything but canonical base64url without padding."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from problem
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise ValueError("not canonical base64url")
    return raw


def _next_epoch(transaction: Transaction, source: str, request: EnrolRequest) -> None:
    """One above every epoch that was given before, also by a central that was not yet restored from a backup: the device knows. Raises Refused (invalid)."""
    known = int(request.epochs.get(source, "0"))
    (epoch,) = transaction.db.execute("SELECT epoch FROM register WHERE source = ?", (source,)).fetchone()
    if known > epoch + EPOCHS_AHEAD_MAX:
        raise refused(PROBLEM_INVALID, f"The device was this register in epoch {known}, it says, and here it is in epoch {epoch}: that is too far ahead.")
    transaction.db.execute(
        "UPDATE register SET epoch = max(epoch, ?) + 1, public_key = ?, device = ?, enrolled_ms = ?, frozen = '', frozen_ms = NULL WHERE source = ?",
        (known, request.public_key, request.device, transaction.now_ms, source),
    )


def _issue_token(transaction: Transaction, random: Random, tenant: str, source: str) -> Enrolled:
    token = new_secret(random)
    db = transaction.db
    store, name, country, market, register, epoch = db.execute(
        "SELECT store, s.name, s.country, s.market, r.register, r.epoch FROM register r JOIN store s USING (store) WHERE r.source = ?", (source,)
    ).fetchone()
    db.execute("UPDATE token SET retired_ms = ? WHERE source = ? AND retired_ms IS NULL", (transaction.now_ms, source))
    db.execute("INSERT INTO token (hash, source, epoch) VALUES (?, ?, ?)", (secret_hash(token), source, epoch))
    return Enrolled(
        tenant=tenant,
        store=store,
        store_name=name,
        register=register,
        epoch=str(epoch),
        token=token,
        country=country,
        issued_ms=transaction.now_ms,
        market=msgspec.json.decode(market, type=MarketRow),
        earlier=_earlier(db, source, epoch),
    )


def _earlier(db: Db, source: str, epoch: int) -> dict[str, dict[str, StreamCursor]]:
    """Where every stream of the epochs before this one stands."""
    made: dict[str, dict[str, StreamCursor]] = {}
    query = """SELECT epoch, stream, next, head_hash FROM chain WHERE source = ? AND epoch < ? AND epoch IN
               (SELECT DISTINCT epoch FROM chain WHERE source = ? AND epoch < ? ORDER BY epoch DESC LIMIT ?) ORDER BY epoch, stream"""
    for before, stream, following, head_hash in db.execute(query, (source, epoch, source, epoch, EARLIER_EPOCHS_MAX)):
        made.setdefault(str(before), {})[stream] = StreamCursor(next=following, head_hash=head_hash)
    return made
