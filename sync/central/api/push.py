"""Facts coming in, and where central stands with a register."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from litestar import Request, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, Reference, RequestBody, Schema
from litestar.params import FromPath

from sync.central.api.asking import ASKED, REGISTER_SECURITY, Asking, ThePlatform, asking_or_retired, problems
from sync.central.intake import BODY_BYTES_MAX, read_batch
from sync.central.ledger import take_in
from sync.central.problems import Refused, refused
from sync.central.registers import cursor_of
from sync.contract.described import BATCHES, CURSOR
from sync.contract.envelope import BATCH_FACTS_MAX, BATCH_TYPE
from sync.contract.messages import (
    PROBLEM_BUSY,
    PROBLEM_CHAIN,
    PROBLEM_ENCODING,
    PROBLEM_ENVELOPE,
    PROBLEM_EPOCH_RETIRED,
    PROBLEM_FORBIDDEN,
    PROBLEM_FORK,
    PROBLEM_FROZEN,
    PROBLEM_GAP,
    PROBLEM_TOO_LARGE,
    PushAck,
    RegisterCursor,
)


@dataclass
class PushOperation(Operation):
    """The push's documentation: its body is read by hand, so it is described by hand."""

    def __post_init__(self) -> None:
        """Describe the body: an array of events, whose data the published schemas describe."""
        batch = Schema(type=OpenAPIType.ARRAY, items=Reference(ref="#/components/schemas/Envelope"), max_items=BATCH_FACTS_MAX)
        self.request_body = RequestBody(
            content={BATCH_TYPE: OpenAPIMediaType(schema=batch)},
            required=True,
            description=BATCHES,
        )


class Turnstile:
    """How many batches are in hand at once."""

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)

    async def __aenter__(self) -> None:
        if self._places.locked():
            raise refused(PROBLEM_BUSY, "Too many batches at once.")
        await self._places.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._places.release()


@post(
    "/events",
    status_code=200,
    operation_class=PushOperation,
    request_max_body_size=BODY_BYTES_MAX,
    responses=problems(
        *ASKED,
        PROBLEM_FORBIDDEN,
        PROBLEM_GAP,
        PROBLEM_FORK,
        PROBLEM_CHAIN,
        PROBLEM_EPOCH_RETIRED,
        PROBLEM_FROZEN,
        PROBLEM_TOO_LARGE,
        PROBLEM_ENCODING,
        PROBLEM_ENVELOPE,
    ),
    response_description="Everything of the batch is on central's disk; where each stream of it stands now",
    summary="Send facts; the answer says which numbers are wanted next",
)
async def push(request: Request[Any, Any, Any], platform: ThePlatform, who: Asking, turnstile: NamedDependency[Turnstile]) -> PushAck:
    """``next`` of a stream is the only acknowledgement, and leaves after a synced commit. What is wrong in business terms is stored and told as quarantined.

    What is hashed, when a batch is taken, what freezes a register and what it does on each problem stands in the description of this document.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != BATCH_TYPE:
        raise refused(PROBLEM_ENCODING, f"Content-Type {media_type[:80]!r}; facts are sent as {BATCH_TYPE}.")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    async with turnstile:
        body = await request.body()
        batch = await platform.readers.work(lambda: read_batch(body, encoding, who))
        answer = await platform.writer.run(lambda transaction: take_in(transaction, who, batch))
    if isinstance(answer, Refused):
        raise answer
    return answer


@get(
    "/registers/{register:str}/cursor",
    responses=problems(*ASKED, PROBLEM_FORBIDDEN, PROBLEM_EPOCH_RETIRED),
    response_description="Where central stands, also while the register is frozen",
    summary="Where central stands with the asking register",
    description=CURSOR,
)
async def cursor(register: FromPath[str], platform: ThePlatform, who: Asking) -> RegisterCursor:
    """The number wanted next and the last hash, per stream."""
    if register != who.register:
        raise refused(PROBLEM_FORBIDDEN, f"The token is register {who.register}'s.")
    if who.epoch != who.current:
        raise refused(PROBLEM_EPOCH_RETIRED, f"The register's epoch is {who.current}, the token's {who.epoch}.")
    return await platform.readers.ask(lambda db: cursor_of(db, who.source))


def push_router(pushes_max: int) -> Router:
    """The routes of this module."""
    turnstile = Turnstile(pushes_max)
    return Router(
        "/edge/v1",
        route_handlers=[push, cursor],
        dependencies={"who": Provide(asking_or_retired), "turnstile": Provide(lambda: turnstile, sync_to_thread=False)},
        security=REGISTER_SECURITY,
        tags=["facts"],
    )
