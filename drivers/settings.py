"""Reads one device's configuration keys, and says file, key, expected and got for each that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from edge_agent.domain.errors import ConfigError


class Required:
    """The default of a key that has none."""


REQUIRED: Final = Required()
T = TypeVar("T")


class Settings:
    """The keys of one section. Every getter checks type and bounds; ``end`` tells all that does not fit at once.

    A getter whose key does not fit answers with its default (without one: an empty or lowest value), so that the other keys are read too;
    nothing may be used before ``end``. ``where`` names the file and section for messages, for example ``edge.toml [devices.scanner]``.

    >>> settings = Settings({"baud": 9600}, "edge.toml [devices.scanner]")
    >>> settings.whole("baud", 115_200, 50, 4_000_000)
    9600
    >>> settings.end()
    >>> settings = Settings({"baud": "fast"}, "edge.toml [devices.scanner]")
    >>> settings.whole("baud", 9600, 50, 4_000_000)
    9600
    >>> settings.end()
    Traceback (most recent call last):
    edge_agent.domain.errors.ConfigError: edge.toml [devices.scanner]: baud: expected a whole number from 50 to 4000000, got 'fast'.
    """

    def __init__(self, config: Mapping[str, object], where: str) -> None:
        self._config = config
        self._where = where
        self._asked: set[str] = set()
        self._found: list[ConfigError] = []

    def text(self, key: str, default: str | Required) -> str:
        """A string that is not empty (unless ``default`` is ``""``, which an empty value then equals)."""
        value = self._take(key, default)
        if isinstance(value, str) and (value or default == ""):
            return value
        return self._instead(key, "text", value, default, "")

    def parsed(self, key: str, default: str, parse: Callable[[str], T], expected: str) -> T:
        """A string as ``parse`` understands it; one that it raises ValueError for does not fit. ``default`` it has to understand."""
        text = self.text(key, default)
        try:
            return parse(text)
        except ValueError:
            self.refuse(key, expected, text)
            return parse(default)

    def choice(self, key: str, options: Sequence[str], default: str | Required) -> str:
        """One of ``options``."""
        value = self._take(key, default)
        if isinstance(value, str) and value in options:
            return value
        return self._instead(key, "one of " + ", ".join(repr(option) for option in options), value, default, options[0])

    def whole(self, key: str, default: int | Required, low: int, high: int) -> int:
        """A whole number within the bounds, both included."""
        value = self._take(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        return self._instead(key, f"a whole number from {low} to {high}", value, default, low)

    def number(self, key: str, default: float | Required, low: float, high: float) -> float:
        """A number (of seconds, say) within the bounds, both included."""
        value = self._take(key, default)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        return self._instead(key, f"a number from {low:g} to {high:g}", value, default, low)

    def flag(self, key: str, default: bool | Required) -> bool:
        """True or false."""
        value = self._take(key, default)
        if isinstance(value, bool):
            return value
        return self._instead(key, "true or false", value, default, False)

    def texts(self, key: str, default: Sequence[str] | Required) -> tuple[str, ...]:
        """A list of strings."""
        value = self._take(key, default)
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
        return tuple(self._instead(key, "a list of texts", value, default, ()))

    def refuse(self, key: str, expected: str, got: object) -> None:
        """A driver's own check found that the value of ``key`` does not fit. A key that was refused before stays refused for the first reason."""
        if all(error.args_shown["setting"] != key for error in self._found):
            self._found.append(self.wrong(key, expected, got))

    def end(self) -> None:
        """Raise ConfigError for all that did not fit, and for keys that no getter asked for: a misspelt key is not silently a default."""
        unknown = [
            ConfigError(
                f"{self._where}: {key}: expected one of {', '.join(sorted(self._asked))}, got an unknown key.",
                hint=f"Correct the key or remove it from {self._where}.",
                reason="key_unknown",
                where=self._where,
                setting=key,
            )
            for key in sorted(set(self._config) - self._asked)
        ]
        if self._found or unknown:
            raise ConfigError.together([*self._found, *unknown])

    def wrong(self, key: str, expected: str, got: object) -> ConfigError:
        """The error for a value that does not fit."""
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

    def _take(self, key: str, default: object) -> object:
        self._asked.add(key)
        return self._config.get(key, None if isinstance(default, Required) else default)

    def _instead(self, key: str, expected: str, got: object, default: T | Required, lowest: T) -> T:
        self.refuse(key, expected, got)
        return lowest if isinstance(default, Required) else default
