"""Identifiers of customers in the one form in which central and a register's copy compare them, whatever way they were typed or read.

The rows of the customers feed are for every country, so a number in them without its country's code stays without one; who looks a number up stands
in a store, whose country says what a national number is.
"""

from __future__ import annotations

import re

SINGLE_KINDS = ("loyalty", "tag_uid")
"""What stands for one customer alone: it is scanned or tapped, and whoever holds it is served at once. A phone number or address may be a couple's."""
SEPARATORS = re.compile(r"[\s:._-]+")
"""What readers and people put between the bytes of a tag's UID."""
ABROAD = "00"
"""What most of the world dials for the plus."""


def plain_identifier(kind: str, value: str, country: str = "") -> str:
    """The form of an identifier that is stored and compared; empty for a value that stands for nobody. ``country`` (ISO 3166-1) is where it was typed.

    >>> plain_identifier("tag_uid", "04:a2:3B:ff"), plain_identifier("email", " Ada@Example.org "), plain_identifier("loyalty", "loy1234567890")
    ('04A23BFF', 'ada@example.org', 'LOY1234567890')
    >>> [plain_identifier("phone", written) for written in ("+49 (0)170 123-4567", "0049/1701234567", "+49 0170 1234567")]
    ['+491701234567', '+491701234567', '+491701234567']
    >>> plain_identifier("phone", "0170 1234567"), plain_identifier("phone", "0170 1234567", "DE"), plain_identifier("phone", "n/a")
    ('01701234567', '+491701234567', '')
    """
    match kind:
        case "phone":
            return _plain_phone(value, country)
        case "tag_uid":
            return SEPARATORS.sub("", value).upper().removeprefix("0X")
        case "email":
            return value.strip().casefold()
        case "loyalty":
            return value.strip().upper()
        case _:
            return value.strip()


def looked_up(kind: str, value: str, country: str = "") -> tuple[str, ...]:
    """The forms under which an identifier that was typed in ``country`` may be stored; none for a value that stands for nobody.

    >>> looked_up("phone", "0170 1234567", "DE"), looked_up("loyalty", " ")
    (('+491701234567', '01701234567'), ())
    """
    forms = (plain_identifier(kind, value, country), plain_identifier(kind, value))
    return tuple(dict.fromkeys(form for form in forms if form))


def _plain_phone(value: str, country: str) -> str:
    """E.164 where that can be known; else the digits, after a plus where there was one."""
    import phonenumbers  # every country's numbering plan: not before a number is looked at, a register's start does not wait for it

    digits = phonenumbers.normalize_digits_only(value)
    international = value.strip()[:1] in ("+", "\uff0b")
    if not international and digits.startswith(ABROAD):
        international, digits = True, digits.removeprefix(ABROAD)
        value = "+" + digits
    plain = f"+{digits}" if international and digits else digits
    try:
        number = phonenumbers.parse(value, country or None)
    except phonenumbers.NumberParseException:
        return plain
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
