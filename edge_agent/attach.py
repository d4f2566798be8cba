"""A client of the running service: what the counter and the command-line tools attach with."""

from __future__ import annotations

import httpx

from edge_agent.client import AgentClient
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.config import Config


def open_client(config: Config) -> AgentClient:
    """A client of the running service: over its Unix socket, or loopback with the token that the service wrote beside its journal."""
    new_id = ClockIds(SystemClock(), SystemRandom())
    if config.api.port is None:
        return AgentClient(httpx.AsyncHTTPTransport(uds=str(config.socket)), new_id=new_id)
    token_file = config.folder / "api.token"
    token = token_file.read_text().strip() if token_file.exists() else ""
    return AgentClient(httpx.AsyncHTTPTransport(), f"http://127.0.0.1:{config.api.port}", token, new_id=new_id)
