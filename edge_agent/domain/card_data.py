"""Payment card data that strays into a reading: recognised so that it is refused, and masked wherever text is shown.

A magnetic stripe reader that types, a card number typed into a search field, a wallet's one-time code on a phone: none of them may be
shown, logged or stored. Card numbers are 13 to 19 digits that pass the Luhn check (ISO/IEC 7812-1) and lie in a range of an issuer's;
tracks are laid out as in ISO/IEC 7813.
"""

from __future__ import annotations

import re
import unicodedata

SHOWN_CHARS_MAX = 40
"""What is shown of a text that nothing answers to; the rest is cut."""

_CARD_DIGITS_MIN, _CARD_DIGITS_MAX = 13, 19

# First digits (from, to, both with as many digits as are compared) and the lengths in use: ISO/IEC 7812 issuer ranges as the schemes publish them.
_ISSUERS: tuple[tuple[str, str, range], ...] = (
    ("4", "4", range(13, 20)),  # Visa
    ("51", "55", range(16, 17)),  # Mastercard
    ("2221", "2720", range(16, 17)),  # Mastercard
    ("34", "34", range(15, 16)),  # American Express
    ("37", "37", range(15, 16)),  # American Express
    ("300", "305", range(14, 20)),  # Diners Club
    ("3095", "3095", range(14, 20)),  # Diners Club
    ("36", "36", range(14, 20)),  # Diners Club
    ("38", "39", range(14, 20)),  # Diners Club
    ("3528", "3589", range(16, 20)),  # JCB
    ("6011", "6011", range(16, 20)),  # Discover
    ("644", "649", range(16, 20)),  # Discover
    ("65", "65", range(16, 20)),  # Discover, RuPay, Elo
    ("60", "60", range(16, 17)),  # RuPay, Hipercard
    ("62", "62", range(16, 20)),  # UnionPay
    ("81", "82", range(16, 20)),  # UnionPay, RuPay
    ("50", "50", range(13, 20)),  # Maestro
    ("56", "58", range(13, 20)),  # Maestro
    ("63", "63", range(13, 20)),  # Maestro
    ("67", "67", range(13, 20)),  # Maestro
    ("2200", "2204", range(16, 20)),  # Mir
    ("9792", "9792", range(16, 17)),  # Troy
)

_TRACK_1 = re.compile(r"%?[Bb][0-9]{12,19}\^")
_TRACK_2 = re.compile(r"([0-9]{13,19})[=D][0-9]{3}")
_TRACK_MANGLED = re.compile(r"([0-9]{13,19})[^0-9]{1,2}[0-9]{7}")  # a reader that types on another keyboard layout changes the separator
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){12,}")
_GROUPED = re.compile(r"(?<!\d)\d{4}([\W_]{1,3})(?:\d{4}\1\d{4}\1\d{1,7}|\d{6}\1\d{4,5})(?!\d)")  # as cards print it, whatever stands between the groups


def is_card_number(digits: str) -> bool:
    """Whether ``digits`` (ASCII digits only) can be a payment card's number.

    >>> is_card_number("4111111111111111"), is_card_number("4111111111111112"), is_card_number("4006381333931")
    (True, False, False)
    """
    return _has_issuer(digits) and _passes_luhn(digits)


def has_track(text: str) -> bool:
    """Whether ``text`` has the shape of a payment card's magnetic stripe.

    >>> has_track(";4111111111111111=25121010000?"), has_track("%B4111111111111111^DOE/J^2512?"), has_track(";9990001112223334=1?")
    (True, True, False)
    """
    if text.startswith(("%B", "%b")) or _TRACK_1.search(text):
        return True
    if any(_has_issuer(found[1]) for found in _TRACK_2.finditer(text)):
        return True
    return any(is_card_number(found[1]) for found in _TRACK_MANGLED.finditer(text))


def shown_text(text: str) -> str:
    """``text`` as it may be shown and logged: at most SHOWN_CHARS_MAX printable characters, card-like and wallet-like numbers masked.

    >>> shown_text("call me 4111 1111-1111 1111 now")
    'call me **** ****-**** 1111 now'
    >>> shown_text("134567890123456789")
    '**************6789'
    """
    beginning = text[: 2 * SHOWN_CHARS_MAX]  # a number that starts later is cut off anyway
    masked = masked_text(beginning)
    printable = "".join(char if char.isprintable() else "·" for char in masked)
    return printable if len(printable) <= SHOWN_CHARS_MAX else printable[: SHOWN_CHARS_MAX - 1] + "…"


def masked_text(text: str) -> str:
    """``text``, whole, with card-like and wallet-like numbers masked: for texts that others wrote and we print, a terminal's receipt lines.

    >>> masked_text("Kartennr. 4111 1111 1111 1111 gültig")
    'Kartennr. **** **** **** 1111 gültig'
    >>> masked_text("4111.1111.1111.1111, on 30.01.2026  12:30:46")
    '****.****.****.1111, on 30.01.2026  12:30:46'
    """
    return _GROUPED.sub(lambda found: _masked(found[0]), _LONG_NUMBER.sub(lambda found: _masked(found[0]), text))


def _has_issuer(digits: str) -> bool:
    return any(low <= digits[: len(low)] <= high and len(digits) in lengths for low, high, lengths in _ISSUERS)


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0


def _is_wallet_code(digits: str) -> bool:
    """A customer's one-time code of WeChat Pay (18 digits, 10 to 15) or Alipay (16 to 24 digits, 25 to 30)."""
    return (len(digits) == 18 and "10" <= digits[:2] <= "15") or (16 <= len(digits) <= 24 and "25" <= digits[:2] <= "30")


def _masked(number: str) -> str:
    """``number`` (digits with single spaces or hyphens) with all but the last four digits of each secret in it as ``*``."""
    at = [place for place, char in enumerate(number) if char.isdigit()]
    digits = "".join(str(unicodedata.digit(number[place])) for place in at)
    hidden: set[int] = set(at[:-4]) if _is_wallet_code(digits) else set()
    least = min(len(digits), _CARD_DIGITS_MIN + 1)  # 13 digits count only where they stand alone: within more they are an article's number
    for start in range(len(digits) - least + 1):
        for length in range(least, min(_CARD_DIGITS_MAX, len(digits) - start) + 1):
            if is_card_number(digits[start : start + length]):
                hidden.update(at[start : start + length - 4])
    return "".join("*" if place in hidden else char for place, char in enumerate(number))
