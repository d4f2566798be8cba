"""Which characters a code page number of ``ESC t`` stands for, after the manual of the printer and not after any library's table."""

from __future__ import annotations

import codecs

PAGES = {
    # Epson ESC/POS Command Reference, ESC t, TM-T88V; Python's name of the same page.
    0: "cp437", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 13: "cp857", 14: "cp737", 15: "iso8859_7", 16: "cp1252", 17: "cp866",
    18: "cp852", 19: "cp858", 32: "cp720", 33: "cp775", 34: "cp855", 35: "cp861", 36: "cp862", 37: "cp864", 38: "cp869", 39: "iso8859_2",
    40: "iso8859_15", 44: "cp1125", 45: "cp1250", 46: "cp1251", 47: "cp1253", 48: "cp1254", 49: "cp1255", 50: "cp1256", 51: "cp1257",
    52: "cp1258", 53: "kz1048",
}  # fmt: skip
UNKNOWN = "\ufffd"
"""Stands for a byte that the page leaves empty, or a page that this printer has not."""


def decode(data: bytes, page: int) -> str:
    """``data`` on code page number ``page``, one character per byte.

    >>> decode(b"3,50 \\x80", 16), decode(b"3,50 \\xd5", 19), decode(b"\\x80", 99)
    ('3,50 €', '3,50 €', '\ufffd')
    """
    name = PAGES.get(page)
    text = codecs.decode(data, name or "ascii", "replace").replace("\u00a0", " ")
    return "".join(character if character.isprintable() else UNKNOWN for character in text)
