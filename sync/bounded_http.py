"""HTTP for strangers: how many connections there may be, how long one may keep us waiting, and how much of it goes into the log.

uvicorn bounds neither how long a request's head may take nor how many connections may be open before they have asked anything. Whoever opens a thousand
and says nothing would take every file descriptor, and with them every answer. Here a connection that we wait for has a deadline, and when there are
too many the one that has said nothing for the longest is closed in favour of the new one. One that waits for us is never closed; one that takes nothing
of its answer for a minute is.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge_agent.listening import accept_no_more

HEAD_SECONDS = 10.0
"""How long a request's head may take from the connection's, or its own, first byte on; however the bytes come."""
BODY_QUIET_SECONDS = 30.0
"""How long nothing may come in the middle of a request's body."""
TAKE_SECONDS = 60.0
"""How long the other side may take nothing of an answer that waits for it."""
BACKLOG = 512
"""How many connections the operating system holds until they are accepted."""
ACCEPTED_AT_ONCE = 64
"""How many connections the event loop accepts before it looks at those it has."""
DESCRIPTORS_KEPT = 64 + 4 * ACCEPTED_AT_ONCE
"""Of the descriptors that the process may have, so many stay for files, devices, and connections that are just being accepted or closed."""
CONNECTIONS_MIN = 16
LOGGED_EVERY_SECONDS = 60.0
_REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connections:
    """The connections of one server: at most ``limit``; beyond that the quietest is closed, and with none to close the new one is answered 503."""

    def __init__(
        self, limit: int, head_seconds: float = HEAD_SECONDS, body_quiet_seconds: float = BODY_QUIET_SECONDS, take_seconds: float = TAKE_SECONDS
    ) -> None:
        self.limit = limit
        self.head_seconds = head_seconds
        self.body_quiet_seconds = body_quiet_seconds
        self.take_seconds = take_seconds
        self._waited_for: dict[BoundedHttp, None] = {}  # the quietest first

    def protocol(self) -> Any:
        """What uvicorn's ``Config`` takes as ``http``."""
        return partial(BoundedHttp, self)

    def waits_for(self, connection: BoundedHttp) -> None:
        """It has just said something, or come, and it is its turn to say more."""
        self._waited_for.pop(connection, None)
        self._waited_for[connection] = None

    def answers(self, connection: BoundedHttp) -> None:
        """It has said all, and waits for us; or it is gone."""
        self._waited_for.pop(connection, None)

    def room(self, used: int) -> bool:
        """Whether there is room for one of ``used`` connections, made if need be."""
        if used <= self.limit:
            return True
        quietest = next(iter(self._waited_for), None)
        if quietest is None:
            return False
        self.answers(quietest)
        quietest.transport.abort()
        return True


class BoundedHttp(H11Protocol):
    """uvicorn's protocol with a deadline for what the other side has to say."""

    def __init__(self, known: Connections, **given: Any) -> None:
        super().__init__(**given)
        self._known = known
        self._deadline: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Take it in, or say at once that there is no room."""
        super().connection_made(transport)
        if self._known.room(len(self.connections)):
            self._see()
        else:
            transport.write(_REFUSAL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """It said something; nothing that is closed is listened to."""
        if not self.transport.is_closing():
            super().data_received(data)
            self._see()

    def on_response_complete(self) -> None:
        """It is its turn again."""
        super().on_response_complete()
        self._see()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._known.answers(self)
        self._no_deadline()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """It takes less than we have for it."""
        super().pause_writing()
        self._wait_for_taking(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """It took what we had."""
        self._taken()
        super().resume_writing()

    def _wait_for_taking(self, waiting_bytes: int) -> None:
        self._taken()
        self._taking = self.loop.call_later(self._known.take_seconds, self._see_taking, waiting_bytes)

    def _see_taking(self, waited_bytes: int) -> None:
        """Close it, unless it has taken something since there were ``waited_bytes``."""
        waiting_bytes = self.transport.get_write_buffer_size()
        if waiting_bytes < waited_bytes:
            self._wait_for_taking(waiting_bytes)
        else:
            self.transport.abort()

    def _taken(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _see(self) -> None:
        """Whose turn it is, and until when."""
        cycle = self.cycle
        asked = cycle is not None and not cycle.response_complete
        if self.transport.is_closing() or (asked and not cycle.more_body):
            self._known.answers(self)
            self._no_deadline()
            return
        self._known.waits_for(self)
        if asked:
            self._no_deadline()
            self._deadline = self.loop.call_later(self._known.body_quiet_seconds, self.transport.abort)
        elif self.timeout_keep_alive_task is not None:  # between two requests uvicorn has a deadline of its own
            self._no_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self._known.head_seconds, self.transport.abort)

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class BoundedServer(uvicorn.Server):
    """uvicorn on sockets of ours, with bounded connections and without its signal handlers: signals are the program's business."""

    def __init__(self, app: Any, connections: Connections, **more: Any) -> None:
        for name in ("uvicorn.error", "asyncio"):
            _log_seldom(logging.getLogger(name))
        super().__init__(
            uvicorn.Config(
                app, http=connections.protocol(), backlog=ACCEPTED_AT_ONCE, log_config=None, access_log=False, lifespan="on", server_header=False, **more
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would send them on to itself afterwards, and nothing would be closed."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve; the operating system may hold more connections for us than are taken at once."""
        await super().startup(sockets)
        for listening in sockets or []:
            listening.listen(BACKLOG)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End every connection, also one that comes in this moment."""
        for server in self.servers:
            await accept_no_more(server)
        await super().shutdown(sockets)


def connections_max(wanted: int) -> int:
    """So many connections, or as many as the process may have descriptors for, which is raised to what it may be raised to."""
    try:
        import resource  # not on Windows, which has no such limit
    except ImportError:
        return wanted
    allowed, at_most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != at_most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (at_most, at_most))
            allowed = at_most
        except (OSError, ValueError):
            pass  # some systems promise more than they give; then what there is has to do
    return wanted if allowed == resource.RLIM_INFINITY else max(min(wanted, allowed - DESCRIPTORS_KEPT), CONNECTIONS_MIN)


class Seldom(logging.Filter):
    """Lets what strangers can cause a thousand times a second into the log once a minute: bad requests, and connections that cannot be accepted."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said."""
        message = str(record.msg).partition("\n")[0]
        if not (message.startswith("socket.accept()") if record.name == "asyncio" else record.levelno == logging.WARNING):
            return True
        if record.created - self._said.get(message, float("-inf")) < LOGGED_EVERY_SECONDS:
            return False
        self._said[message] = record.created
        return True


def _log_seldom(logger: logging.Logger) -> None:
    if not any(isinstance(known, Seldom) for known in logger.filters):
        logger.addFilter(Seldom())
