"""The name that a terminal knows an attempt by, for protocols that take ten characters of the client's own."""

from __future__ import annotations

import hashlib

WIRE_REF_CHARS = 10
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS = 5 * WIRE_REF_CHARS


def wire_ref(attempt_id: str) -> str:
    """Ten characters of Crockford's base32: the first 50 bits of the SHA-256 of ``attempt_id``.

    Nothing has to be kept to make the same one again, and it does not lean on a clock or on a counter that a restored disk would turn
    back. Two of 100,000 attempts that one terminal remembers share a name with a probability of 0.0004 % (n²/2⁵¹); the journal's unique
    index on (terminal, wire_ref) refuses the second before anything is sent, and a terminal refuses a name that it knows.

    >>> wire_ref("01924d6a-9b00-7000-8000-000000000000")
    '7P28CAXD4T'
    """
    number = int.from_bytes(hashlib.sha256(attempt_id.encode()).digest()[:8], "big") >> (64 - _BITS)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(_BITS - 5, -1, -5))
