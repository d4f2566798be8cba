"""What a register and central say to each other beside facts: acknowledgements, feeds, enrolment, customers, carts.

All JSON in camelCase. Problems are RFC 9457 (``application/problem+json``) with ``type`` one of the ``PROBLEM_*`` below.

What the contract does not have yet: facts are chained (each carries the hash of the one before) but not signed; the tokens of registers
are bearer tokens, which stand in for sender-constrained (DPoP-bound) ones; HTTP is described by OpenAPI, the facts by JSON Schemas, and
there is no AsyncAPI description.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from sync.contract.fields import Count, Country, Number, StoreNumber, Text, TimeMs
from sync.contract.market import MarketRow

PROBLEM_ROOT = "urn:edge:problem:"
PROBLEM_GAP = PROBLEM_ROOT + "sequence-gap"  # 409; expected
PROBLEM_FORK = PROBLEM_ROOT + "sequence-fork"  # 409; the register is frozen
PROBLEM_EPOCH_RETIRED = PROBLEM_ROOT + "epoch-retired"  # 409
PROBLEM_CHAIN = PROBLEM_ROOT + "chain-broken"  # 409; prevhash is not the hash of the fact before
PROBLEM_FROZEN = PROBLEM_ROOT + "register-frozen"  # 409
PROBLEM_ENVELOPE = PROBLEM_ROOT + "envelope-invalid"  # 422; index of the culprit
PROBLEM_TOO_LARGE = PROBLEM_ROOT + "too-large"  # 413
PROBLEM_ENCODING = PROBLEM_ROOT + "encoding-unsupported"  # 415
PROBLEM_UNAUTHORISED = PROBLEM_ROOT + "unauthorised"  # 401
PROBLEM_FORBIDDEN = PROBLEM_ROOT + "forbidden"  # 403
PROBLEM_CURSOR_EXPIRED = PROBLEM_ROOT + "cursor-expired"  # 410; take a snapshot
PROBLEM_CODE_INVALID = PROBLEM_ROOT + "enrolment-code-invalid"  # 403
PROBLEM_HELD = PROBLEM_ROOT + "cart-held"  # 409; heldBy, until
PROBLEM_CHANGED = PROBLEM_ROOT + "cart-changed"  # 409; version
PROBLEM_LEASE_GONE = PROBLEM_ROOT + "lease-gone"  # 409
PROBLEM_NOT_FOUND = PROBLEM_ROOT + "not-found"  # 404
PROBLEM_INVALID = PROBLEM_ROOT + "invalid"  # 400
PROBLEM_BUSY = PROBLEM_ROOT + "busy"  # 503, with Retry-After

FEEDS = ("catalogue", "prices", "customers", "carts", "staff")
CURSOR_START = ""
"""The cursor before the first change."""


class Problem(Struct, frozen=True, rename="camel", omit_defaults=True):
    """RFC 9457 problem details with the members that this contract adds."""

    type: str
    title: str
    status: int
    detail: str = ""
    expected: int | None = None
    stream: str | None = None
    index: int | None = None
    version: int | None = None
    held_by: str | None = None
    until_ms: int | None = None


class Quarantined(Struct, frozen=True, rename="camel"):
    """A fact that central stored but found wrong in business terms."""

    sequence: Number
    problem: Problem


class StreamAck(Struct, frozen=True, rename="camel"):
    """``next`` is the only acknowledgement: every fact below it is synced to central's disk."""

    next: Number
    accepted: Count
    duplicates: Count
    quarantined: list[Quarantined] = []


class RegisterAck(Struct, frozen=True, rename="camel"):
    """One register's streams, by name."""

    epoch: str
    streams: dict[str, StreamAck]


class PushAck(Struct, frozen=True, rename="camel"):
    """The answer to a batch: registers by source."""

    registers: dict[str, RegisterAck]


class FeedRow(Struct, frozen=True, rename="camel"):
    """One line of a feed (NDJSON). ``put`` carries the whole row; ``del`` is a tombstone. Rows are valid in [validFromMs, validToMs)."""

    op: Literal["put", "del"]
    key: str
    rev: int
    data: dict[str, Any] | None = None
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None


class FeedEnd(Struct, frozen=True, rename="camel"):
    """The last line of a feed's answer; without it the body was cut off and none of it is applied.

    ``cursor`` is opaque and is sent back as ``after``; ``more`` says that another page waits; ``count`` is how many rows came before.
    """

    op: Literal["end"]
    cursor: str
    more: bool
    count: Count
    as_of_ms: TimeMs


class SnapshotManifest(Struct, frozen=True, rename="camel"):
    """Where a feed's whole content can be fetched as one zstd-compressed NDJSON file, and the cursor to go on from."""

    feed: str
    schema: int
    cursor: str
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="Of the compressed file; the register names its copy by it.")]
    size: Annotated[int, Meta(ge=0, le=2**53)]
    rows: Count
    issued_ms: TimeMs
    url: str


class EnrolRequest(Struct, frozen=True, rename="camel"):
    """A device asks to become a register. ``proof`` is the Ed25519 signature, by the key being enrolled, over ``enrol_message``; all base64url, unpadded."""

    code: Annotated[str, Meta(min_length=4, max_length=64)]
    public_key: Annotated[str, Meta(min_length=43, max_length=43)]
    proof: Annotated[str, Meta(min_length=86, max_length=86)]
    device: Annotated[str, Meta(max_length=200)] = ""


class Enrolled(Struct, frozen=True, rename="camel"):
    """Who the device is now. ``token`` is a bearer token; it stands in for sender-constrained (DPoP-bound) tokens, which replace it."""

    tenant: StoreNumber
    store: StoreNumber
    store_name: Text
    register: StoreNumber
    epoch: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,9}$")]
    token: Annotated[str, Meta(pattern=r"^[!-~]{1,512}$")]
    country: Country
    issued_ms: TimeMs
    market: MarketRow | None = None
    """The store's market; a central that leaves it out means the country's, as the register knows it."""


def enrol_message(code: str, public_key: str) -> bytes:
    """The bytes that an enrolling device signs."""
    return f"edge-enrol-v1\n{code}\n{public_key}".encode()


class ClaimRequest(Struct, frozen=True, rename="camel"):
    """Hold a cart: the version the register has seen, for how long, and a key that makes a repeat the same call."""

    version: int
    key: Annotated[str, Meta(min_length=8, max_length=64)]
    ttl_seconds: Annotated[int, Meta(ge=30, le=3600)] = 900


class ClaimAnswer(Struct, frozen=True, rename="camel"):
    """The lease. While it holds, the web shop shows the cart as being checked out in store."""

    cart: str
    version: Count
    token: str
    until_ms: TimeMs


class ReleaseRequest(Struct, frozen=True, rename="camel"):
    """Let a held cart go."""

    token: str


class CompleteRequest(Struct, frozen=True, rename="camel"):
    """These lines of the cart were sold in store by that sale; the other lines stay online."""

    token: str
    sale: str
    lines: list[str]


class StreamCursor(Struct, frozen=True, rename="camel"):
    """Where central stands in one stream: the next number it wants, and the hash of the last fact it has."""

    next: Number
    head_hash: str


class RegisterCursor(Struct, frozen=True, rename="camel"):
    """Where central stands with one register; ``frozen`` says why it takes nothing, or is empty."""

    source: str
    epoch: str
    streams: dict[str, StreamCursor]
    frozen: str = ""
