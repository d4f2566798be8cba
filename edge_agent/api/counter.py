"""The counter over HTTP: what it shows, news of it, and commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.openapi.spec import OpenAPIMediaType, Operation, Reference, RequestBody
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from edge_agent import views as v
from edge_agent.api.answers import ASKED, COMMANDED, NEWS
from edge_agent.api.commands import carry_out
from edge_agent.api.idempotency import Once
from edge_agent.api.present import Presenter, notice_view
from edge_agent.service.till import Till

WAIT_SECONDS_MAX = 25.0
JSON = "application/json"
_request = msgspec.json.Decoder(v.Request)
_SAFE = 2**53  # RFC 8259, section 6: beyond it a float does not say which integer was meant


def _number(literal: str) -> int | float:
    """A JSON number as JSON Schema reads it (2020-12, section 6.1.1): ``5.0`` and ``5e0`` are the integer 5, ``5.5`` is none."""
    number = float(literal)
    return int(number) if number.is_integer() and abs(number) <= _SAFE else number


_loose = msgspec.json.Decoder(float_hook=_number)


@dataclass
class CommandOperation(Operation):
    """Describes the body of a command, which is read here and not by the framework: that would take ``"5"`` for an amount of 5."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody({JSON: OpenAPIMediaType(Reference(ref="#/components/schemas/Request"))}, required=True)


def counter_handlers(till: Till, presenter: Presenter) -> list[ControllerRouterHandler]:
    """Snapshots, the long-poll for news, commands under their ids, and what was told lately."""
    core = till.core
    once = Once(lambda command_id: core.ports.journal.known_command(command_id), lambda command_id: core.ports.journal.said(command_id))

    @get("/v1/snapshot", summary="Everything the counter shows, now", operation_id="snapshot", responses=ASKED, sync_to_thread=False)
    def snapshot() -> v.Snapshot:
        return presenter.snapshot()

    @get(
        "/v1/events",
        summary="The newest snapshot as soon as it is newer than `after`",
        operation_id="events",
        responses=NEWS,
    )
    async def events(
        after: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0,
        boot: Annotated[str, QueryParameter(max_length=64)] = "",
        wait: Annotated[float, QueryParameter(ge=0, le=WAIT_SECONDS_MAX)] = 20.0,
    ) -> Response[v.Snapshot | None]:
        if boot and boot != core.boot:
            return Response(presenter.snapshot())
        if await core.wait_beyond(after, wait):
            return Response(presenter.snapshot())
        return Response(None, status_code=204)

    @post("/v1/commands", summary="Carry out one command", operation_id="command", status_code=200, responses=COMMANDED, operation_class=CommandOperation)
    async def command(request: Request[Any, Any, State]) -> v.Snapshot:
        asked = _asked(request.content_type[0], await request.body())
        await once.run(asked.id, v.ENCODER.encode(asked.command), lambda: carry_out(till, asked.command, asked.id))
        return presenter.snapshot()

    @get(
        "/v1/notices",
        summary="What stands until somebody saw to it, and what the associate was told, newest first",
        operation_id="notices",
        responses=ASKED,
        sync_to_thread=False,
    )
    def notices() -> list[v.NoticeView]:
        standing = [notice_view(notice) for notice in till.standing()]
        said = [notice_view(notice) for notice in core.desk.notices]
        return [*standing, *(notice for notice in said if all((notice.key, notice.shown) != (kept.key, kept.shown) for kept in standing))]

    return [snapshot, events, command, notices]


def _asked(content_type: str, body: bytes) -> v.Request:
    if content_type != JSON:
        raise ClientException(f"Expected a body of {JSON}, got {content_type or 'none'}.", status_code=415)
    try:
        try:
            return _request.decode(body)
        except msgspec.ValidationError:
            return msgspec.convert(_loose.decode(body), v.Request)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ClientException(str(problem)) from problem
    except RecursionError as problem:
        raise ClientException("The body is nested too deeply.") from problem
