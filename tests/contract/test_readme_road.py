"""The README's road from an empty folder to a register that sells, typed into a shell line by line as a person does."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import sys
from pathlib import Path

import pytest

from tests.support_tmux import Terminal
from tests.support_tree import ROOT

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None or shutil.which("bash") is None, reason="tmux and bash are not installed")
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
    port = free_port()
    lines = [line.replace(PORT, port) for line in road()]
    assert sum(port in line for line in lines) == 2
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = ["bash", "-c", f"cd {shlex.quote(str(ROOT))} && PS1='road\\#: ' exec bash --norc --noprofile -i"]
    with Terminal(shell, (150, 40), environment={"PATH": path, "LC_ALL": "C.UTF-8"}) as terminal:
        for number, line in enumerate(lines, start=1):
            terminal.sees(f"road{number}:", seconds=60)
            terminal.type(line)
            terminal.press("Enter")
            if "edge-central serve" in line:
                terminal.sees(f"http://127.0.0.1:{port}")
            if line == "edge-agent till":
                sell(terminal)
            if "reconcile" in line:
                assert "1 sale" in terminal.sees(f"road{number + 1}:", "Everything")
        terminal.sees(f"road{len(lines) + 1}:")
        terminal.until(lambda: "edge_agent" not in "".join(terminal.processes()) and "edge-" not in "".join(terminal.processes()), "both programs' end")


def sell(terminal: Terminal) -> None:
    """Sign in, sell one piece for cash, and leave."""
    terminal.sees("Berlin Mitte", "Wer öffnet diese Kasse?")
    terminal.type("STAFF-1001")
    terminal.press("Enter")
    print(terminal.text())
    terminal.sees("nothing")
