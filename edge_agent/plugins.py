"""Finds a plug-in by the name that the configuration gives: a module of ours, or an entry point when somebody else wrote it."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from types import ModuleType
from typing import Any

PAYMENTS = "edge_agent.payments"
CONNECTORS = "edge_agent.connectors"
"""The entry point groups; each entry names a module like ours of that kind."""


def known(package: ModuleType, group: str) -> tuple[str, ...]:
    """Every name that can be configured, sorted. Modules with a leading underscore are a plug-in's own parts."""
    ours = {module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")}
    return tuple(sorted(ours | {point.name for point in importlib.metadata.entry_points(group=group)}))


def find(package: ModuleType, group: str, name: str, offers: str) -> Any | None:
    """The function ``offers`` of the plug-in called ``name``, or None when there is none of that name.

    A plug-in that is there but cannot be imported raises its own ImportError: that is a broken installation, not a wrong name.
    """
    if name not in known(package, group):
        return None
    if any(module.name == name for module in pkgutil.iter_modules(package.__path__)):
        return getattr(importlib.import_module(f"{package.__name__}.{name}"), offers, None)
    (point,) = importlib.metadata.entry_points(group=group, name=name)
    return getattr(point.load(), offers, None)
