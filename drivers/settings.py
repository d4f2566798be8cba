"""Reads one device's configuration keys, and says file, key, expected and got when one does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from edge_agent.domain.errors import ConfigError


class Required:
    """The default of a key that has none."""


REQUIRED: Final = Required()


class Settings:
    """The keys of one section. Every getter checks type and bounds; ``end`` refuses keys that nobody asked for.

    ``where`` names the file and section for the message, for example ``edge.toml [devices.scanner]``.

    >>> settings = Settings({"baud": 9600}, "edge.toml [devices.scanner]")
    >>> settings.whole("baud", 115_200, 50, 4_000_000)
    9600
    >>> settings.end()
    >>> Settings({"baud": "fast"}, "edge.toml [devices.scanner]").whole("baud", 9600, 50, 4_000_000)
    Traceback (most recent call last):
    edge_agent.domain.errors.ConfigError: edge.toml [devices.scanner]: baud: expected a whole number from 50 to 4000000, got 'fast'.
    """

    def __init__(self, config: Mapping[str, object], where: str) -> None:
        self._config = config
        self._where = where
        self._asked: set[str] = set()

    def text(self, key: str, default: str | Required) -> str:
        """A string that is not empty (unless ``default`` is ``""``, which an empty value then equals)."""
        value = self._take(key, default, "text")
        if isinstance(value, str) and (value or default == ""):
            return value
        raise self.wrong(key, "text", value)

    def choice(self, key: str, options: Sequence[str], default: str | Required) -> str:
        """One of ``options``."""
        expected = "one of " + ", ".join(repr(option) for option in options)
        value = self._take(key, default, expected)
        if isinstance(value, str) and value in options:
            return value
        raise self.wrong(key, expected, value)

    def whole(self, key: str, default: int | Required, low: int, high: int) -> int:
        """A whole number within the bounds, both included."""
        expected = f"a whole number from {low} to {high}"
        value = self._take(key, default, expected)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise self.wrong(key, expected, value)

    def number(self, key: str, default: float | Required, low: float, high: float) -> float:
        """A number (of seconds, say) within the bounds, both included."""
        expected = f"a number from {low:g} to {high:g}"
        value = self._take(key, default, expected)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        raise self.wrong(key, expected, value)

    def flag(self, key: str, default: bool | Required) -> bool:
        """True or false."""
        value = self._take(key, default, "true or false")
        if isinstance(value, bool):
            return value
        raise self.wrong(key, "true or false", value)

    def texts(self, key: str, default: Sequence[str] | Required) -> tuple[str, ...]:
        """A list of strings."""
        value = self._take(key, default, "a list of texts")
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise self.wrong(key, "a list of texts", value)

    def end(self) -> None:
        """Refuse the keys that no getter asked for: a misspelt key is not silently a default."""
        for key in sorted(set(self._config) - self._asked):
            raise ConfigError(
                f"{self._where}: {key}: expected one of {', '.join(sorted(self._asked))}, got an unknown key.",
                hint=f"Correct the key or remove it from {self._where}.",
                reason="key_unknown",
                where=self._where,
                setting=key,
            )

    def wrong(self, key: str, expected: str, got: object) -> ConfigError:
        """The error for a value that does not fit, for a driver's own checks."""
        shown = "nothing" if got is None else repr(got)
        return ConfigError(
            f"{self._where}: {key}: expected {expected}, got {shown}.",
            hint=f"Correct {key} in {self._where}.",
            reason="value_wrong",
            where=self._where,
            setting=key,
            expected=expected,
            got=shown,
        )

    def _take(self, key: str, default: object, expected: str) -> object:
        self._asked.add(key)
        if key in self._config:
            return self._config[key]
        if isinstance(default, Required):
            raise self.wrong(key, expected, None)
        return default
