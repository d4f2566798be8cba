"""What answers at central's address: TLS in front of central, and everything else that can stand there.

Run in central's namespace: ``python -m tests.simulation.network_front FOLDER UPSTREAM_PORT``; each line of standard input is the next mode.
Connections that are there are reset when the mode changes, except to modes that say otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.simulation.network_lab import CENTRAL_AT, NAME, PORT

CERTIFICATES = ("good", "expired", "early", "other_name", "stranger")
PORTAL = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 47\r\n\r\n<html>Welcome! Accept the terms, please.</html>"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://portal.test/login\r\nContent-Length: 0\r\n\r\n"
GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 24\r\n\r\n<html>Bad gateway</html>"
PAGES = {"portal": PORTAL, "redirect": REDIRECT, "gateway": GATEWAY}
REQUEST_BYTES_MAX = 2 * 1024 * 1024
RESET_AFTER_BYTES = 40_000
CHUNK_BYTES = 16_384
_RESET = struct.pack("ii", 1, 0)


def write_certificates(folder: Path, name: str = NAME) -> None:
    """An authority (``authority.pem``), and central's certificates: a good one and those that are wrong in one way each."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, stranger = _authority("Test authority"), _authority("Somebody's authority")
    (folder / "authority.pem").write_bytes(authority[1].public_bytes(serialization.Encoding.PEM))
    day, now = dt.timedelta(days=1), dt.datetime.now(dt.UTC)
    _write(folder / "good.pem", authority, name, now - day, now + day)
    _write(folder / "expired.pem", authority, name, now - 30 * day, now - day)
    _write(folder / "early.pem", authority, name, now + day, now + 30 * day)
    _write(folder / "other_name.pem", authority, "portal.test", now - day, now + day)
    _write(folder / "stranger.pem", stranger, name, now - day, now + day)


Authority = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _authority(name: str) -> Authority:
    key, who = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day, now = dt.timedelta(days=1), dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - 90 * day).not_valid_after(now + 90 * day).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )  # fmt: skip
    return key, built.sign(key, hashes.SHA256())


def _write(path: Path, authority: Authority, name: str, begin: dt.datetime, end: dt.datetime) -> None:
    key, who = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder().subject_name(who).issuer_name(authority[1].subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority[0].public_key()), critical=False)
    )  # fmt: skip
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + built.sign(authority[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


class Front:
    """Answers as ``mode`` says: a certificate's name (central, behind TLS with it), a page's, or how connections end."""

    def __init__(self, folder: Path, upstream: int) -> None:
        self._upstream = upstream
        self._contexts = {name: _context(folder / f"{name}.pem") for name in CERTIFICATES}
        self._dice = Random(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self.mode = "good"

    def become(self, mode: str) -> None:
        """From now on be ``mode``; who is connected is reset."""
        self.mode = mode
        for task in self._tasks:
            task.cancel()

    async def ended(self) -> None:
        """Reset who is connected, and wait until nothing of it is left: no connection outlives its loop."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
        await asyncio.sleep(0.01)  # the transports close in the loop's next turns

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, ssl.SSLError, asyncio.CancelledError, asyncio.IncompleteReadError, _Reset):
            with contextlib.suppress(OSError, AttributeError):  # it may be closed already
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            with contextlib.suppress(OSError):
                writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self.mode:
            case "closing":
                raise _Reset
            case "silent":
                await asyncio.sleep(3600)
            case "not_tls":
                await reader.read(CHUNK_BYTES)
                writer.write(PORTAL)
                await writer.drain()
            case "portal" | "redirect" | "gateway" as page:
                await writer.start_tls(self._contexts["good"])
                await reader.readuntil(b"\r\n\r\n")
                writer.write(PAGES[page])
                await writer.drain()
            case mode:
                await writer.start_tls(self._contexts.get(mode, self._contexts["good"]))
                await self._relay(reader, writer)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, up_writer, self._breaks))
                both.create_task(self._pump(up_reader, writer, self._breaks if self.mode != "lost_answers" else partial(self._often, 0.5)))
        except* (OSError, _Reset) as group:
            raise _Reset from group
        finally:
            up_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, breaks: Callable[[int], bool]) -> None:
        while piece := await reader.read(CHUNK_BYTES):
            if breaks(len(piece)):
                raise _Reset
            writer.write(piece)
            await writer.drain()
        raise _Reset  # one side is done: so is the other

    def _breaks(self, count: int) -> bool:
        return self.mode == "resets" and self._dice.random() < count / RESET_AFTER_BYTES

    def _often(self, share: float, count: int) -> bool:
        return self._dice.random() < share


class _Reset(Exception):
    """The connection is to be reset."""


def _context(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def serve(folder: Path, upstream: int) -> None:
    front = Front(folder, upstream)
    server = await asyncio.start_server(front.connected, CENTRAL_AT, PORT, limit=REQUEST_BYTES_MAX)
    print("ready", flush=True)
    async with server:
        while line := await asyncio.to_thread(sys.stdin.readline):
            front.become(line.strip())
            print(front.mode, flush=True)


def main(words: Sequence[str]) -> None:
    asyncio.run(serve(Path(words[0]), int(words[1])))


if __name__ == "__main__":
    main(sys.argv[1:])
