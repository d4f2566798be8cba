"""What is tracked holds no secret, no registry's address and no path of the machine it was written on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support_tree import ROOT

PATTERNS = {
    # Each is written so that this file does not match it.
    "an option that names a package index": re.compile(r"--(?:extra-)?index[-]url|--find[-]links|(?:PIP|UV)_(?:EXTRA_)?INDEX(?:_URL)?\b|\bindex[-_]url\s*="),
    "a registry's address": re.compile(
        r"https?://[^\s\"'<>]*(?:\b(?:pypi|npm(?:js)?|registry|artifactory|nexus|devpi)[-.][^\s\"'<>]*|/simple(?:/|\b))", re.IGNORECASE
    ),
    "a folder of somebody's": re.compile(
        r"(?<![\w.])(?:/(?:home|Users)/(?!(?:kim|NAME|\$|<|\{))[A-Za-z0-9._-]+/|/(?:root|work)/[A-Za-z0-9._-]+)|\b[A-Z]:\\Users\\"
    ),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE[ ]KEY-----"),
    "a token of a well-known service": re.compile(r"\b(?:ghp_[A-Za-z0-9]{36}|github_pat_\w{22,}|sk_live_\w{10,}|AKIA[A-Z0-9]{16}|xox[bp]-\w{10,})\b"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://(?!anonymous:)[^\s/:@\"'{}<>]+:[^\s/@\"'{}<>$]+@"),
}
BYTES_MAX = 5_000_000


def tracked() -> list[Path]:
    """The files that a clone would have, and those that are about to be added."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not in a git checkout: an installed copy has nothing to look at")
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    )
    return [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name and (ROOT / name.decode()).is_file()]


def lines() -> list[tuple[str, str]]:
    """Every text line of every tracked file, with its place. The lock's hashes are not looked at."""
    found = []
    for path in tracked():
        raw = path.read_bytes()
        assert len(raw) <= BYTES_MAX, f"{path.relative_to(ROOT)}: {len(raw)} bytes, expected at most {BYTES_MAX}"
        if b"\0" in raw:
            continue
        for number, line in enumerate(raw.decode("utf-8").splitlines(), 1):
            if not line.lstrip().startswith("--hash=sha256:"):
                found.append((f"{path.relative_to(ROOT)}:{number}", line))
    return found


@pytest.mark.parametrize("what", PATTERNS)
def test_no_tracked_file_has(what: str) -> None:
    found = [f"{place}: {line.strip()[:120]}" for place, line in lines() if PATTERNS[what].search(line)]
    assert not found, "\n".join(found)


def test_no_tracked_file_names_the_folder_of_this_checkout() -> None:
    if len(ROOT.parts) < 3:
        pytest.skip(f"the checkout is in {ROOT}, too short a path to mean anything in a text")
    found = [f"{place}: {line.strip()[:120]}" for place, line in lines() if re.search(rf"(?<![\w./-]){re.escape(str(ROOT))}(?![\w-])", line)]
    assert not found, "\n".join(found)


def test_no_file_is_tracked_that_a_tool_makes() -> None:
    made = re.compile(r"(?:^|/)(?:__pycache__|\.venv|\.mypy_cache|\.ruff_cache|\.pytest_cache|node_modules|dist|build)/|\.(?:pyc|db|db-wal|key|pem|whl)$")
    assert [str(path.relative_to(ROOT)) for path in tracked() if made.search(str(path.relative_to(ROOT)))] == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("an option that names a package index", "pip install --index" + "-url https://example.org x"),
        ("an option that names a package index", "export PIP" + "_INDEX_URL=x"),
        ("a registry's address", "https://pypi" + ".example.org/packages"),
        ("a registry's address", "https://mirror.example.org/sim" + "ple/"),
        ("a folder of somebody's", "/ho" + "me/somebody/src/x.py"),
        ("a private key", "-----BEGIN PRIVATE" + " KEY-----"),
        ("a token of a well-known service", "ghp" + "_" + "a" * 36),
        ("a password in an address", "https://user" + ":secret@example.org/"),
    ],
)
def test_each_of_them_would_be_found(what: str, line: str) -> None:
    assert PATTERNS[what].search(line)
