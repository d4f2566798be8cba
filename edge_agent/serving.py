"""Where the local API listens: a Unix socket that only till users may open, or loopback with a token; always bound by ourselves."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

from litestar import Litestar

from edge_agent.domain.errors import ConfigError
from sync.bounded_http import BACKLOG, BoundedServer, Connections, connections_max

SOCKET_MODE = 0o660
SOCKET_PATH_BYTES_MAX = 107
PROBE_SECONDS_MAX = 1.0
KEEP_ALIVE_SECONDS = 60
"""An idle connection is kept this long: an associate who thinks does not cost a new one."""
CONNECTIONS_MAX = 128
"""A counter has two. Beyond this the quietest one is closed; devices need descriptors below 1024, which is as far as ``select`` goes."""
LOOPBACK = "127.0.0.1"


def bind_unix(path: Path, group: str = "", where: str = "[api]") -> socket.socket:
    """Listen on ``path`` with mode 0660 and, when named, owned by ``group``. A dead socket file is replaced; a live one is refused.

    ``where`` is the section of the configuration, for messages. Raises ConfigError.
    """
    require_socket_path(path, where)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(path, where)
    except OSError as problem:
        raise ConfigError(f"{where} socket: cannot listen on {path}: {problem.strerror}.", hint="Check the folder's permissions.") from problem
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as problem:
        listener.close()
        raise ConfigError(f"{where} socket: cannot listen on {path}: {problem.strerror}.", hint="Check the folder's permissions.") from problem
    finally:
        os.umask(mask)
    try:
        _share(path, group, where)
    except ConfigError:
        listener.close()
        raise
    listener.listen(BACKLOG)
    return listener


def require_socket_path(path: Path, where: str = "[api]") -> None:
    """Raise ConfigError where ``path`` is longer than the operating system lets a Unix socket's be."""
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        told = f"{where} socket: expected a path of at most {SOCKET_PATH_BYTES_MAX} bytes, got {path}."
        raise ConfigError(told, hint="Choose a shorter path, here or in 'state'.")


def _remove_dead(path: Path, where: str) -> None:
    """Remove the socket that a service left behind which is no more; only that: what is in doubt is somebody's."""
    if not path.exists():
        return
    if not path.is_socket():
        raise ConfigError(f"{where} socket: expected a socket or nothing at {path}, got another file.", hint="Choose another path.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_SECONDS_MAX)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError:
            pass  # not allowed, or too busy to answer: alive
    raise ConfigError(f"A service already listens on {path}.", hint="Stop it first, or give this register a state folder of its own.")


def group_number(group: str, where: str = "[api]") -> int:
    """The number of a group; -1 (which changes nothing) for none. Raises ConfigError unless it is one of this computer."""
    if not group:
        return -1
    import grp  # not on Windows, where there is no socket file to share either

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as problem:
        text = f"{where} group: expected a group of this computer, got {group!r}."
        raise ConfigError(text, hint="Create it, or run `edge-agent install`.") from problem


def _share(path: Path, group: str, where: str) -> None:
    number = group_number(group, where)
    if number >= 0:
        try:
            os.chown(path, -1, number)
        except OSError as problem:
            text = f"{where} group: expected a group that this user may give files to, got {group!r}."
            raise ConfigError(text, hint="Make this user a member, or run `edge-agent install`.") from problem
    path.chmod(SOCKET_MODE)


def bind_loopback(port: int, where: str = "[api]") -> socket.socket:
    """Listen on a loopback port; 0 takes a free one. Raises ConfigError."""
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is: each small answer would wait 40 ms otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as problem:
        listener.close()
        raise ConfigError(f"{where} port: cannot listen on {LOOPBACK}:{port}: {problem.strerror}.", hint="Choose another port.") from problem
    listener.listen(BACKLOG)
    return listener


class Listener:
    """Serves an application on one socket until it is told to stop. ``stopping`` is called first then: it lets go of requests that only wait for news."""

    def __init__(self, app: Litestar, listener: socket.socket, stopping: Callable[[], None] = lambda: None, connections: Connections | None = None) -> None:
        self._stopping = stopping
        self._server = BoundedServer(
            app, connections or Connections(connections_max(CONNECTIONS_MAX)), timeout_graceful_shutdown=2, timeout_keep_alive=KEEP_ALIVE_SECONDS, ws="none"
        )
        self._socket = listener
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve; returns once requests are answered."""
        self._task = asyncio.get_running_loop().create_task(self._server.serve(sockets=[self._socket]), name="api")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise ConfigError("The local API did not start.", hint="Look at the log.")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Answer what is under way, then close."""
        self._stopping()
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()
