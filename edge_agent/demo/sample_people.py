"""The sample shop's 500 customers and its staff: who they are, how they are recognised, and what is worth knowing at the counter."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.demo.dice import Dice
from edge_agent.demo.sample_articles import DAY_MS, Row, SampleArticle, sold_in
from edge_agent.demo.sample_names import TONGUES, Tongue, latin, shown
from edge_agent.domain.shift import RIGHT_DEPARTMENT, RIGHT_DISCOUNT, RIGHT_VOID, RIGHTS_ALL

CUSTOMERS = 500
_TIERS = ("",) * 9 + ("silver",) * 7 + ("gold",) * 4

# Numbers that are given to nobody: five local ranges of the Bundesnetzagentur's notice 148/2021, North America's 555-0100 to 555-0199, Ofcom's 07700 900.
_PHONES_DE = tuple((prefix, 1_000) for prefix in ("+493023125", "+496990009", "+494066969", "+492214710", "+498999998"))
_PHONES_US = tuple((f"+1{area}55501", 100) for area in (212, 347, 415, 512, 617, 646, 718, 917))
_PHONES_GB = (("+447700900", 1_000),)

_NOTES = (
    "Prefers to be shown three pieces at most.",
    "Allergic to lanolin; no wool next to the skin.",
    "Takes trousers in short.",
    "Is looking for a wedding outfit for May.",
    "Always asks for a gift receipt.",
    "Bought the winter coat for her mother as well.",
    "Wants to be called by the first name.",
    "Comes with a dog; offer water.",
    "Does not want to be photographed.",
    "Prefers dark chocolate to milk.",
    "Alterations: sleeves 2 cm shorter.",
    "Likes natural fragrances, no musk.",
)
_PAIRS = (
    ("coat-wool", "scarf-wool"), ("dress-wrap", "boots-ankle"), ("suit-jacket", "tie"), ("jeans-m-str", "belt"), ("blouse-silk", "skirt-pencil"),
    ("boots-chelsea", "socks-merino"), ("sweater-cash", "scarf-silk"), ("derby", "belt"), ("tea-tin", "cookie"), ("serum-c", "cream-day"),
    ("lip-mat", "lip-liner"), ("coffee", "mug"), ("pasta", "pesto"), ("bag-tote", "wallet"),
)  # fmt: skip


def customer_rows(articles: list[SampleArticle], dice: Dice, at_ms: int) -> list[Row]:
    """Rows of the customers feed; ``at_ms`` is the day that visits and talks are reckoned from. The first is Maria Fernandez."""
    identifiers = _Identifiers(dice)
    shares = [tongue for tongue in TONGUES for _ in range(tongue.share)]
    others = [_customer(number, dice.pick(shares), articles, identifiers, dice, at_ms) for number in range(1, CUSTOMERS)]
    return [_maria(articles, identifiers, at_ms), *others]


def home_of(customer: Row) -> str:
    """The market (country) that a row of the customers feed is at home in."""
    language = customer["language"]
    return next(tongue.home for tongue in TONGUES if tongue.language == language)


def staff_rows() -> list[Row]:
    """Rows of the staff feed: in each store a manager who may do everything, people who sell, and somebody who is learning to."""
    selling = (RIGHT_DEPARTMENT, RIGHT_DISCOUNT, RIGHT_VOID)
    everything = tuple(sorted(RIGHTS_ALL))
    people = (
        ("1001", "Ayse Korkmaz", everything), ("1002", "Jonas Brandt", selling), ("1003", "Mira Vogel", selling), ("1004", "Jo Winter", (RIGHT_DEPARTMENT,)),
        ("1005", "Samira Haddad", (RIGHT_DEPARTMENT, RIGHT_DISCOUNT)),
        ("2001", "Denise Carter", everything), ("2002", "Luis Ortega", selling), ("2003", "Priya Iyer", selling), ("2004", "Sam Lee", ()),
    )  # fmt: skip
    return [{"id": f"S{badge}", "name": name, "badge": badge, "rights": list(rights)} for badge, name, rights in people]


class _Identifiers:
    """Numbers that nobody else has."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._given: set[str] = set()

    def loyalty(self) -> Row:
        return {"kind": "loyalty", "value": self._once(lambda: f"LOY{self._dice.below(10**10):010}")}

    def tag(self) -> Row:
        """Seven bytes, the first of which names a maker of chips: a fixed number, unlike a phone's."""
        return {"kind": "tag_uid", "value": self._once(lambda: f"04{self._dice.below(16**12):012X}")}

    def phone(self, country: str) -> Row:
        ranges = _PHONES_US if country == "US" else _PHONES_GB if self._dice.chance(6) else _PHONES_DE

        def number() -> str:
            prefix, count = self._dice.pick(ranges)
            return f"{prefix}{self._dice.below(count):0{len(str(count - 1))}}"

        return {"kind": "phone", "value": self._once(number)}

    def email(self, given: str, family: str) -> Row:
        domain = self._dice.pick(("example.com", "example.org", "example.net"))
        plain = f"{latin(given)}.{latin(family)}"
        number = 1
        while (address := f"{plain}{number if number > 1 else ''}@{domain}") in self._given:
            number += 1
        self._given.add(address)
        return {"kind": "email", "value": address}

    def _once(self, make: Callable[[], str]) -> str:
        while (value := make()) in self._given:
            pass
        self._given.add(value)
        return value


