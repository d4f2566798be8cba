"""Finds a connector by the platform's name in the configuration: a module of ours, or an entry point when somebody else wrote it."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Callable
from typing import cast

import sync.connectors
from edge_agent.domain.errors import ConfigError
from sync.connectors.contract import Connector, Settings

ENTRY_POINTS = "edge_agent.connectors"
"""The entry point group of connectors from other packages; each names a ``connect`` function under its platform."""
_NOT_PLATFORMS = frozenset({"contract"})

Connect = Callable[[Settings], Connector]


def platforms() -> tuple[str, ...]:
    """Every platform that can be configured here, sorted."""
    ours = {module.name for module in pkgutil.iter_modules(sync.connectors.__path__) if not module.name.startswith("_")}
    return tuple(sorted((ours - _NOT_PLATFORMS) | {point.name for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}))


def load_connector(platform: str, settings: Settings) -> Connector:
    """The connector to ``platform``. Opens nothing. Raises ConfigError for a name that nobody answers to."""
    known = platforms()
    if platform not in known:
        raise ConfigError(
            f"central.platform: expected one of {', '.join(known)}, got {platform!r}.",
            hint="Correct the name in the configuration.",
            reason="platform_unknown",
            got=platform,
        )
    points = importlib.metadata.entry_points(group=ENTRY_POINTS, name=platform)
    if points:
        return cast(Connect, next(iter(points)).load())(settings)
    return cast(Connect, importlib.import_module(f"sync.connectors.{platform}").connect)(settings)
