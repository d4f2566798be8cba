"""The README's road from an empty folder to a register that sells, typed into a shell line by line, and the looks of the counter that IT chose."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from edge_agent.demo.sample import sample_feeds
from tests.support import need_program
from tests.support_tmux import Terminal
from tests.support_tree import ROOT
from tui.themes import DARK, LIGHT

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("tmux"), pytest.mark.timeout(300)]
PORT = "8400"


def road() -> list[str]:
    """The lines of the README's block that serves a central, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if "edge-central serve" in block and "edge-agent till" in block]
    return [re.sub(r"\s{2,}#.*", "", line) for line in block.splitlines()]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_the_road_in_the_readme_leads_to_a_register_that_sells() -> None:
    need_program("tmux", "tmux")
    need_program("bash", "bash")
    port = free_port()
    lines = [line.replace(PORT, port) for line in road()]
    assert sum(port in line for line in lines) == 2
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = ["bash", "-c", f"cd {shlex.quote(str(ROOT))} && PS1='road\\#: ' exec bash --norc --noprofile -i"]
    with Terminal(shell, (150, 40), environment={"PATH": path, "LC_ALL": "C.UTF-8"}) as terminal:
        plain = terminal.home / "plain.toml"
        plain.write_text('[till]\nlanguage = "en"\nglyphs = "ascii"\n')
        lines.insert(lines.index("edge-agent till") + 1, f"edge-agent --config {plain} till")
        for number, line in enumerate(lines, start=1):
            terminal.sees(f"road{number}:", seconds=60)
            terminal.type(line)
            terminal.press("Enter")
            if "edge-central serve" in line:
                terminal.sees(f"http://127.0.0.1:{port}")
            if line == "edge-agent till":
                sell(terminal)
            if str(plain) in line:
                terminal.sees("scan, or type a code", "* in step with central")
                assert "●" not in terminal.text()
                terminal.press("C-q")
            if "reconcile" in line:
                terminal.sees("IN ORDER: 1 sales", f"road{number + 1}:")
        terminal.sees(f"road{len(lines) + 1}:")
        terminal.until(lambda: not any("edge-" in command for command in terminal.processes()), "the end of both programs")


def test_the_file_says_how_the_counter_looks_and_the_options_win() -> None:
    need_program("tmux", "tmux")
    with tempfile.TemporaryDirectory(prefix="edge-") as folder:
        config = Path(folder) / "edge.toml"
        config.write_text(f'state = "{folder}"\n[till]\nlanguage = "de"\ntheme = "light"\n')
        till = [sys.executable, "-m", "edge_agent", "--config", str(config), "till"]
        light, dark = (re.compile(f"48;2;{';'.join(str(int(back[at : at + 2], 16)) for at in (1, 3, 5))}") for back in (LIGHT["back"], DARK["back"]))
        with Terminal(till, (80, 24), environment={"COLORTERM": "truecolor"}) as terminal:
            terminal.sees("Warten auf den Dienst der Kasse")
            terminal.until(lambda: light.search(terminal.text(colours=True)) is not None, "the light theme")
            terminal.press("C-q")
            terminal.until(lambda terminal=terminal: not terminal.processes(), "the counter's end")
        options = ["--language", "en", "--theme", "dark"]
        with Terminal([*till, *options], (80, 24), environment={"COLORTERM": "truecolor"}) as terminal:
            terminal.sees("Waiting for the register's service")
            terminal.until(lambda: dark.search(terminal.text(colours=True)) is not None, "the dark theme")
            terminal.press("C-q")
            terminal.until(lambda terminal=terminal: not terminal.processes(), "the counter's end")


def sell(terminal: Terminal) -> None:
    """Sign in, sell one piece for cash, and leave. The store is in Berlin, so the counter speaks German."""
    article = next(row for row in sample_feeds(1)["catalogue"] if row["gtins"])
    (gtin, *_) = article["gtins"]  # type: ignore[misc]  # a row's values are any JSON; this one is a list of texts
    terminal.sees("Berlin Mitte", "Wer öffnet diese Kasse?", "mit der Zentrale abgeglichen")
    terminal.type("STAFF-1001")
    terminal.press("Enter")
    terminal.sees("Wie viel Geld liegt in der Lade?")
    terminal.press("Enter")
    terminal.misses("Wie viel Geld liegt in der Lade?")
    terminal.type(str(gtin))
    terminal.press("Enter")
    terminal.sees("1 Artikel")
    terminal.press("F2")
    terminal.sees("Wie zahlt der Kunde?")
    terminal.press("Enter")
    terminal.sees("Bon R-")
    (central,) = terminal.temporary.glob("*/central")
    terminal.until(lambda: "1 sales" in reconciled(central), "the sale's arrival at central")
    terminal.press("C-q")


def reconciled(central: Path) -> str:
    """What central says of its books."""
    return subprocess.run([sys.executable, "-m", "sync.central.cli", "reconcile", "--data", str(central)], capture_output=True, text=True, check=True).stdout
