"""The product's own source as trees, for the tests that hold it to the house rules."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("edge_agent", "drivers", "sync", "tui")


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the packages: its dotted name, its path, its text and its parsed tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def where(self) -> str:
        """The path as a person would open it."""
        return str(self.path.relative_to(ROOT))

    def within(self, package: str) -> bool:
        """Whether the module is ``package`` or in it."""
        return self.name == package or self.name.startswith(f"{package}.")


@functools.cache
def modules() -> tuple[Module, ...]:
    """Every module of the four packages, sorted by name."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text("utf-8")
            found.append(Module(name, path, text, ast.parse(text, str(path))))
    return tuple(sorted(found, key=lambda module: module.name))


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """What ``module`` imports anywhere in it, as a dotted name that ends at a module where that can be told, with the line."""
    known = {other.name for other in modules()}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.where}:{node.lineno}: a relative import"
            base = node.module or ""
            for alias in node.names:
                yield (f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base), node.lineno
