"""The few drawn characters that not every terminal has, in three sets: any modern terminal, the Linux console's font, plain ASCII.

Drawing uses the fullest set; what a terminal lacks is replaced one for one when a line is painted, so no column ever moves.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class Glyphs(Struct, frozen=True):
    """One set: what replaces what. ``large`` says whether there are half blocks, of which the large digits are made, ``eighths`` whether there are
    eighths, of which a scrollbar's ends are; ``border`` is Textual's name of a line style."""

    name: str
    large: bool
    border: str
    replaced: Mapping[int, str] = field(default_factory=dict)
    eighths: bool = False

    def paint(self, text: str) -> str:
        """``text`` with what this terminal can draw."""
        return text.translate(self.replaced) if self.replaced else text


_TYPOGRAPHY = {"…": "~", "–": "-", "—": "-", "−": "-", "“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "×": "x", "\u202f": " "}
_TO_CONSOLE = str.maketrans({**_TYPOGRAPHY, "●": "•", "◐": "◘", "›": "►"})
_TO_ASCII = str.maketrans(
    {
        **_TYPOGRAPHY,
        "●": "*",
        "○": "o",
        "◐": "~",
        "›": ">",
        "▌": "|",
        "·": "|",
        "→": ">",
        "↑": "^",
        "↓": "v",
        "─": "-",
        "│": "|",
        "▲": "!",
        "■": "#",
        "•": "*",
        "°": "o",
        "\u00a0": " ",
    }
)
FULL = Glyphs("full", True, "round", eighths=True)
CONSOLE = Glyphs("console", True, "solid", _TO_CONSOLE)
"""Only characters of code page 437, which the console's built-in font and all of its replacements have."""
ASCII = Glyphs("ascii", False, "ascii", _TO_ASCII)
SETS = {glyphs.name: glyphs for glyphs in (FULL, CONSOLE, ASCII)}


def fitting(environment: Mapping[str, str]) -> Glyphs:
    """The set for a terminal with this environment: the Linux console by TERM, ASCII when the language settings name no UTF-8.

    >>> fitting({"TERM": "linux", "LANG": "de_DE.UTF-8"}).name, fitting({"TERM": "vt100", "LANG": "C"}).name
    ('console', 'ascii')
    >>> fitting({"TERM": "xterm-256color"}).name
    'full'
    """
    language = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    if language and "utf" not in language.lower():
        return ASCII
    return CONSOLE if environment.get("TERM") == "linux" else FULL
