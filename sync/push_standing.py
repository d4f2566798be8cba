"""Where central and this disk stand with each other, and what to tell a person when they do not agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge_agent.ports import StreamStatus
from sync.contract.messages import RegisterCursor
from sync.journal_facts import Identity
from sync.link import Frozen

HINTS = {
    "fork": "Two machines sell as this register. Find the other one, then enrol the right one again (edge-agent enrol URL CODE). Selling goes on.",
    "chain": "This disk's facts do not follow what central has. Keep the disk, and enrol this register again (edge-agent enrol URL CODE). Selling goes on.",
    "epoch": "This register was enrolled anew, here or on another machine. Enrol the right one again (edge-agent enrol URL CODE). Selling goes on.",
    "frozen": "Ask the platform's operator why, then enrol this register again (edge-agent enrol URL CODE). Selling goes on.",
    "tail_lost": "This disk lost facts, or is an old copy. Keep it, find the newer one, or enrol again (edge-agent enrol URL CODE). Selling goes on.",
    "withheld_refused": "Report this to the vendor. Selling goes on; facts of the other streams are sent.",
}
"""What to do about each reason for which facts are not sent any more."""


class Standing(Protocol):
    """What of the journal is compared."""

    @property
    def identity(self) -> Identity: ...
    def streams(self) -> Sequence[StreamStatus]: ...
    def fact_hash(self, stream: str, number: int) -> str | None: ...


def compare(journal: Standing, cursor: RegisterCursor) -> Frozen | dict[str, int]:
    """The cursors that have to move to agree with central's, or why nothing may be sent.

    Central ahead of this disk means that the disk lost its tail (or is an old copy); another hash for a number that both have, that two
    machines wrote; central behind what it acknowledged, that central was restored: it is sent again what it lost.
    """
    identity = journal.identity
    if (cursor.source, cursor.epoch) != (identity.source, identity.epoch):
        return Frozen("epoch", f"Central knows this register as {cursor.source} in epoch {cursor.epoch}, this disk is {identity.source} in {identity.epoch}.")
    if cursor.frozen:
        return Frozen("frozen", cursor.frozen)
    moves: dict[str, int] = {}
    for status in journal.streams():
        there = cursor.streams.get(status.stream)
        next = 1 if there is None else there.next
        if next > status.head + 1:
            return Frozen("tail_lost", f"Central has facts of {status.stream} up to {next - 1}, this disk only up to {status.head}.")
        if there is not None and next > 1 and journal.fact_hash(status.stream, next - 1) != there.head_hash:
            return Frozen("fork", f"Fact {next - 1} of {status.stream} is not the one that central has under this number.")
        if next != status.acknowledged + 1:
            moves[status.stream] = next
    return moves
