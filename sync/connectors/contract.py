"""What a connector to a platform offers and what it is made from."""

from __future__ import annotations

import ssl
from typing import Protocol

import httpx
from msgspec import Struct

from edge_agent import ports
from edge_agent.clock import Clock
from sync.link import Downlink, Uplink


class Connector(Uplink, Downlink, ports.Central, Protocol):
    """One platform: facts up, feeds down, and questions about customers and carts."""

    async def aclose(self) -> None:
        """Let go of the connections."""


class Settings(Struct, frozen=True):
    """Where the platform is and who asks. ``url`` without a trailing slash; ``ssl_context`` is shared by all clients of the process.

    ``proxy`` is the store's HTTP proxy, or None; the environment's is not looked at. ``transport`` replaces the network (tests).
    """

    url: str
    token: str
    register: str
    clock: Clock
    ssl_context: ssl.SSLContext | None = None
    proxy: str | None = None
    transport: httpx.AsyncBaseTransport | None = None
