"""Who asks: bearer tokens of registers and of operators, and the documents' words for it."""

from __future__ import annotations

import hmac
from typing import Any

from litestar import Request
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from sync.central.platform import Platform
from sync.central.problems import PROBLEM_MEDIA_TYPE, refused
from sync.central.registers import Who, secret_hash, who_asks
from sync.contract.messages import PROBLEM_UNAUTHORISED, Problem

TOKEN_CHARACTERS_MAX = 256
NOT_STORED = ResponseHeader(name="Cache-Control", value="no-store", description="Personal: kept by nobody on the way")
REGISTER_SECURITY: list[dict[str, list[str]]] = [{"register": []}]
OPERATOR_SECURITY: list[dict[str, list[str]]] = [{"operator": []}]

WORDS = {
    400: "invalid",
    401: "unauthorised",
    403: "forbidden, or the enrolment code cannot be used",
    404: "not-found",
    409: "a conflict: sequence-gap, sequence-fork, epoch-retired, chain-broken, register-frozen, cart-held, cart-changed or lease-gone",
    410: "cursor-expired: take a snapshot",
    413: "too-large",
    415: "encoding-unsupported",
    416: "the range is outside the file",
    422: "envelope-invalid, with the culprit's index",
    503: "busy; Retry-After says when to come back",
}


ThePlatform = NamedDependency[Platform]
Asking = NamedDependency[Who]
Operates = NamedDependency[bool]


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems that an endpoint may answer with, for its documentation. 503 always may."""
    return {
        status: ResponseSpec(Problem, generate_examples=False, description=WORDS[status], media_type=PROBLEM_MEDIA_TYPE) for status in sorted({*statuses, 503})
    }


def answers(row: type, *statuses: int) -> dict[int, ResponseSpec]:
    """The same, with what a success carries: ``row`` as the contract describes it."""
    return {200: ResponseSpec(row, generate_examples=False, description="The row as it is published"), **problems(*statuses)}


def bearer(request: Request[Any, Any, Any]) -> str:
    """The token of the request. Raises Refused (unauthorised)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= TOKEN_CHARACTERS_MAX:
        raise refused(PROBLEM_UNAUTHORISED, "A bearer token is needed.")
    return token


async def asking(request: Request[Any, Any, Any], platform: ThePlatform) -> Who:
    """The register that asks."""
    token = bearer(request)
    return await platform.readers.ask(lambda db: who_asks(db, token))


async def asking_or_retired(request: Request[Any, Any, Any], platform: ThePlatform) -> Who:
    """The register that asks, also under a token that a newer enrolment retired: it is to hear why its facts are refused."""
    token = bearer(request)
    return await platform.readers.ask(lambda db: who_asks(db, token, retired_too=True))


async def operator(request: Request[Any, Any, Any], platform: ThePlatform) -> bool:
    """That an operator asks. Raises Refused (unauthorised)."""
    if not hmac.compare_digest(secret_hash(bearer(request)), platform.ops_hash):
        raise refused(PROBLEM_UNAUTHORISED, "Not the operators' token.")
    return True
