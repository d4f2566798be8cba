"""Expected failures as RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException

from edge_agent.domain.errors import CentralError, DeviceError, EdgeError, InputError, NotAllowed, RuleError, StorageError
from edge_agent.views import Problem

PROBLEM_TYPE = "application/problem+json"
PROBLEM_ROOT = "urn:edge:problem:"
STATUS: tuple[tuple[type[EdgeError], int], ...] = (
    (NotAllowed, 403),
    (InputError, 422),
    (RuleError, 409),
    (StorageError, 503),
    (CentralError, 503),
    (DeviceError, 503),
)
"""The HTTP status of each branch of the error tree; the first that fits."""
HTTP_KEYS = {400: "request_malformed", 401: "unauthorised", 404: "not_found", 405: "method_not_allowed", 413: "request_too_large", 415: "request_not_json"}

log = structlog.get_logger(__name__)


def problem_of(error: EdgeError) -> Problem:
    """An expected failure as a problem."""
    status = next((status for cls, status in STATUS if isinstance(error, cls)), 400)
    return Problem(PROBLEM_ROOT + error.code, error.message, status, error.message, error.key, error.hint, error.args_shown, error.retry.value)


def edge_error(_: Request[Any, Any, State], error: EdgeError) -> Response[bytes]:
    """Litestar's handler for our own errors."""
    return respond(problem_of(error))


def http_error(_: Request[Any, Any, State], error: HTTPException) -> Response[bytes]:
    """Litestar's handler for its own errors: a malformed request, an unknown path, a wrong method."""
    extra = error.extra if isinstance(error, ValidationException) else None
    detail = str(extra[0].get("message", error.detail)) if isinstance(extra, list) and extra else error.detail
    key = HTTP_KEYS.get(error.status_code, "request_failed")
    problem = Problem(PROBLEM_ROOT + key, error.detail, error.status_code, str(detail), key, "Compare the request with the API's description.")
    return respond(problem, error.headers)


def bug(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    """Litestar's handler for everything else: a bug of ours stops the operation, is logged with its traceback, and tells the client nothing of it."""
    log.error("request failed by a bug", method=request.method, path=request.url.path, exc_info=error)
    return respond(Problem(PROBLEM_ROOT + "bug", "The service failed.", 500, "The service failed.", "bug", "Try again; if it stays, report it with the log."))


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """A response with a problem as its body; ``headers`` are those that its status asks for (``Allow`` with 405)."""
    return Response(msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_TYPE, headers=dict(headers or {}))
