"""What enrolling left on this device: which central, and as what.

It is kept as ``enrolment.json`` (mode 0600) beside the journal. Its bearer token stands in for sender-constrained tokens.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from edge_agent.domain.errors import ConfigError
from sync.contract.envelope import source_of
from sync.contract.fields import UNREADABLE
from sync.contract.messages import SOURCES_MAX, Enrolled
from sync.durable_files import read_private, write_synced
from sync.identity import Identity

FILE_NAME = "enrolment.json"


class Enrolment(Struct, frozen=True, rename="camel"):
    """Which central this device is enrolled with, and as what."""

    url: str
    register: Enrolled
    epochs: dict[str, str] = {}
    """By source, the highest epoch of each register that this device was before."""

    @property
    def identity(self) -> Identity:
        """Who the register is on the wire."""
        who = self.register
        return Identity(source_of(who.tenant, who.store, who.register), who.epoch)

    @property
    def known_epochs(self) -> dict[str, str]:
        """By source, the highest epoch of each register that this device is or was; of too many, the latest."""
        who = self.identity
        known = {source: epoch for source, epoch in self.epochs.items() if source != who.source}
        known[who.source] = max(who.epoch, self.epochs.get(who.source, "0"), key=int)
        return dict(list(known.items())[-SOURCES_MAX:])


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
