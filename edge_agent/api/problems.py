"""Expected failures as RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException

from edge_agent.domain.errors import CentralConflict, CentralError, DeviceError, EdgeError, InputError, NotAllowed, RuleError, StorageError
from edge_agent.domain.without_value import without_value
from edge_agent.views import Problem

PROBLEM_TYPE = "application/problem+json"
PROBLEM_ROOT = "urn:edge:problem:"
STATUS: tuple[tuple[type[EdgeError], int], ...] = (
    (NotAllowed, 403),
    (InputError, 422),
    (RuleError, 409),
    (StorageError, 503),
    (CentralConflict, 409),
    (CentralError, 503),
    (DeviceError, 503),
)
"""The HTTP status of each branch of the error tree; the first that fits."""
HTTP_KEYS = {400: "request_malformed", 401: "unauthorised", 404: "not_found", 405: "method_not_allowed", 413: "request_too_large", 415: "request_not_json"}
TITLES = {
    "edge_error": "This did not work",
    "input_invalid": "This cannot be used",
    "code_invalid": "A code breaks its own rules",
    "code_unknown": "Nothing here answers to a code",
    "frame_rejected": "What a device sent cannot be used",
    "rule_refused": "The shop's rules say no",
    "not_allowed": "The operator may not do this",
    "not_now": "Something else has to be done first",
    "out_of_bounds": "A value is outside its limits",
    "config_invalid": "The configuration cannot be used",
    "device_failed": "A device did not do what it was asked",
    "device_absent": "A device is not there",
    "device_busy": "Another program holds a device",
    "device_denied": "The system does not let this user open a device",
    "device_lost": "A device went away",
    "storage_failed_any": "The register's files cannot be read or written",
    "disk_full": "There is no room on the disk",
    "journal_corrupt": "The journal is damaged",
    "journal_locked": "Another service runs on this journal",
    "storage_failed": "A write to the disk failed",
    "central_failed": "Central could not be asked, or did not agree",
    "central_unreachable": "Central does not answer",
    "central_refused": "Central says no",
    "central_conflict": "Somebody else was first",
    "register_frozen": "Central froze this register",
    "contract_broken": "What the other side sent is not what the contract says",
    "request_malformed": "The request is malformed",
    "unauthorised": "A bearer token is needed",
    "not_found": "There is no such path",
    "method_not_allowed": "The path has no such method",
    "request_too_large": "The body is too large",
    "request_not_json": "The body is not JSON",
    "request_failed": "The request cannot be answered",
    "bug": "The service failed",
}
"""The title of each type of problem: the same whenever it occurs (RFC 9457, section 3.1.3); what happened this time is its detail."""

log = structlog.get_logger(__name__)


def problem_of(error: EdgeError) -> Problem:
    """An expected failure as a problem."""
    status = next((status for cls, status in STATUS if isinstance(error, cls)), 400)
    return Problem(PROBLEM_ROOT + error.code, TITLES[error.code], status, error.message, error.key, error.hint, error.args_shown, error.retry.value)


def edge_error(_: Request[Any, Any, State], error: EdgeError) -> Response[bytes]:
    """Litestar's handler for our own errors."""
    return respond(problem_of(error))


def http_error(_: Request[Any, Any, State], error: HTTPException) -> Response[bytes]:
    """Litestar's handler for its own errors: a malformed request, an unknown path, a wrong method."""
    detail = _mistakes(error)
    key = HTTP_KEYS.get(error.status_code, "request_failed")
    problem = Problem(PROBLEM_ROOT + key, TITLES[key], error.status_code, without_value(detail), key, "Compare the request with the API's description.")
    return respond(problem, error.headers)


def _mistakes(error: HTTPException) -> str:
    """What is wrong with the request, by parameter where that is known."""
    causes = error.extra if isinstance(error, ValidationException) and isinstance(error.extra, list) else []
    told = (f"{cause.get('key', 'body')}: {cause.get('message', '')}" for cause in causes if isinstance(cause, dict))
    return "; ".join(told) or str(error.detail)


def bug(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    """Litestar's handler for everything else: a bug of ours stops the operation, is logged with its traceback, and tells the client nothing of it."""
    log.error("request failed by a bug", method=request.method, path=request.url.path, exc_info=error)
    return respond(Problem(PROBLEM_ROOT + "bug", TITLES["bug"], 500, "The service failed.", "bug", "Try again; if it stays, report it with the log."))


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """A response with a problem as its body; ``headers`` are those that its status asks for (``Allow`` with 405)."""
    return Response(msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_TYPE, headers=dict(headers or {}))