def _customer(number: int, tongue: Tongue, articles: list[SampleArticle], identifiers: _Identifiers, dice: Dice, at_ms: int) -> Row:
    given, family = dice.pick(tongue.given), dice.pick(tongue.family)
    tier = dice.pick(_TIERS)
    visits = dice.between(0, 4) + {"": 0, "silver": 5, "gold": 12}[tier] * dice.between(1, 3)
    known = [identifiers.loyalty()] if dice.chance(96) else []
    known += [identifiers.tag()] if dice.chance(40) else []
    known += [identifiers.phone(tongue.home)] if dice.chance(85) else []
    known += [identifiers.email(given, family)] if dice.chance(75) or not known else []
    return {
        "id": f"C{100_001 + number}",
        "name": f"{shown(given)} {shown(family)}",
        "tier": tier,
        "points": visits * dice.between(20, 260),
        "visits": visits,
        "lastVisitMs": at_ms - dice.between(1, 400) * DAY_MS - dice.below(DAY_MS // 3) if visits else None,
        "language": tongue.language,
        "identifiers": known,
        "sizes": _sizes(dice),
        "birthday": f"--{dice.between(1, 12):02}-{dice.between(1, 28):02}" if dice.chance(70) else "",
        "notes": dice.some(_NOTES, dice.between(1, 2)) if dice.chance(35) else [],
        "talk": _talk(tongue, dice, at_ms) if dice.chance(25) else None,
        "goesWith": _goes_with(articles, tongue.home, dice) if visits else [],
    }


def _maria(articles: list[SampleArticle], identifiers: _Identifiers, at_ms: int) -> Row:
    known = [identifiers.loyalty(), identifiers.tag(), {"kind": "phone", "value": "+493023125042"}]
    assert any(article.sku == "SCARF-WOOL-NAVY" for article in articles)
    return {
        "id": "C100001", "name": "Maria Fernandez", "tier": "gold", "points": 2310, "visits": 11, "lastVisitMs": at_ms - 50 * DAY_MS, "language": "de",
        "identifiers": known, "sizes": ["38", "shoe 39"], "birthday": "--11-24", "notes": ["Prefers to be shown three pieces at most."],
        "talk": {"channel": "whatsapp", "atMs": at_ms - DAY_MS, "text": "Können Sie mir die Stiefel in 39 zurücklegen?", "promised": True},
        "goesWith": ["Goes with the wool coat: Scarf, lambswool, navy."],
    }  # fmt: skip


def _sizes(dice: Dice) -> list[str]:
    if dice.chance(30):
        return []
    clothes = dice.pick(("34", "36", "38", "40", "42", "S", "M", "L", "XL", "48", "50", "52"))
    return [clothes, f"shoe {dice.between(36, 45)}"] if dice.chance(60) else [clothes]


def _talk(tongue: Tongue, dice: Dice, at_ms: int) -> Row:
    return {
        "channel": dice.pick(("whatsapp", "email", "instagram", "sms")),
        "atMs": at_ms - dice.between(1, 9 * 24) * DAY_MS // 24,
        "text": dice.pick(tongue.talks),
        "promised": dice.chance(40),
    }


def _goes_with(articles: list[SampleArticle], country: str, dice: Dice) -> list[str]:
    said = []
    for bought, other in dice.some(_PAIRS, dice.between(0, 2)):
        first = next((article for article in articles if article.sku.startswith(bought.upper() + "-") and sold_in(article, country)), None)
        second = [article for article in articles if article.sku.startswith(other.upper() + "-") and sold_in(article, country)]
        if first is not None and second:
            said.append(f"Goes with the {first.name[0].lower() + first.name[1:]}: {dice.pick(second).label}.")
    return said
