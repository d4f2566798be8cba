"""The local API as an ASGI application: ``POST /v1/commands`` in, snapshots and searches out, one long-poll for news.

Who may use it is the socket's business (file mode), or a bearer token's on loopback; what they may do comes from who is signed in.
"""

from __future__ import annotations

import hmac
from typing import Any

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from edge_agent.api.counter import WAIT_SECONDS_MAX, counter_handlers
from edge_agent.api.finding import finding_handlers, sale_handlers
from edge_agent.api.health import Surroundings, health_handlers, journal_handlers
from edge_agent.api.openapi import Description
from edge_agent.api.present import Presenter
from edge_agent.api.problems import bug, edge_error, http_error
from edge_agent.domain.errors import EdgeError
from edge_agent.service.till import Till

__all__ = ["BODY_BYTES_MAX", "WAIT_SECONDS_MAX", "Surroundings", "build_api"]
BODY_BYTES_MAX = 64 * 1024


def build_api(till: Till, presenter: Presenter, around: Surroundings) -> Litestar:
    """The application. Building it has no effect beyond it."""
    handlers: list[ControllerRouterHandler] = [*counter_handlers(till, presenter), *finding_handlers(till, presenter), *sale_handlers(till, presenter)]
    handlers += [*health_handlers(till, presenter, around), *journal_handlers(around)]
    return _litestar(handlers, around)


def _litestar(handlers: list[ControllerRouterHandler], around: Surroundings) -> Litestar:
    async def guard(connection: ASGIConnection[Any, Any, Any, State], _: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization", "")
        if around.token and not hmac.compare_digest(given.encode(), f"Bearer {around.token}".encode()):
            raise NotAuthorizedException("A bearer token is needed here.")

    def on_app_init(config: AppConfig) -> AppConfig:
        config.type_encoders = {}
        return config

    return Litestar(
        handlers,
        guards=[guard],
        exception_handlers={EdgeError: edge_error, HTTPException: http_error, Exception: bug},
        logging_config=None,
        on_app_init=[on_app_init],
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=OpenAPIConfig(
            title="edge-agent local API",
            version="1",
            description="One register: commands in, numbered snapshots out.",
            render_plugins=[Description()],
        ),
    )
