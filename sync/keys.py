"""Where the register's secrets live: a systemd credential, the operating system's keyring, or a private file, in that order.

A secret is 32 bytes (the journal's key, the device's Ed25519 seed). One that exists is used wherever it is; a new one is made in the
keyring if there is one that works, else as a file of mode 0600. A secret whose data exist but which is nowhere is never made anew: that
would only hide that it was lost.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from edge_agent.clock import Random
from edge_agent.domain.errors import ConfigError
from sync.durable_files import read_private, write_synced

SECRET_BYTES = 32
JOURNAL_KEY = "journal-key"
DEVICE_KEY = "device-key"
KEYRING_SERVICE = "edge-agent"


class Keyring(Protocol):
    """The part of the ``keyring`` package that is used; secrets are hexadecimal text in it."""

    def get_password(self, service: str, name: str, /) -> str | None: ...
    def set_password(self, service: str, name: str, value: str, /) -> None: ...


class Keys(Struct, frozen=True):
    """The places where secrets may be: ``folder`` for private files, ``credentials`` as systemd mounts them (or None), ``keyring`` (or None)."""

    folder: Path
    random: Random
    credentials: Path | None = None
    keyring: Keyring | None = None

    @classmethod
    def here(cls, folder: Path, random: Random, environ: Mapping[str, str]) -> Keys:
        """The places of this service: $CREDENTIALS_DIRECTORY of ``environ``, and the keyring package if it is installed and has a keyring."""
        named = environ.get("CREDENTIALS_DIRECTORY")
        return cls(folder, random, Path(named) if named else None, find_keyring())

    def journal_key(self) -> bytes:
        """The journal's key; made on first use, while there is no journal yet. Raises ConfigError, OSError."""
        return self.secret(JOURNAL_KEY, "the journal's key", may_make=not self._has_journal())

    def _has_journal(self) -> bool:
        """Whether there is a journal, a log of one, or what was rescued of one."""
        return any((self.folder / name).exists() for name in ("journal.db", "journal.db-wal")) or any(self.folder.glob("journal-rescued*.db"))

    def device_key(self) -> bytes:
        """The seed of the device's Ed25519 key; made on first use. Raises ConfigError, OSError."""
        return self.secret(DEVICE_KEY, "the device's key", may_make=True)

    def secret(self, name: str, what: str, *, may_make: bool) -> bytes:
        """The secret called ``name`` (``what`` in messages), from the first place that has it."""
        if self.credentials is not None and (self.credentials / name).exists():
            place = self.credentials / name
            return _parsed(place.read_bytes()[: SECRET_BYTES * 4], str(place), what)
        told = self.keyring.get_password(KEYRING_SERVICE, name) if self.keyring is not None else None
        if told is not None:
            return _parsed(told.encode(), "the keyring", what)
        path = self.folder / name
        if path.exists():
            return _parsed(read_private(path, what), str(path), what)
        if not may_make:
            raise ConfigError(
                f"{path}: {what}: expected it there, in a systemd credential or in the keyring, got nothing.",
                hint="Bring the key back from where it was kept; without it the journal beside it cannot be read.",
                reason="key_missing",
                path=path,
            )
        return self._make(name, path)

    def _make(self, name: str, path: Path) -> bytes:
        secret = self.random.token_bytes(SECRET_BYTES)
        if self.keyring is not None:
            self.keyring.set_password(KEYRING_SERVICE, name, secret.hex())
        else:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_synced(path, secret.hex().encode() + b"\n")
        return secret


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose (``people.db``, ``identifiers``), made from ``secret``: HKDF-SHA256, RFC 5869."""
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=f"edge-agent {purpose}".encode()).derive(secret)


def find_keyring() -> Keyring | None:
    """The ``keyring`` package, where it is installed and has found a keyring that can hold something."""
    try:
        package = importlib.import_module("keyring")
    except ImportError:
        return None
    # Without a session (as a service) the package offers a backend of priority 0 that refuses everything.
    usable: float = getattr(package.get_keyring(), "priority", 0)
    return cast(Keyring, package) if usable > 0 else None


def _parsed(content: bytes, place: str, what: str) -> bytes:
    """32 raw bytes, or 64 hexadecimal digits and white space."""
    if len(content) == SECRET_BYTES:
        return content
    try:
        secret = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise ConfigError(
            f"{place}: {what}: expected {SECRET_BYTES} bytes or {2 * SECRET_BYTES} hexadecimal digits, got {len(content)} bytes of something else.",
            hint="Restore the key from its backup; do not make a new one for data that exist.",
            reason="key_invalid",
            path=place,
        )
    return secret
