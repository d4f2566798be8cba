"""What the demo says in the terminal before there is a screen: importing and setting up take some seconds, and nobody should look at nothing."""

from __future__ import annotations

from edge_agent.demo.words import Words
from tui.terminal import drawing_terminal


def tell(text: str) -> None:
    """A line for whoever waits in front of a terminal; the next one (or none) takes its place."""
    terminal = drawing_terminal()
    if terminal is not None:
        terminal.write(f"\r\x1b[K{text}")
        terminal.flush()


def tell_setting_up(language: str) -> None:
    """The sample shop is being set up."""
    tell(Words(language)("setting_up"))
