"""What a person types to a simulated NFC reader."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from drivers.simulators.tags import WORDS, Tag, tag_by_name
from edge_agent.clock import Random

HELP = f"One command per line: !remove, !unplug, !plug, or a tag to hold to the reader: {WORDS}."


class SimulatedReader(Protocol):
    """What both simulated readers can do."""

    def put_tag(self, tag: Tag) -> None: ...

    def remove_tag(self) -> None: ...

    def plug(self) -> None: ...

    def unplug(self) -> None: ...


def obey(reader: SimulatedReader, line: str, random: Random) -> str:
    """Do what one typed line says; what to tell the person."""
    match line.strip():
        case "":
            return ""
        case "!remove":
            reader.remove_tag()
            return "removed"
        case "!unplug":
            reader.unplug()
            return "unplugged"
        case "!plug":
            reader.plug()
            return "plugged"
        case words:
            tag = tag_by_name(words, random)
            if tag is None:
                return HELP
            reader.put_tag(tag)
            return f"held to the reader: {words}"


def run(reader: SimulatedReader, random: Random, lines: Iterable[str]) -> None:
    """Obey ``lines`` until they end, and say what was done."""
    with suppress(KeyboardInterrupt):
        for line in lines:
            said = obey(reader, line, random)
            if said:
                print(said, flush=True)
