"""What a register and central say to each other beside facts: acknowledgements, feeds, enrolment, customers, carts.

All JSON in camelCase. Problems are RFC 9457 (``application/problem+json``) with ``type`` one of the ``PROBLEM_*`` below.

What the contract does not have yet: facts are chained (each carries the hash of the one before) but not signed, without ``hlc`` and
``traceparent``; snapshot manifests are not signed, feeds have no rolling hash at a cursor; the tokens of registers are bearer tokens, which stand
in for sender-constrained (DPoP-bound) ones; query and body (``wait``, ``key``) stand in for the headers ``Prefer: wait`` and ``Idempotency-Key``;
snapshots are of the catalogue and prices alone (of people by design, nor of their carts, which change too often to be worth a file); HTTP is
described by OpenAPI, the facts by JSON Schemas, and there is no AsyncAPI description.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from edge_agent.domain.one_line import one_line
from sync.contract.facts import PartOfLine
from sync.contract.fields import TIME_MS_MAX, Count, Country, Epoch, HexHash, Id, IdOrNone, Name, Number, StoreNumber, Text, TimeMs
from sync.contract.market import MarketRow
from sync.contract.rows import CustomerRow

PROBLEM_ROOT = "urn:edge:problem:"
PROBLEM_GAP = PROBLEM_ROOT + "sequence-gap"  # 409; expected
PROBLEM_FORK = PROBLEM_ROOT + "sequence-fork"  # 409; the register is frozen by it
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
PROBLEM_TAKEN = PROBLEM_ROOT + "identifier-taken"  # 409; a card or tag is another customer's
PROBLEM_NOT_FOUND = PROBLEM_ROOT + "not-found"  # 404
PROBLEM_INVALID = PROBLEM_ROOT + "invalid"  # 400; of a feed that was asked for with a cursor: begin it again
PROBLEM_BUSY = PROBLEM_ROOT + "busy"  # 503, with Retry-After

ENROL_PREFIX = "edge-enrol-v1"
PROOF = (
    f"The Ed25519 signature (64 bytes, base64url without padding) by the key being enrolled over the ASCII bytes {ENROL_PREFIX}, LF, the text of code, LF, "
    "the text of publicKey, as both stand here."
)
SOURCES_MAX = 50
"""Under so many sources a device says that it was enrolled; the earliest of more are left out."""
EPOCHS_AHEAD_MAX = 1_000
"""A device may know of so many epochs more than central; a backup is not older than that many enrolments."""
EARLIER_EPOCHS_MAX = 1_000
"""Of so many earlier epochs a register is told where central stands; of more, of the newest."""
FEEDS = ("catalogue", "prices", "customers", "carts", "staff")
CURSOR_START = ""
"""The cursor before the first change."""
CURSOR_CHARACTERS_MAX = 1_024
Cursor = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=CURSOR_CHARACTERS_MAX,
        description=f"Opaque, at most {CURSOR_CHARACTERS_MAX} characters; sent back as `after`. With one that is not taken (400, 410) the feed is begun again.",
    ),
]


CUSTOMERS_FOUND_MAX = 50
"""So many customers are told of those whom one identifier stands for; who shares it with more of them is found by name."""
TOLD_CHARACTERS_MAX = 400
"""Of what central says in a text a register keeps, logs and shows so many characters; a longer one ends in an ellipsis."""
QUARANTINED_BYTES_MAX = 4_096
"""So many bytes of journal a register spends on what central says of one fact in quarantine, at most."""
QUARANTINED_NAME_MAX = 100


def in_short(text: str, characters_max: int = TOLD_CHARACTERS_MAX) -> str:
    """What central says, as it may be kept, logged and shown: one line of at most ``characters_max``, cut with an ellipsis.

    >>> in_short("It is\\n full."), in_short("abcdef", 4)
    ('It is full.', 'abc…')
    """
    return one_line(text if len(text) <= characters_max else f"{text[: characters_max - 1]}…")


class Problem(Struct, frozen=True, rename="camel", omit_defaults=True):
    """RFC 9457 problem details with the members that this contract adds."""

    type: Annotated[str, Meta(description=f"{PROBLEM_ROOT}NAME; what each means stands in the document's description.")]
    title: str
    status: Annotated[int, Meta(description="The HTTP status; of a problem in quarantine, the one that it would have had.")]
    detail: Annotated[str, Meta(description=f"One sentence for a person; a register shows {TOLD_CHARACTERS_MAX} characters of it.")] = ""
    expected: Annotated[int | None, Meta(description="sequence-gap, chain-broken: the number that central wants next in the stream.")] = None
    stream: Annotated[str | None, Meta(description="The stream it is about.")] = None
    index: Annotated[int | None, Meta(description="envelope-invalid: the culprit's place in the batch, from 0.")] = None
    version: Annotated[int | None, Meta(description="cart-changed: the cart's version now.")] = None
    held_by: Annotated[str | None, Meta(description="cart-held: store/register.")] = None
    until_ms: Annotated[int | None, Meta(description="cart-held: the end of that lease.")] = None

    def in_short(self) -> Problem:
        """The problem with its texts ``in_short``."""
        stream = None if self.stream is None else in_short(self.stream)
        held_by = None if self.held_by is None else in_short(self.held_by)
        told = {"type": in_short(self.type), "title": in_short(self.title), "detail": in_short(self.detail)}
        return msgspec.structs.replace(self, stream=stream, held_by=held_by, **told)

    def kept(self) -> str:
        """The problem of a fact in quarantine as the journal keeps it: JSON of at most ``QUARANTINED_BYTES_MAX`` bytes."""
        kind, title = in_short(self.type, QUARANTINED_NAME_MAX), in_short(self.title, QUARANTINED_NAME_MAX)
        return msgspec.json.encode(Problem(kind, title, self.status, in_short(self.detail))).decode()


class Quarantined(Struct, frozen=True, rename="camel"):
    """A fact that central stored but found wrong in business terms."""

    sequence: Number
    problem: Problem


class CustomersFound(Struct, frozen=True, rename="camel"):
    """Everybody whom an identifier stands for: a couple may share a phone number. Of more than the list may have, the first."""

    customers: Annotated[list[CustomerRow], Meta(min_length=1, max_length=CUSTOMERS_FOUND_MAX)]


class StreamAck(Struct, frozen=True, rename="camel"):
    """``next`` is the only acknowledgement: every fact below it is synced to central's disk."""

    next: Annotated[Number, Meta(description="The number that is wanted next.")]
    accepted: Annotated[Count, Meta(description="How many facts of this batch were new.")]
    duplicates: Annotated[Count, Meta(description="How many were here already: with the same hash, or issued anew with an id and data that had come.")]
    quarantined: Annotated[list[Quarantined], Meta(description="Facts of this batch, new or not, that are stored and not believed.")] = []


