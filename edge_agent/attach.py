"""A client of the running service: what the counter and the command-line tools attach with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

from edge_agent.client import AgentClient
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain.errors import ConfigError
from tui.terminal import drawing_terminal

UNAUTHORIZED = 401
Opened = Callable[[Config], AgentClient]
"""How a client of the service that a configuration describes is opened."""


class ScreenBroke(Exception):
    """The screen was ended by a bug. The message says it to the associate in their language, ``hint`` what to do; the log has the traceback."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def require_terminal(hint: str = "Start it in one, without pipes.") -> None:
    """Raise ConfigError where keys come from no terminal; standard output and standard error may lead elsewhere."""
    if drawing_terminal() is None:
        raise ConfigError("The counter needs a terminal to draw on and to read keys from.", hint=hint, reason="no_terminal")


class _WithToken(httpx.AsyncHTTPTransport):
    """Loopback with the token as it is in its file now: every start of the service writes a new one, and a counter outlives it."""

    def __init__(self, token_file: Path) -> None:
        super().__init__(verify=False)
        self._token_file = token_file

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request``; without its token where the file cannot be read, and the service says what is missing.

        A request that waited while the service began carries the token of the run before; it was refused unread, and is sent once more.
        """
        token = self._token()
        answer = await super().handle_async_request(self._signed(request, token))
        newer = self._token() if answer.status_code == UNAUTHORIZED else token
        if newer == token:
            return answer
        await answer.aclose()
        return await super().handle_async_request(self._signed(request, newer))

    def _token(self) -> str:
        with suppress(OSError, ValueError):
            return self._token_file.read_text("ascii").strip()
        return ""

    def _signed(self, request: httpx.Request, token: str) -> httpx.Request:
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request


def open_client(config: Config) -> AgentClient:
    """A client of the running service: over its Unix socket, or loopback with the token that the service wrote beside its journal.

    Neither is TLS, so no certificates are read (``verify``), which takes a tenth of the time until the counter is drawn.
    """
    new_id = ClockIds(SystemClock(), SystemRandom())
    if config.api.port is None:
        return AgentClient(httpx.AsyncHTTPTransport(uds=str(config.socket), verify=False), new_id=new_id, where=str(config.socket))
    url = f"http://127.0.0.1:{config.api.port}"
    return AgentClient(_WithToken(config.folder / "api.token"), url, new_id=new_id, where=url)
