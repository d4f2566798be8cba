"""Which of the shop's patterns claim the same codes, so that whichever is tried first would silently win.

Patterns that are tried one after another by nothing but their order in the file may have no code in common: scale labels among themselves, and
templates among themselves. Where ``code.py`` has an order of its own (``first``, scale labels, other templates of digits), the earlier must leave
something for the later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from msgspec import Struct

from edge_agent.domain.template import ALPHABETS, SEPARATORS, Literal, Part, Template

ANY_DIGIT = "."
"""Stands in a form of digits for a place where any digit fits."""
_EAN_DIGITS = 13
_DIGITS = ALPHABETS["9"]


def have_common_digits(one: str, other: str) -> bool:
    """Whether a number fits both forms of digits.

    >>> have_common_digits("21...........", "2.1.........."), have_common_digits("21...........", "22...........")
    (True, False)
    """
    return len(one) == len(other) and all(a == b or ANY_DIGIT in (a, b) for a, b in zip(one, other, strict=True))


def lies_within(part: str, whole: str) -> bool:
    """Whether every number that fits ``part`` fits ``whole`` as well.

    >>> lies_within("2134.........", "21..........."), lies_within(".............", "21...........")
    (True, False)
    """
    return len(part) == len(whole) and all(b in (a, ANY_DIGIT) for a, b in zip(part, whole, strict=True))


def digit_form(template: Template) -> str:
    """The numbers that ``template`` takes, as 13 digits where it has 12 (a UPC-A may be sent with a zero in front); empty when it takes none.

    >>> digit_form(Template.parse("4###########")), digit_form(Template.parse("LOY{9:8}"))
    ('04...........', '')
    """
    form = _digits_written(template)
    return form.zfill(_EAN_DIGITS) if len(form) == _EAN_DIGITS - 1 else form


def _digits_written(template: Template) -> str:
    """The numbers that ``template`` writes, with as many digits as it has; empty when it takes none."""
    if not template.takes_digits:
        return ""
    return "".join(part.text if isinstance(part, Literal) else ANY_DIGIT * part.most for part in template.parts)


def have_common_text(one: Template, other: Template) -> bool:
    """Whether a text that is not of digits alone could be a code of both templates, scanned or as somebody may type it.

    >>> have_common_text(Template.parse("LOY{9:8-12}"), Template.parse("L{X:10}")), have_common_text(Template.parse("LOY{9:8}"), Template.parse("LOY{9:9}"))
    (True, False)
    >>> have_common_text(Template.parse("ORD-{X:5}"), Template.parse("{X:8}"))  # typed without its hyphen
    True
    >>> have_common_text(Template.parse("{9:5}"), Template.parse("{W:6}"))  # typed with one: 12-345
    True
    """
    if one.is_link and other.is_link:
        return _meet(_exact(one), _exact(other))
    exact, others = _exact(one, typed=True), _exact(other, typed=True)
    squeezed, others_squeezed = list(_squeezed(one)), list(_squeezed(other))
    return (
        _meet(exact, others)
        or any(_meet(exact, way, squeezing=True) for way in others_squeezed)
        or any(_meet(others, way, squeezing=True) for way in squeezed)
        or any(_meet(way, another) for way, another in product(squeezed, others_squeezed))
    )


class _Way(Struct, frozen=True):
    """A template place by place: the characters that fit (None: any) and whether it may be left out. It may end before any of ``ends``;
    before the place ``endless``, whatever follows fits."""

    places: tuple[tuple[frozenset[str] | None, bool], ...]
    ends: frozenset[int]
    endless: int = -1


def _exact(template: Template, *, typed: bool = False) -> _Way:
    """The texts that ``template`` writes."""
    return _way(template.parts, link=template.is_link, typed=typed)


def _squeezed(template: Template) -> Iterable[_Way]:
    """What is left of the texts that somebody may type with spaces and hyphens anywhere, once those are taken out."""
    if template.squeezed_parts is not None:
        yield _way(template.squeezed_parts, typed=True)
    for form in {_digits_written(template), digit_form(template)} - {""}:
        yield _Way(tuple((_DIGITS if place == ANY_DIGIT else frozenset(place), False) for place in form), frozenset({len(form)}))


def _way(parts: Iterable[Part], *, link: bool = False, typed: bool = False) -> _Way:
    """``typed``: in either case, which only the letters from a to z have."""
    places: list[tuple[frozenset[str] | None, bool]] = []
    for part in parts:
        if isinstance(part, Literal):
            places += [(frozenset({_small(character) if typed else character}), False) for character in part.text]
        else:
            fitting = frozenset(map(_small, ALPHABETS[part.chars])) if typed else ALPHABETS[part.chars]
            places += [(fitting, at >= part.least) for at in range(part.most)]
    if not link:
        return _Way(tuple(places), frozenset({len(places)}))
    tail = [(frozenset("/"), True), (frozenset("?#"), False)]  # a closing slash, a query or fragment: ``Template`` ignores them
    return _Way((*places, *tail), frozenset({len(places) + 1, len(places) + 2}), endless=len(places) + 2)


def _small(character: str) -> str:
    return character.lower() if character.isascii() else character


def _meet(one: _Way, other: _Way, *, squeezing: bool = False) -> bool:
    """Whether a text that is not of digits alone goes both ways; ``squeezing``: ``other`` does not see its spaces and hyphens."""
    begun = (0, 0, False)
    seen, ahead = {begun}, [begun]
    while ahead:
        at, there, text = state = ahead.pop()
        if at in one.ends and there in other.ends and text:
            return True
        found = {*_left_out(one, other, state), *_taken(one, other, state)}
        if squeezing:
            found.update(_squeezed_out(one, state))
        found -= seen
        seen |= found
        ahead += found
    return False


def _squeezed_out(one: _Way, state: tuple[int, int, bool]) -> Iterable[tuple[int, int, bool]]:
    """The state after one more space or hyphen."""
    at, there, _ = state
    for fitting, after in _next(one, at):
        if fitting is None or fitting & SEPARATORS:
            yield after, there, True


def _left_out(one: _Way, other: _Way, state: tuple[int, int, bool]) -> Iterable[tuple[int, int, bool]]:
    at, there, text = state
    if at < len(one.places) and one.places[at][1]:
        yield at + 1, there, text
    if there < len(other.places) and other.places[there][1]:
        yield at, there + 1, text


def _taken(one: _Way, other: _Way, state: tuple[int, int, bool]) -> Iterable[tuple[int, int, bool]]:
    """The state after one more character that fits both."""
    at, there, text = state
    for fitting, after in _next(one, at):
        for others, then in _next(other, there):
            common = fitting if others is None else others if fitting is None else fitting & others
            if common is None or common:
                yield after, then, text or common is None or not common <= _DIGITS


def _next(way: _Way, at: int) -> Sequence[tuple[frozenset[str] | None, int]]:
    if at == way.endless:
        return [(None, at)]
    return [(way.places[at][0], at + 1)] if at < len(way.places) else []
