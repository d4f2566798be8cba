"""What an install would do, and does: the plan in words, its steps on a machine, the unit that systemd accepts, the words to systemd."""

from __future__ import annotations

import asyncio
import doctest
import os
import re
import shlex
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import click
import nfc.clf.device
import pytest
from click.testing import CliRunner

from edge_agent.cli import main
from edge_agent.config import load_config
from edge_agent.deploy import notify
from edge_agent.deploy.apply import apply, run_command
from edge_agent.deploy.notify import BEATS_PER_TIMEOUT, Notifier
from edge_agent.deploy.plan import CONFIG_PATH, RULES_PATH, UNIT_PATH, Blocked, ByHand, File, Run, install_plan, render, unit_text
from edge_agent.domain.errors import ConfigError
from tests.support import need_program

PREFIX = "/opt/edge-agent"
ROOT = Path(__file__).parents[2]


class Machine:
    """A machine's accounts, and the commands that were run on it."""

    def __init__(self, groups: Sequence[str] = (), members: dict[str, set[str]] | None = None) -> None:
        self.groups = set(groups)
        self.members = members or {}
        self.owners: dict[Path, str] = {}
        self.ran: list[tuple[str, ...]] = []

    def group_exists(self, name: str) -> bool:
        return name in self.groups

    def groups_of(self, user: str) -> frozenset[str] | None:
        return frozenset(self.members[user]) if user in self.members else None

    def own(self, path: Path, owner: str) -> None:
        assert path.exists()
        self.owners[path] = owner

    def run(self, argv: Sequence[str]) -> None:
        self.ran.append(tuple(argv))
        match argv:
            case ["groupadd", *_, name]:
                self.groups.add(name)
            case ["useradd", *_, name]:
                self.members[name] = {name, *argv[argv.index("--groups") + 1].split(",")}
            case ["usermod", "--append", "--groups", groups, name]:
                self.members[name] |= set(groups.split(","))

    def install(self, root: Path, **told: str) -> list[str]:
        said: list[str] = []
        apply(install_plan(PREFIX, **told), said.append, root=root, accounts=self, run=self.run)
        return said


