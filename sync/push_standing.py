"""Where central and this disk stand with each other, and what to tell a person when they do not agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge_agent.ports import StreamStatus
from sync.contract.envelope import BATCH_BYTES_MAX
from sync.contract.messages import RegisterCursor
from sync.identity import Identity
from sync.journal_facts import Behind
from sync.link import Frozen

HINTS = {
    "fork": "Two machines sell as this register, or one on an old copy of its disk. Find the other one, then enrol the right one again "
    "(edge-agent enrol URL CODE). Selling goes on.",
    "chain": "This disk's facts do not follow what central has. Keep the disk, and enrol this register again (edge-agent enrol URL CODE). Selling goes on.",
    "epoch": "This register was enrolled anew, here or on another machine. Enrol the right one again (edge-agent enrol URL CODE). Selling goes on.",
    "frozen": "Ask the platform's operator why, then enrol this register again (edge-agent enrol URL CODE). Selling goes on.",
    "tail_lost": "A second machine sells as this register, or this disk lost facts or is an old copy. Find the other machine or the newer disk, keep this one, "
    "then enrol the right one again (edge-agent enrol URL CODE). Selling goes on.",
    "withheld_refused": "Report this to the platform's operator and to the vendor. Selling goes on; facts of the other streams are sent, and this one is "
    "shown again every five minutes.",
    "too_large_on_the_way": "Have IT raise the limit on the size of requests, to 2 MiB, in what stands between this register and central (proxy, firewall, "
    "load balancer). Selling goes on; facts of the other streams are sent, and this one is tried again every few minutes.",
    "fact_refused": "Report this to the platform's operator. Selling goes on; if central still refuses the fact after ten minutes, another one takes its "
    "place and says so, and its bytes stay on disk.",
}
"""What to do about each reason for which facts are not sent any more."""


class Standing(Protocol):
    """What of the journal is compared."""

    @property
    def identity(self) -> Identity: ...
    def streams(self) -> Sequence[StreamStatus]: ...
    def fact_hash(self, stream: str, number: int) -> str | None: ...
    def facts_after(self, stream: str, number: int, limit_facts: int, limit_bytes: int) -> list[tuple[int, bytes]]: ...


def compare(journal: Standing, cursor: RegisterCursor) -> Frozen | dict[str, int]:
    """The cursors that have to move to agree with central's, or why nothing may be sent.

    Central ahead of this disk means that the disk lost its tail (or is an old copy), or that another machine sells as this register; another
    hash for a number that both have, that two machines wrote; central behind what it acknowledged, that central was restored: it is sent
    again what it lost.
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


def contested(journal: Standing, cursor: RegisterCursor) -> list[bytes]:
    """The wire bytes of one fact per stream that central did not acknowledge to this disk although it has one under its number, where there is one."""
    found: list[bytes] = []
    for status in journal.streams():
        there = cursor.streams.get(status.stream)
        last = min(status.head, there.next - 1) if there is not None else 0
        differs = there is not None and last == there.next - 1 > 0 and journal.fact_hash(status.stream, last) != there.head_hash
        number = last if differs else status.acknowledged + 1
        if number <= last:
            found += [wire for _, wire in journal.facts_after(status.stream, number - 1, 1, BATCH_BYTES_MAX)]
    return found


def behind(journal: Standing, cursor: RegisterCursor) -> Behind | None:
    """The first stream of which central has more than this disk, if there is one."""
    for status in journal.streams():
        there = cursor.streams.get(status.stream)
        if there is not None and there.next > status.head + 1:
            return Behind(status.stream, status.head, there.next - 1, there.head_hash)
    return None


def refusal_hint(status: int) -> str:
    """What to do about a request that central (or what stands at its address) refuses with this HTTP status."""
    match status:
        case 401 | 403:
            return "Enrol this register again (edge-agent enrol URL CODE), or ask the platform's operator. Selling goes on."
        case 404 | 405 | 410 | 501:
            return "Central does not offer this path: check the address and central's version. Selling goes on; facts wait on disk."
        case _:
            return "Report this to the platform's operator. Selling goes on; facts wait on disk."
