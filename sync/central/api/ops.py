"""Operations: what operators, the web shop and tests do at central, under a token of their own."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from litestar import HttpMethod, Request, Response, Router, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from edge_agent.domain.without_value import without_value
from sync.central import carts, enrolment, feeds, listings, registers, web_shop
from sync.central.api.asking import ASKED, OPERATOR_SECURITY, Operates, ThePlatform, answers, operator, problems
from sync.central.platform import Platform
from sync.central.problems import refused
from sync.central.reconcile import Reconciliation, reconcile
from sync.central.writer import Transaction
from sync.contract.messages import (
    FEEDS,
    PROBLEM_BUSY,
    PROBLEM_HELD,
    PROBLEM_INVALID,
    PROBLEM_NOT_FOUND,
    PROBLEM_TAKEN,
    PROBLEM_TOO_LARGE,
    PROBLEM_UNAUTHORISED,
)
from sync.contract.rows import CartRow, StoreRow

Limit = Annotated[int, QueryParameter(ge=1, le=100_000, description="Rows; cut to central's bound")]
CHANGES_MAX = 10_000


class Changed(Struct, frozen=True, rename="camel"):
    """How many rows a publication changed; one that says what is there already changes nothing."""

    changed: int


class FreezeRequest(Struct, frozen=True, rename="camel"):
    """Take nothing more from a register, and why; the register is told."""

    reason: Annotated[str, Meta(min_length=1, max_length=300)]


class PublishedRow(Struct, frozen=True, rename="camel"):
    """A row to put, or with null data to delete."""

    key: Annotated[str, Meta(min_length=1, max_length=500)]
    data: dict[str, Any] | None


class NewCode(Struct, frozen=True, rename="camel"):
    """An enrolment code to type at the register, and until when (wall ms)."""

    code: str
    source: str
    expires_ms: int


class Ordered(Struct, frozen=True, rename="camel"):
    """How many lines the customer paid for online."""

    lines: int


class ReconcileLock(asyncio.Lock):
    """One reconciliation at a time: it reads everything."""


@get("/registers", responses=problems(PROBLEM_UNAUTHORISED), response_description="Every register of every store", summary="Every configured register")
async def list_registers(platform: ThePlatform, operates: Operates) -> list[listings.RegisterState]:
    """Epoch, streams, and why one is frozen."""
    return await platform.readers.ask(listings.registers)


@post(
    "/registers/{store:str}/{register:str}/freeze",
    status_code=204,
    responses=problems(*ASKED, PROBLEM_NOT_FOUND, PROBLEM_TOO_LARGE),
    response_description="It is frozen",
    summary="Refuse a register",
)
async def freeze(platform: ThePlatform, operates: Operates, store: FromPath[str], register: FromPath[str], data: JSONBody[FreezeRequest]) -> None:
    """Its facts are kept, further ones refused, until it is enrolled again: for a stolen or broken store PC."""

    def job(transaction: Transaction) -> None:
        registers.freeze(transaction, registers.find_register(transaction.db, store, register), data.reason)

    await platform.writer.run(job)


@post(
    "/registers/{store:str}/{register:str}/enrol-code",
    responses=problems(*ASKED, PROBLEM_NOT_FOUND),
    response_description="The code, to be typed at the register",
    summary="A code to enrol a register with",
)
async def enrol_code(platform: ThePlatform, operates: Operates, store: FromPath[str], register: FromPath[str]) -> NewCode:
    """Single-use; codes made for the register before end, and a used one cannot be repeated any more."""
    lives_ms = platform.limits.enrol_code_ms
    made = await platform.writer.run(lambda transaction: enrolment.make_code(transaction, platform.random, store, register, lives_ms))
    return NewCode(made.code, made.source, made.expires_ms)


@put(
    "/stores/{store:str}",
    responses=problems(*ASKED, PROBLEM_TOO_LARGE),
    response_description="How many stores that changed",
    summary="Add or rename a store and add registers",
)
async def put_store(request: Request[Any, Any, Any], platform: ThePlatform, operates: Operates, store: FromPath[str], data: JSONBody[StoreRow]) -> Changed:
    """Registers are only added here, never removed."""
    try:  # once more from the bytes: the framework takes 0 for false and "7" for 7, and a tax must not come of that
        data = msgspec.json.decode(await request.body(), type=StoreRow)
    except msgspec.DecodeError as problem:
        raise refused(PROBLEM_INVALID, without_value(str(problem))) from problem
    if data.store != store:
        raise refused(PROBLEM_INVALID, f"The store's own number is {data.store}.")
    return Changed(await platform.writer.run(lambda transaction: registers.put_stores(transaction, platform.tenant, [data])))


@get("/quarantine", responses=problems(*ASKED), response_description="Facts, each with its problem", summary="Facts that central keeps and does not believe")
async def list_quarantine(platform: ThePlatform, operates: Operates, limit: Limit = 100) -> list[listings.QuarantinedFact]:
    """Newest first."""
    return await platform.readers.ask(lambda db: listings.quarantine(db, min(limit, platform.limits.ops_rows_max)))


@get("/refund-tasks", responses=problems(*ASKED), response_description="Lines that somebody refunds or explains", summary="Cart lines that were sold twice")
async def list_refund_tasks(platform: ThePlatform, operates: Operates, limit: Limit = 100) -> list[listings.RefundTask]:
    """Newest first."""
    return await platform.readers.ask(lambda db: listings.refund_tasks(db, min(limit, platform.limits.ops_rows_max)))


@get(
    "/facts",
    responses=problems(*ASKED),
    response_description="Facts, each with its wire bytes as `event`",
    summary="Stored facts as they were sent, for replay",
)
async def list_facts(
    platform: ThePlatform, operates: Operates, after: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0, limit: Limit = 100
) -> list[listings.StoredFact]:
    """In the order in which central stored them, above a position."""

    rows_max = min(limit, platform.limits.ops_rows_max)
    return await platform.readers.ask(lambda db: list(islice(listings.facts(db, after), rows_max)))


@get(
    "/reconcile",
    responses=problems(PROBLEM_UNAUTHORISED),
    response_description="What was found; `ok` says whether all is there and agrees",
    summary="Prove that nothing is missing",
)
async def run_reconcile(platform: ThePlatform, operates: Operates, reconciling: NamedDependency[ReconcileLock]) -> Reconciliation:
    """Reads every stored fact; one at a time."""
    if reconciling.locked():
        raise refused(PROBLEM_BUSY, "A reconciliation is running.")
    async with reconciling:
        return await platform.readers.ask(lambda db: reconcile(db, platform.clock.now_ms()))


@put("/carts/{cart:str}", responses=answers(CartRow, *ASKED, PROBLEM_TOO_LARGE), summary="The customer edits their cart online")
async def edit_cart(platform: ThePlatform, operates: Operates, cart: FromPath[str], data: JSONBody[web_shop.CartEdit]) -> dict[str, Any]:
    """Opens it when there is none; its version goes up by one."""
    return await platform.writer.run(lambda transaction: web_shop.edit(transaction, cart, data))


@get("/carts/{cart:str}", responses=answers(CartRow, *ASKED, PROBLEM_NOT_FOUND), summary="A cart of any market")
async def see_cart(platform: ThePlatform, operates: Operates, cart: FromPath[str]) -> dict[str, Any]:
    """As it stands now."""
    return await platform.readers.ask(lambda db: carts.read_cart(db, cart, platform.clock.now_ms()))


@post(
    "/carts/{cart:str}/order",
    status_code=200,
    responses=problems(*ASKED, PROBLEM_NOT_FOUND, PROBLEM_HELD),
    response_description="How many lines were ordered",
    summary="The customer pays for their cart online",
)
async def order_cart(platform: ThePlatform, operates: Operates, cart: FromPath[str]) -> Ordered:
    """Refused while a register holds it."""
    return Ordered(await platform.writer.run(lambda transaction: web_shop.order(transaction, cart)))


async def _publish(platform: Platform, feed: str, changes: list[feeds.Change]) -> Changed:
    if feed not in FEEDS:
        raise refused(PROBLEM_NOT_FOUND, f"No such feed; there are {', '.join(FEEDS)}.")
    return Changed(await platform.writer.run(lambda transaction: feeds.publish(transaction, feed, changes)))


@post(
    "/feeds/{feed:str}",
    status_code=200,
    responses=problems(*ASKED, PROBLEM_NOT_FOUND, PROBLEM_TAKEN, PROBLEM_TOO_LARGE),
    response_description="How many rows that changed",
    summary="Publish rows of a feed",
)
async def publish_rows(
    platform: ThePlatform, operates: Operates, feed: FromPath[str], data: Annotated[list[PublishedRow], Body(max_items=CHANGES_MAX)]
) -> Changed:
    """All of them or, when one is wrong, none."""
    return await _publish(platform, feed, [feeds.Change(row.key, row.data) for row in data])


def _key(request: Request[Any, Any, Any], key: str) -> str:
    """The row's key as it was sent: it may have slashes, also two in a row (sku/book//fromMs), which the router would make one."""
    raw: bytes = request.scope.get("raw_path") or b""
    parts = unquote(raw.decode("ascii", "replace")).split("/", 4)
    return parts[4] if len(parts) == 5 else key.removeprefix("/")


