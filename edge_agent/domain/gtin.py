"""GTINs of every length and UPC-E: check digits, the 14-digit form that the catalogue is asked with, and the form that people see.

The check digit is biip's (GS1 General Specifications, 7.9.1), and so is the expansion of UPC-E (5.2.2.4.2).
"""

from __future__ import annotations

from msgspec import Struct

from edge_agent.domain.card_data import shown_text
from edge_agent.domain.code_refusal import refuse
from edge_agent.domain.gs1_library import library

GTIN_LENGTHS = (8, 12, 13, 14)


class GtinCode(Struct, frozen=True):
    """An article, and what its symbol says about this one piece of it.

    ``gtin`` always has 14 digits (zero-padded on the left); ``shown`` is the number as it stands on the article (8, 12, 13 or 14
    digits). ``batch``, ``serial`` and ``expiry`` (the day after which it must not be sold, ISO date) are empty when the symbol does
    not carry them; ``grams`` (net weight), ``price_minor`` (price of this piece in minor units of the register's currency) and
    ``count`` (pieces) are None then. A zero in the symbol counts as not carried.
    """

    gtin: str
    shown: str
    batch: str = ""
    expiry: str = ""
    serial: str = ""
    grams: int | None = None
    price_minor: int | None = None
    count: int | None = None


def is_gtin(digits: str) -> bool:
    """Whether ``digits`` (ASCII digits only) has a GTIN's length, a right check digit and is not all zeros.

    >>> is_gtin("4006381333931"), is_gtin("4006381333932"), is_gtin("00000000")
    (True, False, False)
    """
    return len(digits) in GTIN_LENGTHS and library().check_digit(digits[:-1]) == int(digits[-1]) and bool(digits.strip("0"))


def gtin_code(digits: str, what: str = "") -> GtinCode:
    """The article of ``digits`` (8, 12, 13 or 14 ASCII digits). Raises CodeInvalid (``check_digit``, ``not_a_code``).

    ``what`` is the name used in messages, ``GTIN-13`` and the like by default. A 13-digit number with a leading zero is a UPC-A that
    the scanner padded; it is shown as the 12 digits on the article.

    >>> gtin_code("0012345678905")
    GtinCode(gtin='00012345678905', shown='012345678905', batch='', expiry='', serial='', grams=None, price_minor=None, count=None)
    """
    verify_check_digit(digits, what or f"GTIN-{len(digits)}")
    return GtinCode(digits.zfill(14), digits[1:] if len(digits) == 13 and digits[0] == "0" else digits)


def verify_check_digit(digits: str, what: str, expected: int | None = None) -> None:
    """Raise CodeInvalid unless the last of ``digits`` is the check digit (``expected``, or that of the digits before it)."""
    got = int(digits[-1])
    wanted = library().check_digit(digits[:-1]) if expected is None else expected
    if got != wanted:
        code = digits if len(digits) <= 13 else shown_text(digits)  # no scheme issues card numbers of 13 digits any more
        raise refuse("check_digit", f"Invalid {what} check digit in {code!r}: expected {wanted}, got {got}.", what=what, value=code, expected=wanted, got=got)
    if not digits.strip("0"):
        raise refuse("not_a_code", f"Invalid {what} {digits!r}: expected a number, got only zeros.", what=what, value=digits)


def gtin_shown(gtin: str) -> str:
    """The 14-digit ``gtin`` without the padding that no article shows: 8, 12, 13 or 14 digits.

    >>> gtin_shown("04006381333931"), gtin_shown("00000096385074"), gtin_shown("14006381333938")
    ('4006381333931', '96385074', '14006381333938')
    """
    for zeros, length in ((6, 8), (2, 12), (1, 13)):
        if gtin.startswith("0" * zeros):
            return gtin[-length:]
    return gtin


def is_upc_e(digits: str) -> bool:
    """Whether the 8 ``digits`` are a UPC-E with number system 0 or 1 and the right check digit.

    >>> is_upc_e("01234565"), is_upc_e("01234566"), is_upc_e("21234565")
    (True, False, False)
    """
    return digits[0] in "01" and _upc_a(digits[:7])[-1] == digits[7]


def upc_e_code(digits: str) -> GtinCode:
    """The article of a UPC-E of 8 digits, or of 7 (no check digit) or 6 (nor number system, which is 0). Raises CodeInvalid.

    >>> upc_e_code("04252614").gtin, upc_e_code("425261").gtin
    ('00042100005264', '00042100005264')
    """
    if len(digits) > 6 and digits[0] not in "01":
        raise refuse("not_a_code", f"Invalid UPC-E {digits!r}: expected number system 0 or 1, got {digits[0]}.", what="UPC-E", value=digits)
    if not digits.strip("0"):
        raise refuse("not_a_code", f"Invalid UPC-E {digits!r}: expected a number, got only zeros.", what="UPC-E", value=digits)
    upc_a = _upc_a(digits[:7])
    if len(digits) == 8:
        verify_check_digit(digits, "UPC-E", int(upc_a[-1]))
    return GtinCode(upc_a.zfill(14), digits)


def _upc_a(digits: str) -> str:
    """The 12 digits that 6 or 7 digits of UPC-E (number system 0 or 1) stand for."""
    try:
        return library().upc.parse(digits).as_upc_a()
    except library().refusals as error:
        raise AssertionError(digits) from error
