"""Baskets set aside: suspended ones, and sales parked with a payment whose outcome is not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from edge_agent.views import AsideView, Recall, Snapshot
from tui.drawing.line import Line, indented, wrapped
from tui.drawing.pay import decided_aside
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
        """Enter recalls the marked one, to what is to be done with it."""
        held = self._marked(shown)
        if held is None or held.kind == "suspended":
            return shown.words("act.recall")
        if held.kind == "unpaid":
            return shown.words("recall.to_pay")
        return shown.words("recall.to_decide" if held.attempt == "needs_review" else "recall.to_payment")

    def _marked(self, shown: Shown) -> AsideView | None:
        return next((aside for aside in (*shown.snapshot.parked, *shown.snapshot.suspended) if aside.id == self.chosen), None)

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

    def _noted(self, shown: Shown, cells: int) -> list[Line]:
        """Until when the marked one's payment is clarified by asking, and who decides then."""
        held = self._marked(shown)
        return [indented(row, 1) for row in wrapped(decided_aside(shown, held), cells - 2, "muted")] if held is not None else []

    def fits(self, snapshot: Snapshot) -> bool:
        """While a shift is open and nothing is being paid."""
        return snapshot.phase in ("ready", "selling")

    def take(self, option: str) -> None:
        """Bring it back."""
        self.give(Recall(option))
