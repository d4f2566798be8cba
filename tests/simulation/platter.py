"""A disk as it may be after a power cut: what was synced is there; of the rest anything may be, in part and in any order.

Follows the steps that ``recorder.c`` wrote down. What a sync failed for is never made safe by a later sync that succeeds: the system has let go
of it (see "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.simulation.disk_watch import Kind, Step

SECTOR_BYTES = 512


@dataclass(eq=False)
class Node:
    """A file: what the disk holds of it for certain, and how often that changed."""

    number: int
    safe: bytearray = field(default_factory=bytearray)
    changed: int = 0


@dataclass(frozen=True, eq=False)
class Write:
    """Bytes that were written to a file, or with ``cut`` its new size, and are not safe yet."""

    node: Node
    at: int
    data: bytes = b""
    cut: bool = False
    given_up: bool = False


@dataclass(frozen=True)
class Entry:
    """A change of the folder: ``name`` is ``node``'s, or nobody's any more."""

    name: str
    node: Node | None


class Platter:
    """The disk, step by step. ``waiting`` and ``entries`` are what a power cut may take or leave."""

    def __init__(self) -> None:
        self.names: dict[str, Node] = {}
        """What is in the folder for certain."""
        self.live: dict[str, Node] = {}
        """What is in it as long as the power stays."""
        self.waiting: list[Write] = []
        self.entries: list[Entry] = []
        self.said = ""
        self._open: dict[int, Node] = {}
        self._nodes = 0

    def take(self, step: Step) -> None:
        """One more step."""
        match step.kind:
            case Kind.BEGAN:
                self._open = {}
            case Kind.OPENED:
                self._opened(step)
            case Kind.WROTE:
                self.waiting.append(Write(self._open[step.file], step.at, step.data))
            case Kind.CUT:
                self.waiting.append(Write(self._open[step.file], step.at, cut=True))
            case Kind.SYNCED:
                self._synced(self._open[step.file])
            case Kind.SYNC_FAILED:
                node = self._open[step.file]
                self.waiting = [Write(w.node, w.at, w.data, w.cut, True) if w.node is node else w for w in self.waiting]
            case Kind.RENAMED:
                before, after = step.data.decode().split("\0")
                node = self.live.pop(before)
                self._entered(Entry(after, node))
                self._entered(Entry(before, None))
            case Kind.REMOVED:
                self._entered(Entry(step.data.decode(), None))
            case Kind.FOLDER_SYNCED:
                enter(self.names, self.entries)
                self.entries = []
            case Kind.SAID:
                self.said += step.data.decode()

    def _opened(self, step: Step) -> None:
        name, existed = step.data.decode(), bool(step.at)
        if not existed:
            self._nodes += 1
            self._entered(Entry(name, Node(self._nodes)))
        self._open[step.file] = self.live[name]

    def _entered(self, entry: Entry) -> None:
        self.entries.append(entry)
        enter(self.live, [entry])

    def _synced(self, node: Node) -> None:
        keep: list[Write] = []
        for write in self.waiting:
            if write.node is not node or write.given_up:
                keep.append(write)
                continue
            apply(node.safe, write)
            keep = [rest for held in keep for rest in ([held] if held.node is not node else _uncovered(held, write))]
            node.changed += 1
        self.waiting = keep


def enter(names: dict[str, Node], entries: Iterable[Entry]) -> None:
    """Change ``names`` by ``entries``."""
    for entry in entries:
        if entry.node is None:
            names.pop(entry.name, None)
        else:
            names[entry.name] = entry.node


def apply(content: bytearray, write: Write) -> None:
    """Change a file's ``content`` by ``write``."""
    if write.cut:
        if write.at < len(content):
            del content[write.at :]
        else:
            content.extend(bytes(write.at - len(content)))
        return
    if write.at > len(content):
        content.extend(bytes(write.at - len(content)))
    content[write.at : write.at + len(write.data)] = write.data


def _uncovered(held: Write, newer: Write) -> list[Write]:
    """What of ``held``, which was given up, still matters under a newer write that is safe."""
    if held.cut:
        return []
    end, start, stop = held.at + len(held.data), newer.at, newer.at + len(newer.data)
    if newer.cut:
        stop = max(end, start)
    parts = ((held.at, min(end, start)), (max(held.at, stop), end))
    return [Write(held.node, a, held.data[a - held.at : b - held.at], given_up=True) for a, b in parts if a < b]


def survivors(waiting: Sequence[Write], chance: random.Random) -> list[Write]:
    """Which of the writes that wait are on the disk after the cut, in order, perhaps in part."""
    draw = chance.random()
    if draw < 0.1 or not waiting:
        return []
    if draw < 0.2:
        return list(waiting)
    if draw < 0.6:
        kept = list(waiting[: chance.randint(1, len(waiting))])
        return [*kept[:-1], *_torn(kept[-1], chance)]
    share = chance.choice((0.1, 0.5, 0.9))
    found = [write for write in waiting if chance.random() < share]
    tears = chance.choice((0.0, 0.3))
    return [part for write in found for part in (_torn(write, chance) if tears and chance.random() < tears else [write])]


def _torn(write: Write, chance: random.Random) -> list[Write]:
    """Some sectors of a write."""
    if write.cut or not write.data or chance.random() < 0.3:
        return [write]
    parts, at, end = [], write.at, write.at + len(write.data)
    while at < end:
        stop = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        if chance.random() < 0.5:
            parts.append(Write(write.node, at, write.data[at - write.at : stop - write.at]))
        at = stop
    return parts


def entries_kept(entries: Sequence[Entry], chance: random.Random) -> list[Entry]:
    """Which changes of the folder are on the disk after the cut: the first ones, or any."""
    if chance.random() < 0.5:
        return list(entries[: chance.randint(0, len(entries))])
    return [entry for entry in entries if chance.random() < 0.5]
