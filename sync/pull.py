"""Keeps the replica in step with what central publishes: one long-poll per feed, from its cursor on; a whole copy at the start or after too long.

Articles and prices are copied whole from a compressed snapshot file where central has one. People never lie in such a file on this disk:
their feeds are read page by page, straight into the encrypted copy. Everything that costs time happens on worker threads.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import zstandard
from msgspec import Struct

from edge_agent.clock import Clock, Random
from edge_agent.domain.errors import CentralUnreachable, ContractBroken, EdgeError
from sync.backoff import Backoff, Pace, wait_for_one
from sync.contract.messages import CURSOR_START, FeedEnd, SnapshotManifest, in_short
from sync.feed_store import Applied, FeedLine, FeedState, FeedStore, parse_lines, parse_page, require_time
from sync.link import Busy, Downlink, Expired, Fetched, Frozen, NoSnapshot, Page, PageAnswer, Refused, Unchanged, Unreachable

T = TypeVar("T")
SNAPSHOT_FEEDS = ("catalogue", "prices")
SNAPSHOT_SCHEMA = 1
WAIT_SECONDS = 25
"""How long a question waits for news. Each feed's first one waits another part of it, so that central is heard from every few seconds, not all at once."""
QUICK_SECONDS = 1.0
"""An empty answer sooner than this was no long-poll: the next question waits as after a failure."""
QUICK_MAX = 20
"""After so many pages of news sooner than that, one after another, each further one is paused for: a central that always has news makes no busy loop."""
PAGES_MAX = 100_000
"""A reading that is not at its end after so many pages is given up."""
THREADS = 2
READ_BYTES = 256 * 1024
WINDOW_BYTES_MAX = 64 * 1024 * 1024
SNAPSHOT_BYTES_MAX = 2 * 1024**3
FEED_ROWS_MAX = 10_000_000
"""A whole copy of more than this, announced or in fact, is refused before it fills the disk that the journal needs."""


