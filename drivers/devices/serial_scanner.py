"""A bar code scanner on a serial line, a USB CDC port or a serial server."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from msgspec import Struct

from drivers.contract import Frame, Hands, Wire
from drivers.framing.aim import AimRule, split_aim
from drivers.framing.named_bytes import BYTES_MAX, TERMINATOR_EXPECTED, parse_bytes, parse_terminator, shown_terminator
from drivers.framing.serial_frames import FrameRule, SerialFramer
from drivers.load import DriverContext
from drivers.settings import Settings
from drivers.transports.find_port import PathPort, PortAddress, UsbIdentity, parse_port, parse_usb, same_place
from drivers.transports.serial_port import LineSettings, SerialTransport
from edge_agent.domain.reading import Reading

KIND = "serial_scanner"

IDLE_READ_SECONDS = 0.1
"""How long a read waits while nothing is pending; also how soon, at the latest, a stop is seen."""

DROPS_TOLD_SECONDS = 2.0
"""While a scanner goes on sending what is no code, that is told so often at most."""

UNENDED_TOLD = 3
"""So many codes in a row without their end are no loose cable any more, also of a scanner that ended its codes before."""

BEEPS_MAX = 4
"""More sounds than this wait for nobody: the oldest is forgotten."""


class Sounds(Struct, frozen=True):
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


class ScannerConfig(Struct, frozen=True):
    """One scanner as configured; ``sounds`` is None where it takes no host commands."""

    address: PortAddress
    line: LineSettings
    frames: FrameRule
    aim: AimRule
    sounds: Sounds | None


class SerialScanner:
    """A ``Driver`` and ``Beeper``: bytes to frames to readings, in the supervisor's thread.

    It reports the reservation ``frames_dropped`` whenever frames were dropped, ``no_terminator`` where these are codes that this scanner
    does not end as configured, and takes it back with the next good one. What the scanner was seen to do is known over all sessions.
    """

    kind = KIND

    def __init__(self, name: str, config: ScannerConfig, transport: SerialTransport | None = None) -> None:
        self.name = name
        self._config = config
        self._transport = transport or SerialTransport(config.address, config.line)
        self._beeps: deque[bytes] = deque(maxlen=BEEPS_MAX)
        self._serving = False
        self._framer = SerialFramer(config.frames)

    @property
    def wire(self) -> Wire:
        """The port."""
        return Wire("usb" if isinstance(self._config.address, UsbIdentity) else "port", same_place(self._config.address))

    @property
    def dropped(self) -> int:
        """How many frames were dropped since the agent started."""
        return self._framer.dropped

    def present(self) -> bool:
        """Whether the port is there."""
        return self._transport.present()

    def open(self) -> None:
        """Open the port. Raises DeviceAbsent, DeviceBusy, DeviceDenied or DeviceError."""
        self._transport.open()

    def serve(self, hands: Hands) -> None:
        """Read until ``hands.stop``. Raises DeviceLost."""
        framer = self._framer
        framer.begin()
        self._beeps.clear()
        self._serving = True
        dropped, reserved, told_at = framer.dropped, "", 0.0
        while not hands.stop.is_set():
            while self._beeps:
                self._transport.write(self._beeps.popleft())
            data = self._transport.read(self._config.frames.idle_gap_seconds if framer.pending else IDLE_READ_SECONDS)
            at = hands.monotonic()
            frames = framer.feed(data, at) if data else framer.tick(at)
            if frames:
                self._emit(frames, hands)
            if framer.dropped > dropped:
                dropped = framer.dropped
                reason, detail = self._trouble()
                if reason != reserved or at - told_at >= DROPS_TOLD_SECONDS:
                    reserved, told_at = reason, at
                    hands.degraded(reason, detail)
            elif frames and reserved:
                reserved = ""
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

    def _trouble(self) -> tuple[str, str]:
        """Why frames are dropped, as a key and a sentence with what to do about it."""
        framer, rule = self._framer, self._config.frames
        if not framer.unended or (framer.terminates and framer.unended < UNENDED_TOLD):
            return "frames_dropped", "A scan was too long, cut off or garbled. If it goes on, check the cable and the scanner's terminator setting."
        section, missing = f"[devices.{self.name}]", _called(rule.terminator)
        if framer.ended_with:
            sent = framer.ended_with
            told = f'set terminator = "{shown_terminator(sent)}" in {section}'
            return "no_terminator", f"The scanner ends its codes with {_called(sent)}, not with {missing}: {told}."
        otherwise = "" if rule.lrc else f'; for one that cannot send it, set terminator = "none" in {section}'
        return "no_terminator", f"The scanner sends no {missing} after a code: scan the code for it (a suffix) in the scanner's manual{otherwise}."


def _called(terminator: bytes) -> str:
    """``terminator`` in a sentence: CR, CRLF, or as the configuration has it."""
    shown = shown_terminator(terminator)
    return shown.upper() if shown.isalnum() else shown


def build(config: Mapping[str, object], context: DriverContext) -> SerialScanner:
    """The scanner of one configuration section. Raises ConfigError: where, key, expected, got.

    ========================  ==========================================================================================
    ``port`` or ``usb``       a path, a pattern or an rfc2217:// URL; or VID:PID, VID:PID:SERIAL, VID:PID@LOCATION
    ``baud``                  50 to 4000000, default 9600; ``bytesize`` 7 or 8, ``parity`` N E O M S, ``stopbits`` 1 or 2
    ``terminator``            cr (default), lf, crlf, etx, tab, none (silence ends a code), or bytes (``parse_terminator``); a code
                              that comes without it is dropped, because it may be half of one
    ``prefix``                bytes in front of every code, default none; ``stx`` for instance
    ``lrc``                   true when a check byte follows the terminator
    ``idle_gap_ms``           how long a silence ends a code, or breaks one that has a terminator; 5 to 2000, default 50
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
    """The port; ``usb`` is read also where it should not be, so that what is wrong with it is told."""
    by_usb = settings.parsed("usb", "", lambda text: parse_usb(text) if text else None, "VID:PID, VID:PID:SERIAL or VID:PID@LOCATION")
    by_port = settings.parsed("port", "", lambda text: parse_port(text) if text else None, "a path, a pattern or rfc2217://host:port")
    if bool(settings.text("port", "")) == bool(settings.text("usb", "")):
        settings.refuse("port", "either port or usb", "both" if settings.text("port", "") else None)
    return by_usb or by_port or PathPort("")


def _frames(settings: Settings) -> FrameRule:
    terminator = settings.parsed("terminator", "cr", parse_terminator, TERMINATOR_EXPECTED)
    lrc = settings.flag("lrc", False)
    if lrc and not terminator:
        settings.refuse("lrc", "a terminator before the check byte", "terminator 'none'")
    return FrameRule(
        terminator=terminator,
        prefix=settings.parsed("prefix", "", parse_bytes, f"a control character's name, or printable ASCII and \\xNN, up to {BYTES_MAX} bytes"),
        lrc=lrc,
        idle_gap_seconds=settings.whole("idle_gap_ms", 50, 5, 2_000) / 1_000,
    )
