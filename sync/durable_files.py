"""Writes small files so that after a power cut either the old content or the new one is there, readable by nobody else where that matters."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from edge_agent.domain.errors import ConfigError

PRIVATE_MODE = 0o600


def write_synced(path: Path, content: bytes, mode: int = PRIVATE_MODE) -> None:
    """Replace the file at ``path`` by ``content`` with ``mode``: written beside it, synced, renamed, folder synced. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Sync what was written to ``path`` by whomever."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries, so that a new or renamed file is still there after a power cut. Nothing to do on Windows."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def own_folder(path: Path, what: str) -> Path:
    """``path`` as a folder of this user's own for ``what``, made if it is not there. Raises ConfigError when something else has its place, OSError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as problem:
        there = next((place for place in (*reversed(path.parents), path) if os.path.lexists(place) and not place.is_dir()), path)
        got = f"a link to {os.readlink(there)}, where no folder is" if there.is_symlink() else "a file"
        raise ConfigError(
            f"{there}: expected a folder ({what}), got {got}.",
            hint=f"Move it away (mv {there} {there}.aside): the folder is made anew, and nothing that was sold is in it.",
            reason="no_folder",
            path=there,
        ) from problem
    return path


def read_private(path: Path, what: str, limit_bytes: int = 65_536) -> bytes:
    """The content of a file that only its owner may touch. Raises ConfigError when others could read it or it is too large, OSError otherwise."""
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if sys.platform != "win32" and mode & 0o077:
            raise ConfigError(
                f"{path}: {what}: expected mode 0600, got {mode:04o}.",
                hint=f"Others on this computer may have read it. Make it private (chmod 600 {path}) and consider it known.",
                reason="mode_too_wide",
                path=path,
                expected="0600",
                got=f"{mode:04o}",
            )
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise ConfigError(f"{path}: {what}: expected at most {limit_bytes} bytes, got more.", hint="Restore the file from its backup.", reason="file_too_large")
    return content
