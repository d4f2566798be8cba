"""Loads nfcpy when a reader is opened, keeps it silent, and names the exceptions it can throw."""

from __future__ import annotations

import logging
import struct
import warnings
from typing import Any

from msgspec import Struct

from drivers.nfc.serial_line import TERMINAL_ERRORS
from edge_agent.domain.errors import DeviceAbsent


class Nfcpy(Struct, frozen=True):
    """The library (it has no types) and its exceptions by what they mean.

    ``wire``: the reader itself is gone or speaks nonsense. ``air``: a tag did not answer, or not as it should. ``confused``:
    what nfcpy's own code runs into when a tag sends bytes that it did not expect.
    """

    clf: Any
    tag: Any
    wire: tuple[type[Exception], ...]
    air: tuple[type[Exception], ...]
    confused: tuple[type[Exception], ...]


def load_nfcpy() -> Nfcpy:
    """Import nfcpy. Raises DeviceAbsent when it, or the libusb it needs even for serial readers, is not installed.

    nfcpy redirects Python's warnings into logging when it is imported, which is the program's own decision: it is undone. Its
    log lines can hold what was read from a tag and go nowhere.
    """
    shown = warnings.showwarning
    try:
        import nfc.clf.pn53x
        import nfc.clf.rcs380
        import nfc.clf.udp
        import nfc.tag
        import usb1
    except (ImportError, OSError) as error:
        hint = "Install nfcpy and the system library libusb-1.0 (Debian: libusb-1.0-0)."
        raise DeviceAbsent(f"The NFC library cannot be loaded: {error}.", hint=hint, reason="library_missing") from error
    if warnings.showwarning is not shown:
        logging.captureWarnings(False)
    silent = logging.getLogger("nfc")
    silent.propagate = False
    silent.setLevel(logging.CRITICAL + 1)
    confused = (LookupError, TypeError, ValueError, AssertionError, AttributeError, NameError, RuntimeError, ArithmeticError, struct.error)
    return Nfcpy(
        clf=nfc.clf,
        tag=nfc.tag,
        wire=(OSError, *TERMINAL_ERRORS, usb1.USBError, nfc.clf.pn53x.Chipset.Error, nfc.clf.rcs380.CommunicationError, nfc.clf.rcs380.StatusError),
        air=(nfc.clf.CommunicationError, nfc.tag.TagCommandError),
        confused=confused,
    )
