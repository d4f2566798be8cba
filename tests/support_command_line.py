"""The command line of the register as a process of its own, on a configuration that a test writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def configured(folder: Path, name: str, extra: str = "") -> Path:
    config = folder / f"{name}.toml"
    config.write_text(f'state = "{folder / name}"\n{extra}')
    return config


def edge_agent(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "edge_agent", "--config", str(config), *arguments], capture_output=True, text=True, timeout=60, check=False)