class FeedReport(Struct, frozen=True):
    """How one feed stands: ``importing`` (a whole copy is on its way), ``current``, or ``waiting`` (``problem`` says for what, ``reason`` is its key).

    ``rows`` of ``rows_total`` (if known) are in while importing; ``refused`` rows could not be read and were left out (``refusal`` says why the newest).
    """

    feed: str
    phase: str
    rows: int = 0
    rows_total: int | None = None
    as_of_ms: int | None = None
    refused: int = 0
    problem: str = ""
    refusal: str = ""
    reason: str = ""


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
        self._refused: dict[str, tuple[int, str]] = {}  # how many rows of a feed were left out, and why the newest
        self._passed: dict[str, set[str]] = {}  # the cursors of pages after which central said that there are more
        self._quick: dict[str, int] = {}
        self._first_wait = {feed: max(1, WAIT_SECONDS * place // len(feeds)) for place, feed in enumerate(feeds, 1)}
        self._copied: dict[str, float] = {}  # when each feed was last copied whole (monotonic)
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
                self._waiting(feed, problem.key if isinstance(problem, EdgeError) else "disk", str(problem))
                seconds = backoff.next()
            if seconds > 0:
                await wait_for_one(hurry, seconds=seconds)

    async def _turn(self, feed: str, backoff: Backoff) -> float:
        """One question; how long to wait before the next one."""
        state = self._store.state(feed)
        if state.cursor is None:
            return await self._start(feed, backoff)
        began = self._clock.monotonic()
        answer = await self._downlink.page(feed, state.cursor, state.etag, self._first_wait.pop(feed, WAIT_SECONDS))
        match answer:
            case Page() as page:
                moved = await self._apply(feed, state, page)
            case Unchanged(server_ms):
                await self._work(lambda: self._store.touch(feed, server_ms or self._clock.now_ms()))
                moved = False
            case Expired() as refusal:
                return await self._begin_again(feed, refusal, backoff)
            case failure:
                return self._failed(feed, failure, backoff)
        self._current(feed)
        quick = self._clock.monotonic() - began < QUICK_SECONDS
        if not moved and quick:
            return backoff.next()
        backoff.reset()
        self._quick[feed] = self._quick.get(feed, 0) + 1 if quick and not self._passed.get(feed) else 0
        return min(QUICK_SECONDS, self._pace.cap) if self._quick[feed] > QUICK_MAX else 0

    async def _begin_again(self, feed: str, why: Expired, backoff: Backoff) -> float:
        """Copy the feed whole, because central does not take its cursor; of a central that takes none, not again before ``Pace.cap`` is over."""
        copied = self._copied.get(feed)
        seconds = self._pace.cap - (self._clock.monotonic() - copied) if copied is not None else 0
        if seconds > 0:
            self._waiting(feed, *_told(why))
            return seconds
        return await self._start(feed, backoff)

    async def _apply(self, feed: str, state: FeedState, page: Page) -> bool:
        """Apply a page; whether it brought anything. Raises ContractBroken for one that is not whole, and nothing of it is applied."""

        passed = self._passed.setdefault(feed, set())

        def apply() -> tuple[Applied, bool]:
            rows, end = self._parsed(page)
            _require_progress(feed, rows, end, state.cursor, passed)
            # The tag of an empty page is good for the same question again; that of a full one is not.
            after = FeedState(end.cursor, "" if rows else page.etag, end.as_of_ms)
            return self._store.apply(feed, rows, after), bool(rows) or end.more

        done, moved = await self._work(apply)
        if done.refused:
            self._refused[feed] = (self._refused.get(feed, (0, ""))[0] + done.refused, done.refusal)
        if done.rows:
            self._changed(feed)
        return moved

    def _parsed(self, page: Page) -> tuple[list[FeedLine], FeedEnd]:
        rows, end = parse_page(page.body)
        require_time(end, max(self._clock.now_ms(), page.server_ms or 0))
        return rows, end

    async def _start(self, feed: str, backoff: Backoff) -> float:
        """Copy the whole feed."""
        self._passed.pop(feed, None)
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
        self._refused[feed] = (done.refused, done.refusal)
        self._copied[feed] = self._clock.monotonic()
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
            passed: set[str] = set()
            while more:
                answer = self._asked(self._downlink.page(feed, cursor), loop)
                if not isinstance(answer, Page):
                    raise CentralUnreachable(f"The feed {feed} broke off: {_told(answer)[1]}", hint="It is asked for again.", reason="feed_broke_off")
                rows, end = self._parsed(answer)
                _require_progress(feed, rows, end, cursor, passed)
                count += len(rows)
                if count > FEED_ROWS_MAX:
                    raise _too_large(feed)
                yield from rows
                cursor, more = end.cursor, end.more
                ended[:] = [FeedState(cursor, "", end.as_of_ms)]

        def progress(rows: int) -> None:
            loop.call_soon_threadsafe(self._say, FeedReport(feed, "importing", rows))

        self._say(FeedReport(feed, "importing"))
        return await self._work(lambda: self._store.replace(feed, lines(), lambda: ended[0], progress, changing=True))

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
        self._waiting(feed, *_told(why))
        return backoff.next(why.retry_after_seconds if isinstance(why, Busy) else None)

    def _waiting(self, feed: str, reason: str, problem: str) -> None:
        self._first_wait[feed] = 1  # the next answer says that it goes on, and is not to be held for news
        self._say(self._standing(feed, "waiting", problem, reason))

    def _current(self, feed: str) -> None:
        self._say(self._standing(feed, "current"))

    def _standing(self, feed: str, phase: str, problem: str = "", reason: str = "") -> FeedReport:
        """What is told of the feed; of texts that central, or what was made of its rows, is in, as much as may be shown."""
        refused, refusal = self._refused.get(feed, (0, ""))
        as_of_ms = self._store.state(feed).as_of_ms
        return FeedReport(feed, phase, as_of_ms=as_of_ms, refused=refused, problem=in_short(problem), refusal=in_short(refusal), reason=reason)

    def _say(self, report: FeedReport) -> None:
        """Tell how a feed stands, if it is another word than before."""
        if self._told.get(report.feed) != report:
            self._told[report.feed] = report
            self._tell(report)


def _told(why: object) -> tuple[str, str]:
    """The key of what a feed waits for, and a sentence about it."""
    match why:
        case Unreachable(detail):
            return "unreachable", detail
        case Frozen(reason, detail):
            return reason, detail
        case Refused(status, detail):
            return f"refused_{status}", detail
        case Expired(detail):
            return "expired", detail
        case Busy():
            return "busy", "Central is busy."
        case NoSnapshot():
            return "snapshot_replaced", "The snapshot was replaced while it was fetched."
        case _:
            return "other", "Central gave another answer than was asked for."


def _require_progress(feed: str, rows: Sequence[FeedLine], end: FeedEnd, cursor: str | None, passed: set[str]) -> None:
    """Raise ContractBroken for a page that leads nowhere: to where it was asked from, to a page before it, or on without end.

    ``passed`` keeps the cursors of pages that more follow, until the end is reached.
    """
    stays = end.cursor == cursor and (rows or end.more)
    if stays or (end.more and (end.cursor in passed or len(passed) >= PAGES_MAX)):
        raise ContractBroken(f"The feed {feed} does not move on.", hint="Report this to the platform's operator.", reason="feed_page")
    if end.more:
        passed.add(end.cursor)
    else:
        passed.clear()


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