class RegisterAck(Struct, frozen=True, rename="camel"):
    """One register's streams, by name: those that the batch had facts of."""

    epoch: str
    streams: dict[str, StreamAck]


class PushAck(Struct, frozen=True, rename="camel"):
    """The answer to a batch: registers by source (there is one)."""

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
    cursor: Cursor
    more: bool
    count: Count
    as_of_ms: Annotated[int, Meta(ge=1, le=TIME_MS_MAX, description="Central's clock, in milliseconds since 1970 (UTC); at most a day ahead of the `Date`.")]


class SnapshotManifest(Struct, frozen=True, rename="camel"):
    """Where a feed's whole content can be fetched as one zstd-compressed NDJSON file, and the cursor to go on from."""

    feed: str
    schema: Annotated[int, Meta(description="The form of the file: 1 is zstd over NDJSON of put lines without an end line.")]
    cursor: Annotated[Cursor, Meta(description="Where to follow the feed from once the file is in.")]
    sha256: Annotated[HexHash, Meta(description="Of the compressed file; the register names its copy by it.")]
    size: Annotated[int, Meta(ge=0, le=2**53, description="Bytes of the compressed file.")]
    rows: Annotated[Count, Meta(description="Lines in the file.")]
    issued_ms: TimeMs
    url: Annotated[str, Meta(description="A path below central's own address, with a slash in front; it may be asked for in ranges.")]


