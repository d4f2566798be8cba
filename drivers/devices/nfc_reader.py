"""The NFC reader: a tag, card or phone held to it becomes one reading, through nfcpy's own chip drivers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from drivers.contract import Driver, Hands, Wire
from drivers.load import DriverContext
from drivers.nfc.address import EXPECTED, ReaderAddress, SerialAddress, parse_address
from drivers.nfc.content import NotRead, SeenTag, read_tag, sight_of, still_there
from drivers.nfc.frontend import Frontend
from drivers.nfc.guard import Guard, Stopped
from drivers.nfc.taps import UNREADABLE, TagContent, Taps
from drivers.settings import REQUIRED, Settings
from edge_agent.domain.reading import Reading, Source

TECHNOLOGIES = ("106A", "106B", "212F", "424F")
"""What can be looked for, by nfcpy's names: NFC-A (tag types 1, 2 and 4A, phones, bank cards), NFC-B (4B), NFC-F (type 3)."""

TECHNOLOGIES_DEFAULT = ("106A", "106B", "212F")
HOLD_SECONDS_DEFAULT = 0.7
POLL_SECONDS = 0.05
"""The pause between two looks into an empty field."""

PRESENCE_SECONDS = 0.1
"""The pause between two questions to a tag whether it is still there."""


class NfcReader:
    """A driver for one reader; see ``drivers.contract.Driver``. All of it runs in the one thread that opened it.

    Emits one reading per tap: the text or URI of a tag; the UID of a tag without one; nothing but the kind for a phone, a bank
    card and a tag that cannot be read. A tag called unreadable that becomes readable while it is still held is emitted, too.
    """

    kind = "nfc_reader"

    def __init__(self, name: str, address: ReaderAddress, technologies: Sequence[str], hold_seconds: float) -> None:
        self._name = name
        self._address = address
        self._technologies = tuple(technologies)
        self._hold_seconds = hold_seconds
        self._frontend: Frontend | None = None

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    @property
    def wire(self) -> Wire:
        """The serial port behind its links, or the address as it is written."""
        address = self._address
        return Wire("path", os.path.realpath(address.path) if isinstance(address, SerialAddress) else address.path)

    def present(self) -> bool:
        """Whether the port or USB device is there; a simulator over UDP is found out by opening."""
        return self._address.present()

    def open(self) -> None:
        """Open the reader and start its chip. Raises DeviceAbsent, DeviceBusy, DeviceDenied or DeviceLost."""
        self.close()
        frontend = Frontend(self._address, self._technologies)
        frontend.open()
        self._frontend = frontend

    def serve(self, hands: Hands) -> None:
        """Emit a reading per tap until ``hands.stop``. Raises DeviceLost when the reader is gone."""
        frontend = self._frontend
        assert frontend is not None, "serve() before open()"
        taps = Taps(self._hold_seconds)

        def unsupported(technology: str) -> None:
            hands.degraded("technology_unsupported", f"This reader does not know {technology}; tags of that kind are not seen.")

        while not hands.stop.is_set():
            target = frontend.sense(hands.stop, unsupported)
            if target is not None:
                self._attend(frontend, target, taps, hands)
            elif taps.nothing(hands.monotonic()):
                self._emit(UNREADABLE, hands)
            hands.stop.wait(POLL_SECONDS)

    def close(self) -> None:
        """Close; never raises."""
        frontend, self._frontend = self._frontend, None
        if frontend is not None:
            frontend.close()

    def _attend(self, frontend: Frontend, target: object, taps: Taps, hands: Hands) -> None:
        """Read one target, and stay with it as long as it answers."""
        guard = Guard(frontend.nfcpy, frontend.clf, hands.stop, hands.monotonic)
        sight = sight_of(target)
        try:
            with frontend.lost("reading a tag"):
                seen = read_tag(frontend.nfcpy, guard, target)
            if taps.read(seen.content, sight, hands.monotonic()):
                self._emit(seen.content, hands)
            self._hold(frontend, guard, seen, taps, hands)
        except NotRead:
            if taps.failed(sight, hands.monotonic()):
                self._emit(UNREADABLE, hands)
        except Stopped:
            return

    def _hold(self, frontend: Frontend, guard: Guard, seen: SeenTag, taps: Taps, hands: Hands) -> None:
        while not hands.stop.wait(PRESENCE_SECONDS):
            with frontend.lost("asking a tag whether it is there"):
                if not still_there(frontend.nfcpy, guard, seen):
                    return
            taps.still(seen.content, hands.monotonic())

    def _emit(self, content: TagContent, hands: Hands) -> None:
        hands.emit(
            Reading(
                payload=content.payload,
                device=self._name,
                at_ms=hands.now_ms(),
                source=Source.NFC,
                tag=content.kind,
                generation=hands.generation,
            )
        )


def build(config: Mapping[str, object], context: DriverContext) -> Driver:
    """An NFC reader from its keys. Raises ConfigError.

    ``path`` (required) is where the reader is, in one of the forms that ``drivers.nfc.address.EXPECTED`` lists. ``technologies``
    is what to look for (default 106A, 106B and 212F); each costs a few milliseconds per look. ``hold_seconds`` (0.05 to 5,
    default 0.7) is for how long a tag that vanished still counts as held, so that a flicker of the field is not a second tap.
    """
    settings = Settings(config, context.where)
    path = settings.text("path", REQUIRED)
    address = parse_address(path)
    if address is None:
        settings.refuse("path", EXPECTED, path)
    technologies = settings.texts("technologies", TECHNOLOGIES_DEFAULT)
    if not technologies or not set(technologies) <= set(TECHNOLOGIES) or len(set(technologies)) < len(technologies):
        settings.refuse("technologies", "a list of " + ", ".join(TECHNOLOGIES), list(technologies))
    hold_seconds = settings.number("hold_seconds", HOLD_SECONDS_DEFAULT, 0.05, 5.0)
    settings.end()
    assert address is not None, "refused"
    return NfcReader(context.name, address, technologies, hold_seconds)
