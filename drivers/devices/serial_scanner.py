"""A bar code scanner on a serial line, a USB CDC port or a serial server."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.contract import Frame, Hands
from drivers.framing.aim import AimRule, split_aim
from drivers.framing.named_bytes import parse_bytes
from drivers.framing.serial_frames import FrameRule, SerialFramer
from drivers.load import DriverContext
from drivers.settings import Settings
from drivers.transports.find_port import PortAddress, parse_port, parse_usb
from drivers.transports.serial_port import LineSettings, SerialTransport
from edge_agent.domain.reading import Reading

KIND = "serial_scanner"

IDLE_READ_SECONDS = 0.1
"""How long a read waits while nothing is pending; also how soon, at the latest, a stop is seen."""

BEEPS_MAX = 4
"""More sounds than this wait for nobody: the oldest is forgotten."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """What to send to make a scanner say good or bad."""

    good: bytes
    bad: bytes


# datalogic: "Force Good Read Tone" 0x01 is in every Datalogic and PSC guide (RS-232 Host Commands); hand-held models have no bad sound,
#   so that bad is three of it.
# magellan: "Not On File Indication" F is answered by a long series of beeps (Magellan 9300i/9800i, Appendix E); the 800i then stays off
#   until E enables it again (Appendix F).
# honeywell: SYN BEL CR sounds the beeper at any time; bad is three of it.
# honeywell_host_ack: ESC 7 and ESC 8 with the required comma (Xenon/Granit User Guide, "Host ACK Responses"). A scanner set to Host ACK
#   waits for one of them after each scan, 10 s by default, before it reads again.
_SOUNDS: Mapping[str, Sounds | None] = {
    "none": None,
    "datalogic": Sounds(good=b"\x01", bad=b"\x01\x01\x01"),
    "magellan": Sounds(good=b"\x01", bad=b"FE"),
    "honeywell": Sounds(good=b"\x16\x07\r", bad=b"\x16\x07\r" * 3),
    "honeywell_host_ack": Sounds(good=b"\x1b7,", bad=b"\x1b8,\x1b8,"),
}


@dataclass(frozen=True, slots=True)
class ScannerConfig:
    """One scanner as configured; ``sounds`` is None where it takes no host commands."""

    address: PortAddress
    line: LineSettings
    frames: FrameRule
    aim: AimRule
    sounds: Sounds | None


class SerialScanner:
    """A ``Driver`` and ``Beeper``: bytes to frames to readings, in the supervisor's thread.

    It reports the reservation ``frames_dropped`` when frames were dropped, and takes it back with the next good one.
    """

    kind = KIND

    def __init__(self, name: str, config: ScannerConfig, transport: SerialTransport | None = None) -> None:
        self.name = name
        self._config = config
        self._transport = transport or SerialTransport(config.address, config.line)
        self._beeps: deque[bytes] = deque(maxlen=BEEPS_MAX)
        self._serving = False
        self._dropped_before = 0  # by the framers of earlier sessions
        self._framer = SerialFramer(config.frames)

    @property
    def dropped(self) -> int:
        """How many frames were dropped since the agent started."""
        return self._dropped_before + self._framer.dropped

    def present(self) -> bool:
        """Whether the port is there."""
        return self._transport.present()

    def open(self) -> None:
        """Open the port. Raises DeviceAbsent, DeviceBusy, DeviceDenied or DeviceError."""
        self._transport.open()

    def serve(self, hands: Hands) -> None:
        """Read until ``hands.stop``. Raises DeviceLost."""
        self._dropped_before = self.dropped
        self._framer = framer = SerialFramer(self._config.frames)
        self._beeps.clear()
        self._serving = True
        dropped = degraded = 0
        while not hands.stop.is_set():
            while self._beeps:
                self._transport.write(self._beeps.popleft())
            data = self._transport.read(self._config.frames.idle_gap_seconds if framer.pending else IDLE_READ_SECONDS)
            at = hands.monotonic()
            frames = framer.feed(data, at) if data else framer.tick(at)
            if frames:
                self._emit(frames, hands)
            if framer.dropped > dropped:
                dropped, degraded = framer.dropped, degraded or self._reserve(framer.dropped, hands)
            elif frames and degraded:
                degraded = 0
                hands.degraded("", "")

    def close(self) -> None:
        """Close the port; never raises."""
        self._serving = False
        self._transport.close()

    def beep(self, good: bool) -> bool:
        """Ask the scanner for its sound; False where it has none or is not there."""
        if self._config.sounds is None or not self._serving:
            return False
        self._beeps.append(self._config.sounds.good if good else self._config.sounds.bad)
        self._transport.wake()
        return True

    def _emit(self, frames: Sequence[Frame], hands: Hands) -> None:
        for frame in frames:
            aim, payload = split_aim(frame.data, self._config.aim)
            if payload:
                hands.emit(Reading(payload=payload, device=self.name, at_ms=hands.now_ms(), aim=aim, generation=hands.generation))

    def _reserve(self, dropped: int, hands: Hands) -> int:
        """Report dropped frames; how many there are."""
        hands.degraded(
            "frames_dropped",
            f"{dropped} unreadable scan{'s' if dropped > 1 else ''} dropped (too long, cut off or garbled). "
            "If it goes on, check the cable and the scanner's terminator setting.",
        )
        return dropped


def build(config: Mapping[str, object], context: DriverContext) -> SerialScanner:
    """The scanner of one configuration section. Raises ConfigError: where, key, expected, got.

    ========================  ==========================================================================================
    ``port`` or ``usb``       a path, a pattern or an rfc2217:// URL; or VID:PID, VID:PID:SERIAL, VID:PID@LOCATION
    ``baud``                  50 to 4000000, default 9600; ``bytesize`` 7 or 8, ``parity`` N E O M S, ``stopbits`` 1 or 2
    ``terminator``            cr (default), lf, crlf, etx, tab, none (silence ends a code), or bytes (``parse_bytes``)
    ``prefix``                bytes in front of every code, default none; ``stx`` for instance
    ``lrc``                   true when a check byte follows the terminator
    ``idle_gap_ms``           how long a silence ends a code, 5 to 2000, default 50
    ``aim``                   auto (default), always or never: whether codes carry AIM identifiers
    ``host_commands``         none (default), datalogic, magellan, honeywell or honeywell_host_ack: how to make it beep
    ========================  ==========================================================================================
    """
    settings = Settings(config, context.where)
    address = _address(settings)
    line = LineSettings(
        baud=settings.whole("baud", 9_600, 50, 4_000_000),
        bytesize=settings.whole("bytesize", 8, 7, 8),
        parity=settings.choice("parity", ("N", "E", "O", "M", "S"), "N"),
        stopbits=settings.whole("stopbits", 1, 1, 2),
    )
    frames = _frames(settings)
    aim = AimRule(settings.choice("aim", tuple(rule.value for rule in AimRule), AimRule.AUTO.value))
    sounds = _SOUNDS[settings.choice("host_commands", tuple(_SOUNDS), "none")]
    settings.end()
    return SerialScanner(context.name, ScannerConfig(address, line, frames, aim, sounds))


def _address(settings: Settings) -> PortAddress:
    port, usb = settings.text("port", ""), settings.text("usb", "")
    if bool(port) == bool(usb):
        raise settings.wrong("port", "either port or usb", "both" if port else None)
    try:
        return parse_usb(usb) if usb else parse_port(port)
    except ValueError as error:
        key, got = ("usb", usb) if usb else ("port", port)
        expected = "VID:PID, VID:PID:SERIAL or VID:PID@LOCATION" if usb else "a path, a pattern or rfc2217://host:port"
        raise settings.wrong(key, expected, got) from error


def _frames(settings: Settings) -> FrameRule:
    terminator = settings.text("terminator", "cr")
    lrc = settings.flag("lrc", False)
    if lrc and terminator == "none":
        raise settings.wrong("lrc", "a terminator before the check byte", "terminator 'none'")
    return FrameRule(
        terminator=b"" if terminator == "none" else _bytes(settings, "terminator", terminator),
        prefix=_bytes(settings, "prefix", settings.text("prefix", "")),
        lrc=lrc,
        idle_gap_seconds=settings.whole("idle_gap_ms", 50, 5, 2_000) / 1_000,
    )


def _bytes(settings: Settings, key: str, text: str) -> bytes:
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise settings.wrong(key, "a control character's name, or printable ASCII and \\xNN, up to 16 bytes", text) from error
