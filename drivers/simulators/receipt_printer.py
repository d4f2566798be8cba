"""A receipt printer on a TCP port: speaks ESC/POS, keeps what it printed as text and pictures, and can be made to misbehave."""

from __future__ import annotations

import argparse
import contextlib
import selectors
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from msgspec.structs import replace
from PIL import Image

from drivers.simulators._escpos_machine import Machine, Switches
from drivers.simulators._escpos_paper import Effect, Piece
from drivers.simulators._escpos_render import as_picture, as_text
from drivers.simulators._printer_lines import COMMANDS, obey
from edge_agent.clock import Clock, SystemClock

RECEIPTS_MAX = 500
"""The newest pieces of paper that are kept in memory; files in the folder stay."""
READ_BYTES_MAX = 4_096
RECEIVE_BUFFER_BYTES = 8_192
"""What the network side of a printer holds: little, so that a host notices when the printer takes no more."""


class ReceiptPrinterSimulator:
    """The printer. A context manager: inside it listens on ``port`` (0: any free one) in a thread of its own.

    Like many printers it takes one connection at a time; another one waits until the first ends. With a ``folder`` each piece of paper is
    also written there as ``receipt-0001.txt`` and ``.png``, numbered on after what is there. All methods may be called from any thread.

    >>> with ReceiptPrinterSimulator(SystemClock()) as printer:
    ...     with socket.create_connection(("127.0.0.1", printer.port)) as host:
    ...         host.sendall(b"Hello" + b"\\n" + bytes([0x1D, 0x56, 0]))
    ...         printer.wait_for(lambda: printer.printed_count == 1, 5.0)
    ...     printer.receipts
    True
    ['Hello\\n']
    """

    def __init__(self, clock: Clock, *, port: int = 0, columns: int = 42, folder: Path | None = None, host: str = "127.0.0.1") -> None:
        self._clock = clock
        self._address = (host, port)
        self._folder = folder
        self._machine = Machine(columns)
        self._changed = threading.Condition()  # guards everything below and the machine
        self._receipts: deque[str] = deque(maxlen=RECEIPTS_MAX)
        self._pieces: deque[Piece] = deque(maxlen=RECEIPTS_MAX)
        self._printed_count = 0
        self._numbered = 0
        self._received_bytes = 0
        self._plugged = True
        self._stopping = False
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._wake_out, self._wake_in = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="receipt-printer-simulator", daemon=True)

    def __enter__(self) -> ReceiptPrinterSimulator:
        for end in (self._wake_out, self._wake_in):
            end.setblocking(False)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._numbered = max((int(path.stem[8:]) for path in self._folder.glob("receipt-[0-9]*.txt") if path.stem[8:].isdigit()), default=0)
        self._selector.register(self._wake_out, selectors.EVENT_READ)
        self._listen()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._changed:
            self._stopping = True
        self._wake()
        self._thread.join()
        self._disconnect()
        self._unlisten()
        self._selector.close()
        self._wake_out.close()
        self._wake_in.close()

    # --- what one sees ---

    @property
    def port(self) -> int:
        """Where it listens; stays the same when it is unplugged and plugged in again."""
        return self._address[1]

    @property
    def receipts(self) -> list[str]:
        """The newest RECEIPTS_MAX pieces of paper as text, the oldest first."""
        with self._changed:
            return list(self._receipts)

    @property
    def printed_count(self) -> int:
        """How many pieces of paper came out since it was started."""
        with self._changed:
            return self._printed_count

    @property
    def received_bytes(self) -> int:
        """How many bytes came in so far."""
        with self._changed:
            return self._received_bytes

    @property
    def drawer_open(self) -> bool:
        with self._changed:
            return self._machine.drawer_open

    @property
    def drawer_pulses(self) -> int:
        """How often the drawer was pulsed so far."""
        with self._changed:
            return self._machine.pulses

    @property
    def connected(self) -> bool:
        """Whether a host holds the connection."""
        with self._changed:
            return self._connection is not None

    @property
    def switches(self) -> Switches:
        with self._changed:
            return self._machine.switches

    def picture(self, which: int = -1) -> Image.Image:
        """A piece of paper as a grey picture; ``which`` counts like an index into ``receipts``."""
        with self._changed:
            piece = self._pieces[which]
        return as_picture(piece, self._machine.paper.dots)

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``condition`` is true, looked at after every change here, at most ``seconds``; whether it became so."""
        deadline = self._clock.monotonic() + seconds
        while not condition():
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait(min(left, 0.02))
        return True

    # --- what one does to it ---

    def set(self, switches: Switches) -> None:
        """Turn all switches at once: ``printer.set(replace(printer.switches, paper_out=True))``."""
        with self._changed:
            self._machine.switches = switches
        self._wake()

    def tear(self) -> None:
        """Tear the paper off by hand, as at a printer without a knife."""
        with self._changed:
            effects = self._machine.paper.tear()
        self._write(self._keep(effects))

    def unplug(self) -> None:
        """Cut the connection and stop listening, as when the network cable is drawn; what was received complete is still printed."""
        with self._changed:
            self._plugged = False
        self._wake()
        assert self.wait_for(lambda: not self.connected and self._listener is None, 5.0), "the simulator's thread hangs"

    def plug(self) -> None:
        """Listen again on the same port."""
        with self._changed:
            self._plugged = True
        self._wake()
        assert self.wait_for(lambda: self._listener is not None, 5.0), "the simulator's thread hangs"

    # --- the thread ---

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(self._wait_seconds()):
                if key.fileobj is self._wake_out:
                    with contextlib.suppress(BlockingIOError):
                        self._wake_out.recv(READ_BYTES_MAX)
                elif key.fileobj is self._listener:
                    self._accept()
                else:
                    self._receive()
            self._follow_plug()
            self._work()

    def _wait_seconds(self) -> float | None:
        with self._changed:
            return self._machine.wait_seconds(self._clock.monotonic())

    def _follow_plug(self) -> None:
        if not self._plugged:
            self._disconnect()
            self._unlisten()
        elif self._listener is None:
            self._listen()

    def _listen(self) -> None:
        listener = socket.create_server(self._address, backlog=4)
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._address = (self._address[0], listener.getsockname()[1])
        self._selector.register(listener, selectors.EVENT_READ)
        self._listener = listener

    def _unlisten(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(KeyError):  # not registered while a host holds the connection
                self._selector.unregister(listener)
            listener.close()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it went away again
        connection.setblocking(False)
        self._selector.unregister(self._listener)
        self._selector.register(connection, selectors.EVENT_READ)
        with self._changed:
            self._machine.connected()
            self._connection = connection
            self._changed.notify_all()

    def _disconnect(self) -> None:
        with self._changed:
            connection, self._connection = self._connection, None
            self._changed.notify_all()
        if connection is None:
            return
        with contextlib.suppress(KeyError):  # not registered while the buffer is full
            self._selector.unregister(connection)
        connection.close()
        if self._listener is not None:
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _receive(self) -> None:
        connection = self._connection
        if connection is None:
            return
        with self._changed:
            left = self._machine.switches.drop_after_bytes
        try:
            data = connection.recv(READ_BYTES_MAX if left is None else min(left, READ_BYTES_MAX) or 1)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._disconnect()
            return
        with self._changed:
            self._received_bytes += len(data)
            answers = self._machine.feed(data)
            if left is not None:
                self._machine.switches = replace(self._machine.switches, drop_after_bytes=None if len(data) >= left else left - len(data))
            self._changed.notify_all()
        self._answer(answers)
        if left is not None and len(data) >= left:
            self._disconnect()

    def _work(self) -> None:
        with self._changed:
            answers, effects = self._machine.work(self._clock.monotonic())
            full = self._machine.full
            self._changed.notify_all()
        pieces = self._keep(effects)
        self._answer(answers)
        self._write(pieces)
        connection = self._connection
        if connection is not None:
            listening = connection in self._selector.get_map()
            if full and listening:
                self._selector.unregister(connection)
            elif not full and not listening:
                self._selector.register(connection, selectors.EVENT_READ)

    def _answer(self, answers: bytes) -> None:
        if answers and self._connection is not None:
            with contextlib.suppress(OSError):  # a host that does not read, or has gone, misses its answers
                self._connection.send(answers)

    def _keep(self, effects: list[Effect]) -> list[Piece]:
        """Remember what came out of the printer; the pieces of paper among it."""
        pieces = [effect for effect in effects if isinstance(effect, Piece)]
        texts = [as_text(piece, self._machine.paper.dots) for piece in pieces]
        with self._changed:
            self._pieces.extend(pieces)
            self._receipts.extend(texts)
            self._printed_count += len(pieces)
            self._changed.notify_all()
        return pieces

    def _write(self, pieces: list[Piece]) -> None:
        """Write pieces of paper to the folder, if there is one."""
        if self._folder is None:
            return
        for piece in pieces:
            with self._changed:
                self._numbered += 1
                path = self._folder / f"receipt-{self._numbered:04d}.png"
            with contextlib.suppress(OSError):  # a full disk stops no printer
                as_picture(piece, self._machine.paper.dots).save(path)
                coming = path.with_suffix(".txt.part")  # whoever sees the text sees all of it
                coming.write_text(as_text(piece, self._machine.paper.dots), encoding="utf-8")
                coming.rename(path.with_suffix(".txt"))

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # a full pipe wakes as well
            self._wake_in.send(b"!")


class _Talking(ReceiptPrinterSimulator):
    """A printer that shows on standard output what comes out of it."""

    def _keep(self, effects: list[Effect]) -> list[Piece]:
        pieces = super()._keep(effects)
        for text in self.receipts[len(self.receipts) - len(pieces) :]:
            print(f"{text}{'- ' * 20}", flush=True)
        return pieces


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the simulator until it is interrupted; standard input may end before."""
    parser = argparse.ArgumentParser(
        prog="drivers.simulators.receipt_printer",
        description="A receipt printer on a TCP port of this computer.",
        epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=9_100, help="port to listen on (9100; 0: any free one)")
    parser.add_argument("--columns", type=int, default=42, choices=(32, 42, 48), help="characters per line")
    parser.add_argument("--folder", type=Path, default=None, help="where each receipt is written as text and picture")
    options = parser.parse_args(arguments)
    with _Talking(SystemClock(), port=options.port, columns=options.columns, folder=options.folder) as printer:
        print(f"Receipt printer on 127.0.0.1:{printer.port}; Ctrl+C ends it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            for line in sys.stdin:
                if said := obey(printer, line):
                    print(said, flush=True)
            threading.Event().wait()


if __name__ == "__main__":
    main()
