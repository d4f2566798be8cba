"""Serving central over HTTP: as a program, or in a thread of another one (the demo, tests)."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.clock import Clock, Random
from edge_agent.domain.errors import ConfigError
from sync.bounded_http import BACKLOG, BoundedServer, Connections, connections_max
from sync.central.central import Central
from sync.central.limits import Limits
from sync.file_lock import FileLock

LOCK = "serving.lock"
STOP_SECONDS = 3
KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept: longer than clients keep theirs, so that none is closed while a request is on its way."""
CONNECTIONS_MAX = 10_000
"""Connections at once, if the process may have so many descriptors; beyond, the quietest that central waits for is closed, else the new one gets a 503."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ConfigError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is: each small answer would wait 40 ms otherwise.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as problem:
        sock.close()
        raise ConfigError(f"Cannot listen on {host}, port {port}: {problem.strerror}.", hint="Choose another --host or --port.", reason="address") from problem
    return sock


@contextmanager
def served_alone(folder: Path) -> Iterator[None]:
    """The folder, made when missing, is this process's to serve; the commands that serve nothing may be used beside it. Raises JournalLocked, OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, "Use the central that is running, or stop it first.")
    lock.take()
    try:
        yield
    finally:
        lock.release()


def url_of(sock: socket.socket) -> str:
    """The base URL that reaches ``sock``."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(BoundedServer):
    """Central's server: it lets waiting requests go when it is told to stop."""

    def __init__(self, central: Central, connections: Connections | None = None) -> None:
        bounded = connections or Connections(connections_max(CONNECTIONS_MAX))
        super().__init__(central.asgi(), bounded, timeout_graceful_shutdown=STOP_SECONDS, timeout_keep_alive=KEEP_ALIVE_SECONDS)
        self._central = central

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what waits for news, then stop as usual."""
        self._central.stop_waiting()
        await super().shutdown(sockets)


def serve_until_told(central: Central, sock: socket.socket) -> None:
    """Serve in the calling thread, the main one, until SIGTERM or SIGINT."""
    server = Server(central)

    def stop(number: int, frame: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        asyncio.run(server.serve(sockets=[sock]))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class EmbeddedCentral:
    """A central with its server in a thread. ``start`` answers the URL; after ``stop`` it can be started again over the same folder."""

    def __init__(self, folder: Path, clock: Clock | None = None, random: Random | None = None, *, tenant: str = "", ops_token: str = "",
                 host: str = "127.0.0.1", port: int = 0, limits: Limits | None = None, connections: Connections | None = None) -> None:  # fmt: skip
        self._make: Callable[[], Central] = lambda: Central(folder, clock, random, tenant=tenant, ops_token=ops_token, limits=limits)
        self._connections = connections
        self._host, self._port = host, port
        self._running: tuple[Central, Server, threading.Thread] | None = None

    @property
    def central(self) -> Central:
        """The running central, to seed it and make codes."""
        assert self._running is not None, "not started"
        return self._running[0]

    @property
    def url(self) -> str:
        """Where it is, or was, served."""
        return f"http://[{self._host}]:{self._port}" if ":" in self._host else f"http://{self._host}:{self._port}"

    def start(self) -> str:
        """Serve; the same port is used again after a stop. Raises ConfigError, StorageFailed."""
        assert self._running is None, "already started"
        sock = listen(self._host, self._port)
        try:
            central = self._make()
            server = Server(central, self._connections)
        except BaseException:
            sock.close()
            raise
        self._port = sock.getsockname()[1]
        ready = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(_serve(server, sock, ready)), name="central-http", daemon=True)
        self._running = (central, server, thread)
        thread.start()
        ready.wait()
        return self.url

    def stop(self) -> None:
        """Stop serving and close the file; does nothing when not started."""
        if self._running is not None:
            central, server, thread = self._running
            self._running = None
            server.should_exit = True
            thread.join()
            central.close()


async def _serve(server: Server, sock: socket.socket, ready: threading.Event) -> None:
    """The socket listens already, so the first request only waits for the loop."""
    ready.set()
    with sock:
        await server.serve(sockets=[sock])
