"""The contract itself over HTTP: facts up, feeds and snapshots down, customers and carts asked for."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec
import zstandard

from edge_agent.domain.errors import CentralRefused, CentralUnreachable, ContractBroken
from sync.connectors._http_exchange import EXCHANGE_SECONDS_MAX, NETWORK_ERRORS, Answer, Exchange, read_answer, shown_request, unreachable
from sync.connectors._http_people import People
from sync.connectors.contract import Connector, Settings
from sync.contract import messages
from sync.contract.envelope import BATCH_TYPE, join_batch
from sync.contract.fields import UNREADABLE
from sync.contract.messages import Enrolled, EnrolRequest, Problem, PushAck, RegisterCursor, SnapshotManifest, in_short
from sync.enrol import Enroller
from sync.link import (
    Acknowledged,
    Busy,
    Culprit,
    Expired,
    Failure,
    Fetched,
    Frozen,
    Gap,
    NoSnapshot,
    Page,
    PageAnswer,
    PushAnswer,
    Refused,
    TooLarge,
    Unchanged,
    Unreachable,
)

T = TypeVar("T", PushAck, RegisterCursor, SnapshotManifest)
PUSH_SECONDS = 30.0
ASK_SECONDS = 10.0
PAGE_GRACE_SECONDS = 10.0
"""How much longer than the long-poll an answer to it may take."""
ANSWER_BYTES_MAX = 1024 * 1024
PAGE_BYTES_MAX = 16 * 1024 * 1024
PAGE_ROWS = 2_000
TAG_CHARACTERS_MAX = 1_024
"""The tag of a page is kept with the copy; without one it is asked for anew."""
PROGRESS_SECONDS, PROGRESS_BYTES_MIN = 60.0, 64 * 1024
"""A snapshot's file has to come on by so much in each such span (a kilobyte a second); else it is given up for now, and gone on with later."""
CODE_HINT = "If this device is to be the register, ask for a new code (edge-central enrol-code) and type it again."
ENCODINGS = ("zstd", "gzip", "identity")
"""Tried in this order; after a 415 the next one is used from then on."""


