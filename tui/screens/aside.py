"""Baskets set aside: suspended ones, and sales parked with a payment whose outcome is not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from edge_agent.views import AnyCommand, NoticeView, Recall, Snapshot
from tui.drawing.rows import aside_row
from tui.screens.lists import ListScreen
from tui.shown import Shown
from tui.widgets.choices import Option, row_of


class AsideScreen(ListScreen):
    """Enter brings one back. The list stays in the order in which they were set aside."""

    topic: ClassVar[str] = "aside"
    with_entry: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._listed: tuple[object, ...] = ()

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("recall.title")

    def takes(self, shown: Shown) -> str:
        """Enter recalls."""
        return shown.words("act.recall")

    def show(self, shown: Shown) -> None:
        """Draw; another list only when what is set aside changed."""
        super().show(shown)
        listed = (*shown.snapshot.parked, *shown.snapshot.suspended)
        if listed != self._listed:
            self._listed = listed
            self.look()

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """What the snapshot says: parked sales first, they are waited for."""
        shown, words = self.counter.picture, self.counter.words
        asides = (*shown.snapshot.parked, *shown.snapshot.suspended) if shown else ()
        return [Option(aside.id, row_of(aside_row, aside)) for aside in asides], "" if asides else words("refused.nothing_aside")

    def fits(self, snapshot: Snapshot) -> bool:
        """While a shift is open and nothing is being paid."""
        return snapshot.phase in ("ready", "selling")

    def take(self, option: str) -> None:
        """Bring it back."""
        self.counter.command(Recall(option), self)

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """Back to the sale with it."""
        if problem is None:
            self.dismiss()
