"""The top line (where, who, when) and the bottom one (central and the devices, each with a word)."""

from __future__ import annotations

from edge_agent.views import ComingView, DeviceView, LinkView
from tui.drawing.line import BLANK, Line, apart, centred, flowed, joined, line
from tui.drawing.rows import NOT_ASKED, STOPPED_ON_THE_WAY, device_mark, device_state, link_refuses
from tui.shown import Shown

NARROW = 70
"""Columns below which only what is wrong is said."""
ROWS_MAX = 2
CARD_KINDS = {"card_terminal", "counter_link"}
NAME, BRIEF, FULL = range(3)
"""How much is said of a device that is not well: its name; what is wrong; since when, and what works without it."""


def header(shown: Shown, cells: int) -> list[Line]:
    """Store and register, the operator, the date and time."""
    snapshot, words = shown.snapshot, shown.words
    left = line(" ", (snapshot.store, "strong"), (f" · {words('head.register', register=snapshot.register)}", "muted"))
    if snapshot.training:
        left = Line((*left.pieces, *line("  ", (words("head.training"), "warn")).pieces))
    right = line((words.heading(shown.now_ms, snapshot.timezone), "muted"), " ")
    operator = line((snapshot.shift.operator, "strong")) if snapshot.shift else line((words("head.closed"), "muted"))
    middle = centred(operator, cells)
    if max(left.cells, right.cells) + operator.cells // 2 + 3 > cells // 2:
        if left.cells + operator.cells + right.cells + 4 > cells:
            right = line((words.when(shown.now_ms, shown.now_ms, snapshot.timezone), "muted"), " ")
        return [apart(left, joined([operator, right], "  "), cells)]
    start = Line((*left.pieces, *line(" " * (middle.cells - operator.cells - left.cells)).pieces, *operator.pieces))
    return [apart(start, right, cells)]


def status(shown: Shown, cells: int) -> list[Line]:
    """How central and every device stand; where there is no room for all, what is not well, in as few words as it takes."""
    link, devices = shown.snapshot.link, shown.snapshot.devices
    service = [_service(shown)] if not shown.connected else []
    wrong = [device for device in devices if device.state != "ready"]
    well = link.state in ("in_step", "sending") and link.reason != STOPPED_ON_THE_WAY and not link.quarantined and not link.coming
    rest = [line(("● ", "good"), (shown.words("status.rest_well" if wrong or not well else "status.all_well"), "muted"))]
    if well and len(wrong) == len(devices):
        rest = []
    central = _link(shown, link)
    troubles = service + ([] if well else central)
    choices = [
        [*service, *central, *(_device(shown, device, FULL) for device in devices)],
        [*troubles, *(_device(shown, device, FULL) for device in wrong), *rest],
        [*troubles, *(_device(shown, device, BRIEF) for device in wrong), *rest],
        [*troubles, *(_device(shown, device, BRIEF) for device in wrong)],
        [*service, *([] if well else central[:1]), *(_device(shown, device, NAME) for device in wrong)],
    ]
    for marks in choices[1:] if cells < NARROW else choices:
        rows = flowed(marks, cells - 2)
        if len(rows) <= ROWS_MAX:
            break
    return [Line((*line(" ").pieces, *row.pieces)) for row in rows[:ROWS_MAX]] or [BLANK]


def _service(shown: Shown) -> Line:
    return line(("○ ", "bad"), (shown.words("status.service_lost"), "bad"))


_LINK_ROLES = {"in_step": ("●", "good"), "sending": ("●", "good"), "offline": ("○", "warn"), "frozen": ("■", "bad"), "alone": ("○", "warn")}


def _link(shown: Shown, link: LinkView) -> list[Line]:
    stopped = link.reason == STOPPED_ON_THE_WAY
    mark, role = ("▲", "warn") if stopped else _LINK_ROLES[link.state]
    words = shown.words
    since = words.when(link.since_ms, shown.now_ms, shown.snapshot.timezone)
    refused, sells = link_refuses(link), shown.snapshot.phase != "stopped"
    if not shown.connected:
        return [line(("○ ", "muted"), (words("link.not_known"), "muted"))]
    if link.reason == NOT_ASKED:
        return [line((f"{mark} ", role), (words("link.not_asked"), role))]
    state = "refused" if refused else "offline_stopped" if link.state == "offline" and not sells else link.state
    text = words("link.stopped" if stopped else f"link.{state}", since=since)
    parts = [line((f"{mark} ", role), (text, "muted" if role == "good" else role))]
    if link.coming:
        feeds = ", ".join(_coming(shown, one) for one in link.coming)
        came = line(("▲ ", "warn"), (words("link.coming" if role == "good" else "link.not_here", feeds=feeds), "warn"))
        parts = [came] if role == "good" else [*parts, came]
    if sells and (refused or stopped or link.state == "frozen"):
        parts.append(line((words.count("link.goes_on_waiting", link.waiting) if link.waiting else words("link.goes_on"), "muted")))
    elif link.waiting and (not sells or link.state == "offline"):
        parts.append(line((words.count("link.waiting", link.waiting), "muted")))
    if link.quarantined:
        parts.append(line(("▲ ", "warn"), (words.count("link.quarantined", link.quarantined), "warn")))
    return parts


def _coming(shown: Shown, one: ComingView) -> str:
    """A feed that was never here whole, and how much of it is."""
    name = shown.words.maybe(f"feed.{one.feed}", one.feed)
    return f"{name} {100 * one.rows // one.rows_total} %" if one.rows_total else name


def _device_name(shown: Shown, device: DeviceView) -> str:
    """What kind it is; of two of one kind, what each is called in the configuration."""
    alike = sum(other.kind == device.kind for other in shown.snapshot.devices)
    return device.name if alike > 1 else shown.words.named("device", device.kind)


def _device(shown: Shown, device: DeviceView, telling: int) -> Line:
    mark, role = device_mark(device)
    words = shown.words
    name = _device_name(shown, device)
    if device.state == "ready" or telling == NAME:
        return line((f"{mark} ", role), (name, "muted"))
    since = words.when(device.since_ms, shown.now_ms, shown.snapshot.timezone)
    why = words.maybe(f"trouble.{device.reason}", "") or words(f"device_state.{device_state(device)}")
    parts = [(f"{mark} ", role), (f"{name}: {why}", "text")]
    if device.state in ("absent", "lost") and telling == FULL:
        parts.append((f" {words('status.since', since=since)}", "muted"))
        without = words.maybe(f"without.{device.kind}", "")
        unclear = shown.snapshot.payment is not None and shown.snapshot.payment.attempt is not None
        no_cash = unclear or "cash" not in shown.snapshot.tender_kinds  # cash for a sale whose card may have been charged would be paid twice
        if without and not (no_cash and device.kind in CARD_KINDS):
            parts.append((f", {without}", "muted"))
    return line(*parts)
