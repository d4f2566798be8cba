"""Bytes as a configuration writes them: control characters by name, everything else by itself or as ``\\xNN``."""

from __future__ import annotations

import re

STX, ETX, TAB, LF, CR = b"\x02", b"\x03", b"\t", b"\n", b"\r"

# ISO/IEC 646 (ASCII) control characters by their standard names, and the pair every serial device knows.
# fmt: off
_CONTROLS = (
    "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "tab", "lf", "vt", "ff", "cr", "so", "si",
    "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc", "fs", "gs", "rs", "us",
)
# fmt: on
_NAMED = {name: bytes([number]) for number, name in enumerate(_CONTROLS)} | {"crlf": CR + LF, "del": b"\x7f"}

_PIECE = re.compile(r"\\x([0-9A-Fa-f]{2})|([\x20-\x5b\x5d-\x7e])")

BYTES_MAX = 16
"""The longest prefix or terminator that can be configured."""
TERMINATOR_EXPECTED = f"cr, lf, crlf, etx, tab, none, another control character's name, or up to {BYTES_MAX} bytes like \\x0d (letters, too: \\x41)"
_WORD = re.compile(r"[A-Za-z]{2}")


def parse_bytes(text: str) -> bytes:
    r"""The bytes that ``text`` names: ``cr``, ``crlf``, ``stx``, or printable ASCII with ``\xNN`` for the rest, up to BYTES_MAX.

    Raises ValueError. A name wins over its own letters; write these as ``\x63\x72``.

    >>> parse_bytes("CRLF"), parse_bytes("etx"), parse_bytes(r"\x04"), parse_bytes("#"), parse_bytes("")
    (b'\r\n', b'\x03', b'\x04', b'#', b'')
    >>> parse_bytes("é")
    Traceback (most recent call last):
    ValueError: not a control character's name, printable ASCII or \xNN: 'é'
    """
    if named := _NAMED.get(text.lower()):
        return named
    made = bytearray()
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise ValueError(f"not a control character's name, printable ASCII or \\xNN: {text!r}")
        made += bytes([int(piece[1], 16)]) if piece[1] else piece[2].encode("ascii")
        at = piece.end()
    if len(made) > BYTES_MAX:
        raise ValueError(f"longer than {BYTES_MAX} bytes: {text!r}")
    return bytes(made)


def parse_terminator(text: str) -> bytes:
    r"""The bytes that end a code; none for ``none``. As ``parse_bytes``, but letters stand as ``\xNN``: a word is a misspelt name. Raises ValueError.

    >>> parse_terminator("cr"), parse_terminator("none"), parse_terminator(r"\x0d#")
    (b'\r', b'', b'\r#')
    >>> parse_terminator("enter")
    Traceback (most recent call last):
    ValueError: a word, and no control character's name: 'enter'
    """
    if text.lower() == "none":
        return b""
    if text.lower() not in _NAMED and _WORD.search(re.sub(r"\\x[0-9A-Fa-f]{2}", "", text)):
        raise ValueError(f"a word, and no control character's name: {text!r}")
    return parse_bytes(text)


def shown_terminator(terminator: bytes) -> str:
    r"""``terminator`` as a configuration writes it, so that ``parse_terminator`` understands it again.

    >>> shown_terminator(b"\r"), shown_terminator(b"\r\n"), shown_terminator(b""), shown_terminator(b"\r#A")
    ('cr', 'crlf', 'none', '\\x0d#\\x41')
    """
    name = next((name for name, named in _NAMED.items() if named == terminator), "")
    return name or "".join(f"\\x{byte:02x}" if chr(byte).isalnum() or not 0x20 < byte < 0x7F or byte == 0x5C else chr(byte) for byte in terminator) or "none"
