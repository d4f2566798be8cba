"""The top line (where, who, when) and the bottom one (central and the devices, each with a word)."""

from __future__ import annotations

from edge_agent.views import DeviceView, LinkView
from tui.drawing.line import BLANK, Line, apart, centred, flowed, joined, line
from tui.shown import Shown

NARROW = 70
"""Columns below which only what is wrong is said."""


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
        return [apart(left, joined([operator, right], "  "), cells)]
    start = Line((*left.pieces, *line(" " * (middle.cells - operator.cells - left.cells)).pieces, *operator.pieces))
    return [apart(start, right, cells)]


def status(shown: Shown, cells: int) -> list[Line]:
    """How central and every device stand; on a narrow screen only what is not well."""
    marks = [_service(shown)] if not shown.connected else []
    marks += [_link(shown, shown.snapshot.link), *(_device(shown, device) for device in shown.snapshot.devices)]
    if cells < NARROW:
        troubled = [_link(shown, shown.snapshot.link)] if shown.snapshot.link.state not in ("in_step", "sending") else []
        troubled += [_device(shown, device) for device in shown.snapshot.devices if device.state != "ready"]
        marks = troubled or [line(("● ", "good"), (shown.words("status.all_well"), "muted"))]
    return [Line((*line(" ").pieces, *row.pieces)) for row in flowed(marks, cells - 2)[:2]] or [BLANK]


def _service(shown: Shown) -> Line:
    return line(("○ ", "bad"), (shown.words("status.service_lost"), "bad"))


_LINK_ROLES = {"in_step": ("●", "good"), "sending": ("●", "good"), "offline": ("○", "warn"), "frozen": ("■", "bad"), "alone": ("○", "warn")}


def _link(shown: Shown, link: LinkView) -> Line:
    mark, role = _LINK_ROLES[link.state]
    words = shown.words
    since = words.when(link.since_ms, shown.now_ms, shown.snapshot.timezone)
    text = words(f"link.{link.state}", since=since, waiting=words.number(link.waiting))
    parts = [(f"{mark} ", role), (text, "muted" if role == "good" else role)]
    if link.waiting and link.state == "offline":
        parts.append((f" ({words.count('link.waiting', link.waiting)})", "muted"))
    if link.quarantined:
        parts.append((f" {words.count('link.quarantined', link.quarantined)}", "warn"))
    return line(*parts)


_DEVICE_ROLES = {"ready": ("●", "good"), "degraded": ("◐", "warn"), "opening": ("◐", "muted"), "absent": ("○", "warn"), "lost": ("○", "warn")}


def _device(shown: Shown, device: DeviceView) -> Line:
    mark, role = _DEVICE_ROLES[device.state]
    words = shown.words
    name = words.named("device", device.kind)
    if device.state == "ready":
        return line((f"{mark} ", role), (name, "muted"))
    since = words.when(device.since_ms, shown.now_ms, shown.snapshot.timezone)
    why = words.maybe(f"trouble.{device.reason}", "") or words(f"device_state.{device.state}")
    parts = [(f"{mark} ", role), (f"{name}: {why}", "text")]
    if device.state in ("absent", "lost"):
        parts.append((f" {words('status.since', since=since)}", "muted"))
        without = words.maybe(f"without.{device.kind}", "")
        if without:
            parts.append((f", {without}", "muted"))
    return line(*parts)
