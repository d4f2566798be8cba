"""Feeds going out: pages, long-polls and snapshots."""

from __future__ import annotations

import asyncio
import gzip
from typing import Annotated, Any

import zstandard
from litestar import Request, Response, Router, get
from litestar.di import Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, PathParameter, QueryParameter
from litestar.response import Stream

from sync.central.api.asking import ASKED, RANGE, REGISTER_SECURITY, Asking, ThePlatform, asking, problems
from sync.central.api.ranges import file_response
from sync.central.feed_pages import CURSOR_CHARACTERS_MAX, Page, edition_of, named, read_page, start_of
from sync.central.problems import refused
from sync.central.storage import Db
from sync.contract.messages import FEEDS, PROBLEM_CURSOR_EXPIRED, PROBLEM_NOT_FOUND, SnapshotManifest

NDJSON = "application/x-ndjson"
COMPRESS_BYTES_MIN = 2_048
UNCHANGED = ResponseSpec(None, generate_examples=False, description="Nothing new since the page that `If-None-Match` names")
PART = ResponseSpec(bytes, generate_examples=False, media_type="application/zstd", description="The range that was asked for, as `Content-Range` says")
FeedName = Annotated[str, PathParameter(schema_extra={"enum": list(FEEDS)})]


def _require_feed(name: str) -> None:
    if name not in FEEDS:
        raise refused(PROBLEM_NOT_FOUND, f"No such feed; there are {', '.join(FEEDS)}.")


@get(
    "/feeds/{feed:str}",
    media_type=NDJSON,
    responses={304: UNCHANGED, **problems(*ASKED, PROBLEM_NOT_FOUND, PROBLEM_CURSOR_EXPIRED)},
    response_description="Rows, one a line, and an end line; `ETag` names this very page",
    summary="What changed in a feed after a cursor",
)
async def read_feed(
    request: Request[Any, Any, Any],
    platform: ThePlatform,
    who: Asking,
    feed: FeedName,
    after: Annotated[str, QueryParameter(max_length=CURSOR_CHARACTERS_MAX, description="The cursor of the last page, or nothing to begin")] = "",
    wait: Annotated[int, QueryParameter(ge=0, le=3_600, description="Seconds to wait for news when there is none; cut to what central allows")] = 0,
    limit: Annotated[int, QueryParameter(ge=0, le=1_000_000, description="Rows in the page; 0 and what is above central's bound is left to central")] = 0,
) -> Response[bytes]:
    """NDJSON rows (``feed-line.v1``) ended by an end line; a body without it was cut off. Answers 304 when ``If-None-Match`` names this very page."""
    _require_feed(feed)
    rows_max = min(limit or platform.limits.feed_rows_default, platform.limits.feed_rows_max)

    def read(db: Db) -> Page:
        start = start_of(db, edition_of(platform.instance, who.currency), feed, after)
        return read_page(db, feed, who.currency, start, rows_max=rows_max, limits=platform.limits, now_ms=platform.clock.now_ms())

    page = await platform.readers.ask(read)
    if page.count == 0 and wait > 0:
        with platform.announcer.waiting(feed) as news:
            try:
                async with asyncio.timeout(min(wait, platform.limits.wait_seconds_max)):
                    while (page := await platform.readers.ask(read)).count == 0 and not platform.announcer.stopping:
                        await news.news()
            except TimeoutError:
                page = await platform.readers.ask(read)
    headers = {"ETag": page.tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Encoding"}
    if named(request.headers.get("if-none-match", ""), page.tag):
        return Response(b"", status_code=304, headers=headers)
    coding, body = await platform.readers.work(lambda: _compressed(page.body, request.headers.get("accept-encoding", "")))
    return Response(body, media_type=NDJSON, headers=headers | coding)


def _compressed(body: bytes, accepted: str) -> tuple[dict[str, str], bytes]:
    if len(body) >= COMPRESS_BYTES_MIN:
        if "zstd" in accepted:
            return {"Content-Encoding": "zstd"}, zstandard.ZstdCompressor(3).compress(body)
        if "gzip" in accepted:
            return {"Content-Encoding": "gzip"}, gzip.compress(body, 1, mtime=0)
    return {}, body


@get(
    "/snapshots/{feed:str}",
    responses=problems(*ASKED, PROBLEM_NOT_FOUND),
    response_description="Where the file is and what it is",
    summary="A feed's whole content as one file",
)
async def manifest(platform: ThePlatform, who: Asking, feed: FeedName) -> SnapshotManifest:
    """Where the file is, its hash, and the cursor to go on from. Built when it is asked for; the URL is relative to central's own.

    Only the catalogue and prices have one; feeds about people are read page by page.
    """
    _require_feed(feed)
    return await platform.readers.ask(lambda db: platform.snapshots.current(db, platform.instance, feed, who.currency, platform.clock.now_ms()))


@get(
    "/snapshots/{feed:str}/{name:str}",
    media_type="application/zstd",
    responses={206: PART, **problems(*ASKED, PROBLEM_NOT_FOUND, RANGE)},
    response_description="The whole file",
    summary="A snapshot's file, whole or a range of it",
)
async def snapshot_file(request: Request[Any, Any, Any], platform: ThePlatform, who: Asking, feed: FeedName, name: FromPath[str]) -> Stream:
    """The zstd-compressed NDJSON rows; ``Range: bytes=N-`` takes up a download that was cut off (206)."""
    _require_feed(feed)
    path = platform.snapshots.path(feed, who.currency, name)
    return file_response(path, request.headers.get("range", ""), request.headers.get("if-range", ""), platform.readers.work)


def feeds_router() -> Router:
    """The routes of this module."""
    return Router(
        "/edge/v1", route_handlers=[read_feed, manifest, snapshot_file], dependencies={"who": Provide(asking)}, security=REGISTER_SECURITY, tags=["feeds"]
    )
