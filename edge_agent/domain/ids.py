"""Identifiers: UUID version 7, made from a time and random bits that the caller brings.

RFC 9562 section 5.7: 48 bits of milliseconds, version 7, 74 random bits. They are for identity and index locality, never for order: so a clock that
stands before 1970 (an empty battery) is taken for 1970, and what makes each of them another one is the random bits.
"""

from __future__ import annotations

import uuid

RANDOM_BITS = 74
TIME_MS_MAX = (1 << 48) - 1


def uuid7(at_ms: int, random_bits: int) -> str:
    """The UUIDv7 of ``at_ms`` (milliseconds since 1970; the nearest that 48 bits hold) and ``random_bits`` (74 bits), in canonical text.

    >>> uuid7(0x0192_4D6A_9B00, 0)
    '01924d6a-9b00-7000-8000-000000000000'
    >>> uuid7(1, (1 << 74) - 1)
    '00000000-0001-7fff-bfff-ffffffffffff'
    >>> uuid7(-5, 0), uuid7(1 << 60, 0)
    ('00000000-0000-7000-8000-000000000000', 'ffffffff-ffff-7000-8000-000000000000')
    """
    assert 0 <= random_bits < 1 << RANDOM_BITS, random_bits
    high, low = random_bits >> 62, random_bits & ((1 << 62) - 1)
    value = (min(max(at_ms, 0), TIME_MS_MAX) << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low
    return str(uuid.UUID(int=value))


def is_uuid(text: str) -> bool:
    """Whether ``text`` is a UUID in its canonical lower-case form, of any version.

    >>> is_uuid("01924d6a-9b00-7000-8000-000000000000"), is_uuid("nonsense"), is_uuid("{01924d6a-9b00-7000-8000-000000000000}")
    (True, False, False)
    """
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
