"""One file, whole or one range of it (RFC 9110, section 14), sent in pieces."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from litestar.response import Stream
from msgspec import Struct

from sync.central.problems import Refused, refused
from sync.contract.messages import PROBLEM_NOT_FOUND, Problem

PIECE_BYTES = 256 * 1024
RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})", re.ASCII)
Work = Callable[[Callable[[], bytes]], Awaitable[bytes]]


class Slice(Struct, frozen=True):
    """Bytes ``first`` to ``last``, both included, of ``size``; ``whole`` when no usable range was asked for."""

    first: int
    last: int
    size: int
    whole: bool


def wanted_slice(size: int, range_header: str, if_range: str, tag: str) -> Slice:
    """What to send of a file. Only a single ``bytes=N-`` or ``bytes=N-M`` is taken up; anything else gets the whole file. Raises Refused (416).

    >>> wanted_slice(100, "bytes=40-", "", "t"), wanted_slice(100, "bytes=40-49", "other", "t").whole
    (Slice(first=40, last=99, size=100, whole=False), True)
    """
    asked = RANGE.fullmatch(range_header.strip())
    if asked is None or if_range not in ("", tag):
        return Slice(0, size - 1, size, whole=True)
    first, last = int(asked[1]), min(int(asked[2] or size), size - 1)
    if last < first:
        problem = Problem(type="about:blank", title="Range not satisfiable", status=416, detail=f"The file has {size} bytes.")
        raise Refused(problem, {"Content-Range": f"bytes */{size}"})
    return Slice(first, last, size, whole=False)


def file_response(path: Path, range_header: str, if_range: str, work: Work) -> Stream:
    """The answer to a GET of ``path``, whose name has its hash and is therefore its ETag. Raises Refused (416, or not found)."""
    tag = f'"{path.name}"'
    try:
        file = path.open("rb")
    except FileNotFoundError as problem:
        raise refused(PROBLEM_NOT_FOUND, "This snapshot was replaced; ask for the newest.") from problem
    try:
        part = wanted_slice(path.stat().st_size, range_header, if_range, tag)
    except BaseException:
        file.close()
        raise
    headers = {"Accept-Ranges": "bytes", "ETag": tag, "Cache-Control": "private, no-cache", "Content-Length": str(part.last - part.first + 1)}
    if not part.whole:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{part.size}"
    return Stream(_pieces(file, part, work), status_code=200 if part.whole else 206, media_type="application/zstd", headers=headers)


async def _pieces(file: BinaryIO, part: Slice, work: Work) -> AsyncIterator[bytes]:
    with file:
        file.seek(part.first)
        left = part.last - part.first + 1
        while left > 0:
            piece = await work(partial(file.read, min(left, PIECE_BYTES)))
            if not piece:
                return
            left -= len(piece)
            yield piece
