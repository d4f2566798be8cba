"""Every line of the log is one JSON object, also where a library of others speaks."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from litestar import Litestar

from edge_agent.logs import set_up_logs
from edge_agent.serving import Listener, bind_unix


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    for handler in handlers:
        root.removeHandler(handler)
    set_up_logs(stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def lines_of(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def test_a_client_that_speaks_no_http_is_logged_as_json(log: io.StringIO, tmp_path: Path) -> None:
    listener = Listener(Litestar([], logging_config=None, openapi_config=None), bind_unix(tmp_path / "s"))
    await listener.start()
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
    writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert b"400" in await reader.readline()
    writer.close()
    await listener.stop()
    (line,) = lines_of(log)
    assert (line["level"], line["event"]) == ("warning", "Invalid HTTP request received.")
    assert list(line)[:3] == ["timestamp", "level", "event"]


def test_a_librarys_failure_is_one_line_with_its_traceback(log: io.StringIO) -> None:
    try:
        int("a fault")
    except ValueError:
        logging.getLogger("somebody").exception("It failed: %s\nindeed", 1)
    (line,) = lines_of(log)
    assert (line["level"], line["event"]) == ("error", "It failed: 1\nindeed")
    assert "ValueError: invalid literal" in line["exception"]
