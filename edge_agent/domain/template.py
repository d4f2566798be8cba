"""Templates: how a shop says what its own codes look like, without regular expressions.

====================  ====================================================================================================
in a template         matches
====================  ====================================================================================================
``#``                 one digit
``{9:8-12}``          8 to 12 digits; ``{9:16}`` is exactly 16
``{A:3}``             capital letters
``{X:6-10}``          capital letters and digits
``{B:8}``             Crockford's base32: digits and capital letters without I, L, O and U
``{W:1-64}``          letters of both cases, digits, ``-`` and ``_``
``{id}``              short for ``[{W:1-64}]``
``[...]``             what is inside is the value of the code; without brackets the whole text is
anything else         itself
====================  ====================================================================================================

A template that begins with ``http://`` or ``https://`` is a web link: scheme and host match in any case, and a query, a fragment or a
closing slash after it is ignored. Of other templates, what a person types matches in any case, and with spaces and hyphens anywhere or
nowhere where it stays clear without them which characters belong to which run; its value is written as the template writes it.

>>> Template.parse("LOY{9:8-12}").match("LOY12345678")
'LOY12345678'
>>> Template.parse("https://shop.example/cart/{id}").match("HTTPS://Shop.Example/cart/CART-7K3M?from=mail")
'CART-7K3M'
>>> Template.parse("R-####-##-######").match("r0001 02 000123", keyed=True)
'R-0001-02-000123'
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from msgspec import Struct

from edge_agent.domain.errors import ConfigError

RUN_CHARS_MAX = 128
"""The longest run a template may allow; no code that a person or a till has to handle is longer."""

_CLASSES = {"9": "[0-9]", "A": "[A-Z]", "X": "[0-9A-Z]", "B": "[0-9A-HJKMNP-TV-Z]", "W": "[0-9A-Za-z_-]"}
_ALLOWED = ", ".join(_CLASSES)
ALPHABETS = {name: frozenset(found for found in map(chr, range(128)) if re.fullmatch(pattern, found)) for name, pattern in _CLASSES.items()}
"""The characters of each class, by its key in the table above."""
SEPARATORS = frozenset(" -")
"""What somebody who types a code may leave out, or put between its characters."""
_GRAMMAR = "text, #, {CLASS:LENGTH} and at most one [value]"
_TOKEN = re.compile(r"\{([^{}]*)\}|([\[\]#])|([^\[\]{}#]+)")
_RUN = re.compile(r"([9AXBW]):([0-9]{1,3})(?:-([0-9]{1,3}))?")
_LINK = re.compile(r"(https?://[^/?#]+)(.*)", re.IGNORECASE | re.DOTALL)
_GTIN_PREFIX_DIGITS_MIN = 4


class Literal(Struct, frozen=True):
    """Text that stands for itself."""

    text: str
    in_value: bool


class Run(Struct, frozen=True):
    """``least`` to ``most`` characters of one class (a key of the table above)."""

    chars: str
    least: int
    most: int
    in_value: bool


Part = Literal | Run


@dataclass(frozen=True)
class Template:
    """One template, ready to match; make it with ``parse``. Two with the same source are equal.

    Its patterns are compiled when they are first asked for: every program of ours has the templates, few of them read codes.
    """

    source: str
    parts: tuple[Part, ...] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, source: str, section: str = "codes.prefixes", key: str = "template") -> Template:
        """The template that ``source`` writes. Raises ConfigError naming ``section`` and ``key``."""
        try:
            parts = _parts(source)
            _verify(source, parts)
        except ValueError as error:
            raise ConfigError(
                f"Invalid configuration: [{section}] {key}: expected {error}, got {source!r}.",
                hint=f"Correct {key} in section [{section}]; for example LOY{{9:8-12}} or https://shop.example/cart/{{id}}.",
                reason="value",
                section=section,
                key=key,
                expected=str(error),
                got=source,
            ) from None
        return cls(source, parts)

    @cached_property
    def _exact(self) -> re.Pattern[str]:
        return _exact_pattern(self.source, self.parts)

    @cached_property
    def _keyed(self) -> re.Pattern[str]:
        return self._exact if self.is_link else re.compile(self._exact.pattern, re.IGNORECASE | re.ASCII)

    @cached_property
    def _squeezed(self) -> re.Pattern[str] | None:
        return _squeezed_pattern(self.source, self.parts)

    @property
    def is_link(self) -> bool:
        """Whether it is a web link."""
        return _LINK.fullmatch(self.source) is not None

    @property
    def squeezed_parts(self) -> tuple[Part, ...] | None:
        """The parts as somebody types them who leaves out spaces and hyphens; None where that is not understood."""
        return None if self._squeezed is None else tuple(map(_squeezed_part, self.parts))

    @property
    def takes_digits(self) -> bool:
        """Whether a text of digits alone can match, so that it could be taken for a GTIN."""
        return all(_is_number(part.text) if isinstance(part, Literal) else part.chars != "A" for part in self.parts)

    @property
    def takes_text(self) -> bool:
        """Whether a text that is not of digits alone can match."""
        return any(not _is_number(part.text) if isinstance(part, Literal) else part.chars != "9" for part in self.parts)

    @property
    def names_issuer(self) -> bool:
        """Whether it begins with at least four digits of its own, so that it may claim numbers that look like a payment card's."""
        first = self.parts[0]
        return isinstance(first, Literal) and len(first.text) >= _GTIN_PREFIX_DIGITS_MIN and _is_number(first.text)

    def match(self, text: str, *, keyed: bool = False) -> str | None:
        """The value in ``text`` when it matches as a whole, else None; ``keyed`` for what a person typed."""
        found = (self._keyed if keyed else self._exact).fullmatch(text)
        if found is None and keyed and self._squeezed is not None:
            found = self._squeezed.fullmatch(text.translate(_SQUEEZE))
        if found is None:
            return None
        runs = iter(found.groups())
        values = [(part, part.text if isinstance(part, Literal) else _tidy(part, next(runs))) for part in self.parts]
        return "".join(value for part, value in values if part.in_value)


