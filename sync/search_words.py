"""Turns text into the words that a search index holds and a person types: without case, accents and script's trifles, the same on both sides.

FTS5's own tokenizer takes the vowel signs of Devanagari for gaps and knows no German or Turkish; so words are cut and folded here, and
the index is given words that its tokenizer (``unicode61 remove_diacritics 2``) leaves as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

WORDS_MAX = 8
"""Words of a typed text that are searched for; more are not looked at."""
WORD_LETTERS_MAX = 40

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_LIKE = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h"})
"""Letters that have no accent to take off but are typed as another where the keyboard lacks them."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
"""The other way of writing these; both are found."""
_TAKEN_OFF = frozenset({"Mn", "Mc", "Me", "Cf"})
_KEPT = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No"})


def words_of(text: str) -> list[str]:
    """The words of ``text``, folded, in order.

    >>> words_of("Müller-Lüdenscheidt & Söhne"), words_of("Işıl Çelik"), words_of("PRIYA प्रिया")
    (['muller', 'ludenscheidt', 'sohne'], ['isil', 'celik'], ['priya', 'परय'])
    """
    if text.isascii():
        return [word[:WORD_LETTERS_MAX] for word in _ASCII_WORD.findall(text.lower())]
    letters = []
    for letter in unicodedata.normalize("NFKD", text.casefold()).translate(_LIKE):
        category = unicodedata.category(letter)
        if category in _KEPT:
            letters.append(letter)
        elif category not in _TAKEN_OFF:
            letters.append(" ")
    return [word[:WORD_LETTERS_MAX] for word in "".join(letters).split()]


def index_words(texts: Iterable[str]) -> list[str]:
    """What the index holds for ``texts``: their words, and those that are written in another way as well.

    >>> index_words(["Jörg Müller"])
    ['jorg', 'muller', 'joerg', 'mueller']
    """
    found: list[str] = []
    for text in texts:
        words = words_of(text)
        if not text.isascii():
            other = words_of(unicodedata.normalize("NFC", text.casefold()).translate(_UMLAUTS))
            words += [word for word in other if word not in words]
        found += words
    return found


def number_words(digits: str) -> list[str]:
    """What the index holds for a phone number: itself, without its country code (one to three digits), and backwards, for its last digits.

    >>> number_words("+49 30 1234")
    ['49301234', '9301234', '301234', '01234', 'r43210394']
    """
    plain = "".join(re.findall(r"\d", digits))
    return [plain, *(plain[cut:] for cut in (1, 2, 3) if len(plain) > cut + 3), "r" + plain[::-1]]


def match_all(words: list[str]) -> str:
    """The FTS5 expression for rows that have every one of ``words`` as a beginning.

    >>> match_all(["cot", "shi"])
    '"cot"* AND "shi"*'
    """
    return " AND ".join(f'"{word}"*' for word in words[:WORDS_MAX])


def matches(words: list[str]) -> list[str]:
    """FTS5 expressions for ``words``, the nearest rows first: with each of them whole, with all but the one still being typed whole, with all
    as beginnings. Rows of a later one are looked at only where the earlier ones left room: whole words are not crowded out by beginnings.

    >>> matches(["coat"]), matches(["wool", "co"])
    (['"coat"', '"coat"*'], ['"wool" AND "co"', '"wool" AND "co"*', '"wool"* AND "co"*'])
    """
    quoted = [f'"{word}"' for word in words[:WORDS_MAX]]
    return list(dict.fromkeys([" AND ".join(quoted), " AND ".join([*quoted[:-1], f"{quoted[-1]}*"]), match_all(words)]))


def typed_number(text: str) -> str:
    """The digits of ``text`` when it is nothing but a number as people write it (at least three digits), else nothing.

    >>> typed_number("+49 (151) 12-34"), typed_number("0151 1234"), typed_number("shirt 40"), typed_number("12")
    ('491511234', '01511234', '', '')
    """
    digits = "".join(re.findall(r"[0-9]", text))
    return digits if len(digits) >= 3 and not re.sub(r"[0-9 +()/.-]", "", text) else ""


def rank(words: list[str], haystack: list[str]) -> tuple[int, int, int]:
    """How well a row with the words ``haystack`` fits what was typed; smaller is better: whole words missed, not begun with, and its length.

    >>> rank(["anna"], ["anna", "berg"]) < rank(["anna"], ["annabel", "cho"]) < rank(["anna"], ["cho", "annabel"])
    True
    """
    there = set(haystack)
    missed = sum(word not in there for word in words)
    starts = bool(haystack and words) and haystack[0].startswith(words[0])
    return missed, not starts, len(haystack)


def in_order(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts numbers in a text by their value: size 98 comes before 104.

    >>> sorted(["blue, 104", "blue, 98", "blue"], key=in_order)
    ['blue', 'blue, 98', 'blue, 104']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts]