class HttpConnector(People):
    """One register's connection to a central that speaks the contract. Fits ``Connector``."""

    def __init__(self, settings: Settings) -> None:
        self._http = Exchange(settings)
        self._register = settings.register
        self._encoding = 0
        super().__init__(self._http, settings.clock)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    # --- sync.link.Uplink ---

    async def push(self, facts: Sequence[bytes]) -> PushAnswer:
        """Send facts, byte for byte, in one batch."""
        batch = join_batch(list(facts))
        while True:
            encoding = ENCODINGS[self._encoding]
            body = await asyncio.to_thread(_encoded, batch, encoding)
            headers = {"Content-Type": BATCH_TYPE, "Content-Encoding": encoding, "Accept": "application/json"}
            answer = await self._http.send("POST", "/edge/v1/events", seconds=PUSH_SECONDS, bytes_max=ANSWER_BYTES_MAX, content=body, headers=headers)
            if isinstance(answer, Answer) and answer.status == 415 and self._encoding + 1 < len(ENCODINGS):
                self._encoding += 1
                continue
            return answer if isinstance(answer, Unreachable) else _push_answer(answer)

    async def cursor(self) -> RegisterCursor | Frozen | Failure:
        """Where central stands with this register."""
        answer = await self._http.send("GET", f"/edge/v1/registers/{self._register}/cursor", seconds=ASK_SECONDS, bytes_max=ANSWER_BYTES_MAX)
        if isinstance(answer, Unreachable):
            return answer
        cursor = _json(answer, RegisterCursor)
        return answer.failure() if cursor is None else cursor.in_short()

    # --- sync.link.Downlink ---

    async def page(self, feed: str, after: str, etag: str = "", wait_seconds: int = 0) -> PageAnswer:
        """The rows after a cursor; waits up to ``wait_seconds`` for some."""
        answer = await self._http.send(
            "GET",
            f"/edge/v1/feeds/{feed}",
            seconds=wait_seconds + PAGE_GRACE_SECONDS,
            bytes_max=PAGE_BYTES_MAX,
            headers={"If-None-Match": etag} if etag else {},
            params={"after": after, "wait": wait_seconds, "limit": PAGE_ROWS},
        )
        if isinstance(answer, Unreachable):
            return answer
        if answer.status == 200 and answer.media_type == "application/x-ndjson":
            return Page(answer.body, _tag(answer), answer.server_ms)
        if answer.status == 304 and etag:
            return Unchanged(answer.server_ms)
        return _expired(answer, after) or answer.failure()

    async def manifest(self, feed: str) -> SnapshotManifest | NoSnapshot | Frozen | Failure:
        """Where the feed's whole content is."""
        answer = await self._http.send("GET", f"/edge/v1/snapshots/{feed}", seconds=PUSH_SECONDS, bytes_max=ANSWER_BYTES_MAX)
        if isinstance(answer, Unreachable):
            return answer
        return _json(answer, SnapshotManifest) or _missing(answer) or answer.failure()

    async def fetch(self, manifest: SnapshotManifest, path: Path) -> Fetched | NoSnapshot | Frozen | Failure:
        """Fetch a snapshot's file into ``path``, going on from what is there, in as many ranges as central hands it out in. Raises OSError."""
        if not manifest.url.startswith("/"):
            return Unreachable("The snapshot's address is not central's own.")
        while (have := _size(path)) < manifest.size:
            answer = await self._range(manifest, path, have)
            if answer is not None:
                return answer
            if _size(path) <= have:
                return Unreachable("The snapshot's file does not go on.")
        return Fetched()

    async def _range(self, manifest: SnapshotManifest, path: Path, have: int) -> NoSnapshot | Frozen | Failure | None:
        """Append what central sends from byte ``have`` on; None when the answer was good."""
        headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(EXCHANGE_SECONDS_MAX) as limit,
                self._http.stream("GET", manifest.url, seconds=PUSH_SECONDS, headers=headers) as response,
            ):
                if response.status_code not in (200, 206):
                    answer = await read_answer(response, ANSWER_BYTES_MAX, shown_request("GET", manifest.url))
                    return answer if isinstance(answer, Unreachable) else _missing(answer) or answer.failure()
                if "content-encoding" in response.headers:
                    return Unreachable("The snapshot's file is sent in another form than asked.")
                if response.status_code == 206 and not response.headers.get("content-range", "").startswith(f"bytes {have}-"):
                    return Unreachable("The snapshot's file is sent from another place than asked.")
                limit.reschedule(None)  # a large file may take as long as it comes on well
                return await _append(response, path, have if response.status_code == 206 else 0, manifest.size, self._clock.monotonic)
        except TimeoutError:
            return Unreachable("Central does not come to an end in time.")
        except NETWORK_ERRORS as problem:
            return unreachable(problem)


class HttpEnroller:
    """Carries an enrolment to the central at ``settings.url``; no token is needed. Fits ``sync.enrol.Enroller``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def enrol(self, request: EnrolRequest) -> Enrolled:
        """Ask central. Raises CentralUnreachable, CentralRefused (the code is wrong, used or too old) or ContractBroken."""
        http = Exchange(self._settings)
        try:
            headers = {"Content-Type": "application/json"}
            answer = await http.send(
                "POST", "/edge/v1/enrolments", seconds=ASK_SECONDS, bytes_max=ANSWER_BYTES_MAX, content=msgspec.json.encode(request), headers=headers
            )
        finally:
            await http.aclose()
        if isinstance(answer, Unreachable):
            raise CentralUnreachable(answer.detail, hint="Check the address and the network, then enrol again with the same code.")
        if answer.status in (200, 201) and answer.media_type == "application/json":
            try:
                return msgspec.json.decode(answer.body, type=Enrolled)
            except UNREADABLE as problem:
                raise ContractBroken(
                    f"Not an enrolment: {in_short(str(problem))}.", hint="Check that the address is a central platform's.", reason="enrolment"
                ) from problem
        problem_told = answer.problem
        if problem_told is not None and answer.status < 500 and answer.status != 404:
            raise CentralRefused(f"{problem_told.title}: {problem_told.detail}", hint=CODE_HINT)
        raise CentralUnreachable(_detail(answer.failure()), hint="Check that the address is a central platform's, and its version.")


def connect(settings: Settings) -> Connector:
    """The connector of this platform; what the configuration's name ``http`` leads to."""
    return HttpConnector(settings)


