"""The local API while the journal cannot even be opened: every screen and script is told why nothing can be sold, and what to do."""

from __future__ import annotations

import asyncio
from typing import Annotated

from litestar import Litestar, Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import QueryParameter
from msgspec.structs import replace

from edge_agent import views as v
from edge_agent.api.app import WAIT_SECONDS_MAX
from edge_agent.api.present import error_view
from edge_agent.api.problems import http_error, problem_of, respond
from edge_agent.clock import Clock
from edge_agent.domain.errors import StorageError
from edge_agent.service.core import Shop


def build_stopped_api(error: StorageError, shop: Shop, boot: str, clock: Clock) -> Litestar:
    """An application whose one snapshot says ``error``; it is replaced by the real one when the journal opens."""
    now_ms = clock.now_ms()
    link = v.LinkView("offline", now_ms, 0, "stopped", "The journal cannot be opened; nothing is sent.")
    snapshot_now = v.Snapshot(
        boot=boot,
        view=1,
        at_ms=now_ms,
        phase="stopped",
        store=shop.store_name,
        register=shop.register,
        country=shop.market.country,
        currency=shop.market.currency,
        timezone=shop.market.timezone,
        link=link,
        devices=[],
        stopped=error_view(error, now_ms),
    )

    @get("/v1/snapshot", sync_to_thread=False)
    def snapshot() -> v.Snapshot:
        return replace(snapshot_now, at_ms=clock.now_ms())

    @get("/v1/events")
    async def events(
        after: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0,
        boot: Annotated[str, QueryParameter(max_length=64)] = "",
        wait: Annotated[float, QueryParameter(ge=0, le=WAIT_SECONDS_MAX)] = 20.0,
    ) -> Response[v.Snapshot | None]:
        if boot != snapshot_now.boot or after < snapshot_now.view:
            return Response(replace(snapshot_now, at_ms=clock.now_ms()))
        await asyncio.sleep(wait)
        return Response(None, status_code=204)

    @post("/v1/commands", status_code=200)
    async def command(data: v.Request) -> Response[bytes]:
        return respond(problem_of(error))

    @get("/v1/status", sync_to_thread=False)
    def status() -> v.StatusView:
        journal = v.JournalView("", 0, 0, "stopped", f"{error.message} {error.hint}")
        return v.StatusView("", boot, now_ms, clock.now_ms(), shop.register, shop.store, "stopped", link, [], [], journal, None, None, None)

    @get("/v1/devices", sync_to_thread=False)
    def devices() -> list[v.DeviceView]:
        return []

    return Litestar([snapshot, events, command, status, devices], exception_handlers={HTTPException: http_error}, logging_config=None, openapi_config=None)
