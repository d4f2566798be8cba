"""The themes: dark, light, high contrast, and one for terminals with sixteen colours. One accent colour each, for what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

NAMES = ("dark", "light", "contrast", "sixteen")
AUTO = "auto"


def _theme(name: str, colours: Mapping[str, str], *, dark: bool, ansi: bool = False) -> Theme:
    """A theme from our own dozen of colours; ``counter.tcss`` uses nothing else."""
    own = {
        "muted": colours["muted"],
        "rule": colours["rule"],
        "chosen": colours["chosen"],
        "on-chosen": colours["on_chosen"],
        "on-accent": colours["on_accent"],
        "input-cursor-background": colours["accent"],
        "input-cursor-foreground": colours["on_accent"],
        "input-cursor-text-style": "none",
        "input-selection-background": colours["chosen"],
        "scrollbar": colours["rule"],
        "scrollbar-background": colours["back"],
        "scrollbar-corner-color": colours["back"],
        "border": colours["accent"],
        "border-blurred": colours["rule"],
        "panel": colours["panel"],
        "ansi-background": colours["back"],
        "ansi-foreground": colours["text"],
    }
    return Theme(
        name=f"counter-{name}", primary=colours["accent"], accent=colours["accent"], success=colours["good"], warning=colours["warn"], error=colours["bad"],
        foreground=colours["text"], background=colours["back"], surface=colours["back"], panel=colours["panel"], boost=colours["panel"],
        dark=dark, ansi=ansi, variables=own,
    )  # fmt: skip


DARK = {
    "back": "#14171c", "panel": "#1d2229", "text": "#e4e6e3", "muted": "#97a1ad", "rule": "#3a424d", "accent": "#7fb4ff", "on_accent": "#10141a",
    "good": "#86cf97", "warn": "#ecc06c", "bad": "#ff8f85", "chosen": "#26303d", "on_chosen": "#ffffff",
}  # fmt: skip
LIGHT = {
    "back": "#f8f7f3", "panel": "#eeece5", "text": "#1d2024", "muted": "#5a626d", "rule": "#c3c2bb", "accent": "#0a58a8", "on_accent": "#ffffff",
    "good": "#1a6b2d", "warn": "#855300", "bad": "#b1221b", "chosen": "#dbe6f3", "on_chosen": "#101317",
}  # fmt: skip
CONTRAST = {
    "back": "#000000", "panel": "#000000", "text": "#ffffff", "muted": "#d6d6d6", "rule": "#9a9a9a", "accent": "#ffe600", "on_accent": "#000000",
    "good": "#5dff8f", "warn": "#ffc14d", "bad": "#ffa0a0", "chosen": "#00265c", "on_chosen": "#ffffff",
}  # fmt: skip
SIXTEEN = {
    "back": "ansi_black", "panel": "ansi_black", "text": "ansi_bright_white", "muted": "ansi_white", "rule": "ansi_white", "accent": "ansi_bright_cyan",
    "on_accent": "ansi_black", "good": "ansi_bright_green", "warn": "ansi_bright_yellow", "bad": "ansi_bright_red", "chosen": "ansi_blue",
    "on_chosen": "ansi_bright_white",
}  # fmt: skip
"""Foreground and background are always given together, so it is right on a light terminal too; backgrounds are of the first eight."""
PALETTES = {"dark": DARK, "light": LIGHT, "contrast": CONTRAST, "sixteen": SIXTEEN}


ROLE_LOOKS = {
    # Of each role of drawn text: its colour in the palette, the colour behind it, and whether it is bold.
    "text": ("text", "", False), "strong": ("text", "", True), "muted": ("muted", "", False), "accent": ("accent", "", True), "good": ("good", "", False),
    "warn": ("warn", "", False), "bad": ("bad", "", True), "key": ("accent", "", False), "off": ("good", "", False), "pick": ("warn", "", False),
    "rule": ("rule", "", False), "chosen": ("on_chosen", "chosen", False), "changed": ("text", "", True), "large": ("text", "", True),
}  # fmt: skip


@lru_cache(maxsize=len(NAMES) + 1)
def role_styles(theme: str) -> Mapping[str, Style]:
    """How each role looks in the theme of this name (a theme that is not ours looks like the first)."""
    name = theme.removeprefix("counter-")
    palette = PALETTES.get(name, DARK)
    return {
        role: Style(color=_colour(palette[front]), bgcolor=_colour(palette[back]) if back else None, bold=bold or None)
        for role, (front, back, bold) in ROLE_LOOKS.items()
    }


def _colour(name: str) -> RichColor:
    return Color.parse(name).rich_color


def themes() -> list[Theme]:
    """All of them, to be registered."""
    return [_theme(name, PALETTES[name], dark=name != "light", ansi=name == "sixteen") for name in NAMES]


def fitting(wanted: str, colour_system: str | None) -> str:
    """The theme for a wish (``auto`` or a name) on a terminal whose colours Rich calls ``standard``, ``256``, ``truecolor`` or None.

    >>> fitting("auto", "standard"), fitting("auto", "truecolor"), fitting("light", "standard")
    ('counter-sixteen', 'counter-dark', 'counter-light')
    """
    if wanted in NAMES:
        return f"counter-{wanted}"
    return "counter-dark" if colour_system in ("256", "truecolor") else "counter-sixteen"


def after(theme: str) -> str:
    """The next theme, for the key that goes round."""
    name = theme.removeprefix("counter-")
    return f"counter-{NAMES[(NAMES.index(name) + 1) % len(NAMES)] if name in NAMES else NAMES[0]}"
