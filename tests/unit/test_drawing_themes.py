"""Colours: every role is legible in every theme, in sixteen colours too, and none is needed to understand anything."""

from __future__ import annotations

import pytest
from rich.color import ColorType
from textual.color import Color

from tui.drawing.line import ROLES
from tui.themes import DARK, NAMES, PALETTES, ROLE_LOOKS, after, fitting, role_styles, themes

CONTRAST_MIN = {"dark": 4.5, "light": 4.5, "contrast": 7.0}
"""WCAG 2.2, success criteria 1.4.3 (AA) and 1.4.6 (AAA) for text."""


def luminance(colour: Color) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [part / 255 for part in (colour.r, colour.g, colour.b)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(front: str, back: str) -> float:
    """The contrast ratio of two colours."""
    lights = sorted((luminance(Color.parse(front)), luminance(Color.parse(back))), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def test_every_role_has_its_look_and_every_palette_its_colours() -> None:
    assert set(ROLE_LOOKS) == set(ROLES)
    assert all(palette.keys() == DARK.keys() for palette in PALETTES.values())
    assert set(PALETTES) == set(NAMES)


@pytest.mark.parametrize("name", CONTRAST_MIN)
def test_every_text_is_legible_on_every_ground_it_stands_on(name: str) -> None:
    palette = PALETTES[name]
    fronts = ("text", "muted", "accent", "good", "warn", "bad")
    ratios = {(front, back): contrast(palette[front], palette[back]) for front in fronts for back in ("back", "panel", "chosen")}
    ratios["on_accent", "accent"] = contrast(palette["on_accent"], palette["accent"])
    ratios["on_chosen", "chosen"] = contrast(palette["on_chosen"], palette["chosen"])
    assert {pair: round(ratio, 1) for pair, ratio in ratios.items() if ratio < CONTRAST_MIN[name]} == {}


def test_sixteen_colours_are_the_terminals_own_and_grounds_are_of_the_first_eight() -> None:
    for style in role_styles("counter-sixteen").values():
        assert style.color is not None
        assert style.color.type is ColorType.STANDARD
        assert style.bgcolor is None or (style.bgcolor.number is not None and style.bgcolor.number < 8)


def test_the_theme_fits_the_terminal_unless_one_was_asked_for() -> None:
    assert fitting("auto", "standard") == fitting("auto", None) == "counter-sixteen"
    assert fitting("auto", "256") == "counter-dark"
    assert fitting("contrast", "standard") == "counter-contrast"


def test_the_colours_key_goes_round() -> None:
    names = [theme.name for theme in themes()]
    name, seen = names[0], []
    for _ in names:
        seen.append(name)
        name = after(name)
    assert seen == names
    assert name == names[0]
    assert after("textual-dark") == names[0]
