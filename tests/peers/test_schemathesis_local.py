"""Schemathesis reads the local API's description and tries to prove it wrong against a running register."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

PROGRAM = shutil.which("schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(PROGRAM is None and os.environ.get("EDGE_REQUIRE_PEERS") != "1", reason="schemathesis is not installed"),
]

# What a schema cannot say: whether a command is possible now (403, 409), whether an id is known here (422), whether the disk and central agree (503).
# A long-poll of a fuzzed length holds the run up, so it asks without waiting.
CONFIG = """
[[operations]]
include-name = "POST /v1/commands"
checks.positive_data_acceptance.expected-statuses = ["2xx", 403, 409, 422, 503]
[[operations]]
include-path-regex = "^/v1/(customers|sales)/"
checks.positive_data_acceptance.expected-statuses = ["2xx", 422]
[[operations]]
include-name = "GET /v1/events"
parameters = { "query.wait" = 0.01 }
"""


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, str]]:
    """A register in a process of its own: its address and its token."""
    command = [sys.executable, "-m", "tests.support_local_service", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        try:
            port, token = service.stdout.readline().split()
            yield f"http://127.0.0.1:{port}", token
        finally:
            service.stdin.close()
            assert service.wait(10) == 0


@pytest.mark.parametrize(
    ("which", "phases", "examples"),
    [("--exclude-path=/v1/commands", "coverage,fuzzing", 8), ("--include-path=/v1/commands", "coverage,fuzzing", 150)],
    ids=["queries", "commands"],
)
def test_the_running_register_does_what_its_document_says(tmp_path: Path, which: str, phases: str, examples: int) -> None:
    assert PROGRAM is not None, "schemathesis is required here and not installed"
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    with running(tmp_path / "state") as (url, token), httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as http:
        opened = {"id": "0199a5d0-0000-7000-8000-000000000001", "command": {"do": "open_shift", "badge": "1003"}}
        assert http.post("/v1/commands", json=opened).status_code == 200
        command = [
            PROGRAM, "--config-file", str(config), "run", f"{url}/schema/openapi.json", which, "--header", f"Authorization: Bearer {token}",
            "--phases", phases, "--max-examples", str(examples), "--seed", "7", "--no-color", "--generation-database", "none", "--request-timeout", "30",
        ]  # fmt: skip
        told = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, cwd=tmp_path)
        assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
        assert " passed" in told.stdout
        assert http.get("/v1/journal/verification").json()["problems"] == []
        assert http.get("/v1/snapshot").json()["phase"] != "stopped"
