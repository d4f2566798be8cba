"""AgentClient: the typed face of the local API, the same over a Unix socket, loopback TCP or within one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from edge_agent.views import (
    ENCODER,
    AnyCommand,
    ArticleView,
    CustomerNotesView,
    CustomerRowView,
    DeviceView,
    EventView,
    ForgottenView,
    Found,
    NoticeView,
    Problem,
    Request,
    ResentView,
    SaleDetailView,
    SaleView,
    Snapshot,
    StatusView,
    VerificationView,
)  # fmt: skip

T = TypeVar("T")

CONNECT_SECONDS_MAX = 2.0
"""The service is on this machine: it answers at once or is not there."""
ANSWER_SECONDS_MAX = 10.0
"""A command is a decision and one synced write (central is given a second within it); beyond this the service counts as lost."""
NEWS_WAIT_SECONDS = 20
"""How long the service holds a long-poll open before it says that nothing happened."""
BACK_OFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between attempts to reach a lost service; the last one repeats. One client, one machine: no jitter is needed."""
RESEND_SECONDS = (0.1, 0.4, 1.0, 2.0, 2.0, 2.0, 2.0)
"""Pauses after which a command is sent again, under its id, to a service that is not there: a restarted one is back within them."""
VERIFY_SECONDS_MAX = 600.0
"""A whole journal is read for a verification or an export."""
FOUND_MAX = 50
"""Rows asked for in a search: more than a screen, less than a scroll."""