class EnrolRequest(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A device asks to become a register, and proves that it holds the key."""

    code: Annotated[str, Meta(min_length=4, max_length=64, description="The single-use code, as it was typed.")]
    public_key: Annotated[str, Meta(min_length=43, max_length=43, description="The raw Ed25519 public key (32 bytes), base64url without padding.")]
    proof: Annotated[str, Meta(min_length=86, max_length=86, description=PROOF)]
    device: Annotated[str, Meta(max_length=200, description="What the device calls itself; for people.")] = ""
    epochs: Annotated[
        dict[Name, Epoch],
        Meta(
            max_length=SOURCES_MAX,
            description="By source, the highest epoch under which this device was enrolled as that register: the new epoch is above it. Empty or left out on a "
            "device that never was.",
        ),
    ] = {}


class StreamCursor(Struct, frozen=True, rename="camel"):
    """Where central stands in one stream."""

    next: Annotated[Number, Meta(description="The number that it wants next.")]
    head_hash: Annotated[HexHash, Meta(description="The SHA-256 of the wire bytes of fact next - 1; 64 zeros while there is none.")]


class Enrolled(Struct, frozen=True, rename="camel"):
    """Who the device is now. ``token`` is a bearer token; it stands in for sender-constrained (DPoP-bound) tokens, which replace it."""

    tenant: Annotated[StoreNumber, Meta(description="With store and register it makes the source of facts: /t/TENANT/s/STORE/r/REGISTER.")]
    store: StoreNumber
    store_name: Text
    register: StoreNumber
    epoch: Epoch
    token: Annotated[str, Meta(pattern=r"^[!-~]{1,512}$", description="Sent as Authorization: Bearer TOKEN with every other request.")]
    country: Country
    issued_ms: TimeMs
    market: Annotated[MarketRow | None, Meta(description="The store's market; left out, it is the country's, as the register knows it.")] = None
    earlier: Annotated[
        dict[Epoch, dict[str, StreamCursor]] | None,
        Meta(
            description="Where central stands with the earlier epochs of this source, by epoch and stream; what is left out has no facts here. The register "
            f"issues anew what central has not, with the ids it had. Of more than {EARLIER_EPOCHS_MAX} epochs, the newest. Without this member the register "
            "goes by what was acknowledged to it."
        ),
    ] = None


def enrol_message(code: str, public_key: str) -> bytes:
    """The bytes that an enrolling device signs."""
    return f"{ENROL_PREFIX}\n{code}\n{public_key}".encode()


class ClaimRequest(Struct, frozen=True, rename="camel"):
    """Hold a cart for one basket, or go on holding it: the same key again prolongs the lease that it was given, whatever version the cart is at now."""

    version: Annotated[int, Meta(description="The version that the register has seen; another one now is cart-changed.")]
    key: Annotated[str, Meta(min_length=8, max_length=64, description="Made by the register for this claim; the same key is answered with the same lease.")]
    ttl_seconds: Annotated[int, Meta(ge=30, le=3600, description="How long the lease is to hold, from now on.")] = 900


class ClaimAnswer(Struct, frozen=True, rename="camel"):
    """The lease. While it holds, the web shop shows the cart as being checked out in store."""

    cart: Id
    version: Count
    token: Annotated[IdOrNone, Meta(description="The lease's own; release, complete and the sale's fact name it.")]
    until_ms: TimeMs


class ReleaseRequest(Struct, frozen=True, rename="camel"):
    """Let a held cart go."""

    token: str


class CompleteRequest(Struct, frozen=True, rename="camel"):
    """These lines of the cart were sold in store by that sale; the other lines stay online, and so do the pieces of these that were added there meanwhile."""

    token: str
    sale: Annotated[str, Meta(description="The sale's transactionId.")]
    lines: Annotated[list[str], Meta(description="The cart's own line ids.")]
    sold_pieces: Annotated[list[PartOfLine], Meta(description="How many pieces of each of the lines were sold; all of one that is not named.")] = []


class RegisterCursor(Struct, frozen=True, rename="camel"):
    """Where central stands with one register, in its newest epoch."""

    source: str
    epoch: str
    streams: Annotated[dict[str, StreamCursor], Meta(description="By name; one that is left out has no facts yet.")]
    frozen: Annotated[
        str,
        Meta(description=f"Why nothing is taken from this register, for people, who see {TOLD_CHARACTERS_MAX} characters of it; empty while all is well."),
    ] = ""

    def in_short(self) -> RegisterCursor:
        """The cursor with its texts ``in_short``; a register's own source and epoch are shorter."""
        return msgspec.structs.replace(self, source=in_short(self.source), epoch=in_short(self.epoch), frozen=in_short(self.frozen))
