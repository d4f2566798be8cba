"""Everything that a request needs, in one value: the writer, the readers, who is waiting, clock and bounds."""

from __future__ import annotations

from msgspec import Struct

from edge_agent.clock import Clock, Random
from sync.central.announcer import Announcer
from sync.central.limits import Limits
from sync.central.snapshots import Snapshots
from sync.central.storage import Readers
from sync.central.writer import Writer


class Platform(Struct, frozen=True):
    """One running central. ``instance`` names its data: cursors made by another are refused. ``ops_hash`` is the hash of the operators' token."""

    tenant: str
    instance: str
    ops_hash: bytes
    clock: Clock
    random: Random
    limits: Limits
    writer: Writer
    readers: Readers
    announcer: Announcer
    snapshots: Snapshots
