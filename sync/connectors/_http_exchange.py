"""One HTTP exchange with central: bounded in time and size, and every failure of the network as one value."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
import msgspec
from msgspec import Struct

from sync.connectors.contract import Settings
from sync.contract.fields import UNREADABLE
from sync.contract.messages import FEEDS, PROBLEM_CHAIN, PROBLEM_EPOCH_RETIRED, PROBLEM_FORK, PROBLEM_FROZEN, PROBLEM_ROOT, Problem, in_short
from sync.link import Busy, Frozen, Refused, Unreachable

CONNECT_SECONDS = 5.0
EXCHANGE_SECONDS_MAX = 300.0
"""An exchange that is not over by then, however steadily its bytes trickle, is given up."""
PARTS_MAX = 3
"""And so is one that takes this many times what is waited for one of its parts: to connect, to send, to be answered."""
PROBLEM_TYPE = "application/problem+json"
STRANGER_SECONDS_MAX = 60.0
"""How long somebody on the way to central (a proxy, a captive portal) can make us wait: it may be gone sooner than it says."""
CONNECTIONS_MAX = 20
SHOWN_CHARACTERS_MAX = 120
"""Of a request's path so many characters are shown."""
CODINGS = ("", "identity", "gzip")
"""How an answer may be encoded. Each piece that comes in is decompressed whole, and of gzip a piece grows a thousandfold at most, of zstd without bound."""
_EXPIRED = "its certificate has expired, or this computer's clock is ahead"
_EARLY = "its certificate is not valid yet, or this computer's clock is behind"
_STRANGER = "its certificate is from an authority that is not trusted here; something on the way may look into the traffic"
_OTHER_NAME = "its certificate is another name's: a captive portal, or a wrong address"
CERTIFICATE_WHY = {9: _EARLY, 10: _EXPIRED, 18: _STRANGER, 19: _STRANGER, 20: _STRANGER, 21: _STRANGER, 62: _OTHER_NAME, 64: _OTHER_NAME}
"""What OpenSSL's verification codes (X509_V_ERR_...) mean to who has to mend it; others are told in OpenSSL's own words."""
BROKEN_OFF = "Central, or something on the way to it, broke the connection off."
NOT_HTTP = "What answers at central's address does not speak HTTP as it should: a wrong address, or something on the way."
ENDS = ("disconnected", "peer closed")
"""By which words of httpcore's and h11's an answer that ended too soon is told from one that is no HTTP."""
PASSING = (407, 408, 425)
"""Refusals of somebody on the way: a proxy that wants to be signed in to, a request that came too slowly or too early."""
FROZEN_REASONS = {PROBLEM_FORK: "fork", PROBLEM_CHAIN: "chain", PROBLEM_EPOCH_RETIRED: "epoch", PROBLEM_FROZEN: "frozen"}


PATH_WORDS = frozenset(
    (
        "",
        "edge",
        "v1",
        "events",
        "registers",
        "cursor",
        "feeds",
        *FEEDS,
        "snapshots",
        "customers",
        "carts",
        "cart",
        "claim",
        "release",
        "complete",
        "enrolments",
    )
)
"""What of a path is the contract's own; all the rest names a register, a customer, a cart or a file."""


class Answer(Struct, frozen=True):
    """An HTTP answer, read whole. ``problem`` is central's own problem document, or None when the answer carries none of its.

    ``asked`` is the request that it answers, as it may be told: nothing of whom it is about.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    asked: str = "A request"

    @property
    def problem(self) -> Problem | None:
        """Central's problem document, in short: of the right media type, and of a type of the contract's."""
        if self.media_type != PROBLEM_TYPE:
            return None
        try:
            problem = msgspec.json.decode(self.body, type=Problem)
        except UNREADABLE:
            return None
        return problem.in_short() if problem.type.startswith(PROBLEM_ROOT) else None

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def server_ms(self) -> int | None:
        """The other side's clock (wall ms), in the middle of the second that it tells."""
        return date_ms(self.headers.get("date", ""))

    def failure(self) -> Frozen | Unreachable | Busy | Refused:
        """What an answer means that is not the one that was hoped for."""
        problem = self.problem
        told = f"{problem.title}: {problem.detail}" if problem is not None else "an answer that is not central's own."
        detail = f"{self.asked}: {self.status}, {told}"
        if problem is not None and problem.type in FROZEN_REASONS:
            return Frozen(FROZEN_REASONS[problem.type], problem.detail or problem.title)
        match self.status:
            case 429 | 503:
                seconds = retry_after(self.headers.get("retry-after", ""), self.server_ms)
                return Busy(seconds if seconds is None or problem is not None else min(seconds, STRANGER_SECONDS_MAX))
            case 401 | 403 if problem is not None:
                return Refused(self.status, told)
            case status if 300 <= status < 400:
                return Unreachable(f"Somebody answers with a redirection ({status}) in place of central: a captive portal, or a wrong address.")
            case status if status < 300:
                return Unreachable("Somebody answers with a page of their own in place of central: a captive portal, or a wrong address.")
            case status if problem is not None or (status < 500 and status not in PASSING):
                return Refused(status, detail)
            case _:
                return Unreachable(detail)


