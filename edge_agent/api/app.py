"""The local API as an ASGI application: ``POST /v1/commands`` in, snapshots and searches out, one long-poll for news.

Who may use it is the socket's business (file mode), or a bearer token's on loopback; what they may do comes from who is signed in.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import anyio.to_thread
from litestar import Litestar, Response, get, post
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from edge_agent import views as v
from edge_agent.api.commands import carry_out
from edge_agent.api.idempotency import Once
from edge_agent.api.openapi import Description
from edge_agent.api.present import Presenter, link_view, notice_view, per
from edge_agent.api.problems import PROBLEM_TYPE, bug, edge_error, http_error, too_deep
from edge_agent.domain.catalogue import Article, offer
from edge_agent.domain.customer import Customer, IdentifierKind
from edge_agent.domain.errors import CodeUnknown, EdgeError, NotNow
from edge_agent.domain.receipt import layout
from edge_agent.service.codec import read_sale
from edge_agent.service.till import Till

WAIT_SECONDS_MAX = 25.0
ROWS_MAX = 100
TAIL_MAX = 1_000
NDJSON = "application/x-ndjson"
RECEIPT_COLUMNS = 42
BODY_BYTES_MAX = 64 * 1024
EXPORT_BYTES = 64 * 1024

Query = Annotated[str, QueryParameter(name="q", max_length=200, description="Words, in any order")]
Limit = Annotated[int, QueryParameter(ge=1, le=ROWS_MAX)]
_PROBLEMS = {
    400: "The request is malformed",
    401: "The bearer token is missing or wrong (on loopback)",
    403: "The operator may not do this",
    409: "Not in this state, or out of bounds",
    413: "The body is too large",
    422: "What was typed, scanned or asked for cannot be used or found",
    500: "A bug of the service",
    503: "The disk, central or a device refuses",
}
COMMANDED = {
    status: ResponseSpec(data_container=v.Problem, description=text, media_type=PROBLEM_TYPE, generate_examples=False) for status, text in _PROBLEMS.items()
}
ASKED = {status: COMMANDED[status] for status in (400, 401, 500, 503)}
LOOKED_UP = {**ASKED, 422: COMMANDED[422]}
WHOLE_JOURNAL = {**ASKED, 409: COMMANDED[409]}
NEWS = {
    **ASKED,
    200: ResponseSpec(v.Snapshot, description="The newest snapshot", generate_examples=False),
    204: ResponseSpec(None, description="Nothing newer", generate_examples=False),
}


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


def build_api(till: Till, presenter: Presenter, around: Surroundings) -> Litestar:
    """The application. Building it has no effect beyond it."""
    core = till.core
    once = Once(lambda command_id: core.ports.journal.known_command(command_id))
    whole_journal = asyncio.Lock()

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

    @get("/v1/articles", summary="Find articles by typing", operation_id="articles", responses=ASKED)
    async def articles(q: Query, limit: Limit = 20) -> v.Found[v.ArticleView]:
        def found() -> v.Found[v.ArticleView]:
            return v.Found([_article(article) for article in core.ports.catalogue.find(q, limit)], "local", core.ports.catalogue.age().as_of_ms)

        return await anyio.to_thread.run_sync(found)

    def _article(article: Article) -> v.ArticleView:
        rows = [price for price in core.ports.catalogue.prices(article.sku) if price.currency == core.shop.market.currency]
        found = offer(rows, core.ports.clock.now_ms())
        price = presenter.amount(found.applied.amount_minor) if found else None
        return v.ArticleView(article.sku, article.name, article.variant, article.gtins[0] if article.gtins else "", price, per(article.sold_by))

    @get("/v1/customers", summary="Find customers by typing", operation_id="customers", responses=ASKED)
    async def customers(q: Query, limit: Limit = 20) -> v.Found[v.CustomerRowView]:
        rows = await anyio.to_thread.run_sync(core.ports.people.find, q, limit)
        return v.Found([_customer_row(customer) for customer in rows], "local", core.ports.people.age().as_of_ms)

    @get(
        "/v1/customers/{customer_id:str}/notes",
        summary="A customer's private notes: one key away, never in a snapshot",
        responses=LOOKED_UP,
        operation_id="notes",
    )
    async def customer_notes(customer_id: Annotated[str, PathParameter(max_length=64)]) -> v.CustomerNotesView:
        found = await anyio.to_thread.run_sync(core.ports.people.customer, customer_id)
        if found is None:
            raise CodeUnknown("That customer is not known here any more.", hint="Search again (F3).", reason="customer")
        return v.CustomerNotesView(found.id, list(found.notes))

    @get("/v1/sales", summary="Completed sales of this register, newest first", operation_id="sales", responses=ASKED)
    async def sales(q: Query = "", limit: Limit = 20) -> list[v.SaleView]:
        def found() -> list[v.SaleView]:
            return [presenter.sale(read_sale(row)) for row in core.ports.journal.sales(q, limit)]

        return await anyio.to_thread.run_sync(found)

    @get("/v1/sales/{sale_id:str}", summary="One completed sale with its receipt", operation_id="sale", responses=LOOKED_UP, sync_to_thread=False)
    def sale(sale_id: Annotated[str, PathParameter(max_length=64)]) -> v.SaleDetailView:
        found = till.printing.sale(sale_id)
        return v.SaleDetailView(presenter.sale(found), layout(till.printing.receipt(found, copy=False), RECEIPT_COLUMNS))

    @get("/v1/departments", summary="Departments to sell by", operation_id="departments", responses=ASKED, sync_to_thread=False)
    def departments() -> list[str]:
        return [name for name, _ in till.departments()]

    @get("/v1/notices", summary="What the associate was told, newest first", operation_id="notices", responses=ASKED, sync_to_thread=False)
    def notices() -> list[v.NoticeView]:
        return [notice_view(notice) for notice in core.desk.notices]

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
            last_sale=now.last_sale,
        )

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

    handlers: list[ControllerRouterHandler] = [snapshot, events, command, articles, customers, customer_notes, sales, sale, departments]
    handlers += [notices, devices, status, journal_verify, journal_tail, journal_export]
    return _litestar(handlers, around)


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


def _litestar(handlers: list[ControllerRouterHandler], around: Surroundings) -> Litestar:
    async def guard(connection: ASGIConnection[Any, Any, Any, State], _: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization", "")
        if around.token and not hmac.compare_digest(given.encode(), f"Bearer {around.token}".encode()):
            raise NotAuthorizedException("A bearer token is needed here.")

    def on_app_init(config: AppConfig) -> AppConfig:
        config.type_encoders = {}
        return config

    return Litestar(
        handlers,
        guards=[guard],
        exception_handlers={EdgeError: edge_error, HTTPException: http_error, RecursionError: too_deep, Exception: bug},
        logging_config=None,
        on_app_init=[on_app_init],
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=OpenAPIConfig(
            title="edge-agent local API",
            version="1",
            description="One register: commands in, numbered snapshots out.",
            render_plugins=[Description()],
        ),
    )


def _customer_row(customer: Customer) -> v.CustomerRowView:
    phone = next((identifier.value for identifier in customer.identifiers if identifier.kind is IdentifierKind.PHONE), "")
    return v.CustomerRowView(customer.id, customer.name, customer.tier, f"… {phone[-3:]}" if phone else "", customer.last_visit_ms)
