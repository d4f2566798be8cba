"""Names that came from outside, as one line: on a receipt, a screen or a command line they begin no line of their own and turn no text around."""

from __future__ import annotations

import re

_BREAKING = "\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069"
"""Control characters, the separators of lines and paragraphs, and what changes the direction of writing."""
_BREAKS = re.compile(f" *[{_BREAKING}][ {_BREAKING}]*")


def one_line(text: str) -> str:
    """``text`` with a blank for every run of control characters and line ends; the rest, joined emoji too, as it is.

    >>> one_line("Milk\\n  TOTAL  0,01"), one_line("\\u202eliM"), one_line("  3 x 1,99")
    ('Milk TOTAL  0,01', ' liM', '  3 x 1,99')
    """
    return text if text.isprintable() else _BREAKS.sub(" ", text)
