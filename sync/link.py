"""What a connector can be asked by the push and the pull, and everything it can answer: values, never exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from sync.contract.messages import PushAck, RegisterCursor, SnapshotManifest


class Unreachable(Struct, frozen=True):
    """No answer of central's: the network, a proxy, a captive portal, a page that is not the contract's."""

    detail: str


class Busy(Struct, frozen=True):
    """Central asks to come back later; ``retry_after_seconds`` is its wish, or None."""

    retry_after_seconds: float | None = None


class Refused(Struct, frozen=True):
    """Central does not let this register in (401, 403), or does not know such a request."""

    status: int
    detail: str


class Frozen(Struct, frozen=True):
    """Central takes nothing from this register until somebody looks: ``fork``, ``chain``, ``epoch`` or ``frozen``."""

    reason: str
    detail: str


class Acknowledged(Struct, frozen=True):
    """The acknowledgement, and central's clock (wall ms, to the second) if it told."""

    ack: PushAck
    server_ms: int | None = None


class Gap(Struct, frozen=True):
    """Central wants another number of a stream first; None where it did not say which."""

    stream: str | None
    expected: int | None


class TooLarge(Struct, frozen=True):
    """The batch is more than central, or (``by_central`` false) something on the way to it, takes at once."""

    detail: str
    by_central: bool


class Culprit(Struct, frozen=True):
    """One fact of the batch cannot be taken at all; ``index`` says which one, if central said."""

    index: int | None
    detail: str


class Page(Struct, frozen=True):
    """A feed's answer: whole or not is for the reader to see. ``server_ms`` is central's clock (wall ms) if it told."""

    body: bytes
    etag: str
    server_ms: int | None = None


class Unchanged(Struct, frozen=True):
    """Nothing new since the page with that ETag; central's clock (wall ms) if it told."""

    server_ms: int | None


class Expired(Struct, frozen=True):
    """Central does not take the cursor, which is older than what it remembers of deletions or not one of its own: begin the feed again."""

    detail: str = "Central no longer knows this cursor."


class NoSnapshot(Struct, frozen=True):
    """This central offers none for that feed: read it from its beginning."""


class Fetched(Struct, frozen=True):
    """The file is there, as long as its manifest says."""


Failure = Unreachable | Busy | Refused
PushAnswer = Acknowledged | Gap | TooLarge | Culprit | Frozen | Failure
PageAnswer = Page | Unchanged | Expired | Frozen | Failure


class Uplink(Protocol):
    """Carries facts to central."""

    async def push(self, facts: Sequence[bytes]) -> PushAnswer:
        """Send facts, byte for byte, in one batch."""

    async def cursor(self) -> RegisterCursor | Frozen | Failure:
        """Where central stands with this register."""


class Downlink(Protocol):
    """Fetches what central publishes."""

    async def page(self, feed: str, after: str, etag: str = "", wait_seconds: int = 0) -> PageAnswer:
        """The rows after a cursor; waits up to ``wait_seconds`` for some."""

    async def manifest(self, feed: str) -> SnapshotManifest | NoSnapshot | Frozen | Failure:
        """Where the feed's whole content is."""

    async def fetch(self, manifest: SnapshotManifest, path: Path) -> Fetched | NoSnapshot | Frozen | Failure:
        """Fetch a snapshot's file into ``path``, going on from what is there. NoSnapshot: it was replaced meanwhile. Raises OSError for ``path``."""