class Exchange:
    """An HTTP client for one platform. Follows no redirection, takes no proxy from the environment, and logs no URL (they name customers)."""

    def __init__(self, settings: Settings) -> None:
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client = httpx.AsyncClient(
            base_url=settings.url,
            headers={"Accept-Encoding": "gzip"} | ({"Authorization": f"Bearer {settings.token}"} if settings.token else {}),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # keeps none: whatever answers in central's place hands them out
            verify=settings.ssl_context if settings.ssl_context is not None else True,
            proxy=settings.proxy if settings.transport is None else None,
            transport=settings.transport,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(
        self, method: str, path: str, *, seconds: float, bytes_max: int, content: bytes | None = None, headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Answer | Unreachable:  # fmt: skip
        """Ask, waiting at most ``seconds`` for each part, ``PARTS_MAX`` times that for all, and reading at most ``bytes_max`` (after decompression)."""
        try:
            async with (
                asyncio.timeout(min(EXCHANGE_SECONDS_MAX, PARTS_MAX * seconds)),
                self.stream(method, path, seconds=seconds, content=content, headers=headers, params=params) as response,
            ):
                return await read_answer(response, bytes_max, shown_request(method, path))
        except TimeoutError:
            return Unreachable("Central does not come to an end in time.")
        except NETWORK_ERRORS as problem:
            return unreachable(problem)

    def stream(
        self, method: str, path: str, *, seconds: float, content: bytes | None = None, headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> AbstractAsyncContextManager[httpx.Response]:  # fmt: skip
        """An answer that is read in parts. Raises ``NETWORK_ERRORS``."""
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        return self._client.stream(method, path, content=content, headers=headers, params=params, timeout=timeout)


def shown_request(method: str, path: str) -> str:
    """A request as it may stand on a screen and in a log; central names the path of a snapshot, so it is cut.

    >>> shown_request("GET", "/edge/v1/customers/c-17/cart")
    'GET /edge/v1/customers/.../cart'
    """
    return in_short(f"{method} {'/'.join(part if part in PATH_WORDS else '...' for part in path.split('/'))}", SHOWN_CHARACTERS_MAX)


async def read_answer(response: httpx.Response, bytes_max: int, asked: str) -> Answer | Unreachable:
    """The whole answer to ``asked``, of which at most ``bytes_max`` are read (after decompression). Raises ``NETWORK_ERRORS``."""
    if response.headers.get("content-encoding", "").strip().lower() not in CODINGS:
        return Unreachable("An answer in another encoding than asked.")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > bytes_max:
            return Unreachable(f"An answer of more than {bytes_max} bytes.")
    return Answer(response.status_code, response.headers, bytes(body), asked)


NETWORK_ERRORS = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)


def unreachable(problem: Exception) -> Unreachable:
    """What a failure of the network means. The URL stays out: it may name a customer."""
    match problem:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return Unreachable("Central does not answer: no connection in time.")
        case httpx.TimeoutException():
            return Unreachable("Central does not answer in time.")
        case httpx.ConnectError():
            return Unreachable(f"Central cannot be reached: {_why(problem)}.")
        case httpx.NetworkError():
            return Unreachable(BROKEN_OFF)
        case httpx.RemoteProtocolError() if any(words in str(problem) for words in ENDS):
            return Unreachable(BROKEN_OFF)
        case _:
            return Unreachable(NOT_HTTP)


def _why(problem: BaseException) -> str:
    """Why there was no connection, in a few words; the system's own reason stands somewhere among the causes."""
    cause: BaseException | None = problem
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError(verify_code=code, verify_message=told):
                return CERTIFICATE_WHY.get(code) or f"its certificate is not trusted ({told})"
            case ssl.SSLError():
                return "what answers at its address does not speak TLS as it should"
            case socket.gaierror():
                return "its name is not known here (DNS)"
            case ConnectionRefusedError():
                return "nothing listens at its address"
            case OSError(errno=errno.ENETUNREACH | errno.EHOSTUNREACH):
                return "there is no way to its network"
        cause = cause.__cause__ or cause.__context__
    return str(problem).rstrip(".") or type(problem).__name__


def date_ms(text: str) -> int | None:
    """The wall time (ms) of an HTTP date, in the middle of its second; None for anything else.

    >>> date_ms("Sun, 22 Nov 2026 23:00:00 GMT"), date_ms("soon")
    (1795388400500, None)
    """
    try:
        return int(parsedate_to_datetime(text).timestamp()) * 1000 + 500
    except (ValueError, TypeError, OverflowError):
        return None


def retry_after(text: str, now_ms: int | None) -> float | None:
    """The seconds that a Retry-After asks for, as a number or as a date after ``now_ms``; None for anything else.

    >>> retry_after("7", None), retry_after("Sun, 22 Nov 2026 23:00:10 GMT", 1795388400500), retry_after("later", None)
    (7.0, 10.0, None)
    """
    if text.strip().isascii() and text.strip().isdecimal():
        return float(text.strip()[:9])
    at_ms = date_ms(text)
    return None if at_ms is None or now_ms is None else max(0.0, (at_ms - now_ms) / 1000)
