"""Two patterns of a shop for which one code could stand: refused as the configuration is read, so that none silently wins by its place in the file."""

from __future__ import annotations

from collections import Counter
from itertools import product
from random import Random

import pytest

from edge_agent.domain.code import CodeRules, LoyaltyCode, OrderCode, PrefixRule
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.reading import Reading, Source
from edge_agent.domain.template import ALPHABETS
from tests.support_codes import outcome
from tests.support_symbols import READ_AT_MS

SEEDS = range(8)
PAIRS_EACH = 500
TEXTS_EACH = 12

Part = str | tuple[str, int, int]
"""A literal, or the class, the least length and what may come on top of it."""
LITERALS = ("LOY", "L", "ORD-", "ord ", "O-R-D-", "C", "CARD", "12", "1-2", "-", " ", "A1", "0", ".", "https://s.example/", "\u00e4")
CLASSES = "9AXBW"


def template(random: Random) -> list[Part]:
    parts: list[Part] = []
    for _ in range(random.randint(1, 4)):
        run = random.choice(CLASSES), random.randint(1, 6), random.choice((0, 0, 0, 1, 2))
        parts.append(random.choice((random.choice(LITERALS), run)))
    return parts


def likeness(parts: list[Part], random: Random) -> list[Part]:
    """A template that may well have texts of another one: its literals with other separators or as runs, its runs of another class."""
    like: list[Part] = []
    for part in parts:
        if not isinstance(part, str):
            like.append((random.choice((part[0], *CLASSES)), *part[1:]))
        elif random.random() < 0.5:
            like.append((random.choice("AXW"), len(part.replace("-", "")) or 1, 0))
        else:
            like.append(random.choice((part, part.replace("-", ""), f"{part}-", f"-{part}", part.lower())) or "-")
    return like


def written(parts: list[Part]) -> str:
    def one(part: Part) -> str:
        if isinstance(part, str):
            return part
        chars, least, more = part
        return f"{{{chars}:{least}-{least + more}}}" if more else f"{{{chars}:{least}}}"

    return "".join(map(one, parts))


def a_text(parts: list[Part], random: Random) -> str:
    """A text that fits the template, perhaps as somebody types it: in the other case, without its separators, with others."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
        else:
            chars, least, more = part
            text += "".join(random.choices(sorted(ALPHABETS[chars]), k=random.randint(least, least + more)))
    text = random.choice((text, text, text.lower(), text.upper()))
    if random.random() < 0.5:
        text = text.replace("-", "").replace(" ", "")
    for _ in range(random.choice((0, 0, 1, 2))):
        at = random.randint(0, len(text))
        text = f"{text[:at]}{random.choice('- ')}{text[at:]}"
    return text


def own(kind: str, template: str) -> CodeRules:
    return CodeRules(prefixes=(PrefixRule.parse(kind, template),))


def accepted(one: str, other: str) -> bool:
    try:
        CodeRules.parse({"prefixes": {"loyalty": one, "order": other}})
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{X:8}", "ORD-{X:5}"),  # typed without its hyphen, ORD12345
        ("ORD-{X:5}", "{X:8}"),
        ("{A:3}{9:5}", "ORD-{9:5}"),
        ("{W:9}", "ORD{X:5}"),  # typed with a hyphen, ORD-12345
        ("O.RD-{9:5}", "{W:1}.{W:2}{9:5}"),
        ("{W:6}", "{9:5}"),  # digits with a hyphen between them
        ("##-###", "{9:5}"),
        ("#-{9:12}", "{9:12}"),  # a UPC-A with the zero that it may be sent with
        ("ORD {9:5}", "O-RD {9:5}"),
    ],
)
def test_what_is_typed_without_or_with_separators_belongs_to_one_pattern_alone(one: str, other: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CodeRules.parse({"prefixes": {"loyalty": one, "order": other}})
    assert caught.value.message == (
        f"Invalid configuration: [codes.prefixes] order: expected codes of its own, none of those of [codes.prefixes] loyalty = {one!r}, got {other!r}."
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{X:8}", "ORD-{X:6}"),
        ("{X:8}", "{9:9}"),
        ("{A:3}{9:5}", "ORD-{A:5}"),
        ("{W:9}", "ORD{X:9}"),
        ("##-###", "{9:6}"),
        ("K{9:3}", "\u212a{9:3}"),  # the sign of a kelvin is no letter that somebody types for a K
    ],
)
def test_what_no_text_can_be_typed_for_is_no_overlap(one: str, other: str) -> None:
    assert accepted(one, other)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_two_patterns_that_are_accepted_no_text_could_be_either(seed: int) -> None:
    random = Random(seed)
    for _ in range(PAIRS_EACH):
        one = template(random)
        other = random.choice((template(random), likeness(one, random)))
        if not accepted(written(one), written(other)):
            continue
        loyalty, order = own("loyalty", written(one)), own("order", written(other))
        texts = {a_text(parts, random) for parts in (one, other) for _ in range(TEXTS_EACH)}
        for text, source in product(filter(str.strip, sorted(texts)), (Source.KEYED, Source.BARCODE)):
            reading = Reading(text.encode(), "here", READ_AT_MS, source)
            found = outcome(reading, loyalty), outcome(reading, order)
            assert not (isinstance(found[0], LoyaltyCode) and isinstance(found[1], OrderCode)), (written(one), written(other), text, source)


def test_of_random_patterns_enough_are_accepted_and_enough_refused() -> None:
    random, taken = Random(0), Counter[bool]()
    for _ in range(PAIRS_EACH):
        one = template(random)
        taken[accepted(written(one), written(likeness(one, random)))] += 1
    assert min(taken.values()) > PAIRS_EACH // 10
