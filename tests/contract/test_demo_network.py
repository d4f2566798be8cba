"""The cable that can be cut, over real sockets: what the register sees of each fault, and what central sees."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import pytest

from edge_agent.demo.network import Network
from tests.support import wait_until


class Echo:
    """A central that answers every line with the same line in capitals, and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = ("127.0.0.1", self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            for line in lines:
                self.heard.append(line)
                connection.sendall(line.upper())


@pytest.fixture
def central() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


@pytest.fixture
def network(central: Echo) -> Iterator[Network]:
    with Network(central.address) as relay:
        yield relay


def asked(connection: socket.socket, line: bytes) -> bytes:
    connection.sendall(line)
    return connection.recv(100)


def connected(network: Network) -> socket.socket:
    return socket.create_connection(("127.0.0.1", network.port), 5.0)


def test_what_is_sent_arrives_and_is_answered(network: Network) -> None:
    with connected(network) as register:
        assert asked(register, b"one\n") == b"ONE\n"
        assert asked(register, b"two\n") == b"TWO\n"


def test_a_cut_resets_what_is_there_refuses_what_comes_and_ends_at_the_same_port(network: Network) -> None:
    with connected(network) as register:
        assert asked(register, b"one\n") == b"ONE\n"
        port = network.port
        network.cut()
        with pytest.raises(ConnectionResetError):
            register.recv(100)
    with pytest.raises(ConnectionRefusedError):
        connected(network)
    network.restore()
    assert network.port == port
    with connected(network) as register:
        assert asked(register, b"again\n") == b"AGAIN\n"


def test_a_lost_answer_was_heard_by_central(central: Echo, network: Network) -> None:
    network.lose_answers(True)
    with connected(network) as register:
        register.sendall(b"pay\n")
        with pytest.raises(ConnectionResetError):
            register.recv(100)
    assert central.heard == [b"pay\n"]
    assert network.answers_lost == 1
    network.lose_answers(False)
    with connected(network) as register:
        assert asked(register, b"pay\n") == b"PAY\n"


def test_a_slow_network_answers_late(network: Network) -> None:
    network.delay_seconds = 0.2
    with connected(network) as register:
        register.settimeout(0.1)
        register.sendall(b"slow\n")
        with pytest.raises(TimeoutError):
            register.recv(100)
        register.settimeout(5.0)
        assert register.recv(100) == b"SLOW\n"


def test_central_away_is_a_reset_and_a_new_address_is_found(central: Echo, network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        network.upstream = gone.getsockname()
    with pytest.raises(ConnectionResetError), connected(network) as register:  # refused, or reset right after
        register.recv(100)
    network.upstream = central.address
    with connected(network) as register:
        assert asked(register, b"back\n") == b"BACK\n"


def test_an_end_of_either_side_ends_the_other(central: Echo, network: Network) -> None:
    with connected(network) as register:
        assert asked(register, b"bye\n") == b"BYE\n"
        register.shutdown(socket.SHUT_WR)
        assert register.recv(100) == b""
    wait_until(lambda: central.heard == [b"bye\n"], "central heard it")


def test_nothing_stays_behind(central: Echo) -> None:
    before = threading.active_count()
    with Network(central.address) as relay, connected(relay) as register:
        assert asked(register, b"x\n") == b"X\n"
        port = relay.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5.0)
    wait_until(lambda: threading.active_count() <= before + 1, "the relay's thread ended")


def test_a_connection_that_comes_as_the_cable_is_cut_is_closed(network: Network) -> None:
    """Taken or refused, never kept open and forgotten: warnings are errors, and an unclosed socket is one."""
    stop = threading.Event()

    def knocks() -> None:
        while not stop.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", network.port), 5.0):
                pass

    knocking = [threading.Thread(target=knocks, daemon=True) for _ in range(3)]
    for one in knocking:
        one.start()
    for _ in range(150):
        network.cut()
        network.restore()
    stop.set()
    for one in knocking:
        one.join()
    gc.collect()
