"""Every act by name: the F9 menu, where each has a letter, and the search that Ctrl+P opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events

from tui.acts import ACTS, BY_NAME, Act, key_label, why_not
from tui.drawing.line import Line, apart, joined, line
from tui.screens.lists import ListScreen
from tui.shown import Shown
from tui.widgets.choices import Option

ROOMY = 90
"""Columns from which on a row also says why its act cannot be done now."""


class MenuScreen(ListScreen):
    """What has no key of its own; its letter takes it at once."""

    topic: ClassVar[str] = "menu"
    with_entry: ClassVar[bool] = False

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("menu.title")

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """The table of acts."""
        return [Option(act.name, _Row(act, act.letter.upper())) for act in ACTS if act.letter or (act.name == "panel" and self.counter.panel)], ""

    def take(self, option: str) -> None:
        """Do it."""
        self.dismiss()
        self.counter.act(option)

    def on_key(self, event: events.Key) -> None:
        """A letter takes its act."""
        act = next((act for act in ACTS if act.letter and act.letter == (event.character or "").lower()), None)
        if act is not None:
            event.stop()
            self.take(act.name)


class PaletteScreen(ListScreen):
    """Every act, found by typing a part of its name or of what it does."""

    topic: ClassVar[str] = "palette"

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("palette.title")

    def placeholder(self, shown: Shown) -> str:
        """What can be typed."""
        return shown.words("palette.placeholder")

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """The acts whose name or explanation has every typed word."""
        words = self.counter.words
        wanted = text.casefold().split()
        found = [act for act in ACTS if (act.name != "panel" or self.counter.panel) and act.name not in ("palette", "find_customer")]
        found = [act for act in found if all(word in f"{words.named('act', act.name)} {words.named('does', act.name)}".casefold() for word in wanted)]
        found.sort(key=lambda act: not words.named("act", act.name).casefold().startswith(text.casefold()))
        return [Option(act.name, _Row(act, act.letter and f"F9 {act.letter.upper()}")) for act in found], "" if found else words("palette.none")

    def take(self, option: str) -> None:
        """Do it."""
        self.dismiss()
        self.counter.act(BY_NAME[option].name)


class _Row:
    """An act with its key, what it does, and whether it can be done now."""

    def __init__(self, act: Act, letter: str) -> None:
        self._act = act
        self._letter = letter

    def __call__(self, shown: Shown, cells: int) -> Line:
        words, act = shown.words, self._act
        key = key_label(shown, act.key) if act.key else self._letter
        refusal = act.refusal(shown)
        name = line((f"{key:<7}", "key"), (f"{words.named('act', act.name):<24}", "muted" if refusal else "strong"))
        does, why = line((words.named("does", act.name), "muted")), line((why_not(shown, refusal), "muted")) if refusal and cells >= ROOMY else line()
        if name.cells + does.cells + why.cells + 3 > cells and why.cells:
            does, why = why, line()  # no room for both: why not is worth more
        return apart(joined([name, does], ""), why, cells)
