"""Makes a device a register: its own key, the proof that it has it, and the enrolment that central gives for a single-use code."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.domain.errors import ConfigError
from sync.contract.messages import SOURCES_MAX, Enrolled, EnrolRequest, enrol_message
from sync.enrolment import Enrolment, load, save
from sync.journal_begun import begun_by
from sync.keys import Keys


class Enroller(Protocol):
    """What carries the request to central: ``connectors.http.enroller``."""

    async def enrol(self, request: EnrolRequest) -> Enrolled:
        """Ask central. Raises CentralUnreachable, CentralRefused (the code is wrong, used or too old) or ContractBroken."""


async def enrol(url: str, code: str, device: str, keys: Keys, enroller: Enroller, require: Callable[[Enrolment], None] = lambda _: None) -> Enrolment:
    """Enrol this device with the central at ``url`` by a single-use ``code`` and keep the result, unless ``require`` raises.

    Raises CentralError, ConfigError, OSError.
    """
    known = _known_epochs(keys.folder)
    answer = await enroller.enrol(request_of(keys.device_key(), code, device, known))
    enrolment = Enrolment(require_url(url), answer, known)
    require(enrolment)
    save(keys.folder, enrolment)
    return enrolment


def _known_epochs(folder: Path) -> dict[str, str]:
    """By source, the highest epoch of each register that this device was: by its enrolment, which may be unreadable (enrolling mends that) or an old copy,
    and by the one under which the journal was begun."""
    try:
        before = load(folder)
    except ConfigError:
        before = None
    known = {} if before is None else before.known_epochs
    begun = begun_by(folder)
    if begun is None:
        return known
    epoch = max(begun.epoch, known.pop(begun.source, "0"), key=int)
    return {**dict(list(known.items())[1 - SOURCES_MAX :]), begun.source: epoch}


def request_of(seed: bytes, code: str, device: str, epochs: dict[str, str] | None = None) -> EnrolRequest:
    """The request of the device with the Ed25519 key of ``seed``, and its proof: the signature over the code and the public key.

    ``epochs``: by source, the highest epoch of each register that the device was.
    """
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = _text(key.public_key().public_bytes_raw())
    return EnrolRequest(code=code, public_key=public, proof=_text(key.sign(enrol_message(code, public))), device=device[:200], epochs=epochs or {})


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