class ApiProblem(Exception):
    """The service said no; ``problem`` says why and what to do (RFC 9457 with our members)."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem


WHY = {
    "absent": "there is no such socket",
    "refused": "nothing listens there",
    "denied": "this user may not open it",
    "silent": "no answer in time",
    "broken": "the connection broke",
    "unreadable": "what answers is not this version's service",
}
"""How a service can be unreachable, by ``reason``."""
AWAY = ("absent", "refused", "broken")
"""The reasons of one that may be starting again."""


class ServiceUnreachable(Exception):
    """No usable answer from the service; whether a command was carried out is not known (sending it again under its id is safe).

    ``reason`` is a key of WHY; ``where`` the socket or URL that was tried (``""`` in one process).
    """

    def __init__(self, reason: str, where: str = "", detail: str = "") -> None:
        super().__init__(": ".join(part for part in (where, WHY[reason], detail) if part))
        self.reason = reason
        self.where = where


class Disconnected(Struct, frozen=True):
    """News that there is no news: the service does not answer, or refuses to tell; ``error`` says how."""

    error: ServiceUnreachable | ApiProblem


def newest(held: Snapshot | None, came: Snapshot) -> Snapshot:
    """The newer of two snapshots: the higher ``view`` of one ``boot``; another boot is newer than any."""
    return held if held is not None and held.boot == came.boot and held.view >= came.view else came


class AgentClient:
    """Everything that can be asked of the register's service.

    ``transport`` is ``httpx.ASGITransport`` in process, ``httpx.AsyncHTTPTransport(uds=...)`` over the socket, or a plain one over
    loopback with ``token``. ``where`` names the socket or URL for people. ``new_id`` makes the UUID under which a command is sent, after
    ``resend_seconds`` again to a service that is away. Every method raises ApiProblem or ServiceUnreachable and nothing else.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        base_url: str = "http://register",
        token: str = "",
        *,
        new_id: Callable[[], str],
        where: str = "",
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        resend_seconds: Sequence[float] = RESEND_SECONDS,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(ANSWER_SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
        self._http = httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers, timeout=timeout, trust_env=False)
        self._new_id = new_id
        self._where = where
        self._pause = pause
        self._resend_seconds = resend_seconds

    async def __aenter__(self) -> AgentClient:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    # --- commands and news -------------------------------------------------------------------------------------------------------

    async def snapshot(self) -> Snapshot:
        """How the counter stands."""
        return await self._get("/v1/snapshot", Snapshot)

    async def send(self, command: AnyCommand) -> Snapshot:
        """Carry out ``command`` and answer with the counter as it is then.

        A lost connection is answered by sending the same id again, also to a service that comes back within seconds: it then either carries it out or says
        what it did. One that is there and does not answer is asked once more.
        """
        body = ENCODER.encode(Request(self._new_id(), command))
        pauses = iter(self._resend_seconds)
        while True:
            try:
                return await self._post("/v1/commands", body)
            except ServiceUnreachable as error:
                pause = next(pauses, None)
                if pause is None or (error.reason not in AWAY and pause != self._resend_seconds[0]):
                    raise
                await self._pause(pause)

    async def news(self) -> AsyncIterator[Snapshot | Disconnected]:
        """Snapshots as they come, each newer than the one before, beginning with the present one; never ends by itself.

        A lost service is told once as Disconnected; the first snapshot after it says that the service is back.
        """
        held: Snapshot | None = None
        asking, failures = True, 0
        while True:
            try:
                came = await self.snapshot() if asking or held is None else await self._after(held)
            except (ServiceUnreachable, ApiProblem) as error:
                if failures == 0:
                    yield Disconnected(error)
                await self._pause(BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)])
                asking, failures = True, failures + 1
                continue
            back, asking, failures = failures > 0, False, 0
            if came is None:
                continue
            if came is newest(held, came):
                held = came
                yield came
            elif back and held is not None:
                yield held
            else:
                await self._pause(BACK_OFF_SECONDS[0])

    async def _after(self, held: Snapshot) -> Snapshot | None:
        """The next snapshot after ``held``, or None when nothing happened for a while."""
        query = {"after": str(held.view), "boot": held.boot, "wait": str(NEWS_WAIT_SECONDS)}
        wait = httpx.Timeout(NEWS_WAIT_SECONDS + ANSWER_SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
        answer = await self._request("GET", "/v1/events", params=query, timeout=wait)
        return None if answer.status_code == httpx.codes.NO_CONTENT else self._read(answer, Snapshot)

    # --- queries -----------------------------------------------------------------------------------------------------------------

    async def articles(self, text: str, limit: int = FOUND_MAX) -> Found[ArticleView]:
        """Articles whose name, variant, sku or GTIN has every typed word, best first."""
        return await self._get("/v1/articles", Found[ArticleView], q=text, limit=limit)

    async def customers(self, text: str, limit: int = FOUND_MAX) -> Found[CustomerRowView]:
        """Customers whose name, phone, e-mail or loyalty number has every typed word, best first."""
        return await self._get("/v1/customers", Found[CustomerRowView], q=text, limit=limit)

    async def customer_notes(self, customer: str) -> CustomerNotesView:
        """What the shop wrote down about a customer."""
        return await self._get(f"/v1/customers/{_name(customer)}/notes", CustomerNotesView)

    async def sales(self, text: str = "", limit: int = FOUND_MAX) -> list[SaleView]:
        """Completed sales, newest first."""
        return await self._get("/v1/sales", list[SaleView], q=text, limit=limit)

    async def sale(self, sale: str) -> SaleDetailView:
        """One completed sale with its receipt laid out as text."""
        return await self._get(f"/v1/sales/{_name(sale)}", SaleDetailView)

    async def departments(self) -> list[str]:
        """The departments that a line can be typed for."""
        return await self._get("/v1/departments", list[str])

    async def notices(self) -> list[NoticeView]:
        """What the counter said lately, newest first."""
        return await self._get("/v1/notices", list[NoticeView])

    async def status(self) -> StatusView:
        """The service's own health."""
        return await self._get("/v1/status", StatusView)

    async def devices(self) -> list[DeviceView]:
        """Every device of the counter."""
        return await self._get("/v1/devices", list[DeviceView])

    # --- the journal, for IT ---------------------------------------------------------------------------------------------------

    async def verification(self) -> VerificationView:
        """Check the whole journal; takes as long as reading it does."""
        return self._read(await self._request("GET", "/v1/journal/verification", timeout=VERIFY_SECONDS_MAX), VerificationView)

    async def journal_tail(self, count: int) -> list[EventView]:
        """The newest events, oldest of them first."""
        return await self._get("/v1/journal/events", list[EventView], count=count)

    async def journal_export(self) -> AsyncIterator[bytes]:
        """The journal's facts and events as bytes of NDJSON, as they come."""
        try:
            async with self._http.stream("GET", "/v1/journal/export", timeout=VERIFY_SECONDS_MAX) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    raise ApiProblem(_problem(answer))
                async for piece in answer.aiter_bytes():
                    yield piece
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    async def journal_forget(self, customer: str) -> ForgottenView:
        """Forget a customer for good."""
        return self._read(await self._request("DELETE", f"/v1/journal/persons/{_name(customer)}"), ForgottenView)

    async def journal_resend(self) -> ResentView:
        """Have the facts that central could not take sent again."""
        return self._read(await self._request("DELETE", "/v1/journal/withheld"), ResentView)

    # --- one request -------------------------------------------------------------------------------------------------------------

    async def _get(self, path: str, wanted: type[T], **query: str | int) -> T:
        return self._read(await self._request("GET", path, params=query), wanted)

    async def _post(self, path: str, body: bytes) -> Snapshot:
        return self._read(await self._request("POST", path, content=body, headers={"Content-Type": "application/json"}), Snapshot)

    def _unreachable(self, error: httpx.HTTPError) -> ServiceUnreachable:
        return ServiceUnreachable(_why(error), self._where)

    def _read(self, answer: httpx.Response, wanted: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=wanted)
        except msgspec.DecodeError as error:
            raise ServiceUnreachable("unreadable", self._where, f"the answer to {answer.request.url.path} cannot be read ({error})") from error

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if answer.is_success:
            return answer
        raise ApiProblem(_problem(answer))


def _why(error: httpx.HTTPError) -> str:
    """What a failure of the connection means, as a key of WHY; the system's own word for it stands somewhere among its causes."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case FileNotFoundError() | NotADirectoryError():
                return "absent"
            case PermissionError():
                return "denied"
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.TimeoutException():
            return "silent"
        case httpx.ConnectError():
            return "refused"
        case _:
            return "broken"


def _name(text: str) -> str:
    """Text as one part of a path, whatever is in it: dots alone would be folded away."""
    return quote(text, safe="").replace(".", "%2E")


def _problem(answer: httpx.Response) -> Problem:
    """What the service said no with; an answer without problem details becomes one."""
    try:
        return msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:
        title = f"The service answered {answer.status_code}."
        return Problem(
            "about:blank", title, answer.status_code, title, "client.answer", "Restart the service if this stays.", {"status": str(answer.status_code)}
        )
