"""The service's health over HTTP, for IT: devices, streams, and the journal itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Annotated

import anyio.to_thread
from litestar import delete, get
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from msgspec import Struct
from msgspec.structs import replace

from edge_agent import views as v
from edge_agent.api.answers import ASKED, WHOLE_JOURNAL
from edge_agent.api.present import Presenter, link_view
from edge_agent.domain.errors import NotNow, StorageError
from edge_agent.service.till import Till

TAIL_MAX = 1_000
NDJSON = "application/x-ndjson"
EXPORT_BYTES = 64 * 1024


class Surroundings(Struct, frozen=True):
    """What the API tells beside the register itself."""

    version: str
    started_ms: int
    devices: Callable[[], Sequence[v.DeviceView]]
    journal: Callable[[], v.JournalView]
    verify: Callable[[], v.VerificationView]
    tail: Callable[[int], Sequence[v.EventView]]
    export: Callable[[], Iterator[bytes]]
    forget: Callable[[str], Awaitable[v.ForgottenView]]
    resend: Callable[[], Awaitable[v.ResentView]]
    feeds_waiting: Callable[[], Mapping[str, str]] = dict
    """The feeds that cannot be read now, and why."""
    left_out: Callable[[], Mapping[str, tuple[int, str]]] = dict
    """The feeds of which rows were left out since the service began: how many, and why the newest."""
    attention: Callable[[], Sequence[str]] = tuple
    """What of the files a person has to see to, a sentence each."""
    token: str = ""
    """When set, every request must carry it as a bearer token (loopback); empty behind a Unix socket or in process."""


def health_handlers(till: Till, presenter: Presenter, around: Surroundings) -> list[ControllerRouterHandler]:
    """How the service does."""
    core = till.core

    def streams() -> list[v.StreamView]:
        try:
            rows = core.ports.journal.streams()
        except StorageError:  # status is how IT hears of it from afar: it answers, and ``journal`` says why there are none
            return []
        return [v.StreamView(row.stream, row.head, row.acknowledged, row.head - row.acknowledged, row.oldest_waiting_ms) for row in rows]

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
            link=link_view(core.desk, core.ports.clock.now_ms()),
            devices=list(around.devices()),
            streams=streams(),
            journal=around.journal(),
            catalogue_as_of_ms=core.ports.catalogue.age().as_of_ms,
            people_as_of_ms=core.ports.people.age().as_of_ms,
            last_sale=replace(now.last_sale, customer="") if now.last_sale else None,  # health is for machines that watch: nobody's name
            attention=[*(f"{notice.text} {notice.hint}" for notice in till.paying.checking.standing()), *around.attention()],
            left_out=[v.LeftOutView(feed, rows, why) for feed, (rows, why) in sorted(around.left_out().items())],
            feeds_waiting=[v.FeedView(feed, problem) for feed, problem in sorted(around.feeds_waiting().items())],
        )

    return [devices, status]


def journal_handlers(around: Surroundings) -> list[ControllerRouterHandler]:
    """The journal: checked, its newest events, all of it."""
    whole_journal, one_piece = asyncio.Lock(), asyncio.Lock()

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
        return Stream(_exported(around.export, one_piece), media_type=NDJSON)

    @delete(
        "/v1/journal/persons/{customer:str}",
        summary="Forget a customer for good: destroy the key that their part of the journal lies under",
        operation_id="journal_forget",
        status_code=200,
        responses=ASKED,
    )
    async def journal_forget(customer: Annotated[str, PathParameter(max_length=64)]) -> v.ForgottenView:
        return await around.forget(customer)

    @delete(
        "/v1/journal/withheld",
        summary="Withhold nothing any more: put the facts that central could not take into their streams again",
        operation_id="journal_resend",
        status_code=200,
        responses=ASKED,
    )
    async def journal_resend() -> v.ResentView:
        return await around.resend()

    return [journal_verify, journal_tail, journal_export, journal_forget, journal_resend]


def _one_at_a_time(whole_journal: asyncio.Lock) -> None:
    """Reading the whole journal holds one of its few readers for long; more than one at once could make the counter wait."""
    if whole_journal.locked():
        raise NotNow("The whole journal is being read already.", hint="Wait until that is done.", reason="journal_busy")


async def _exported(export: Callable[[], Iterator[bytes]], one_piece: asyncio.Lock) -> AsyncIterator[bytes]:
    """The lines of an export in pieces of EXPORT_BYTES, each read on a thread, one at a time whoever asks; nothing is held while one is being taken."""
    lines = export()
    while True:
        async with one_piece:
            piece = await anyio.to_thread.run_sync(_piece, lines)
        if not piece:
            return
        yield piece


def _piece(lines: Iterator[bytes]) -> bytes:
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= EXPORT_BYTES:
            break
    return bytes(piece)