@put(
    "/feeds/{feed:str}/{key:path}",
    responses=problems(*ASKED, PROBLEM_NOT_FOUND, PROBLEM_TAKEN, PROBLEM_TOO_LARGE),
    response_description="How many rows that changed",
    summary="Put one row of a feed",
)
async def put_row(
    request: Request[Any, Any, Any], platform: ThePlatform, operates: Operates, feed: FromPath[str], key: FromPath[str], data: JSONBody[dict[str, Any]]
) -> Changed:
    """The key may have slashes (sku/book/group/fromMs)."""
    return await _publish(platform, feed, [feeds.Change(_key(request, key), data)])


@delete(
    "/feeds/{feed:str}/{key:path}",
    status_code=200,
    responses=problems(*ASKED, PROBLEM_NOT_FOUND),
    response_description="How many rows that changed",
    summary="Delete one row of a feed",
)
async def delete_row(request: Request[Any, Any, Any], platform: ThePlatform, operates: Operates, feed: FromPath[str], key: FromPath[str]) -> Changed:
    """Registers are told with a tombstone."""
    return await _publish(platform, feed, [feeds.Change(_key(request, key), None)])


def _allowing(path: str, *methods: str) -> HTTPRouteHandler:
    """OPTIONS of a path with several methods; the framework's own answer would name the first one only."""

    async def allowed() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": ", ".join(sorted({*methods, "OPTIONS"}))})

    return HTTPRouteHandler(path, http_method=HttpMethod.OPTIONS, include_in_schema=False, status_code=204)(allowed)


def ops_router(publish_bytes_max: int) -> Router:
    """The routes of this module."""
    lock = ReconcileLock()
    return Router(
        "/ops",
        route_handlers=[
            _allowing("/carts/{cart:str}", "GET", "PUT"), _allowing("/feeds/{feed:str}/{key:path}", "PUT", "DELETE"),
            list_registers, freeze, enrol_code, put_store, list_quarantine, list_refund_tasks, list_facts, run_reconcile, edit_cart, see_cart, order_cart,
            publish_rows, put_row, delete_row,
        ],
        dependencies={"operates": Provide(operator), "reconciling": Provide(lambda: lock, sync_to_thread=False)},
        request_max_body_size=publish_bytes_max,
        security=OPERATOR_SECURITY,
        tags=["operations"],
    )  # fmt: skip
