"""Splits the AIM symbology identifier, three characters that say what kind of symbol was read, from what was read."""

from __future__ import annotations

import re
from enum import Enum


class AimRule(Enum):
    """Whether the scanner puts an AIM identifier in front of each code."""

    AUTO = "auto"  # split it where the first three bytes are one that is assigned
    ALWAYS = "always"  # split anything of its shape
    NEVER = "never"  # what begins with "]" is content


# The code characters of ISO/IEC 15424 (AIM symbology identifiers), as scanner manuals list them: A Code 39, B Telepen, C Code 128,
# D Code One, E EAN/UPC, F Codabar, G Code 93, H Code 11, I Interleaved 2 of 5, J DotCode, K Code 16K, L PDF417, M MSI, N Anker,
# O Codablock, P Plessey, Q QR, R and S Straight 2 of 5, T Code 49, U MaxiCode, X other, Z not a bar code, c Channel Code,
# d Data Matrix, e GS1 DataBar, h Han Xin, o OCR, p PosiCode, s SuperCode, z Aztec. The modifier is a digit or a letter.
_ASSIGNED = re.compile(rb"\][ABCDEFGHIJKLMNOPQRSTUXZcdehopsz][0-9A-Za-z]")
_SHAPED = re.compile(rb"\][A-Za-z][0-9A-Za-z]")

_SHAPES = {AimRule.AUTO: _ASSIGNED, AimRule.ALWAYS: _SHAPED}


def split_aim(data: bytes, rule: AimRule) -> tuple[str, bytes]:
    """The AIM identifier (``""`` when there is none) and the rest.

    >>> split_aim(b"]E04006381333931", AimRule.AUTO)
    (']E0', b'4006381333931')
    >>> split_aim(b"]E04006381333931", AimRule.NEVER), split_aim(b"4006381333931", AimRule.ALWAYS)
    (('', b']E04006381333931'), ('', b'4006381333931'))
    """
    shape = _SHAPES.get(rule)
    if shape is None or not shape.match(data):
        return "", data
    return data[:3].decode("ascii"), data[3:]