def contents(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every path below ``root`` with its mode and content (a link's target)."""
    return {
        str(path.relative_to(root)): (
            stat.S_IMODE(path.lstat().st_mode),
            os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(root.rglob("*"))
    }


def test_the_plan_says_every_step_and_shows_every_file() -> None:
    shown = render(install_plan(PREFIX))
    assert "user edge-agent, without a shell, home /var/lib/edge-agent, in the groups dialout, plugdev, edge-till" in shown
    assert "folder /var/lib/edge-agent (edge-agent, 0700)" in shown
    assert "    | ExecStart=/opt/edge-agent/bin/edge-agent run\n" in shown
    assert '    | socket = "/run/edge-agent/api.sock"\n' in shown
    assert "run systemctl daemon-reload\n" in shown
    assert "runuser -u edge-agent -- edge-agent enrol URL CODE\n" in shown
    for step in install_plan(PREFIX):
        if isinstance(step, File):
            assert all(f"    | {line}".rstrip() in shown.splitlines() for line in step.content.splitlines())
    assert not re.search(r"@[A-Z_]+@", shown), "a place in a template was not filled"
    assert "STOP" not in shown


def test_an_install_does_what_the_plan_says(tmp_path: Path) -> None:
    machine = Machine(groups=["dialout"])
    said = machine.install(tmp_path)
    assert machine.ran[:3] == [
        ("groupadd", "--system", "plugdev"),
        ("groupadd", "--system", "edge-till"),
        (
            *("useradd", "--system", "--user-group", "--shell", "/usr/sbin/nologin", "--home-dir", "/var/lib/edge-agent", "--no-create-home"),
            *("--groups", "dialout,plugdev,edge-till", "edge-agent"),
        ),
    ]
    assert ("systemctl", "daemon-reload") in machine.ran
    assert machine.ran[-1] == ("systemctl", "enable", "edge-agent.service")
    made = contents(tmp_path)
    assert made["var/lib/edge-agent"][0] == 0o700
    assert machine.owners[tmp_path / "var/lib/edge-agent"] == "edge-agent"
    assert made[UNIT_PATH[1:]] == (0o644, unit_text(PREFIX).encode())
    assert machine.owners[tmp_path / UNIT_PATH[1:].replace("edge-agent.service", ".edge-agent.service.new")] == "root"
    assert made["usr/local/bin/edge-agent"][1] == b"/opt/edge-agent/bin/edge-agent"
    assert not [path for path in made if path.endswith(".new")]
    assert said[0].startswith("group dialout")
    assert "   is there" in said


def test_the_same_install_again_changes_nothing_and_keeps_the_shop_s_own_configuration(tmp_path: Path) -> None:
    machine = Machine()
    machine.install(tmp_path)
    config = tmp_path / CONFIG_PATH[1:]
    config.write_text(config.read_text() + "# ours\n")
    before, machine.ran[:] = contents(tmp_path), []
    machine.install(tmp_path)
    assert contents(tmp_path) == before
    assert {argv[0] for argv in machine.ran} <= {"systemctl", "udevadm"}


def test_an_older_unit_is_replaced_and_a_user_from_before_gets_the_groups_he_lacks(tmp_path: Path) -> None:
    machine = Machine(["dialout", "plugdev", "edge-agent"], {"edge-agent": {"edge-agent", "dialout"}})
    unit = tmp_path / UNIT_PATH[1:]
    unit.parent.mkdir(parents=True)
    unit.write_text("[Unit]\n")
    said = machine.install(tmp_path)
    assert unit.read_text() == unit_text(PREFIX)
    assert "   replaced" in said
    assert ("usermod", "--append", "--groups", "plugdev,edge-till", "edge-agent") in machine.ran
    assert "useradd" not in {argv[0] for argv in machine.ran}


@pytest.mark.parametrize(
    "told", [{"prefix": "/home/kim/agent"}, {"prefix": "/opt/x", "interpreter": "/home/kim/venv/bin/python3"}, {"prefix": "/opt/x", "state": "/tmp/state"}]
)
def test_what_the_hardened_service_could_not_see_is_shown_first_and_nothing_is_done(told: dict[str, str], tmp_path: Path) -> None:
    steps = install_plan(**told)
    assert isinstance(steps[0], Blocked)
    assert render(steps).startswith(" 1. STOP: ")
    machine = Machine()
    with pytest.raises(ConfigError, match=r"hardened service cannot see\.$"):
        apply(steps, lambda _: None, root=tmp_path, accounts=machine, run=machine.run)
    assert machine.ran == []
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    "told",
    [
        {"user": "edge agent"},
        {"user": "-x"},
        {"user": ""},
        {"till_group": "Till"},
        {"config_path": "edge.toml"},
        {"state": "/var/lib/../../etc"},
        {"state": "/var/lib/edge\nExecStartPre=/bin/sh"},
        {"state": "/var/lib/edge/"},
        {"prefix": "/opt/50%"},
    ],
)
def test_a_name_or_path_that_cannot_stand_in_a_unit_is_refused(told: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"edge-agent install: expected .+, got ") as caught:
        install_plan(**{"prefix": PREFIX, **told})
    assert caught.value.hint
    assert next(iter(told.values())).splitlines()[:1] == [] or repr(next(iter(told.values()))) in caught.value.message


def test_a_folder_that_is_not_the_service_s_is_not_taken_over(tmp_path: Path) -> None:
    machine = Machine()
    state = tmp_path / "srv/data"
    state.parent.mkdir()
    (tmp_path / "elsewhere").mkdir()
    before = (tmp_path / "elsewhere").stat()
    state.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link"):
        machine.install(tmp_path, state="/srv/data")
    if os.geteuid() == 0:
        state.unlink()
        state.mkdir()
        (state / "books").touch()
        with pytest.raises(ConfigError, match="is root's and not empty"):
            machine.install(tmp_path, state="/srv/data")
    assert (tmp_path / "elsewhere").stat() == before


def test_a_command_that_fails_stops_the_install_with_what_it_said() -> None:
    with pytest.raises(ConfigError, match=r"ls --no-such-option ended with [12]: .*no-such-option"):
        run_command(("ls", "--no-such-option"))
    with pytest.raises(ConfigError, match="there is no no-such-program here"):
        run_command(("no-such-program",))
    run_command(("true",))


def test_without_root_nothing_is_begun() -> None:
    program = (
        "import os, sys; from edge_agent.deploy.apply import apply; from edge_agent.deploy.plan import install_plan\n"
        "steps = install_plan('/opt/edge-agent')\n"
        "os.geteuid() or os.setuid(65534)\n"
        "try: apply(steps, print)\n"
        "except Exception as error: print(type(error).__name__, error.message, error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    assert done.stdout == "ConfigError edge-agent install: it changes the system. Run it with sudo, or look at it with --dry-run.\n"


def test_what_the_plan_runs_and_tells_people_to_run_exists_in_the_command_line() -> None:
    for told, before in (({}, []), ({"config_path": "/srv/edge.toml"}, ["--config", "/srv/edge.toml"])):
        steps = install_plan(PREFIX, **told)
        unit = next(step.content for step in steps if isinstance(step, File) and step.path == UNIT_PATH)
        exec_start = re.search(r"^ExecStart=(\S+) (.*)$", unit, re.MULTILINE)
        assert exec_start
        assert exec_start[1] == f"{PREFIX}/bin/edge-agent"
        by_hand = [step.text.split("-- edge-agent ")[1] for step in steps if isinstance(step, ByHand) and "-- edge-agent " in step.text]
        assert len(by_hand) == 1
        for command, name in ((exec_start[2], "run"), (by_hand[0], "enrol")):
            words = shlex.split(command)
            context = main.make_context("edge-agent", list(words))
            assert words[: len(before)] == before
            found, sub, rest = main.resolve_command(context, words[len(before) :])
            assert found == name
            assert isinstance(sub, click.Command)
            sub.make_context(name, rest, parent=context).close()


def test_the_command_line_shows_the_plan_and_the_unit_of_the_program_that_runs() -> None:
    plan = CliRunner().invoke(main, ["install", "--dry-run"])
    unit = CliRunner().invoke(main, ["install", "--unit-only"])
    blocked = int(" STOP: " in plan.output)  # where the tests' own Python lies below a folder that the service cannot see
    assert (plan.exit_code, unit.exit_code, unit.stderr.startswith("STOP: ")) == (blocked, blocked, bool(blocked))
    assert f"\nExecStart={sys.prefix}/bin/edge-agent run\n" in unit.stdout
    assert all(f"    | {line}".rstrip() in plan.output.splitlines() for line in unit.stdout.splitlines())


def test_a_plan_that_something_stands_in_the_way_of_is_shown_and_exits_1() -> None:
    plan = CliRunner().invoke(main, ["--config", "/tmp/edge/edge.toml", "install", "--dry-run"])
    assert plan.exit_code == 1
    assert " STOP: The configuration is /tmp/edge/edge.toml, below /tmp," in plan.output
    assert "STOP: The configuration is /tmp/edge/edge.toml" in CliRunner().invoke(main, ["--config", "/tmp/edge/edge.toml", "install", "--unit-only"]).stderr


def test_a_relative_configuration_is_absolute_in_the_unit_which_is_started_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("till.toml").write_text('state = "/srv/till"\n')
    unit = CliRunner().invoke(main, ["--config", "till.toml", "install", "--unit-only"]).stdout
    assert f"/edge-agent --config {tmp_path}/till.toml run\n" in unit
    assert "ReadWritePaths=/srv/till\n" in unit


def test_a_file_without_a_state_folder_cannot_be_installed_because_each_user_would_have_one_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text("[till]\n")
    refused = CliRunner().invoke(main, ["--config", str(tmp_path / "edge.toml"), "install", "--dry-run"])
    assert refused.exit_code == 1
    assert "key 'state': expected the service's folder, such as /var/lib/edge-agent, got nothing." in refused.stderr


def test_the_written_configuration_is_one_that_the_service_can_use(tmp_path: Path) -> None:
    written = next(step.content for step in install_plan(PREFIX) if isinstance(step, File) and step.path == CONFIG_PATH)
    (tmp_path / "edge.toml").write_text(written)
    config = load_config(tmp_path / "edge.toml")
    assert config.folder == Path("/var/lib/edge-agent")
    assert config.socket == Path("/run/edge-agent/api.sock")
    assert config.api.group == "edge-till"
    assert [tender.kind for tender in config.tenders] == ["cash"]


@pytest.mark.peer
@pytest.mark.parametrize("told", [{}, {"state": "/srv/edge", "config_path": "/srv/edge.toml", "user": "till"}])
def test_systemd_accepts_the_unit(told: dict[str, str], tmp_path: Path) -> None:
    assert verified(unit_text(str(program(tmp_path)), **told), tmp_path) == []


@pytest.mark.peer
@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        ("Restart=always", "Restart=sometimes"),
        ("WatchdogSec=30", "WatchdogSec=soon"),
        ("ProtectSystem=strict", "ProtectSystemd=strict"),
        ("/bin/edge-agent run", "/bin/edge-agnet run"),
        ("DeviceAllow=char-ttyS rw", "DeviceAllow=ttyS rw"),
    ],
)
def test_systemd_would_have_said_so(sound: str, broken: str, tmp_path: Path) -> None:
    unit = unit_text(str(program(tmp_path)))
    assert sound in unit
    assert verified(unit.replace(sound, broken), tmp_path)


def program(folder: Path) -> Path:
    """A folder with an executable ``bin/edge-agent``, at a path that a unit can name."""
    made = folder / "prefix" / "bin" / "edge-agent"
    made.parent.mkdir(parents=True)
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return folder / "prefix"


def verified(unit: str, folder: Path) -> list[str]:
    """What ``systemd-analyze verify`` finds wrong in ``unit``."""
    path = folder / "edge-agent.service"
    path.write_text(unit)
    done = subprocess.run(
        [need_program("systemd-analyze", "systemd"), "verify", "--man=no", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    lines = [line for line in done.stderr.splitlines() if "edge-agent" in line or line.startswith(str(folder))]
    return lines or ([done.stderr] if done.returncode else [])


RULE = re.compile(r'(?:[A-Z]+(?:\{[\w/]+\})?(?:==|!=|\+=|=)"[^"]*")(?:, [A-Z]+(?:\{[\w/]+\})?(?:==|!=|\+=|=)"[^"]*")*')


def rules() -> list[str]:
    text = next(step.content for step in install_plan(PREFIX) if isinstance(step, File) and step.path == RULES_PATH)
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_udev_rules_are_well_formed_and_jump_to_labels_that_exist() -> None:
    for line in rules():
        assert RULE.fullmatch(line), line
    jumps = {match[1] for line in rules() if (match := re.search(r'GOTO="(\w+)"', line))}
    labels = {match[1] for line in rules() if (match := re.search(r'LABEL="(\w+)"', line))}
    assert jumps == labels != set()


def test_the_udev_rules_let_the_service_open_every_usb_reader_that_nfcpy_knows() -> None:
    found = set()
    for line in rules():
        if match := re.match(r'ATTR\{idVendor\}=="(\w{4})", ATTR\{idProduct\}=="([\w|]+)", GROUP="plugdev", MODE="0660"$', line):
            found |= {(int(match[1], 16), int(product, 16)) for product in match[2].split("|")}
    assert found == set(nfc.clf.device.usb_device_map)


def test_commands_that_a_machine_lacks_are_skipped_only_where_the_plan_says_so() -> None:
    commands = {step.argv[0]: step.if_there for step in install_plan(PREFIX) if isinstance(step, Run)}
    assert commands == {"systemctl": False, "udevadm": True}


def test_everything_the_plan_reads_is_shipped() -> None:
    shipped = {item.name for item in (files("edge_agent.deploy")).iterdir()}
    assert {"edge-agent.service.in", "edge-agent.rules", "modprobe.conf", "edge.toml", "HANDBOOK.md"} <= shipped


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The datagram socket of a service manager, and how NOTIFY_SOCKET names it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@edge-agent-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        listener.settimeout(5)
        yield listener, name


def test_systemd_hears_that_the_service_is_ready_how_it_does_and_that_it_stops(manager: tuple[socket.socket, str]) -> None:
    listener, name = manager
    notifier = Notifier.of({"NOTIFY_SOCKET": name})
    notifier.ready("selling")
    notifier.status("no network,\n12 facts wait")
    notifier.stopping()
    assert [listener.recv(200) for _ in range(3)] == [b"READY=1\nSTATUS=selling", b"STATUS=no network, 12 facts wait", b"STOPPING=1"]


async def test_the_watchdog_hears_the_loop_turn_often_enough(manager: tuple[socket.socket, str]) -> None:
    listener, name = manager
    notifier = Notifier.of({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000", "WATCHDOG_PID": str(os.getpid())})
    assert notifier.watchdog_seconds == 0.06
    beating = asyncio.ensure_future(notifier.keep_alive())
    loop = asyncio.get_running_loop()
    for _ in range(BEATS_PER_TIMEOUT + 1):
        assert await loop.run_in_executor(None, listener.recv, 200) == b"WATCHDOG=1"
    beating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beating


@pytest.mark.parametrize("told", [{}, {"WATCHDOG_USEC": "60000"}, {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "60000", "WATCHDOG_PID": "1"}])
async def test_without_a_watchdog_of_ours_nothing_beats(told: dict[str, str]) -> None:
    await asyncio.wait_for(Notifier.of(told).keep_alive(), 5)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(notify).attempted > 0
    assert doctest.testmod(notify).failed == 0


def test_a_manager_that_does_not_listen_does_not_stop_the_service(tmp_path: Path) -> None:
    Notifier.of({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready()
    Notifier.of({}).stopping()
