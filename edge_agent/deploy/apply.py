"""Carries out an install plan as root, saying each step before it is done; what is already so is left alone."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from edge_agent.deploy.plan import Blocked, ByHand, File, Folder, Group, Link, Run, Step, User, said
from edge_agent.domain.errors import ConfigError

COMMAND_SECONDS_MAX = 60
"""A command that takes longer is stopped and counts as failed."""


class Accounts(Protocol):
    """The machine's users and groups."""

    def group_exists(self, name: str) -> bool: ...

    def groups_of(self, user: str) -> frozenset[str] | None:
        """The groups that ``user`` is in; None when there is no such user."""

    def own(self, path: Path, owner: str) -> None:
        """Give ``path`` itself (never what a link leads to) to ``owner`` and the group of that name."""


class SystemAccounts:
    """This computer's."""

    def group_exists(self, name: str) -> bool:
        return any(entry.gr_name == name for entry in grp.getgrall())

    def groups_of(self, user: str) -> frozenset[str] | None:
        try:
            primary = pwd.getpwnam(user).pw_gid
        except KeyError:
            return None
        return frozenset(entry.gr_name for entry in grp.getgrall() if user in entry.gr_mem or entry.gr_gid == primary)

    def own(self, path: Path, owner: str) -> None:
        os.chown(path, pwd.getpwnam(owner).pw_uid, grp.getgrnam(owner).gr_gid, follow_symlinks=False)


Command = Callable[[Sequence[str]], None]


def run_command(argv: Sequence[str]) -> None:
    """Run a program of the system. Raises ConfigError with what it said."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=False)  # noqa: S603 -- the plan's own words
    except FileNotFoundError as missing:
        raise _failed(f"there is no {argv[0]} here", "The install is for Linux with systemd and shadow's useradd.") from missing
    except subprocess.TimeoutExpired as slow:
        raise _failed(f"{' '.join(argv)} took longer than {COMMAND_SECONDS_MAX} s", "Try it by hand.") from slow
    if done.returncode:
        raise _failed(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.strip()}", "Mend that, then run the install again.")


def apply(steps: Sequence[Step], say: Callable[[str], None], *, root: Path = Path("/"), accounts: Accounts | None = None, run: Command = run_command) -> None:
    """Do ``steps`` in order; ``say`` hears each before it is done, and what there was to do.

    Raises ConfigError: the plan is blocked, the user is not root, or a step failed; then the steps before it are done, and running it again is safe.
    """
    for step in steps:
        if isinstance(step, Blocked):
            raise _failed(step.reason.rstrip("."), step.hint)
    if root == Path("/") and os.geteuid() != 0:
        raise _failed("it changes the system", "Run it with sudo, or look at it with --dry-run.")
    worker = _Worker(root, accounts or SystemAccounts(), run)
    for step in steps:
        say(said(step))
        try:
            outcome = worker.do(step)
        except OSError as problem:
            raise _failed(f"{problem.filename or said(step)}: {problem.strerror}", "Mend that, then run the install again.") from problem
        if outcome:
            say(f"   {outcome}")


def _failed(what: str, hint: str) -> ConfigError:
    return ConfigError(f"edge-agent install: {what}.", hint=hint, reason="install")


class _Worker:
    def __init__(self, root: Path, accounts: Accounts, run: Command) -> None:
        self._root = root
        self._accounts = accounts
        self._run = run

    def do(self, step: Step) -> str:
        """Do one step; what there was to do, in a word or two."""
        match step:
            case Group(name):
                return "is there" if self._accounts.group_exists(name) else self._command("groupadd", "--system", name)
            case User():
                return self._user(step)
            case Folder(path, owner, mode):
                return self._folder(self._at(path), owner, mode)
            case File():
                return self._file(self._at(step.path), step)
            case Link(path, target):
                return self._link(self._at(path), target)
            case Run(argv, if_there):
                return "skipped" if if_there and shutil.which(argv[0]) is None else self._command(*argv)
            case Blocked() | ByHand():
                return ""

    def _at(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _command(self, *argv: str) -> str:
        self._run(argv)
        return "done"

    def _user(self, user: User) -> str:
        groups = self._accounts.groups_of(user.name)
        if groups is None:
            own = ("--gid", user.name) if self._accounts.group_exists(user.name) else ("--user-group",)
            shell = ("--shell", "/usr/sbin/nologin")
            return self._command("useradd", "--system", *own, *shell, "--home-dir", user.home, "--no-create-home", "--groups", ",".join(user.groups), user.name)
        missing = [name for name in user.groups if name not in groups]
        return self._command("usermod", "--append", "--groups", ",".join(missing), user.name) if missing else "is there"

    def _folder(self, path: Path, owner: str, mode: int) -> str:
        if path.is_symlink():
            raise _failed(f"{path} is a link, expected a folder", "Remove the link, or name the folder it leads to.")
        there = path.is_dir()
        if there and owner == "root":
            return "is there"
        if there and path.stat().st_uid == 0 and any(path.iterdir()):
            raise _failed(f"{path} is root's and not empty, expected a folder of the service's own", "Name another state folder.")
        path.mkdir(parents=True, exist_ok=True)
        self._accounts.own(path, owner)
        path.chmod(mode)
        return "is so now" if there else "done"

    def _file(self, path: Path, file: File) -> str:
        there = path.exists()
        if there and file.keep:
            return "kept as it is"
        if there and not path.is_symlink() and path.read_bytes() == file.content.encode():
            self._accounts.own(path, "root")
            path.chmod(file.mode)
            return "is so already"
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(file.content.encode())
            out.flush()
            os.fsync(out.fileno())
        self._accounts.own(fresh, "root")
        fresh.chmod(file.mode)
        fresh.replace(path)
        return "replaced" if there else "done"

    def _link(self, path: Path, target: str) -> str:
        if path.is_symlink() and os.readlink(path) == target:
            return "is so already"
        if path.exists() and not path.is_symlink():
            raise _failed(f"{path} is there and no link", "Move it away, then run the install again.")
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
        return "done"
