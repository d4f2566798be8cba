"""A pushed body, as facts that were read and checked but not yet stored: decompressed within bounds, cut byte for byte."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass, field
from io import BytesIO

import msgspec
import zstandard
from msgspec import Struct

from edge_agent.domain.errors import ContractBroken
from sync.central.checks import read_data
from sync.central.problems import refused
from sync.central.registers import Who
from sync.contract.envelope import BATCH_BYTES_MAX, BATCH_FACTS_MAX, STREAMS, decode_fact, split_batch
from sync.contract.facts import FactData
from sync.contract.fields import NUMBER_MAX
from sync.contract.messages import (
    PROBLEM_ENCODING,
    PROBLEM_ENVELOPE,
    PROBLEM_EPOCH_RETIRED,
    PROBLEM_FORBIDDEN,
    PROBLEM_INVALID,
    PROBLEM_TOO_LARGE,
    Problem,
)

BODY_BYTES_MAX = BATCH_BYTES_MAX + BATCH_FACTS_MAX + 2
"""A batch, its brackets and commas; also the largest body before decompression (nothing sensible grows by being compressed)."""
ENCODINGS = ("zstd", "gzip", "identity")
ZSTD_WINDOW_BYTES_MAX = 8 * 1024 * 1024


class Arrival(Struct, frozen=True):
    """One fact of a batch. ``data`` is what it says, or why it will be quarantined."""

    number: int
    type: str
    id: str
    prevhash: str
    hash: bytes
    wire: bytes
    data: FactData | Problem


@dataclass(slots=True)
class Batch:
    """A register's facts by stream, in the order in which they were sent."""

    streams: dict[str, list[Arrival]] = field(default_factory=dict)


def decompress(body: bytes, encoding: str) -> bytes:
    """The batch's bytes. Raises Refused: encoding-unsupported, too-large, or invalid where the bytes are not of that encoding."""
    if encoding not in ENCODINGS:
        raise refused(PROBLEM_ENCODING, f"Content-Encoding {encoding[:40]!r}; understood are {', '.join(ENCODINGS)}.")
    try:
        match encoding:
            case "zstd":
                reader = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES_MAX).stream_reader(BytesIO(body), read_across_frames=True)
                plain = reader.read(BODY_BYTES_MAX + 1)
            case "gzip":
                plain = gzip.GzipFile(fileobj=BytesIO(body)).read(BODY_BYTES_MAX + 1)
            case _:
                plain = body
    except (zstandard.ZstdError, OSError, EOFError, zlib.error) as problem:
        raise refused(PROBLEM_INVALID, f"The body is not {encoding}.") from problem
    if len(plain) > BODY_BYTES_MAX:
        raise refused(PROBLEM_TOO_LARGE, f"More than {BODY_BYTES_MAX} bytes after decompression.")
    return plain


def read_batch(body: bytes, encoding: str, who: Who) -> Batch:
    """The facts of a pushed body.

    Raises Refused: what ``decompress`` raises; invalid (not an array); too-large; envelope-invalid with the culprit's index; forbidden (another
    register's facts); epoch-retired.
    """
    plain = decompress(body, encoding)
    try:
        wires = split_batch(plain)
    except ContractBroken as problem:
        raise _not_a_batch(plain, problem) from problem
    batch = Batch()
    for index, wire in enumerate(wires):
        _take(batch, index, wire, who)
    return batch


def _not_a_batch(plain: bytes, problem: ContractBroken) -> Exception:
    try:
        count = len(msgspec.json.decode(plain, type=list[msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return refused(PROBLEM_INVALID, problem.message)
    return refused(PROBLEM_TOO_LARGE, f"{count} facts in one batch: at most {BATCH_FACTS_MAX}.")


def _take(batch: Batch, index: int, wire: bytes, who: Who) -> None:
    try:
        envelope = decode_fact(wire)
    except ContractBroken as problem:
        raise refused(PROBLEM_ENVELOPE, problem.message[:400], index=index) from problem
    if envelope.stream not in STREAMS:
        raise refused(PROBLEM_ENVELOPE, f"Stream {envelope.stream!r} is none of {', '.join(STREAMS)}.", index=index)
    if envelope.source != who.source:
        raise refused(PROBLEM_FORBIDDEN, f"The token is {who.source}'s, the fact says {envelope.source}.", index=index)
    if envelope.epoch != str(who.current) or who.epoch != who.current:
        raise refused(PROBLEM_EPOCH_RETIRED, f"The register's epoch is {who.current}, the fact's {envelope.epoch}, the token's {who.epoch}.", index=index)
    if not 0 < envelope.number <= NUMBER_MAX:
        raise refused(PROBLEM_ENVELOPE, f"Numbers go from 1 to {NUMBER_MAX}.", index=index)
    arrival = Arrival(envelope.number, envelope.type, envelope.id, envelope.prevhash, hashlib.sha256(wire).digest(), wire, read_data(envelope, who.currency))
    batch.streams.setdefault(envelope.stream, []).append(arrival)