def enroller(settings: Settings) -> Enroller:
    """What enrols a device with this platform; the settings' token and register are not known yet."""
    return HttpEnroller(settings)


def _push_answer(answer: Answer) -> PushAnswer:
    ack = _json(answer, PushAck)
    if ack is not None:
        return Acknowledged(ack, answer.server_ms)
    match answer.problem:
        case Problem(type=messages.PROBLEM_GAP) as problem:
            return Gap(problem.stream, problem.expected)
        case Problem(type=messages.PROBLEM_ENVELOPE) as problem:
            return Culprit(problem.index, problem.detail or problem.title)
        case Problem(type=messages.PROBLEM_TOO_LARGE) as problem:
            return TooLarge(problem.detail, by_central=True)
        case None if answer.status == 413:
            return TooLarge("A 413 that is not central's own.", by_central=False)
        case _:
            return answer.failure()


def _json(answer: Answer, kind: type[T]) -> T | None:
    """The body as ``kind``, or None for anything that is not a good answer of central's."""
    if answer.status != 200 or answer.media_type != "application/json":
        return None
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except UNREADABLE:
        return None


def _tag(answer: Answer) -> str:
    """The page's tag, or nothing for one that is too long to keep, or of characters that could not be sent back (RFC 9110 allows more than ASCII)."""
    tag = str(answer.headers.get("etag", ""))
    return tag if tag.isascii() and len(tag) <= TAG_CHARACTERS_MAX else ""


def _expired(answer: Answer, after: str) -> Expired | None:
    """Whether the answer refuses the cursor that was asked with: with one, nothing else of the question can be wrong that asking anew would not show."""
    match answer.problem:
        case Problem(type=messages.PROBLEM_CURSOR_EXPIRED):
            return Expired()
        case Problem(type=messages.PROBLEM_INVALID) as problem if after != messages.CURSOR_START:
            return Expired(f"Central does not take the cursor: {problem.detail or problem.title}")
        case _:
            return None


def _missing(answer: Answer) -> NoSnapshot | None:
    problem = answer.problem
    return NoSnapshot() if problem is not None and problem.type == messages.PROBLEM_NOT_FOUND else None


def _detail(failure: Frozen | Failure) -> str:
    match failure:
        case Busy():
            return "Central is busy."
        case Refused(_, detail) | Frozen(_, detail) | Unreachable(detail):
            return detail


def _encoded(batch: bytes, encoding: str) -> bytes:
    match encoding:
        case "zstd":
            return zstandard.ZstdCompressor(3).compress(batch)
        case "gzip":
            return gzip.compress(batch, 1, mtime=0)
        case _:
            return batch


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def _append(response: httpx.Response, path: Path, at: int, size: int, monotonic: Callable[[], float]) -> Unreachable | None:
    """Write the answer's bytes into ``path`` from ``at`` on, not beyond ``size``; Unreachable when they trickle. What has come stays."""
    began, came = monotonic(), 0
    with path.open("r+b" if at else "wb") as file:
        file.truncate(at)
        file.seek(at)
        room = size - at
        async for chunk in response.aiter_bytes():
            await asyncio.to_thread(file.write, chunk[:room])
            room -= len(chunk)
            came += len(chunk)
            if room <= 0:
                break
            if monotonic() - began < PROGRESS_SECONDS:
                continue
            if came < PROGRESS_BYTES_MIN:
                return Unreachable(f"The snapshot's file trickles: {came} bytes in {PROGRESS_SECONDS:.0f} s, expected at least {PROGRESS_BYTES_MIN}.")
            began, came = monotonic(), 0
    return None
