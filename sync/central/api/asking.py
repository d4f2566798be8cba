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
from sync.contract.messages import PROBLEM_BUSY, PROBLEM_INVALID, PROBLEM_UNAUTHORISED, Problem
from sync.contract.problems import PROBLEMS

TOKEN_CHARACTERS_MAX = 256
NOT_STORED = ResponseHeader(name="Cache-Control", value="no-store", description="Personal: kept by nobody on the way")
REGISTER_SECURITY: list[dict[str, list[str]]] = [{"register": []}]
OPERATOR_SECURITY: list[dict[str, list[str]]] = [{"operator": []}]

ASKED = (PROBLEM_INVALID, PROBLEM_UNAUTHORISED)
"""What every request with a token may be answered."""
RANGE = 416
"""The one refusal of the contract that is no problem of its own: ``about:blank``."""


ThePlatform = NamedDependency[Platform]
Asking = NamedDependency[Who]
Operates = NamedDependency[bool]


def problems(*kinds: str | int) -> dict[int, ResponseSpec]:
    """The problems that an endpoint may answer with (``PROBLEM_...``, or ``RANGE``), for its documentation. Busy it always may be."""
    words: dict[int, list[str]] = {}
    for kind in dict.fromkeys((*kinds, PROBLEM_BUSY)):
        if isinstance(kind, int):
            words[kind] = ["`about:blank`: the range is outside the file."]
        else:
            told = PROBLEMS[kind]
            words.setdefault(told.status, []).append(f"`{kind}`: {told.means} The register {told.does}.")
    return {
        status: ResponseSpec(Problem, generate_examples=False, description="\n\n".join(said), media_type=PROBLEM_MEDIA_TYPE)
        for status, said in sorted(words.items())
    }


def answers(row: type, *kinds: str) -> dict[int, ResponseSpec]:
    """The same, with what a success carries: ``row`` as the contract describes it."""
    return {200: ResponseSpec(row, generate_examples=False, description="The row as it is published"), **problems(*kinds)}


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
