"""What is told of a mistake in the configuration: the file, the key, what was expected and what was found."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from edge_agent.domain.errors import ConfigError

S = TypeVar("S", bound=Struct)
GOT_CHARS_MAX = 80
MISTAKES_MAX = 100
"""After so many nobody reads on; they are looked for again when these are mended."""
HINT = "Compare it with the handbook's example."
_KINDS = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list", "object": "a table"}
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_LACKING = re.compile(r"Object missing required field `(.*)`")
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


def in_file(source: str, problem: ConfigError) -> ConfigError:
    """``problem`` as one of the file ``source``, for rules that do not know which file they are read from."""
    return ConfigError(f"{source}: {problem.message.removeprefix('Invalid configuration: ')}", hint=problem.hint, reason=problem.reason, **problem.args_shown)


def converted(source: str, content: Mapping[str, object], shape: type[S]) -> tuple[S, list[ConfigError], dict[str, list[int]]]:
    """The parsed file ``source`` as a ``shape``, every mistake in it, and the numbers of the entries of each list that are left; what is mistaken counts as
    not written. That an entry lacks something is not told where a mistake in it is: it is mostly the same."""
    rest: dict[str, Any] = copy.deepcopy(dict(content))
    found: list[ConfigError] = []
    numbers: dict[str, list[int]] = {}
    told: set[str] = set()
    while True:
        try:
            return msgspec.convert(rest, shape), found, numbers
        except msgspec.ValidationError as problem:
            what, _, where = str(problem).partition(" - at `$")
            steps = _steps(where, rest, shape)
            written = [_numbers(numbers, rest, steps[:at])[step] if isinstance(step, int) else step for at, step in enumerate(steps)]
            if not (_LACKING.match(what) and _key(written) in told):
                found.append(_mistake(source, rest, shape, what, steps, written))
            told.update(_key(written[: at + 1]) for at, step in enumerate(written) if isinstance(step, int))
            if steps and isinstance(steps[-1], int) and not _UNKNOWN.match(what):
                del _numbers(numbers, rest, steps[:-1])[steps[-1]]
            if len(found) == MISTAKES_MAX or not _removed(rest, steps, what):
                return shape(), found, {}


def _numbers(numbers: dict[str, list[int]], content: Any, steps: Sequence[str | int]) -> list[int]:
    """The numbers, from one, of the entries that are left of the list at ``steps``."""
    return numbers.setdefault(_key(steps), list(range(1, len(_at(content, steps)) + 1)))


def _steps(where: str, content: Any, shape: Any) -> list[str | int]:
    """The way to a mistake by msgspec's words, with the name of an entry of a table (for which msgspec says ``[...]``)."""
    steps: list[str | int] = []
    for name, at in _STEP.findall(where):
        step: str | int = int(at) if at.isdigit() else name or at
        if step == "...":
            held, declared = _at(content, steps), _kind(shape, [*steps, step])
            step = next((key for key, value in held.items() if not _fits(value, declared)), step) if isinstance(held, dict) else step
        steps.append(step)
    return steps


def _fits(value: Any, declared: Any) -> bool:
    try:
        msgspec.convert(value, declared)
    except msgspec.ValidationError:
        return False
    return True


def _at(content: Any, steps: Sequence[str | int]) -> Any:
    """What is at ``steps``; None where the way does not lead to anything."""
    for step in steps:
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return None
    return content


def _removed(content: Any, steps: Sequence[str | int], what: str) -> bool:
    """Take out what is mistaken (what lacks something: whole); whether there was something to take out."""
    unknown = _UNKNOWN.match(what)
    way = [*steps, unknown[1]] if unknown else list(steps)
    holder = _at(content, way[:-1]) if way else None
    if isinstance(holder, dict) and way[-1] in holder:
        del holder[way[-1]]
        return True
    if isinstance(holder, list) and isinstance(way[-1], int) and way[-1] < len(holder):
        del holder[way[-1]]
        return True
    return False


def _mistake(
    source: str, content: Mapping[str, object], shape: type[Struct], what: str, steps: Sequence[str | int], written: Sequence[str | int]
) -> ConfigError:
    """What msgspec's sentence ``what`` found wrong at ``steps`` in ``content`` (in the file: at ``written``), when it was to be a ``shape``."""
    unknown, lacking = _UNKNOWN.match(what), _LACKING.match(what)
    if unknown:
        way, expected, got = [*written, unknown[1]], f"one of {', '.join(_names(_kind(shape, steps)))}", "an unknown key"
    elif lacking:
        way, expected, got = [*written, lacking[1]], "a value", "nothing"
    else:
        way, expected, got = [*written], _expected(what, _kind(shape, steps)), _got(content, steps, what)
    return ConfigError(f"{source}{_where(way)}: expected {expected}, got {got}.", hint=HINT, key=_key(way))


def _where(way: Sequence[str | int]) -> str:
    """The way to a key as its reader counts: ``[[tenders]] number 2: key 'kind'``."""
    at = next((at for at, step in enumerate(way) if isinstance(step, int)), None)
    if at is None:
        return f": key '{_key(way)}'"
    rest = f": key '{_key(way[at + 1 :])}'" if way[at + 1 :] else ""
    return f" [[{_key(way[:at])}]] number {way[at]}{rest}" if at == 1 else f": key '{_key(way[:at])}' number {way[at]}{rest}"


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
    return [field.encode_name for field in msgspec.structs.fields(shape)] if _is_section(shape) else []


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
    if isinstance(content, list) and content and all(isinstance(one, dict) for one in content):
        return f"a list of tables ([[{steps[-1]}]])" if steps else "a list of tables"
    shown = str(content).lower() if isinstance(content, bool) else "a table" if isinstance(content, dict) else repr(content)
    return shown if len(shown) <= GOT_CHARS_MAX else shown[: GOT_CHARS_MAX - 1] + "…"
