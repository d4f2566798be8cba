"""Large digits, three rows high, of half blocks: what the customer reads from two metres."""

from __future__ import annotations

_SHAPES = {
    "0": ("█▀█", "█ █", "▀▀▀"), "1": ("▀█ ", " █ ", "▀▀▀"), "2": ("▀▀█", "█▀▀", "▀▀▀"), "3": ("▀▀█", " ▀█", "▀▀▀"), "4": ("█ █", "▀▀█", "  ▀"),
    "5": ("█▀▀", "▀▀█", "▀▀▀"), "6": ("█▀▀", "█▀█", "▀▀▀"), "7": ("▀▀█", "  █", "  ▀"), "8": ("█▀█", "█▀█", "▀▀▀"), "9": ("█▀█", "▀▀█", "▀▀▀"),
    ",": (" ", " ", "█"), ".": (" ", " ", "▀"), "-": ("   ", "▀▀▀", "   "), " ": (" ", " ", " "), "’": ("▀", " ", " "), "'": ("▀", " ", " "),
}  # fmt: skip
_SAME = {"\u2212": "-", "\u00a0": " ", "\u202f": " ", "\u2019": "’"}
ROWS = 3


def large(text: str) -> tuple[str, ...] | None:
    """``text`` (digits, signs and separators) as three rows of equal width, or None when a character has no large shape.

    >>> print("\\n".join(large("4,2")))
    █ █   ▀▀█
    ▀▀█   █▀▀
      ▀ █ ▀▀▀
    """
    shapes = [_SHAPES.get(_SAME.get(character, character)) for character in text]
    if not text or any(shape is None for shape in shapes):
        return None
    return tuple(" ".join(shape[row] for shape in shapes if shape is not None) for row in range(ROWS))
