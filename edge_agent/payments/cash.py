"""Cash: the associate conducts it; it needs nothing and nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge_agent.domain.tender import TenderKind
from edge_agent.ports import Terminal


class Cash:
    """Notes and coins."""

    kind = TenderKind.CASH
    terminal: Terminal | None = None

    def availability(self) -> str:
        """Always there."""
        return ""


def build(config: Mapping[str, object], terminal: Terminal | None, unwell: Callable[[], str]) -> Cash:
    """The cash tender; it has no configuration and no terminal."""
    return Cash()
