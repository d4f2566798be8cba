"""An NFC reader's field over UDP, in the wire format of nfcpy's ``udp`` driver; bound to 127.0.0.1 only, because nothing on it is authenticated.

One datagram per frame: technology, a blank, the frame in hexadecimal (``106A 26``), or ``RFOFF``. Who looks for a tag and finds
none is told ``RFOFF`` at once, which nfcpy takes for an empty field instead of waiting a second for each technology.

By hand: ``python -m drivers.simulators.nfc_udp --port 54321``, commands as for ``drivers.simulators.pn532``; configure
``path = "udp:127.0.0.1:54321"``.
"""

from __future__ import annotations

import argparse
import select
import socket
import sys
import threading
from binascii import hexlify, unhexlify
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from drivers.simulators._field import Field
from drivers.simulators._tag_lines import HELP, run
from drivers.simulators._tags_faults import Damaged
from drivers.simulators.tags import Tag, TypeA, TypeB, check_byte
from edge_agent.clock import SystemRandom

HOST = "127.0.0.1"
DATAGRAM_BYTES_MAX = 2_048
FIELD_OFF = b"RFOFF"
CASCADE = (0x93, 0x95, 0x97)


class UdpNfc:
    """A simulated reader; ``path`` is what to configure. Plugged on entering the context; every method may be called from any thread."""

    def __init__(self, port: int = 0) -> None:
        self.field = Field()
        self._port = port
        self._socket: socket.socket | None = None
        self._wake: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.unplug()

    @property
    def path(self) -> str:
        """What to configure as the reader's path."""
        return f"udp:{HOST}:{self._port}"

    def plug(self) -> None:
        """Start to answer, at the same port as before."""
        if self._socket is not None:
            return
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, self._port))
        self._port = self._socket.getsockname()[1]
        self._wake, ear = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, args=(self._socket, ear), name="nfc-udp", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Stop answering."""
        air, wake, thread = self._socket, self._wake, self._thread
        self._socket = self._wake = self._thread = None
        if air is None or wake is None or thread is None:
            return
        wake.send(b"x")
        thread.join()
        wake.close()
        air.close()
        self.field.off()

    def put_tag(self, tag: Tag) -> None:
        """Hold ``tag`` to the reader."""
        self.field.put(tag)

    def remove_tag(self) -> None:
        """Take the tag away."""
        self.field.remove()

    def _serve(self, air: socket.socket, ear: socket.socket) -> None:
        with ear:
            while True:
                ready = select.select([air, ear], [], [])[0]
                if ear in ready:
                    return
                datagram, sender = air.recvfrom(DATAGRAM_BYTES_MAX)
                answer = self._answer(datagram)
                if answer is not None:
                    air.sendto(answer, sender)

    def _answer(self, datagram: bytes) -> bytes | None:
        if datagram == FIELD_OFF:
            self.field.off()
            return None
        try:
            name, hexadecimal = datagram.split()
            technology, command = name.decode("ascii"), unhexlify(hexadecimal)
        except ValueError:  # not a frame, or not hexadecimal
            return None
        answer = self._looked(technology, command) if _looks(technology, command) else self._told(technology, command)
        if isinstance(answer, Damaged):
            return name  # a frame without data: nfcpy's word for a transmission error
        return answer if answer in (None, FIELD_OFF) else name + b" " + hexlify(answer or b"")

    def _looked(self, technology: str, command: bytes) -> bytes | None:
        match self.field.find(technology):
            case None:
                return FIELD_OFF
            case TypeA(sens_res=sens_res):
                return sens_res
            case TypeB(sensb_res=sensb_res):
                return sensb_res
        return self.field.exchange(command, technology)  # silence from a card of another system

    def _told(self, technology: str, command: bytes) -> bytes | None:
        identity = self.field.here(technology)
        if identity is None:
            return FIELD_OFF
        if isinstance(identity, TypeA) and len(command) >= 2 and command[0] in CASCADE and command[1] in (0x20, 0x70):
            return _anticollision(identity, command)
        return self.field.exchange(command, technology)


def _anticollision(identity: TypeA, command: bytes) -> bytes | None:
    """SDD_REQ is answered with one level of the UID, SEL_REQ for the right one with SEL_RES, its cascade bit set while levels remain."""
    level, levels = CASCADE.index(command[0]), identity.cascade()
    if level >= len(levels):
        return None
    own = levels[level] + check_byte(levels[level])
    if command[1] == 0x20:
        return own
    more = 0x04 if level + 1 < len(levels) else 0x00
    return bytes([identity.sel_res | more]) if command[2:] == own else None


def _looks(technology: str, command: bytes) -> bool:
    """Whether a command looks for tags rather than speaks to one."""
    if technology.endswith("A"):
        return command in (b"\x26", b"\x52")
    if technology.endswith("B"):
        return len(command) == 3 and command[0] == 0x05
    return len(command) == 6 and command[:2] == b"\x06\x00"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a reader from standard input until it ends."""
    parser = argparse.ArgumentParser(prog="drivers.simulators.nfc_udp", description="A simulated NFC reader over UDP on this computer.", epilog=HELP)
    parser.add_argument("--port", type=int, default=0, help="the port; without it a free one is taken and printed")
    chosen = parser.parse_args(arguments)
    with UdpNfc(chosen.port) as reader:
        print(f"reader at {reader.path}", flush=True)
        run(reader, SystemRandom(), sys.stdin)
    return 0


if __name__ == "__main__":
    sys.exit(main())
