"""What the command line prints: the service's health, devices, events and failures as lines of text for IT. Times are this computer's local time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC

import msgspec

from edge_agent.client import ServiceUnreachable
from edge_agent.domain.moments import is_told, wall_time
from edge_agent.domain.one_line import one_line
from edge_agent.views import DeviceView, EventView, ForgottenView, ResentView, StatusView, StreamView, VerificationView

PHASES = {
    "closed": "no shift is open",
    "ready": "ready to sell",
    "selling": "a sale is open",
    "paying": "a payment is under way",
    "stopped": "STOPPED: nothing can be sold",
}
LINKS = {
    "in_step": "in step",
    "sending": "sending",
    "offline": "not reached",
    "frozen": "FROZEN: central takes nothing from this register",
    "alone": "not asked yet",
}
REACHED = {
    "refused": "answers, and refuses what this register asks",
    "no_progress": "answers, and takes no facts",
}
"""How central is of no use although it answers, by the link's reason (of ``refused_404`` the first word)."""
HELD_UP = "too_large_on_the_way"
"""The reason of a link on which something between here and central stops one fact, and with it those of its stream, until somebody sees to it."""
NOT_ASKED = "stopped"
"""The reason of a link over which nothing is asked, because the journal cannot be opened."""
SELLS_ON = "(the shop sells on)"
SELLING_GOES_ON = re.compile(r" Selling goes on(?:\.|; (\w))")
"""What the hints about central say of selling."""
JOURNALS = {"good": "good", "stopped": "STOPPED"}
NO_DATE = "–"
WIDTH_MIN = 60
"""Narrower than this an event's line is not cut, however small the window."""

WITHHELD = (
    "What central could not take is missing from its books; its bytes are in the journal. Report it to the platform's operator and the vendor; "
    "once the cause is mended, `edge-agent journal resend` sends it again."
)

FULL = "Make room: on a full disk nothing can be sold."


def moment(at_ms: int) -> str:
    """A wall time to the second, with its distance from UTC: it may be read beside another computer's log. A dash for what no calendar has."""
    return wall_time(at_ms, UTC).astimezone().isoformat(" ", "seconds") if is_told(at_ms) else NO_DATE


def clock_time(at_ms: int) -> str:
    """The time of day alone."""
    return wall_time(at_ms, UTC).astimezone().strftime("%H:%M:%S")


def lasted(ms: int) -> str:
    """A span in its two largest units.

    >>> lasted(59_999), lasted(3_720_000), lasted(266_400_000)
    ('59 s', '1 h 2 min', '3 d 2 h')
    """
    seconds = max(ms, 0) // 1000
    for unit, name, smaller, small in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= unit:
            return f"{seconds // unit} {name} {seconds % unit // smaller} {small}"
    return f"{seconds} s"


def needs_somebody(now: StatusView) -> bool:
    """Whether something is wrong that does not mend itself: selling stopped, or will for want of room on the disk, central takes nothing from this register,
    or not all of it, or a card payment is to be given back or missing."""
    if now.journal.disk_low:
        return True
    return now.phase == "stopped" or now.link.state == "frozen" or now.link.reason == HELD_UP or now.link.withheld > 0 or bool(now.attention)


