"""What an install of the service does to a store PC, as values: shown by ``edge-agent install --dry-run``, done by ``apply``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath

from msgspec import Struct

from edge_agent.domain.errors import ConfigError

USER = "edge-agent"
TILL_GROUP = "edge-till"
CONFIG_PATH = "/etc/edge-agent/edge.toml"
STATE = "/var/lib/edge-agent"
SOCKET = "/run/edge-agent/api.sock"
"""In the unit's RuntimeDirectory: till users may not enter the state folder, where keys are."""

UNIT_PATH = "/etc/systemd/system/edge-agent.service"
RULES_PATH = "/etc/udev/rules.d/70-edge-agent.rules"
MODPROBE_PATH = "/etc/modprobe.d/edge-agent.conf"
COMMAND_PATH = "/usr/local/bin/edge-agent"
CREDENTIAL = "edge-agent.journal-key"
"""The journal's key as an encrypted systemd credential, when IT makes one: ``/etc/credstore.encrypted/edge-agent.journal-key``."""

DEVICE_GROUPS = ("dialout", "plugdev")
"""Who may open serial lines, and USB readers: Debian's groups, which the udev rules give the devices to everywhere."""

HIDDEN_FOLDERS = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 -- named to be refused: ProtectHome= and PrivateTmp= hide them
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}")  # what useradd takes
_PATH = re.compile(r"/[A-Za-z0-9._+/-]+")  # nothing that a unit file, udev or a shell gives a meaning


class Group(Struct, frozen=True):
    """A system group that has to exist."""

    name: str


class User(Struct, frozen=True):
    """A system user without a shell, in a group of its own name and at least in ``groups``; ``home`` is not made here."""

    name: str
    groups: tuple[str, ...]
    home: str


class Folder(Struct, frozen=True):
    """A folder with its owner (also its group) and mode."""

    path: str
    owner: str
    mode: int


class File(Struct, frozen=True):
    """A file of root's with its whole content. With ``keep``, one that exists stays as it is."""

    path: str
    content: str
    mode: int = 0o644
    keep: bool = False


class Link(Struct, frozen=True):
    """A symbolic link at ``path`` to ``target``."""

    path: str
    target: str


class Run(Struct, frozen=True):
    """A command to run. With ``if_there``, a machine without the program does without."""

    argv: tuple[str, ...]
    if_there: bool = False


class Blocked(Struct, frozen=True):
    """Why this install would not work: it is shown, and nothing is done."""

    reason: str
    hint: str


class ByHand(Struct, frozen=True):
    """What is left for a person to do afterwards."""

    text: str


Step = Group | User | Folder | File | Link | Run | Blocked | ByHand


def install_plan(
    prefix: str = "",
    *,
    interpreter: str = "",
    user: str = USER,
    till_group: str = TILL_GROUP,
    config_path: str = CONFIG_PATH,
    state: str = STATE,
) -> tuple[Step, ...]:
    """The steps, in order; the same steps again change nothing.

    ``prefix`` is the folder whose ``bin/edge-agent`` the service runs, ``interpreter`` the Python that it leads to in the end; without them, the
    ones that run this. ``till_group`` is who may use the till through the local API's socket. Raises ConfigError for a name or path that
    cannot stand in a unit file.
    """
    interpreter = interpreter or (prefix and f"{prefix}/bin/python") or os.path.realpath(sys.executable)
    prefix = prefix or sys.prefix
    _require((user, till_group), (prefix, config_path, state))
    enrol = ("runuser", "-u", user, "--", "edge-agent", *_told(config_path), "enrol", "URL", "CODE")
    return (
        *_blocks({"The program": prefix, "Its Python": interpreter, "The state folder": state, "The configuration": config_path}),
        *(Group(name) for name in (*DEVICE_GROUPS, till_group)),
        User(user, (*DEVICE_GROUPS, till_group), state),
        Folder(str(PurePosixPath(config_path).parent), "root", 0o755),
        Folder(state, user, 0o700),
        File(config_path, _filled("edge.toml", {"STATE": state, "SOCKET": SOCKET, "TILL_GROUP": till_group}), keep=True),
        File(UNIT_PATH, unit_text(prefix, user=user, config_path=config_path, state=state)),
        File(RULES_PATH, _filled("edge-agent.rules", {})),
        File(MODPROBE_PATH, _filled("modprobe.conf", {})),
        Link(COMMAND_PATH, f"{prefix}/bin/edge-agent"),
        Run(("systemctl", "daemon-reload")),
        Run(("udevadm", "control", "--reload"), if_there=True),
        Run(("udevadm", "trigger", "--action=add", "--subsystem-match=tty", "--subsystem-match=usb", "--subsystem-match=usb-serial"), if_there=True),
        Run(("systemctl", "enable", "edge-agent.service")),
        ByHand(f"let each person who uses the till in: usermod -aG {till_group} NAME"),
        ByHand(f"name this PC's devices in {config_path}"),
        ByHand(f"enrol the register with a code from central: {' '.join(enrol)}"),
        ByHand("start it: systemctl restart edge-agent"),
    )


