"""Refusals as RFC 9457 problems: one exception that carries what the caller is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.contract.messages import PROBLEM_BUSY, PROBLEM_UNAUTHORISED, Problem
from sync.contract.problems import PROBLEMS

PROBLEM_MEDIA_TYPE = "application/problem+json"
BUSY_RETRY_SECONDS = 2


class Refused(Exception):
    """The request is answered with ``problem``; nothing of it was done unless the problem says so."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{problem.title}: {problem.detail}")
        self.problem = problem
        self.headers = dict(headers or {})


def refused(type: str, detail: str, **members: Any) -> Refused:
    """The refusal of the contract's problem ``type``; ``members`` are those of ``Problem``."""
    told = PROBLEMS[type]
    headers = {"Retry-After": str(BUSY_RETRY_SECONDS)} if type == PROBLEM_BUSY else {}
    if type == PROBLEM_UNAUTHORISED:
        headers = {"WWW-Authenticate": "Bearer"}
    return Refused(Problem(type=type, title=told.title, status=told.status, detail=detail, **members), headers)
