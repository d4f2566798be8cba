"""Lines: fitted into columns, torn nowhere, harmless whatever the text."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import tui
from tui.drawing.digits import large
from tui.drawing.line import Line, Piece, apart, clean, cropped, cut, fit, flowed, line, wrapped
from tui.glyphs import ASCII, CONSOLE

MODULES = sorted(module.name for module in pkgutil.walk_packages(tui.__path__, "tui."))
WORDS = st.text(max_size=60)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@given(WORDS, st.integers(min_value=1, max_value=50))
def test_a_fitted_text_takes_exactly_its_columns(text: str, cells: int) -> None:
    assert cell_len(fit(clean(text), cells)) == cells
    assert cell_len(cut(clean(text), cells)) <= cells


@given(WORDS, WORDS, st.integers(min_value=1, max_value=100))
def test_two_ends_fill_the_line_and_the_right_one_is_never_cut(left: str, right: str, cells: int) -> None:
    end = line(right)
    row = apart(line(left), end, cells)
    assert row.text.endswith(end.text)
    assert row.cells == max(cells, end.cells)


@given(WORDS, st.integers(min_value=1, max_value=40))
def test_wrapping_loses_nothing_and_keeps_within_the_columns(text: str, cells: int) -> None:
    rows = wrapped(text, cells)
    torn_wide = cells == 1 and any(cell_len(character) > 1 for character in text)
    assert torn_wide or all(row.cells <= cells for row in rows)
    assert "".join("".join(row.text.split()) for row in rows) == "".join(clean(text).split())


@given(st.lists(st.text(min_size=1, max_size=20)), st.integers(min_value=1, max_value=60))
def test_flowing_keeps_the_order_and_the_columns(parts: list[str], cells: int) -> None:
    rows = flowed([line(part) for part in parts], cells)
    assert all(row.cells <= cells for row in rows)


@given(st.lists(st.tuples(WORDS, st.sampled_from(["text", "muted"]))), st.integers(min_value=0, max_value=40))
def test_cropping_keeps_the_roles_of_what_stays(parts: list[tuple[str, str]], cells: int) -> None:
    whole = line(*parts)
    short = cropped(whole, cells)
    assert short.cells <= max(cells, 0)
    assert [piece.role for piece in short.pieces] == [piece.role for piece in whole.pieces][: len(short.pieces)]


@given(st.text())
def test_nothing_from_outside_can_speak_to_the_terminal(text: str) -> None:
    harmless = line(text).text
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in harmless)
    assert not set(harmless) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_names_of_other_scripts_stay_as_they_are() -> None:
    for name in ("Ayşe Yılmaz", "مريم الحسن", "प्रिया शर्मा", "王小明"):
        assert line(name).text == name


def test_a_line_knows_its_columns_by_cells_and_not_by_characters() -> None:
    assert Line((Piece("王小明"),)).cells == 6


def test_large_digits_are_three_rows_of_one_width_and_refuse_what_they_cannot_draw() -> None:
    rows = large("1.299,00")
    assert rows is not None
    assert len({len(row) for row in rows}) == 1
    assert large("12 kg") is None
    assert large("") is None


@given(st.text(max_size=40))
def test_a_poorer_terminal_moves_no_column(text: str) -> None:
    drawn = clean(text)
    for glyphs in (CONSOLE, ASCII):
        assert len(glyphs.paint(drawn)) == len(drawn)


def test_the_console_gets_only_what_its_font_has_and_ascii_only_ascii() -> None:
    drawn = "●○◐›▌×·→↑↓…–—−─│▲■“”„’‘°"
    assert all(character.isascii() or character.encode("cp437", "ignore") or character in "•○◘►▲→↑↓" for character in CONSOLE.paint(drawn))
    assert ASCII.paint(drawn).isascii()