def status_lines(now: StatusView) -> list[str]:
    """The service's health: one subject a line, what is wrong with it and what to do below it."""
    lines = [
        *_subject("register", f"{now.store}/{now.register}, {PHASES.get(now.phase, now.phase)}"),
        *_subject("service", f"version {now.version or 'unknown'}, up {lasted(now.now_ms - now.started_ms)}, since {moment(now.started_ms)}"),
        *_central(now),
        *_subject("journal", _journal(now), now.journal.reason),
        *(_subject("DISK LOW", f"{now.journal.free_mb} MB are left beside the journal.", FULL) if now.journal.disk_low else ()),
        *_subject("articles", _as_of(now.catalogue_as_of_ms, now.now_ms)),
        *_subject("customers", _as_of(now.people_as_of_ms, now.now_ms)),
    ]
    for what in now.attention:
        lines += _subject("NEEDS YOU", what)
    for coming in now.link.coming:
        rows = f", {coming.rows:,} of {coming.rows_total:,} rows" if coming.rows_total else f", {coming.rows:,} rows" if coming.rows else ""
        lines += _subject(f"  {one_line(coming.feed)}", f"its first copy has not come from central yet{rows}")
    for left in now.left_out:
        lines += _subject(f"  {left.feed}", f"{_many(left.rows, 'row')} left out: {left.problem}")
    for waiting in now.feeds_waiting:
        lines += _subject(f"  {waiting.feed}", f"waits: {waiting.problem}")
    if now.last_sale is not None:
        lines += _subject("last sale", f"{now.last_sale.receipt}, {moment(now.last_sale.at_ms)}")
    for stream in now.streams:
        lines += _subject(f"  {stream.stream}", _stream(stream, now.now_ms))
    return lines + ([device_line(device) for device in now.devices] or ["devices      none configured"])


def device_line(device: DeviceView) -> str:
    """One device."""
    sign = "●" if device.state == "ready" else "○"
    read = _many(device.readings, "reading") if device.readings or device.kind not in SILENT_KINDS else ""
    count = ", ".join(part for part in (read, f"{device.dropped} dropped" if device.dropped else "") if part)
    told = one_line(" ".join(part for part in (device.detail, device.hint) if part))
    return f"{sign} {device.name:<12} {device.kind:<16} {device.state:<9} {count:<13}  {told}".rstrip()


SILENT_KINDS = ("receipt_printer", "counter_link")
"""Devices that read nothing: no count is shown for them."""


def changed_lines(shown: Iterable[DeviceView] | None, now: Iterable[DeviceView], at_ms: int) -> Iterator[str]:
    """A line for each device that is not as it was ``shown``; for each of them at first."""
    before = {device.name: device for device in shown or ()}
    for device in now:
        if before.get(device.name) != device:
            yield f"{clock_time(at_ms)}  {device_line(device)}"


def verified(found: VerificationView) -> str:
    """What a verification looked at, and whether it is sound."""
    verdict = f"{_many(len(found.problems), 'problem')}:" if found.problems else "sound."
    return f"{_many(found.events, 'event')} and {_many(found.facts, 'fact')} looked at: {verdict}"


def forgotten(view: ForgottenView) -> list[str]:
    """What forgetting a customer came to, and what is left to do elsewhere."""
    if view.known:
        lines = [f"Forgotten: {view.customer}. Their key is destroyed, no name of theirs in the journal can be read again, and no sale leads to them."]
    else:
        lines = [f"The journal holds nothing of {view.customer} that could be read: there was nothing to destroy."]
    if view.in_copy:
        lines.append("Central still publishes them to this register: have them deleted there too, or the next sale to them is kept under a new key.")
    return [one_line(line) for line in lines]


def resent(view: ResentView) -> list[str]:
    """What sending withheld facts again came to."""
    lines = [f"{_many(view.left, 'fact')} cannot be sent: the bytes are damaged. Report it to the vendor."] if view.left else []
    if view.facts:
        lines.insert(0, f"{_many(view.facts, 'fact')} in the streams again, sent as soon as central is reached. `edge-agent status` says when none waits.")
    return lines or ["No fact is withheld: there is nothing to send again."]


def event_line(event: EventView, width: int | None) -> str:
    """One event: its place, its moment, its type, its body as JSON; cut to ``width`` characters unless that is None."""
    line = f"{event.position:>8}  {moment(event.at_ms)}  {event.type:<20} {event.body}"
    return line if width is None or len(line) <= max(width, WIDTH_MIN) else f"{line[: max(width, WIDTH_MIN) - 1]}…"


