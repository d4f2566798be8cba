"""What is told of a mistake in the configuration: the file, the key, what was expected and what was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from edge_agent.domain.errors import ConfigError

GOT_CHARS_MAX = 80
HINT = "Compare it with the handbook's example."
_KINDS = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list", "object": "a table"}
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


def in_file(source: str, problem: ConfigError) -> ConfigError:
    """``problem`` as one of the file ``source``, for rules that do not know which file they are read from."""
    return ConfigError(f"{source}: {problem.message.removeprefix('Invalid configuration: ')}", hint=problem.hint, reason=problem.reason, **problem.args_shown)


def mistake(source: str, content: Mapping[str, object], shape: type[Struct], problem: str) -> ConfigError:
    """What msgspec's sentence ``problem`` found wrong in ``content``, the parsed file ``source``, when it was to be a ``shape``."""
    what, _, where = problem.partition(" - at `$")
    steps = [int(at) if at.isdigit() else name or at for name, at in _STEP.findall(where)]
    unknown = re.match(r"Object contains unknown field `(.*)`", what)
    lacking = re.match(r"Object missing required field `(.*)`", what)
    if unknown:
        key, expected, got = _key([*steps, unknown[1]]), f"one of {', '.join(_names(_kind(shape, steps)))}", "an unknown key"
    elif lacking:
        key, expected, got = _key([*steps, lacking[1]]), "a value", "nothing"
    else:
        key, expected, got = _key(steps), _expected(what, _kind(shape, steps)), _got(content, steps, what)
    return ConfigError(f"{source}: key '{key}': expected {expected}, got {got}.", hint=HINT, key=key)


def _key(steps: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) or step == "..." else f".{step}" for step in steps).lstrip(".") or "(top level)"


def _kind(shape: Any, steps: Sequence[str | int]) -> Any:
    """The declared type of what is at ``steps``; None beyond what is declared."""
    for step in steps:
        if isinstance(step, str) and step != "...":
            shape = get_type_hints(shape).get(step) if _is_section(shape) else None
        else:
            shape = (*get_args(shape), None)[0] if get_origin(shape) is list else (*get_args(shape), None)[-1]
    return shape


def _is_section(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, Struct)


def _names(shape: Any) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(shape) if field.name != "source"] if _is_section(shape) else []


def _expected(what: str, shape: Any) -> str:
    if get_origin(shape) is Literal:
        return f"one of {', '.join(map(str, get_args(shape)))}"
    text = what.removeprefix("Expected ").partition(", got ")[0].replace(" | null", "")
    return re.sub(r"`(\w+)`", lambda found: _KINDS.get(found[1], found[1]), text)


def _got(content: Any, steps: Sequence[str | int], what: str) -> str:
    """The value at ``steps`` as it would be written; where the path does not lead to one value, its kind."""
    for step in steps:
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            kind = re.search(r"got `(\w+)`", what)
            return _KINDS.get(kind[1], kind[1]) if kind else "something else"
    shown = str(content).lower() if isinstance(content, bool) else repr(content)
    return shown if len(shown) <= GOT_CHARS_MAX else shown[: GOT_CHARS_MAX - 1] + "…"
