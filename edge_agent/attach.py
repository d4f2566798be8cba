"""A client of the running service: what the counter and the command-line tools attach with."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import httpx

from edge_agent.client import AgentClient
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.config import Config


class _WithToken(httpx.AsyncHTTPTransport):
    """Loopback with the token as it is in its file now: every start of the service writes a new one, and a counter outlives it."""

    def __init__(self, token_file: Path) -> None:
        super().__init__()
        self._token_file = token_file

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request``; without its token where the file cannot be read, and the service says what is missing."""
        with suppress(OSError, ValueError):
            request.headers["Authorization"] = f"Bearer {self._token_file.read_text('ascii').strip()}"
        return await super().handle_async_request(request)


def open_client(config: Config) -> AgentClient:
    """A client of the running service: over its Unix socket, or loopback with the token that the service wrote beside its journal."""
    new_id = ClockIds(SystemClock(), SystemRandom())
    if config.api.port is None:
        return AgentClient(httpx.AsyncHTTPTransport(uds=str(config.socket)), new_id=new_id)
    return AgentClient(_WithToken(config.folder / "api.token"), f"http://127.0.0.1:{config.api.port}", new_id=new_id)
