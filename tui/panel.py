"""What a panel is that plays the customer and the world: the demo hands one in, a shop has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class PanelAction(Struct, frozen=True):
    """One thing that the panel can do. ``key`` is its name and, when it is one character, the key to press (a letter is small here, and
    pressed either way); ``group`` its heading."""

    key: str
    text: str
    group: str


class Panel(Protocol):
    """A list of actions, and how one is performed."""

    @property
    def title(self) -> str:
        """What the panel calls itself."""

    @property
    def leaving(self) -> str:
        """A sentence on what becomes of the counter when its screen is left."""

    def actions(self) -> Sequence[PanelAction]:
        """What can be done now; asked again after each action."""

    async def perform(self, key: str) -> str:
        """Do it, and say in a sentence what was done."""
