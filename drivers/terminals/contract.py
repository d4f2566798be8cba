"""What a package of this folder offers: the service's Terminal port, and a word on how the terminal does while nobody pays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from drivers.load import DriverContext
from edge_agent.ports import Terminal


class Health(Struct, frozen=True):
    """Whether the terminal answered just now. ``reason`` is a stable key (``""`` when it did), ``detail`` an English sentence for IT,
    ``hint`` what to do. ``busy``: it is at a payment, ours or somebody else's."""

    reason: str = ""
    detail: str = ""
    hint: str = ""
    busy: bool = False

    @property
    def answers(self) -> bool:
        """Whether the terminal can be asked for a payment, now or when it has finished the one it is at."""
        return not self.reason


class TerminalDriver(Terminal, Protocol):
    """A terminal as the composition root sees it. Construction opens nothing; its methods run on one event loop."""

    @property
    def kind(self) -> str:
        """The name of its package."""

    async def health(self) -> Health:
        """Ask the terminal how it is, on a connection of its own: harmless while a payment runs. Bounded in time; never raises."""


Build = Callable[[Mapping[str, object], DriverContext], TerminalDriver]
"""``build(config, context)`` of each package here and of each entry point. Opens nothing; raises ConfigError."""
