"""Refusals as RFC 9457 problems: one exception that carries what the caller is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.contract.messages import (
    PROBLEM_BUSY,
    PROBLEM_CHAIN,
    PROBLEM_CHANGED,
    PROBLEM_CODE_INVALID,
    PROBLEM_CURSOR_EXPIRED,
    PROBLEM_ENCODING,
    PROBLEM_ENVELOPE,
    PROBLEM_EPOCH_RETIRED,
    PROBLEM_FORBIDDEN,
    PROBLEM_FORK,
    PROBLEM_FROZEN,
    PROBLEM_GAP,
    PROBLEM_HELD,
    PROBLEM_INVALID,
    PROBLEM_LEASE_GONE,
    PROBLEM_NOT_FOUND,
    PROBLEM_TOO_LARGE,
    PROBLEM_UNAUTHORISED,
    Problem,
)

PROBLEM_MEDIA_TYPE = "application/problem+json"
BUSY_RETRY_SECONDS = 2

STATUS_AND_TITLE: dict[str, tuple[int, str]] = {
    PROBLEM_GAP: (409, "Facts are missing before these"),
    PROBLEM_FORK: (409, "Two machines wrote under one identity"),
    PROBLEM_EPOCH_RETIRED: (409, "This enrolment of the register was replaced by a newer one"),
    PROBLEM_CHAIN: (409, "These facts do not follow the ones that are here"),
    PROBLEM_FROZEN: (409, "This register is frozen"),
    PROBLEM_ENVELOPE: (422, "Not a fact of this contract"),
    PROBLEM_TOO_LARGE: (413, "Too large"),
    PROBLEM_ENCODING: (415, "Not sent in a form that is understood here"),
    PROBLEM_UNAUTHORISED: (401, "Not known here"),
    PROBLEM_FORBIDDEN: (403, "Not for this register"),
    PROBLEM_CURSOR_EXPIRED: (410, "This cursor is too old"),
    PROBLEM_CODE_INVALID: (403, "This enrolment code cannot be used"),
    PROBLEM_HELD: (409, "Somebody else holds this cart"),
    PROBLEM_CHANGED: (409, "This cart has changed"),
    PROBLEM_LEASE_GONE: (409, "This lease has ended"),
    PROBLEM_NOT_FOUND: (404, "Not here"),
    PROBLEM_INVALID: (400, "Not a valid request"),
    PROBLEM_BUSY: (503, "Too much at once"),
}


class Refused(Exception):
    """The request is answered with ``problem``; nothing of it was done unless the problem says so."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{problem.title}: {problem.detail}")
        self.problem = problem
        self.headers = dict(headers or {})


def refused(type: str, detail: str, **members: Any) -> Refused:
    """The refusal of the contract's problem ``type``; ``members`` are those of ``Problem``."""
    status, title = STATUS_AND_TITLE[type]
    headers = {"Retry-After": str(BUSY_RETRY_SECONDS)} if type == PROBLEM_BUSY else {}
    if type == PROBLEM_UNAUTHORISED:
        headers = {"WWW-Authenticate": "Bearer"}
    return Refused(Problem(type=type, title=title, status=status, detail=detail, **members), headers)
