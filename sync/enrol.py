"""Makes a device a register: its own key, the proof that it has it, and the enrolment that central gives for a single-use code.

The enrolment is kept as ``enrolment.json`` (mode 0600) beside the journal. Its bearer token stands in for sender-constrained tokens.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from edge_agent.domain.errors import ConfigError
from sync.contract.envelope import source_of
from sync.contract.fields import UNREADABLE
from sync.contract.messages import Enrolled, EnrolRequest, enrol_message
from sync.durable_files import read_private, write_synced
from sync.journal_facts import Identity
from sync.keys import Keys

FILE_NAME = "enrolment.json"


class Enrolment(Struct, frozen=True, rename="camel"):
    """Which central this device is enrolled with, and as what."""

    url: str
    register: Enrolled

    @property
    def identity(self) -> Identity:
        """Who the register is on the wire."""
        who = self.register
        return Identity(source_of(who.tenant, who.store, who.register), who.epoch)


class Enroller(Protocol):
    """What carries the request to central: ``connectors.http.enroller``."""

    async def enrol(self, request: EnrolRequest) -> Enrolled:
        """Ask central. Raises CentralUnreachable, CentralRefused (the code is wrong, used or too old) or ContractBroken."""


async def enrol(url: str, code: str, device: str, keys: Keys, enroller: Enroller) -> Enrolment:
    """Enrol this device with the central at ``url`` by a single-use ``code`` and keep the result. Raises CentralError, ConfigError, OSError."""
    answer = await enroller.enrol(request_of(keys.device_key(), code, device))
    enrolment = Enrolment(require_url(url), answer)
    save(keys.folder, enrolment)
    return enrolment


def request_of(seed: bytes, code: str, device: str) -> EnrolRequest:
    """The request of the device with the Ed25519 key of ``seed``, and its proof: the signature over the code and the public key."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = _text(key.public_key().public_bytes_raw())
    return EnrolRequest(code=code, public_key=public, proof=_text(key.sign(enrol_message(code, public))), device=device[:200])


def save(folder: Path, enrolment: Enrolment) -> None:
    """Keep ``enrolment``, durably and privately. Raises OSError."""
    write_synced(folder / FILE_NAME, msgspec.json.format(msgspec.json.encode(enrolment)) + b"\n")


def load(folder: Path) -> Enrolment | None:
    """The enrolment of this device, or None while it has none. Raises ConfigError when the file is readable by others or is not one."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(read_private(path, "the enrolment"), type=Enrolment)
    except UNREADABLE as problem:
        raise ConfigError(
            f"{path}: the enrolment: expected what enrolling wrote, got something else ({problem}).",
            hint="Enrol this register again (edge-agent enrol URL CODE).",
            reason="enrolment_invalid",
            path=path,
        ) from problem


def require_url(url: str) -> str:
    """``url`` without a trailing slash. Raises ConfigError unless it is https, or http to this computer.

    >>> require_url("https://central.example/")
    'https://central.example'
    """
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.query or parts.fragment or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ConfigError(
            f"Central's address {url!r}: expected https://NAME (http only to this computer), got something else.",
            hint="Give the address that the central platform's operator told you.",
            reason="url_invalid",
            got=url,
        )
    return url.rstrip("/")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