def unit_text(prefix: str = "", *, user: str = USER, config_path: str = CONFIG_PATH, state: str = STATE) -> str:
    """The service's systemd unit (systemd 250 or newer). Raises ConfigError as ``install_plan`` does."""
    prefix = prefix or sys.prefix
    _require((user,), (prefix, config_path, state))
    below = PurePosixPath(state).relative_to("/var/lib") if PurePosixPath(state).is_relative_to("/var/lib") else None
    writable = f"StateDirectory={below}\nStateDirectoryMode=0700" if below else f"ReadWritePaths={state}"
    return _filled(
        "edge-agent.service.in",
        {
            "EXEC": " ".join((f"{prefix}/bin/edge-agent", *_told(config_path), "run")),
            "USER": user,
            "STATE": state,
            "WRITABLE": writable,
            "CREDENTIAL": CREDENTIAL,
            "HANDBOOK": Path(str(files("edge_agent.deploy") / "HANDBOOK.md")).as_uri().replace("%", "%%"),
        },
    )


def render(steps: Sequence[Step]) -> str:
    """The plan for a person to read: a numbered line per step, the content of each file below its own."""
    lines: list[str] = []
    for number, step in enumerate(steps, 1):
        lines.append(f"{number:2}. {said(step)}{', with this content:' if isinstance(step, File) else ''}")
        if isinstance(step, File):
            lines += [f"    | {line}".rstrip() for line in step.content.splitlines()]
    return "\n".join(lines) + "\n"


def said(step: Step) -> str:
    """One step in words, for the plan and for the log of doing it."""
    match step:
        case Group(name):
            return f"group {name}: make it unless it is there"
        case User(name, groups, home):
            return f"user {name}, without a shell, home {home}, in the groups {', '.join(groups)}: make it or add the groups"
        case Folder(path, owner, mode):
            return f"folder {path} ({owner}, {mode:04o})"
        case File(path, _, mode, keep):
            return f"write {path} (root, {mode:04o}){', unless it is there' if keep else ''}"
        case Link(path, target):
            return f"link {path} to {target}"
        case Run(argv, if_there):
            return f"run {' '.join(argv)}{f', if there is {argv[0]}' if if_there else ''}"
        case Blocked(reason, hint):
            return f"STOP: {reason} {hint}"
        case ByHand(text):
            return f"left to do by hand: {text}"


def _require(names: Iterable[str], paths: Iterable[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise _unusable("a name of small letters, digits, - and _", name)
    for path in paths:
        if not _PATH.fullmatch(path) or ".." in PurePosixPath(path).parts or str(PurePosixPath(path)) != path:
            raise _unusable("an absolute path of letters, digits and . _ + - / without .. or a last /", path)


def _unusable(expected: str, got: str) -> ConfigError:
    return ConfigError(f"edge-agent install: expected {expected}, got {got!r}.", hint="Choose another one; it has to stand in a unit file.", reason="install")


def _blocks(paths: dict[str, str]) -> tuple[Blocked, ...]:
    return tuple(
        Blocked(
            f"{what} is {path}, below {hidden}, which the hardened service cannot see.",
            "Install into /opt with the system's own Python; keep the state in /var/lib.",
        )
        for what, path in paths.items()
        for hidden in HIDDEN_FOLDERS
        if path and PurePosixPath(path).is_relative_to(hidden)
    )


def _told(config_path: str) -> tuple[str, ...]:
    return () if config_path == CONFIG_PATH else ("--config", config_path)


def _filled(name: str, values: dict[str, str]) -> str:
    text = (files("edge_agent.deploy") / name).read_text("utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text
