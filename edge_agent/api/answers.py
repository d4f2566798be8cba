"""What each kind of request may be answered with, for the API's description: the status of every problem, and what it means."""

from __future__ import annotations

from litestar.openapi.datastructures import ResponseSpec

from edge_agent import views as v
from edge_agent.api.problems import PROBLEM_TYPE

_PROBLEMS = {
    400: "The request is malformed",
    401: "The bearer token is missing or wrong (on loopback)",
    403: "The operator may not do this",
    409: "Not in this state, out of bounds, or somebody else was first",
    413: "The body is too large",
    415: "The body is not JSON",
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
