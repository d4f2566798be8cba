"""The log: structured lines, one JSON object each."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor


def set_up_logs(stream: TextIO | None = None) -> None:
    """Structured lines, one JSON object each, on ``stream`` (standard error unless told). Third parties speak up from WARNING on, in the same way."""
    told: list[Processor] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    drawn: list[Processor] = [structlog.processors.format_exc_info, _in_order, structlog.processors.JSONRenderer()]
    theirs = logging.StreamHandler(stream or sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    theirs.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=told, processors=[remove, *drawn]))
    logging.basicConfig(handlers=[theirs], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[*told, *drawn],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def _in_order(logger: object, name: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """When, how bad and what come first: a person reads these lines from the left."""
    return {key: event[key] for key in ("timestamp", "level", "event")} | dict(event)
