"""Keeps the replica in step with what central publishes: one long-poll per feed, from its cursor on; a whole copy at the start or after too long.

Articles and prices are copied whole from a compressed snapshot file where central has one. People never lie in such a file on this disk:
their feeds are read page by page, straight into the encrypted copy. Everything that costs time happens on worker threads.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import zstandard

from edge_agent.clock import Clock, Random
from edge_agent.domain.errors import CentralUnreachable, ContractBroken, EdgeError
from sync.backoff import Backoff, Pace, wait_for_one
from sync.contract.messages import CURSOR_START, SnapshotManifest
from sync.feed_store import Applied, FeedLine, FeedState, FeedStore, parse_lines, parse_page
from sync.link import Busy, Downlink, Expired, Fetched, Frozen, NoSnapshot, Page, PageAnswer, Refused, Unchanged, Unreachable

T = TypeVar("T")
SNAPSHOT_FEEDS = ("catalogue", "prices")
SNAPSHOT_SCHEMA = 1
WAIT_SECONDS = 25
QUICK_SECONDS = 1.0
"""An empty answer sooner than this was no long-poll: the next question waits as after a failure."""
THREADS = 2
READ_BYTES = 256 * 1024
WINDOW_BYTES_MAX = 64 * 1024 * 1024
SNAPSHOT_BYTES_MAX = 2 * 1024**3
FEED_ROWS_MAX = 10_000_000
"""A whole copy of more than this, announced or in fact, is refused before it fills the disk that the journal needs."""


@dataclass(frozen=True, slots=True)
class FeedReport:
    """How one feed stands: ``importing`` (a whole copy is on its way), ``current``, or ``waiting`` (``problem`` says for what).

    ``rows`` of ``rows_total`` (if known) are in while importing; ``refused`` rows could not be read and were left out.
    """

    feed: str
    phase: str
    rows: int = 0
    rows_total: int | None = None
    as_of_ms: int | None = None
    refused: int = 0
    problem: str = ""


class Pull:
    """The reader of some feeds; ``run`` it as a task. ``report`` is told on the event loop how a feed stands, ``changed`` that rows of it changed."""

    def __init__(
        self,
        downlink: Downlink,
        store: FeedStore,
        feeds: Sequence[str],
        folder: Path,
        clock: Clock,
        random: Random,
        report: Callable[[FeedReport], None] = lambda _: None,
        changed: Callable[[str], None] = lambda _: None,
        pace: Pace | None = None,
    ) -> None:
        self._downlink = downlink
        self._store = store
        self._feeds = tuple(feeds)
        self._folder = folder
        self._clock = clock
        self._random = random
        self._tell = report
        self._changed = changed
        self._pace = pace or Pace()
        self._hurry = asyncio.Event()
        self._told: dict[str, FeedReport] = {}
        self._refused: dict[str, int] = {}
        self._asking: set[Future[PageAnswer]] = set()
        self._ended = False

    def retry_now(self) -> None:
        """Something says that it may work now: wait no longer."""
        self._hurry.set()
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        """Follow every feed until cancelled."""
        threads = self._threads = ThreadPoolExecutor(THREADS, "pull")
        self._ended = False
        try:
            async with asyncio.TaskGroup() as group:
                for feed in self._feeds:
                    group.create_task(self._follow(feed), name=f"pull-{feed}")
        finally:
            self._ended = True  # a thread that waits for a page holds the copy's file, which somebody wants to close
            for asked in tuple(self._asking):
                asked.cancel()
            threads.shutdown(wait=False, cancel_futures=True)

    async def _follow(self, feed: str) -> None:
        backoff = Backoff(self._pace, self._random)
        while True:
            hurry = self._hurry
            try:
                seconds = await self._turn(feed, backoff)
            except (EdgeError, OSError) as problem:
                self._waiting(feed, str(problem))
                seconds = backoff.next()
            if seconds > 0:
                await wait_for_one(hurry, seconds=seconds)

    async def _turn(self, feed: str, backoff: Backoff) -> float:
        """One question; how long to wait before the next one."""
        state = self._store.state(feed)
        if state.cursor is None:
            return await self._start(feed, backoff)
        began = self._clock.monotonic()
        answer = await self._downlink.page(feed, state.cursor, state.etag, WAIT_SECONDS)
        match answer:
            case Page(body, etag):
                moved = await self._apply(feed, state, body, etag)
            case Unchanged(server_ms):
                await self._work(lambda: self._store.touch(feed, server_ms or self._clock.now_ms()))
                moved = False
            case Expired():
                return await self._start(feed, backoff)
            case failure:
                return self._failed(feed, failure, backoff)
        self._current(feed)
        if moved or self._clock.monotonic() - began >= QUICK_SECONDS:
            backoff.reset()
            return 0
        return backoff.next()

    async def _apply(self, feed: str, state: FeedState, body: bytes, etag: str) -> bool:
        """Apply a page; whether it brought anything. Raises ContractBroken for one that is not whole, and nothing of it is applied."""

        def apply() -> tuple[Applied, bool]:
            rows, end = parse_page(body)
            if end.more and end.cursor == state.cursor:
                raise ContractBroken(f"The feed {feed} does not move on.", hint="Report this to the platform's operator.", reason="feed_page")
            # The tag of an empty page is good for the same question again; that of a full one is not.
            after = FeedState(end.cursor, "" if rows else etag, end.as_of_ms)
            return self._store.apply(feed, rows, after), bool(rows) or end.more

        done, moved = await self._work(apply)
        self._refused[feed] = self._refused.get(feed, 0) + done.refused
        if done.rows:
            self._changed(feed)
        return moved

    async def _start(self, feed: str, backoff: Backoff) -> float:
        """Copy the whole feed."""
        manifest = await self._downlink.manifest(feed) if feed in SNAPSHOT_FEEDS else NoSnapshot()
        match manifest:
            case SnapshotManifest():
                answer = await self._fetch(feed, manifest)
                if not isinstance(answer, Fetched):
                    return self._failed(feed, answer, backoff)
                done = await self._import(feed, manifest)
            case NoSnapshot():
                done = await self._read_from_start(feed)
            case failure:
                return self._failed(feed, failure, backoff)
        self._refused[feed] = done.refused
        backoff.reset()
        self._changed(feed)
        self._current(feed)
        return 0

    async def _fetch(self, feed: str, manifest: SnapshotManifest) -> Fetched | NoSnapshot | Frozen | Unreachable | Busy | Refused:
        if manifest.schema != SNAPSHOT_SCHEMA or manifest.feed != feed:
            raise ContractBroken(
                f"The snapshot of {feed} is of another kind ({manifest.feed}, schema {manifest.schema}).", hint="Update the register.", reason="snapshot"
            )
        if manifest.size > SNAPSHOT_BYTES_MAX or manifest.rows > FEED_ROWS_MAX:
            raise _too_large(feed)
        self._say(FeedReport(feed, "importing", 0, manifest.rows))
        path = self._part(feed, manifest)
        for other in self._folder.glob(f"{feed}-*.part"):
            if other != path:
                other.unlink(missing_ok=True)
        return await self._downlink.fetch(manifest, path)

    async def _import(self, feed: str, manifest: SnapshotManifest) -> Applied:
        """Check the fetched file's hash and put its rows in; a file that is not what the manifest says is removed, so that it is fetched anew."""
        path = self._part(feed, manifest)
        loop = asyncio.get_running_loop()

        def progress(rows: int) -> None:
            loop.call_soon_threadsafe(self._say, FeedReport(feed, "importing", rows, manifest.rows))

        def replace() -> Applied:
            try:
                _require_hash(path, manifest)
                lines = _counted(parse_lines(_decompressed(path)), manifest.rows)
                return self._store.replace(feed, lines, lambda: FeedState(manifest.cursor, "", manifest.issued_ms), progress)
            finally:
                path.unlink(missing_ok=True)

        return await self._work(replace)

    async def _read_from_start(self, feed: str) -> Applied:
        """Read the feed from its beginning, page by page; each is asked for by the worker thread that puts it in."""
        loop = asyncio.get_running_loop()
        ended: list[FeedState] = []

        def lines() -> Iterator[FeedLine]:
            cursor, more, count = CURSOR_START, True, 0
            while more:
                answer = self._asked(self._downlink.page(feed, cursor), loop)
                if not isinstance(answer, Page):
                    raise CentralUnreachable(f"The feed {feed} broke off: {_told(answer)}", hint="It is asked for again.", reason="feed_broke_off")
                rows, end = parse_page(answer.body)
                if end.more and end.cursor == cursor:
                    raise ContractBroken(f"The feed {feed} does not move on.", hint="Report this to the platform's operator.", reason="feed_page")
                count += len(rows)
                if count > FEED_ROWS_MAX:
                    raise _too_large(feed)
                yield from rows
                cursor, more = end.cursor, end.more
                ended[:] = [FeedState(cursor, "", end.as_of_ms)]

        def progress(rows: int) -> None:
            loop.call_soon_threadsafe(self._say, FeedReport(feed, "importing", rows))

        self._say(FeedReport(feed, "importing"))
        return await self._work(lambda: self._store.replace(feed, lines(), lambda: ended[0], progress))

    def _asked(self, question: Coroutine[object, object, PageAnswer], loop: asyncio.AbstractEventLoop) -> PageAnswer:
        """The answer to ``question``, which the event loop asks, for a worker thread. Raises CentralUnreachable when the pull has ended meanwhile."""
        asked = asyncio.run_coroutine_threadsafe(question, loop)
        self._asking.add(asked)
        try:
            if self._ended:
                asked.cancel()
            return asked.result()
        except CancelledError as problem:
            raise CentralUnreachable("The service ends.", hint="It is asked for again.", reason="ending") from problem
        finally:
            self._asking.discard(asked)

    async def _work(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _part(self, feed: str, manifest: SnapshotManifest) -> Path:
        return self._folder / f"{feed}-{manifest.sha256[:32]}.part"

    def _failed(self, feed: str, why: object, backoff: Backoff) -> float:
        self._waiting(feed, _told(why))
        return backoff.next(why.retry_after_seconds if isinstance(why, Busy) else None)

    def _waiting(self, feed: str, problem: str) -> None:
        self._say(FeedReport(feed, "waiting", as_of_ms=self._store.state(feed).as_of_ms, refused=self._refused.get(feed, 0), problem=problem))

    def _current(self, feed: str) -> None:
        self._say(FeedReport(feed, "current", as_of_ms=self._store.state(feed).as_of_ms, refused=self._refused.get(feed, 0)))

    def _say(self, report: FeedReport) -> None:
        """Tell how a feed stands, if it is another word than before."""
        if self._told.get(report.feed) != report:
            self._told[report.feed] = report
            self._tell(report)


def _told(why: object) -> str:
    match why:
        case Unreachable(detail) | Frozen(_, detail) | Refused(_, detail):
            return detail
        case Busy():
            return "Central is busy."
        case Expired():
            return "Central no longer knows this cursor."
        case NoSnapshot():
            return "The snapshot was replaced while it was fetched."
        case _:
            return "Central gave another answer than was asked for."


def _too_large(feed: str) -> ContractBroken:
    text = f"The feed {feed} is larger than a register can hold: at most {FEED_ROWS_MAX} rows, {SNAPSHOT_BYTES_MAX} bytes compressed."
    return ContractBroken(text, hint="Report this to the platform's operator.", reason="feed_too_large")


def _require_hash(path: Path, manifest: SnapshotManifest) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != manifest.sha256:
        raise ContractBroken(f"The snapshot of {manifest.feed} is not the one that was announced.", hint="It is fetched again.", reason="snapshot")


def _decompressed(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX).stream_reader(file, read_across_frames=True) as reader:
            while chunk := reader.read(READ_BYTES):
                yield chunk
    except zstandard.ZstdError as problem:
        raise ContractBroken(f"A snapshot cannot be decompressed: {problem}.", hint="It is fetched again.", reason="snapshot") from problem


def _counted(lines: Iterator[FeedLine], expected: int) -> Iterator[FeedLine]:
    """``lines``, which must be ``expected`` many."""
    count = 0
    for line in lines:
        count += 1
        if count > expected:
            break
        yield line
    if count != expected:
        raise ContractBroken(
            f"A snapshot has {'more' if count > expected else count} rows: expected {expected}.", hint="It is fetched again.", reason="snapshot"
        )
