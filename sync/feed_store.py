"""What a pull writes into and a replica offers: where a feed stands, its pages applied, its whole content replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta, Raw, Struct

from edge_agent.domain.errors import ContractBroken
from sync.contract.fields import UNREADABLE
from sync.contract.messages import FeedEnd

ROW_BYTES_MAX = 1024 * 1024
AHEAD_MS_MAX = 24 * 3_600_000
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]


class FeedLine(Struct, frozen=True, rename="camel"):
    """One line of a feed: a ``FeedRow`` whose data stays bytes. Rows hold in [validFromMs, validToMs)."""

    op: Literal["put", "del"]
    key: str
    rev: Whole = 0
    data: Raw = Raw()
    valid_from_ms: Whole | None = None
    valid_to_ms: Whole | None = None

    @property
    def put(self) -> bytes | None:
        """The row to put, which may be no row at all (``null``): that deletes nothing, only a tombstone does. None for a tombstone."""
        return None if self.op == "del" else bytes(self.data)


class FeedState(Struct, frozen=True):
    """Where the local copy of a feed stands: the cursor to go on from (None: nothing was ever taken), its ETag, and when central last spoke (wall ms)."""

    cursor: str | None = None
    etag: str = ""
    as_of_ms: int | None = None


class Applied(Struct, frozen=True):
    """How many rows came in, and how many could not be read and were left out (``refusal`` says why the first one)."""

    rows: int = 0
    refused: int = 0
    refusal: str = ""


Progress = Callable[[int], None]
"""Told how many rows of a snapshot are in."""


class FeedStore(Protocol):
    """The local copy of some feeds. Methods block and are called from worker threads, one at a time per feed; they raise StorageError."""

    def state(self, feed: str) -> FeedState:
        """Where the copy of ``feed`` stands."""

    def apply(self, feed: str, lines: Iterable[FeedLine], state: FeedState) -> Applied:
        """Apply a page and move to ``state``, in one transaction."""

    def replace(
        self, feed: str, lines: Iterable[FeedLine], ended: Callable[[], FeedState], progress: Progress, *, changing: bool = False
    ) -> Applied:  # fmt: skip
        """Replace the whole content of ``feed`` by ``lines`` and move to ``ended()``, which is asked once they are all in.

        ``changing``: they were read while central went on changing them, so that a row may be put again or deleted; else each comes once.
        What ``lines`` raises ends it, with ``feed`` where it stood.
        """

    def touch(self, feed: str, as_of_ms: int) -> None:
        """Central said that nothing changed."""


_line = msgspec.json.Decoder(FeedLine)
_end = msgspec.json.Decoder(FeedEnd)


def parse_page(body: bytes) -> tuple[list[FeedLine], FeedEnd]:
    """The rows and the end of a feed's answer. Raises ContractBroken for anything that is not whole: none of it may be applied then."""
    lines = body.splitlines()
    try:
        end = _end.decode(lines[-1] if lines else b"")
        rows = [_line.decode(line) for line in lines[:-1]]
    except UNREADABLE as problem:
        raise ContractBroken(f"A feed's page is cut off or is not one: {problem}.", hint="It is asked for again.", reason="feed_page") from problem
    if end.count != len(rows):
        raise ContractBroken(f"A feed's page has {len(rows)} rows: expected {end.count}.", hint="It is asked for again.", reason="feed_page")
    return rows, end


def require_time(end: FeedEnd, now_ms: int) -> None:
    """Raise ContractBroken for a page as of more than a day after ``now_ms``, the later of our clock and central's: its copy would never look old."""
    if end.as_of_ms > now_ms + AHEAD_MS_MAX:
        text = f"A feed's page is as of {end.as_of_ms} ms, more than a day ahead: expected at most {now_ms + AHEAD_MS_MAX}."
        raise ContractBroken(text, hint="It is asked for again.", reason="feed_page")


def parse_lines(chunks: Iterable[bytes]) -> Iterator[FeedLine]:
    """The rows of a snapshot's decompressed bytes. Raises ContractBroken."""
    rest = b""
    try:
        for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield _line.decode(line)
            if len(rest) > ROW_BYTES_MAX:
                raise ContractBroken(f"A row of more than {ROW_BYTES_MAX} bytes.", hint="Report this to the platform's operator.", reason="snapshot")
        if rest:
            yield _line.decode(rest)
    except UNREADABLE as problem:
        raise ContractBroken(f"A snapshot's row is not one: {problem}.", hint="Report this to the platform's operator.", reason="snapshot") from problem
