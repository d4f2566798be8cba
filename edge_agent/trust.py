"""Whom this computer trusts to be central: the operating system's authorities, and the file that the configuration adds to them."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

from edge_agent.config import Config
from edge_agent.domain.errors import ConfigError

HINT = "Give the whole path of the authority's certificate as PEM, in a place that the service can read (/etc/edge-agent)."


def trust(config: Config, url: str) -> ssl.SSLContext | None:
    """How who answers at ``url`` is checked; None where nothing is, as TLS is not spoken there. Raises ConfigError."""
    return _context(config.central_ca, config.source) if url.startswith("https:") else None


def require_authority(config: Config) -> None:
    """Raise ConfigError when the file that ``central_ca`` names cannot be used."""
    if config.central_ca:
        _context(config.central_ca, config.source)


@cache
def _context(added: str, source: str) -> ssl.SSLContext:
    """One for the whole process: reading the operating system's authorities takes longer than a sale."""
    context = ssl.create_default_context()
    if not added:
        return context
    try:
        if not Path(added).is_absolute():
            raise _mistake(source, "the whole path of a file", repr(added))
        context.load_verify_locations(cafile=added)
    except ssl.SSLError as problem:
        raise _mistake(source, "certificates as PEM", f"something else in {added}") from problem
    except OSError as problem:
        raise _mistake(source, "a readable file", f"{added}: {problem.strerror}") from problem
    return context


def _mistake(source: str, expected: str, got: str) -> ConfigError:
    return ConfigError(f"{source}: key 'central_ca': expected {expected}, got {got}.", hint=HINT, key="central_ca")
