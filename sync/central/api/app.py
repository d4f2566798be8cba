"""The whole HTTP application: routes, documentation, and every failure as an RFC 9457 problem."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme

from edge_agent.domain.errors import ConfigError, StorageError
from edge_agent.domain.without_value import without_value
from sync.central.api.components import make_exact
from sync.central.api.enrolments import enrol
from sync.central.api.feeds import feeds_router
from sync.central.api.ops import ops_router
from sync.central.api.people import people_router
from sync.central.api.push import push_router
from sync.central.checks import quarantine_words
from sync.central.limits import Limits
from sync.central.platform import Platform
from sync.central.problems import PROBLEM_MEDIA_TYPE, Refused, refused
from sync.contract.described import OVERVIEW
from sync.contract.messages import PROBLEM_BUSY, PROBLEM_INVALID, PROBLEM_NOT_FOUND, PROBLEM_TOO_LARGE, Problem
from sync.contract.problems import PROBLEMS

API_VERSION = "1.0.0"
DESCRIPTION = f"""{OVERVIEW}

## Quarantine at this central

These problems put a fact into quarantine here; another central may look at other things.

{quarantine_words()}"""
PROBLEM_TYPE_BY_STATUS = {400: PROBLEM_INVALID, 404: PROBLEM_NOT_FOUND, 413: PROBLEM_TOO_LARGE}

log = logging.getLogger(__name__)
AnyRequest = Request[Any, Any, Any]


def _answer(problem: Problem, headers: dict[str, str]) -> Response[bytes]:
    return Response(msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_MEDIA_TYPE, headers=headers)


def on_refused(request: AnyRequest, problem: Refused) -> Response[bytes]:
    """What the product refuses."""
    return _answer(problem.problem, problem.headers)


def on_http(request: AnyRequest, problem: HTTPException) -> Response[bytes]:
    """What the framework refuses: a value outside its bounds, an unknown path, another method, too much body."""
    status = problem.status_code
    if isinstance(problem, NotFoundException):
        return on_refused(request, refused(PROBLEM_NOT_FOUND, "No such path."))
    causes = problem.extra if isinstance(problem.extra, list) else []
    detail = "; ".join(f"{cause.get('key', 'body')}: {cause.get('message', '')}" for cause in causes if isinstance(cause, dict)) or str(problem.detail)
    kind = PROBLEM_TYPE_BY_STATUS.get(status, "about:blank")
    title = PROBLEMS[kind].title if kind in PROBLEMS else HTTPStatus(status).phrase
    return _answer(Problem(kind, title, status, without_value(detail)[:400]), dict(problem.headers or {}))


def on_config(request: AnyRequest, problem: ConfigError) -> Response[bytes]:
    """A publication that makes no sense together (a store in a country without a market)."""
    return on_refused(request, refused(PROBLEM_INVALID, f"{problem.message} {problem.hint}"))


def on_storage(request: AnyRequest, problem: StorageError) -> Response[bytes]:
    """Nothing was stored; the sender keeps what it has and comes back."""
    return on_refused(request, refused(PROBLEM_BUSY, "Central cannot write just now."))


def on_depth(request: AnyRequest, problem: RecursionError) -> Response[bytes]:
    """A body with more brackets in brackets than anybody follows."""
    return on_refused(request, refused(PROBLEM_INVALID, "The body is nested too deeply."))


def on_bug(request: AnyRequest, problem: Exception) -> Response[bytes]:
    """A bug of central's: logged here, and not told to the other side."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=problem)
    return _answer(Problem("about:blank", "Internal error", 500, "Central's log says more."), {})


def build_app(platform: Platform) -> Litestar:
    """The ASGI application over ``platform``. Building it starts nothing."""
    return _app(platform.limits, Provide(lambda: platform, sync_to_thread=False))


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the application, as plain values."""
    return _app(Limits(), Provide(lambda: None, sync_to_thread=False)).openapi_schema.to_schema()


def _app(limits: Limits, platform: Provide) -> Litestar:
    app = Litestar(
        route_handlers=[push_router(limits.pushes_in_hand_max), feeds_router(), people_router(), enrol, ops_router(limits.publish_bytes_max)],
        dependencies={"platform": platform},
        exception_handlers={
            Refused: on_refused,
            HTTPException: on_http,
            ConfigError: on_config,
            StorageError: on_storage,
            RecursionError: on_depth,
            Exception: on_bug,
        },
        request_max_body_size=limits.body_bytes_max,
        logging_config=None,
        openapi_config=openapi(),
    )
    make_exact(app)
    return app


def openapi() -> OpenAPIConfig:
    """What the OpenAPI document says about itself. It is served at /schema/openapi.json, as JSON alone: a page around it would load scripts from elsewhere."""
    schemes: dict[str, SecurityScheme | Reference] = {
        "register": SecurityScheme(type="http", scheme="bearer", description="The token of an enrolled register."),
        "operator": SecurityScheme(type="http", scheme="bearer", description="The operators' token, made at central's first start."),
    }
    return OpenAPIConfig(
        title="Edge central platform",
        version=API_VERSION,
        description=DESCRIPTION,
        components=Components(security_schemes=schemes),
        use_handler_docstrings=True,
        render_plugins=[JsonRenderPlugin()],
    )
