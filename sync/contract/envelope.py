"""Facts on the wire: CloudEvents 1.0.2 JSON, numbered and chained per (source, epoch, stream).

The bytes that are sent are the bytes that were stored and hashed; decoded JSON is never hashed. A batch is a JSON array of such
events (``application/cloudevents-batch+json``); its elements are cut out again byte for byte with ``split_batch``.

Attributes beside CloudEvents' own (extension names are ``[a-z0-9]``): ``stream``; ``epoch``, the register's incarnation that central gave at
enrolment; ``sequence``, 20 decimal digits, from 1 without gaps per (source, epoch, stream); ``prevhash``, the SHA-256 of the wire bytes
of the fact before it in that stream (64 zeros for the first). ``data.salt`` is 16 random bytes in base64url, so that the hash of a fact
tells nothing once its data is gone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from edge_agent.domain.errors import ContractBroken
from sync.contract.fields import UNREADABLE, Epoch, HexHash

BATCH_TYPE = "application/cloudevents-batch+json"
STREAMS = ("trade", "people", "ops")
"""Goods and money; customers; the rest. Each is gapless, so that one never waits behind another."""
FIRST_PREVHASH = "0" * 64
FACT_BYTES_MAX = 1024 * 1024
"""The largest fact, in wire bytes: it may fill a batch. A sale of 500 lines with serial numbers, each line discounted, is about 400 KB."""
BATCH_FACTS_MAX = 500
BATCH_BYTES_MAX = 1024 * 1024
"""The largest batch, in bytes before compression. Central caps the decompressed size at this plus the array's brackets and commas."""
SCHEMA_ROOT = "urn:edge:schema:"

SOURCE = "The register: /t/TENANT/s/STORE/r/REGISTER, as it was told when it was enrolled."
PREVHASH = "The SHA-256 of the wire bytes of the fact before it in its stream and epoch, in lower-case hexadecimal; 64 zeros for the first."

Sequence = Annotated[str, Meta(pattern=r"^[0-9]{20}$")]


class Envelope(Struct, frozen=True, kw_only=True):
    """One fact: a CloudEvents 1.0.2 event in JSON, numbered and chained per (source, epoch, stream).

    Its wire bytes, as the register stored and sends them, are what is hashed; JSON that was decoded and encoded again is other bytes. Members
    that a version does not know are let through.
    """

    specversion: Annotated[str, Meta(pattern=r"^1\.0$")]
    id: Annotated[str, Meta(min_length=1, max_length=64, description="The fact's own id (a UUIDv7); it stays when the fact is issued anew in another epoch.")]
    source: Annotated[str, Meta(pattern=r"^/t/[A-Za-z0-9._-]{1,32}/s/[A-Za-z0-9._-]{1,32}/r/[A-Za-z0-9._-]{1,32}$", description=SOURCE)]
    type: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.]{2,80}\.v[0-9]{1,3}$", description="What happened, with its version: the name of the data's schema.")]
    subject: Annotated[str, Meta(min_length=1, max_length=128, description="The business key; each type's schema says which.")]
    time: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="The register's clock, UTC; to show, not to order by.")]
    datacontenttype: Annotated[str, Meta(pattern=r"^application/json$")]
    dataschema: Annotated[str, Meta(max_length=200, description=f"{SCHEMA_ROOT} and the type.")]
    stream: Annotated[str, Meta(pattern=r"^[a-z]{2,20}$", description="trade (goods and money), people (customers) or ops (the rest).")]
    epoch: Epoch
    sequence: Annotated[Sequence, Meta(description="The fact's number: 20 decimal digits, from 1, without gaps per (source, epoch, stream).")]
    prevhash: Annotated[HexHash, Meta(description=PREVHASH)]
    data: Annotated[
        Raw, Meta(description="What the type's schema describes; data.salt is 16 random bytes, so that a hash tells nothing once its data is gone.")
    ]

    @property
    def number(self) -> int:
        """The sequence as a number."""
        return int(self.sequence)


def source_of(tenant: str, store: str, register: str) -> str:
    """The CloudEvents source of a register.

    >>> source_of("acme", "0001", "02")
    '/t/acme/s/0001/r/02'
    """
    return f"/t/{tenant}/s/{store}/r/{register}"


def fact_hash(wire: bytes) -> str:
    """The SHA-256 of a fact's wire bytes, in hexadecimal: what the next fact's ``prevhash`` says."""
    return hashlib.sha256(wire).hexdigest()


def time_text(at_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds.

    >>> time_text(1_795_388_400_123)
    '2026-11-22T23:00:00.123Z'
    """
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def salt_text(salt: bytes) -> str:
    """A salt of 16 bytes in unpadded base64url."""
    assert len(salt) == 16, len(salt)
    return base64.urlsafe_b64encode(salt).rstrip(b"=").decode()


def encode_fact(
    *, source: str, stream: str, epoch: str, number: int, prevhash: str, id: str, type: str, subject: str, at_ms: int, salt: bytes, data: Mapping[str, object]
) -> bytes:
    """The wire bytes of one fact. Called once per fact, inside the transaction that stores them."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": type,
            "subject": subject,
            "time": time_text(at_ms),
            "datacontenttype": "application/json",
            "dataschema": SCHEMA_ROOT + type,
            "stream": stream,
            "epoch": epoch,
            "sequence": f"{number:020d}",
            "prevhash": prevhash,
            "data": {"salt": salt_text(salt), **data},
        }
    )


_envelope = msgspec.json.Decoder(Envelope)
_batch = msgspec.json.Decoder(list[Raw])


def decode_fact(wire: bytes) -> Envelope:
    """The attributes of one fact. Raises ContractBroken (reason ``envelope``) saying which attribute is wrong."""
    if len(wire) > FACT_BYTES_MAX:
        raise ContractBroken(f"A fact of {len(wire)} bytes: at most {FACT_BYTES_MAX} are allowed.", hint="Report this to the vendor.", reason="envelope")
    try:
        return _envelope.decode(wire)
    except UNREADABLE as problem:
        raise ContractBroken(f"Not a fact's envelope: {problem}.", hint="Compare it with the contract's schema.", reason="envelope") from problem


def join_batch(facts: list[bytes]) -> bytes:
    """The JSON array of some facts, each byte for byte as stored."""
    return b"[" + b",".join(facts) + b"]"


def split_batch(body: bytes) -> list[bytes]:
    """The facts of a batch, byte for byte. Raises ContractBroken (reason ``batch``)."""
    try:
        facts = [bytes(raw) for raw in _batch.decode(body)]
    except UNREADABLE as problem:
        raise ContractBroken(f"Not a batch of facts: {problem}.", hint="Send a JSON array of CloudEvents.", reason="batch") from problem
    if len(facts) > BATCH_FACTS_MAX:
        raise ContractBroken(f"{len(facts)} facts in one batch: at most {BATCH_FACTS_MAX}.", hint="Send smaller batches.", reason="batch")
    return facts
