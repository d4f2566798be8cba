"""Cards: conducted by a payment terminal, whatever its protocol; the till sees amounts and results and never a card number."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge_agent.domain.errors import ConfigError
from edge_agent.domain.tender import TenderKind
from edge_agent.ports import Terminal


class CardTerminal:
    """The card tender on one terminal. ``unwell`` says why it would not answer now, as of the last look at its line, or ``""``."""

    kind = TenderKind.CARD

    def __init__(self, terminal: Terminal, unwell: Callable[[], str]) -> None:
        self.terminal: Terminal | None = terminal
        self._unwell = unwell

    def availability(self) -> str:
        """Known from the last look at the terminal's line; a terminal that was not looked at yet is worth a try."""
        return self._unwell()


def build(config: Mapping[str, object], terminal: Terminal | None, unwell: Callable[[], str]) -> CardTerminal:
    """The card tender on ``terminal``. Raises ConfigError when the configuration names none; the caller knows file and section."""
    if terminal is None:
        raise ConfigError(
            "key 'terminal': expected the name of a [terminals.NAME] section, got nothing.",
            hint="Add the terminal's name.",
            reason="tenders",
        )
    return CardTerminal(terminal, unwell)
