"""Makes a text printable with the characters that a printer has, so that nothing it lacks comes out as another sign. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

UNPRINTABLE = "?"
"""Stands for a character that the printer has not and that nothing close stands in for."""

STAND_INS = {
    # Typography that markets' number and date formats use (CLDR), and what catalogues' names bring.
    "\u202f": "\u00a0", "\u2009": "\u00a0", "\u2007": "\u00a0", "\u2002": " ", "\u2003": " ",
    "−": "-", "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-",
    "‘": "'", "’": "'", "‚": "'", "′": "'", "“": '"', "”": '"', "„": '"', "″": '"', "‹": "<", "›": ">", "«": '"', "»": '"',
    "…": "...", "•": "*", "·": "-", "×": "x", "→": "->", "✓": "x", "™": "(TM)", "®": "(R)", "©": "(C)", "°": " deg", "№": "No.",
    "ẞ": "SS", "ß": "ss", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d",
    "ı": "i", "Þ": "Th", "þ": "th", "Ð": "D", "ð": "d",
    # ISO 4217 for currency signs.
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₺": "TRY", "₽": "RUB", "₩": "KRW", "₪": "ILS", "₫": "VND", "₴": "UAH", "₦": "NGN",
    "฿": "THB", "₱": "PHP", "₡": "CRC", "₸": "KZT", "₼": "AZN", "₾": "GEL", "₿": "BTC",
}  # fmt: skip


def printable(text: str, has: Callable[[str], bool]) -> str:
    """``text`` with every character that the printer has not (``has``; ASCII it always has) replaced by what stands for it.

    Invisible characters (joiners, direction marks) go; no-break spaces stay for the line breaking that follows.

    >>> printable("Käse “Brie” 2\u202f€ 牛", lambda character: character in "ä€")
    'Käse "Brie" 2\\xa0€ ?'
    >>> printable("Käse 2 €", lambda character: False)
    'Kase 2 EUR'
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(_one(character, has) for character in composed)


def _one(character: str, has: Callable[[str], bool]) -> str:
    if character.isascii() or character == "\u00a0":
        return character
    if unicodedata.category(character) == "Cf":
        return ""
    if has(character):
        return character
    if character in STAND_INS:
        return STAND_INS[character]
    bare = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    if bare and all(part.isascii() or has(part) for part in bare):
        return bare
    return "" if unicodedata.combining(character) else UNPRINTABLE
