"""Questions about customers and carts, asked of central now and given up after a second."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from edge_agent.clock import Clock
from edge_agent.domain.cart import Cart, Lease
from edge_agent.domain.customer import Customer, Identifier
from edge_agent.domain.errors import CentralConflict, CentralError, CentralRefused, CentralUnreachable, ContractBroken, RegisterFrozen
from sync.connectors._http_exchange import Answer, Exchange
from sync.contract.facts import PartOfLine
from sync.contract.fields import UNREADABLE
from sync.contract.messages import (
    PROBLEM_CHANGED,
    PROBLEM_HELD,
    PROBLEM_LEASE_GONE,
    PROBLEM_NOT_FOUND,
    ClaimAnswer,
    ClaimRequest,
    CompleteRequest,
    CustomersFound,
    Problem,
    ReleaseRequest,
    in_short,
)
from sync.contract.rows import CartRow
from sync.link import Busy, Frozen, Refused, Unreachable
from sync.replica_rows import cart_of, customer_of

ANSWER_SECONDS = 1.0
"""An answer that takes longer is given up for the local copy, with its age."""
ANSWER_BYTES_MAX = 1024 * 1024
USE_COPY = "Go on with the local copy; it says how old it is."

Row = TypeVar("Row", CustomersFound, CartRow, ClaimAnswer)


class People:
    """The part of a connector that fits ``edge_agent.ports.Central``."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock

    async def identify(self, identifier: Identifier) -> Sequence[Customer]:
        """The customers that this identifier stands for."""
        found = await self._row("/edge/v1/customers", CustomersFound, {"kind": identifier.kind.value, "value": identifier.value})
        return [] if found is None else [customer_of(row, self._clock.now_ms()) for row in found.customers]

    async def cart_of(self, customer_id: str) -> Cart | None:
        """The customer's open cart."""
        return await self._cart(f"/edge/v1/customers/{_in_path(customer_id)}/cart")

    async def cart(self, cart_id: str) -> Cart | None:
        """The open cart with this id."""
        return await self._cart(f"/edge/v1/carts/{_in_path(cart_id)}")

    async def claim(self, cart_id: str, version: int, key: str) -> Lease:
        """Hold the cart for this register; the same ``key`` prolongs the lease that it was given."""
        answer = await self._ask("POST", f"/edge/v1/carts/{_in_path(cart_id)}/claim", ClaimRequest(version=version, key=key))
        claimed = _decoded(answer, ClaimAnswer)
        return Lease(claimed.cart, claimed.version, claimed.token, claimed.until_ms)

    async def release(self, lease: Lease) -> None:
        """Let it go again; a lease that is gone is no error."""
        if lease.token:
            await self._ask(
                "POST", f"/edge/v1/carts/{_in_path(lease.cart)}/release", ReleaseRequest(token=lease.token), none=(PROBLEM_LEASE_GONE, PROBLEM_NOT_FOUND)
            )

    async def complete(self, lease: Lease, sale: str, sold: Mapping[str, int]) -> None:
        """So many pieces of the named cart lines were sold by ``sale``. Without a token (sold from a copy) the sale's fact alone says so."""
        if lease.token:
            pieces = [PartOfLine(line=line, pieces=count) for line, count in sold.items()]
            request = CompleteRequest(token=lease.token, sale=sale, lines=list(sold), sold_pieces=pieces)
            await self._ask("POST", f"/edge/v1/carts/{_in_path(lease.cart)}/complete", request)

    async def _cart(self, path: str) -> Cart | None:
        row = await self._row(path, CartRow)
        return None if row is None else cart_of(row, self._clock.now_ms())

    async def _row(self, path: str, kind: type[Row], params: Mapping[str, str] | None = None) -> Row | None:
        answer = await self._ask("GET", path, params=params, none=(PROBLEM_NOT_FOUND,))
        return None if answer is None else _decoded(answer, kind)

    async def _ask(
        self, method: str, path: str, body: Struct | None = None, *, params: Mapping[str, str] | None = None, none: tuple[str, ...] = ()
    ) -> Answer | None:
        """Central's good answer, or None for one of the problems ``none``. Raises CentralError."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._exchange.send(
                    method, path, seconds=ANSWER_SECONDS, bytes_max=ANSWER_BYTES_MAX, content=content, headers=headers, params=params
                )
        except TimeoutError as problem:
            raise CentralUnreachable(f"Central did not answer within {ANSWER_SECONDS:g} s.", hint=USE_COPY, reason="slow") from problem
        if isinstance(answer, Unreachable):
            raise CentralUnreachable(answer.detail, hint=USE_COPY)
        if answer.status in (200, 204):
            return answer
        problem_told = answer.problem
        if problem_told is not None and problem_told.type in none:
            return None
        raise _error(answer, problem_told)


def _decoded(answer: Answer | None, kind: type[Row]) -> Row:
    """The answer's row. Raises CentralUnreachable for a page that is not central's, ContractBroken for JSON that is not the row."""
    assert answer is not None, "only asked for with an answer"
    if answer.media_type != "application/json":
        raise CentralUnreachable("Somebody answers in place of central.", hint=USE_COPY, reason="not_central")
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except UNREADABLE as problem:
        raise ContractBroken(f"Not a {kind.__name__}: {in_short(str(problem))}.", hint=USE_COPY, reason="row") from problem


_CONFLICTS = {
    PROBLEM_HELD: ("held", "Somebody else holds this cart."),
    PROBLEM_CHANGED: ("changed", "This cart has changed online."),
    PROBLEM_NOT_FOUND: ("changed", "This cart is no longer open online."),
    PROBLEM_LEASE_GONE: ("lease_gone", "This register no longer holds the cart."),
}


def _error(answer: Answer, problem: Problem | None) -> CentralError:
    if problem is not None and problem.type in _CONFLICTS:
        reason, message = _CONFLICTS[problem.type]
        shown = {name: value for name in ("held_by", "until_ms", "version") if (value := getattr(problem, name)) is not None}
        return CentralConflict(message, hint="Look at the cart again, or sell without it.", reason=reason, **shown)
    match answer.failure():
        case Frozen(reason, detail):
            return RegisterFrozen(detail, hint="Ask the platform's operator. Selling goes on.", reason=reason)
        case Refused(_, detail) if problem is None and answer.status not in (401, 403):
            return CentralUnreachable(detail, hint=USE_COPY, reason="not_central")
        case Refused(status, detail):
            return CentralRefused(detail, hint="Ask the platform's operator. " + USE_COPY, status=status)
        case Busy():
            return CentralUnreachable("Central is busy.", hint=USE_COPY, reason="busy")
        case Unreachable(detail):
            return CentralUnreachable(detail, hint=USE_COPY, reason="not_central")


def _in_path(id: str) -> str:
    return quote(id, safe="")