_SQUEEZE = str.maketrans("", "", "".join(SEPARATORS))


def _tidy(run: Run, text: str) -> str:
    return text if run.chars == "W" else text.upper()


def _parts(source: str) -> tuple[Part, ...]:
    """The parts of ``source``; ValueError says what was expected."""
    found: list[tuple[str, int, int, str, bool]] = []  # class or "", least, most, literal, in brackets
    at, inside, brackets = 0, False, 0
    for token in _TOKEN.finditer(_host_lowered(source)):
        name, sign, text = token.groups()
        if token.start() != at or (sign in ("[", "]") and inside == (sign == "[")):
            raise ValueError(_GRAMMAR)
        at = token.end()
        if sign in ("[", "]"):
            inside, brackets = sign == "[", brackets + 1
        elif name == "id":
            brackets += 2
            found.append(("W", 1, 64, "", True))
        elif text is not None:
            found.append(("", 0, 0, text, inside))
        else:
            found.append((*_run("9:1" if sign == "#" else name), "", inside))
    if at != len(source) or inside or brackets > 2:
        raise ValueError(_GRAMMAR)
    whole = brackets == 0
    return tuple(Run(chars, least, most, whole or value) if chars else Literal(text, whole or value) for chars, least, most, text, value in found)


def _run(name: str) -> tuple[str, int, int]:
    found = _RUN.fullmatch(name)
    if not found:
        raise ValueError(f"{{id}} or {{CLASS:LENGTH}} with one of the classes {_ALLOWED}")
    least, most = int(found[2]), int(found[3] or found[2])
    if not 1 <= least <= most <= RUN_CHARS_MAX:
        raise ValueError(f"a length from 1 to {RUN_CHARS_MAX}, the smaller first")
    return found[1], least, most


def _verify(source: str, parts: tuple[Part, ...]) -> None:
    """What a template must not be: empty of value, or a net that catches everything."""
    if not source.isprintable():
        raise ValueError("printable characters")
    if not any(part.in_value for part in parts) or not any(isinstance(part, Run) for part in parts):
        raise ValueError("at least one # or {CLASS:LENGTH} in the value")
    no_text = all(isinstance(part, Run) or _is_number(part.text) for part in parts)
    if no_text and any(isinstance(part, Run) and part.least != part.most for part in parts):
        raise ValueError("one exact length where nothing but digits and runs stands in the template")


def _host_lowered(source: str) -> str:
    link = _LINK.fullmatch(source)
    return source if link is None else link[1].lower() + link[2]


def _exact_pattern(source: str, parts: tuple[Part, ...]) -> re.Pattern[str]:
    pattern = "".join(re.escape(part.text) if isinstance(part, Literal) else _run_pattern(part) for part in parts)
    link = _LINK.fullmatch(source)
    if link is None:
        return re.compile(pattern)
    host = re.escape(link[1].lower())
    assert pattern.startswith(host), pattern
    return re.compile(f"(?i:{host}){pattern[len(host) :]}/?(?:[?#].*)?")


def _squeezed_pattern(source: str, parts: tuple[Part, ...]) -> re.Pattern[str] | None:
    """For typed text without its spaces and hyphens; None where that loses something, is unclear, or could be taken for a GTIN."""
    squeezed = list(map(_squeezed_part, parts))
    kept = [part for part in squeezed if isinstance(part, Run) or part.text]
    is_bare = all(isinstance(part, Run) or _is_number(part.text) for part in kept)
    is_lossy = any(isinstance(part, Run) and part.chars == "W" for part in kept)
    is_unclear = any(isinstance(part, Run) and isinstance(after, Run) and part.least != part.most for part, after in pairwise(kept))
    if _LINK.fullmatch(source) or is_bare or is_lossy or is_unclear:
        return None
    pattern = "".join(_run_pattern(part) if isinstance(part, Run) else re.escape(part.text) for part in squeezed)
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _squeezed_part(part: Part) -> Part:
    return part if isinstance(part, Run) else Literal(part.text.translate(_SQUEEZE), part.in_value)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _run_pattern(run: Run) -> str:
    return f"({_CLASSES[run.chars]}{{{run.least},{run.most}}})"
