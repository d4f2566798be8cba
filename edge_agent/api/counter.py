"""The counter over HTTP: what it shows, news of it, and commands."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from edge_agent import views as v
from edge_agent.api.answers import ASKED, COMMANDED, NEWS
from edge_agent.api.commands import carry_out
from edge_agent.api.idempotency import Once
from edge_agent.api.present import Presenter, notice_view
from edge_agent.service.till import Till

WAIT_SECONDS_MAX = 25.0


def counter_handlers(till: Till, presenter: Presenter) -> list[ControllerRouterHandler]:
    """Snapshots, the long-poll for news, commands under their ids, and what was told lately."""
    core = till.core
    once = Once(lambda command_id: core.ports.journal.known_command(command_id))

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

    @post("/v1/commands", summary="Carry out one command", operation_id="command", status_code=200, responses=COMMANDED)
    async def command(data: JSONBody[v.Request]) -> v.Snapshot:
        await once.run(data.id, lambda: carry_out(till, data.command, data.id))
        return presenter.snapshot()

    @get("/v1/notices", summary="What the associate was told, newest first", operation_id="notices", responses=ASKED, sync_to_thread=False)
    def notices() -> list[v.NoticeView]:
        return [notice_view(notice) for notice in core.desk.notices]

    return [snapshot, events, command, notices]
