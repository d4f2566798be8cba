"""The service's health over HTTP, for IT: devices, streams, and the journal itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import anyio.to_thread
from litestar import get
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from msgspec.structs import replace

from edge_agent import views as v
from edge_agent.api.answers import ASKED, WHOLE_JOURNAL
from edge_agent.api.present import Presenter, link_view
from edge_agent.domain.errors import NotNow
from edge_agent.service.till import Till

TAIL_MAX = 1_000
NDJSON = "application/x-ndjson"
EXPORT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the API tells beside the register itself."""

    version: str
    started_ms: int
    devices: Callable[[], Sequence[v.DeviceView]]
    journal: Callable[[], v.JournalView]
    verify: Callable[[], v.VerificationView]
    tail: Callable[[int], Sequence[v.EventView]]
    export: Callable[[], Iterator[bytes]]
    token: str = ""
    """When set, every request must carry it as a bearer token (loopback); empty behind a Unix socket or in process."""


def health_handlers(till: Till, presenter: Presenter, around: Surroundings) -> list[ControllerRouterHandler]:
    """How the service does."""
    core = till.core

    @get("/v1/devices", summary="The devices on the counter", operation_id="devices", responses=ASKED, sync_to_thread=False)
    def devices() -> list[v.DeviceView]:
        return list(around.devices())

    @get("/v1/status", summary="The service's health", operation_id="status", responses=ASKED, sync_to_thread=False)
    def status() -> v.StatusView:
        now = presenter.snapshot()
        return v.StatusView(
            version=around.version,
            boot=core.boot,
            started_ms=around.started_ms,
            now_ms=core.ports.clock.now_ms(),
            register=core.shop.register,
            store=core.shop.store,
            phase=now.phase,
            link=link_view(core.desk.link, core.ports.clock.now_ms()),
            devices=list(around.devices()),
            streams=[
                v.StreamView(row.stream, row.head, row.acknowledged, row.head - row.acknowledged, row.oldest_waiting_ms) for row in core.ports.journal.streams()
            ],
            journal=around.journal(),
            catalogue_as_of_ms=core.ports.catalogue.age().as_of_ms,
            people_as_of_ms=core.ports.people.age().as_of_ms,
            last_sale=replace(now.last_sale, customer="") if now.last_sale else None,  # health is for machines that watch: nobody's name
        )

    return [devices, status]


def journal_handlers(around: Surroundings) -> list[ControllerRouterHandler]:
    """The journal: checked, its newest events, all of it."""
    whole_journal = asyncio.Lock()

    @get("/v1/journal/verification", summary="Check every page, event and fact of the journal", operation_id="journal_verify", responses=WHOLE_JOURNAL)
    async def journal_verify() -> v.VerificationView:
        _one_at_a_time(whole_journal)
        async with whole_journal:
            return await anyio.to_thread.run_sync(around.verify)

    @get("/v1/journal/events", summary="The newest events, without anything personal", operation_id="journal_tail", responses=ASKED)
    async def journal_tail(count: Annotated[int, QueryParameter(ge=1, le=TAIL_MAX)] = 20) -> list[v.EventView]:
        return list(await anyio.to_thread.run_sync(around.tail, count))

    @get(
        "/v1/journal/export",
        summary="Facts and events as lines of JSON",
        operation_id="journal_export",
        media_type=NDJSON,
        responses=WHOLE_JOURNAL,
    )
    async def journal_export() -> Stream:
        _one_at_a_time(whole_journal)
        return Stream(_exported(around.export, whole_journal), media_type=NDJSON)

    return [journal_verify, journal_tail, journal_export]


def _one_at_a_time(whole_journal: asyncio.Lock) -> None:
    """Reading the whole journal holds one of its few readers for long; more than one at once could make the counter wait."""
    if whole_journal.locked():
        raise NotNow("The whole journal is being read already.", hint="Wait until that is done.", reason="journal_busy")


async def _exported(export: Callable[[], Iterator[bytes]], whole_journal: asyncio.Lock) -> AsyncIterator[bytes]:
    """The lines of an export in pieces of EXPORT_BYTES, each read on a thread."""
    async with whole_journal:
        lines = export()
        while piece := await anyio.to_thread.run_sync(_piece, lines):
            yield piece


def _piece(lines: Iterator[bytes]) -> bytes:
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= EXPORT_BYTES:
            break
    return bytes(piece)
