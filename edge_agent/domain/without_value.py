"""What a decoder says of a value that it refuses, without the value: a person may have typed it, and problems are shown and logged."""

from __future__ import annotations

import re

_VALUE = re.compile(r"(Invalid (?:enum )?value) .+?(?= - at `[^`]*`$|$)", re.DOTALL)
_PLACE = re.compile(r" for (?:path|[A-Z]+) .*$", re.DOTALL)
"""The address of a request comes with its query."""


def without_value(message: str) -> str:
    """``message`` without the value, or the address, that it quotes.

    >>> without_value("Invalid enum value 'Maria' - at `$.kind`"), without_value("Invalid value '+49 - at `$.x`'")
    ('Invalid enum value - at `$.kind`', 'Invalid value')
    >>> without_value("Validation failed for GET /v1/customers?q=Maria")
    'Validation failed'
    >>> without_value("Missing required query parameter 'q' for path /v1/customers?name=Maria"), without_value("Expected `int`, got `str`")
    ("Missing required query parameter 'q'", 'Expected `int`, got `str`')
    """
    return _PLACE.sub("", _VALUE.sub(r"\1", message))