def event_json(event: EventView) -> bytes:
    """One event as a JSON object, its body within it."""
    at = wall_time(event.at_ms, UTC).isoformat(timespec="milliseconds")
    return msgspec.json.encode({"position": event.position, "at_ms": event.at_ms, "at": at, "type": event.type, "body": msgspec.Raw(event.body.encode())})


def unreachable(error: ServiceUnreachable) -> tuple[str, str]:
    """What is said of a service that does not answer, and what to do."""
    if error.reason == "denied":
        hint = "Make this user a member of the socket's group (`usermod -aG edge-till NAME`, then sign in again), or run this as the service's user."
    else:
        hint = "Look at `systemctl status edge-agent` and `journalctl -u edge-agent`; by hand it is started with `edge-agent run`."
    return f"The service does not answer: {error}.", f"{hint} Another register's service is asked with --config FILE before the command."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _subject(name: str, *told: str) -> list[str]:
    first, *more = [one_line(part) for part in told if part]
    return [f"{name:<12} {first}", *(f"{'':<12} {part}" for part in more)]


def _central(now: StatusView) -> list[str]:
    waiting = sum(stream.waiting for stream in now.streams)
    hint = now.link.hint if now.phase != "stopped" else without_selling(now.link.hint)
    told = now.link.state in ("in_step", "offline", "frozen") and now.link.reason != NOT_ASKED
    since = f" for {lasted(now.now_ms - now.link.since_ms)}" if told else ""
    facts = f"{_many(waiting, 'fact')} {'waits' if waiting == 1 else 'wait'} on disk" if waiting else "no facts wait"
    if not now.streams:
        facts = "how many facts wait cannot be read"
    put_aside = now.link.quarantined - now.link.withheld
    aside = f"{put_aside} in quarantine at central" if put_aside > 0 else ""
    withheld = f"{_many(now.link.withheld, 'fact')} withheld" if now.link.withheld else ""
    head = ", ".join(part for part in (f"{_link(now)}{since}", facts, aside, withheld) if part)
    return _subject("central", head, now.link.detail, hint, WITHHELD if withheld else "")


def without_selling(hint: str) -> str:
    """A hint about central, for a register that does not sell.

    >>> without_selling("Check the network. Selling goes on; facts wait on disk."), without_selling("Ask why. Selling goes on.")
    ('Check the network. Facts wait on disk.', 'Ask why.')
    """
    return SELLING_GOES_ON.sub(lambda found: f" {found[1].upper()}" if found[1] else "", hint)


def _link(now: StatusView) -> str:
    reason, sells_on = now.link.reason, "" if now.phase == "stopped" else f" {SELLS_ON}"
    if reason == NOT_ASKED:
        return "not asked"
    if reason == HELD_UP and now.link.state == "sending":
        return f"in reach, and something on the way STOPS A FACT{sells_on}"
    if now.link.state != "offline":
        return LINKS.get(now.link.state, now.link.state)
    return REACHED.get("refused" if reason.startswith("refused_") else reason, LINKS["offline"]) + sells_on


def _journal(now: StatusView) -> str:
    if not now.journal.path:
        return JOURNALS[now.journal.state]
    return f"{JOURNALS[now.journal.state]}, {_many(now.journal.events, 'event')}, {now.journal.bytes / 1e6:.1f} MB, {now.journal.path}"


def _as_of(at_ms: int | None, now_ms: int) -> str:
    return "no copy yet" if at_ms is None else f"copy as of {moment(at_ms)}, {lasted(now_ms - at_ms)} ago"


def _stream(stream: StreamView, now_ms: int) -> str:
    waited = f", the oldest for {lasted(now_ms - stream.oldest_waiting_ms)}" if stream.oldest_waiting_ms is not None else ""
    return f"{stream.acknowledged} of {stream.head} acknowledged{f', {stream.waiting} waiting{waited}' if stream.waiting else ''}"
