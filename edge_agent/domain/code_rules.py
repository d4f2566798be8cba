"""What the shop has decided about codes: its scale labels, the looks of its own cards and slips, and what its scanners send."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from msgspec import Struct

from edge_agent.domain.code_overlap import digit_form, have_common_digits, have_common_text, lies_within
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.money import digits
from edge_agent.domain.template import Template
from edge_agent.domain.weighed import PRICE_DECIMALS_MAX, Measure, WeighedRule


class LoyaltyCode(Struct, frozen=True):
    """A customer's card or pass."""

    number: str


class CartCode(Struct, frozen=True):
    """An online cart that the customer shows."""

    cart: str


class OrderCode(Struct, frozen=True):
    """An order that was placed before."""

    order: str


class ReceiptCode(Struct, frozen=True):
    """A receipt of an earlier sale."""

    receipt: str


class GiftCardCode(Struct, frozen=True):
    """A gift card of the shop."""

    number: str


class CouponCode(Struct, frozen=True):
    """A voucher for a price reduction."""

    number: str


class StaffCode(Struct, frozen=True):
    """An employee's badge: says who, never that it is they."""

    badge: str


OwnCode = LoyaltyCode | CartCode | OrderCode | ReceiptCode | GiftCardCode | CouponCode | StaffCode

KINDS: dict[str, Callable[[str], OwnCode]] = {
    "loyalty": LoyaltyCode,
    "cart": CartCode,
    "order": OrderCode,
    "receipt": ReceiptCode,
    "gift_card": GiftCardCode,
    "coupon": CouponCode,
    "staff": StaffCode,
}
"""The kinds of code a shop makes itself, by the name they have in the configuration."""


class PrefixRule(Struct, frozen=True):
    """Texts of ``template`` are codes of ``kind`` (a key of KINDS). ``first`` lets it claim digits before they are tried as a GTIN."""

    kind: str
    template: Template
    first: bool = False

    @classmethod
    def parse(cls, kind: str, template: str, *, first: bool = False, section: str = "codes.prefixes") -> PrefixRule:
        """Raises ConfigError naming ``section`` for an unknown kind or a template that cannot be read."""
        if kind not in KINDS:
            raise _config_error(section, kind, f"one of {', '.join(KINDS)}", kind)
        return cls(kind, Template.parse(template, section, kind), first)

    @property
    def table(self) -> str:
        """The table of the configuration that it stands in."""
        return "first" if self.first else "prefixes"

    def read(self, text: str, *, keyed: bool = False) -> OwnCode | None:
        """The code that ``text`` is by this rule, or None."""
        value = self.template.match(text, keyed=keyed)
        return None if value is None else KINDS[self.kind](value)


@dataclass(frozen=True, slots=True)
class CodeRules:
    """The shop's decisions about codes. Rules are tried in their order; the order between families is in ``code.py``.

    ``expects_aim``: a barcode that still begins with an AIM identifier (``]E0``), because the driver was not told to take it off, has
    it taken off before it is understood. ``upc_market``: without an identifier, 8 digits that are right both as EAN-8 and as UPC-E are
    UPC-E, and 6 digits are UPC-E. ``separators``: characters that this shop's scanners send in place of GS (they cannot be
    part of GS1 data). ``currency``: the store's, ISO 4217; prices inside codes are in it.
    """

    weighed: tuple[WeighedRule, ...] = ()
    prefixes: tuple[PrefixRule, ...] = ()
    expects_aim: bool = True
    upc_market: bool = False
    separators: str = ""
    currency: str = "EUR"
    text_rules: tuple[PrefixRule, ...] = field(init=False, repr=False, compare=False)
    first_rules: tuple[PrefixRule, ...] = field(init=False, repr=False, compare=False)
    digit_rules: tuple[PrefixRule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        of_digits = [rule for rule in self.prefixes if rule.template.takes_digits]
        object.__setattr__(self, "text_rules", tuple(rule for rule in self.prefixes if rule.template.takes_text))
        object.__setattr__(self, "first_rules", tuple(rule for rule in of_digits if rule.first))
        object.__setattr__(self, "digit_rules", tuple(rule for rule in of_digits if not rule.first))

    @classmethod
    def parse(cls, config: Mapping[str, object], section: str = "codes", *, currency: str = "") -> CodeRules:
        """The rules of a section of the configuration; what it does not mention is as in DEFAULT_RULES. Raises ConfigError.

        ``weighed`` maps weight, price and count to patterns (``weighed.py``); ``prefixes`` maps the keys of KINDS to templates
        (``template.py``), and ``first`` does so for templates that win over a GTIN. A pattern or template, or a list of them; no code
        may fit two (``code_overlap.py``). ``currency`` is the store's; while it is not known yet, prices may have any decimals.

        >>> rules = CodeRules.parse({"prefixes": {"loyalty": ["LC-##########"]}}, currency="USD")
        >>> [rule.template.source for rule in rules.prefixes], rules.weighed == DEFAULT_RULES.weighed
        (['LC-##########'], True)
        """
        known = ("weighed", "prefixes", "first", "expects_aim", "upc_market", "separators")
        for key in config:
            if key not in known:
                raise _config_error(section, str(key), f"one of {', '.join(known)}", str(key))
        prefixes = tuple(
            PrefixRule.parse(kind, template, first=table == "first", section=f"{section}.{table}")
            for table in ("first", "prefixes")
            for kind, template in _table(config, table, section)
        )
        kept = () if "prefixes" in config else DEFAULT_RULES.prefixes
        rules = cls(
            _weighed(config, currency, section),
            prefixes + kept,
            _flag(config, "expects_aim", DEFAULT_RULES.expects_aim, section),
            _flag(config, "upc_market", DEFAULT_RULES.upc_market, section),
            _separators(config, section),
            currency or DEFAULT_RULES.currency,
        )
        _require_distinct(rules, config, section)
        return rules


def _table(config: Mapping[str, object], key: str, section: str) -> list[tuple[str, str]]:
    """The pairs of kind and text of the table ``key``, one for each text."""
    table = config.get(key, {})
    if not isinstance(table, Mapping):
        raise _config_error(section, key, "a table of kinds with their patterns", table)
    pairs: list[tuple[str, str]] = []
    for kind, texts in table.items():
        listed = [texts] if isinstance(texts, str) else texts
        if not isinstance(listed, Sequence) or not all(isinstance(text, str) for text in listed):
            raise _config_error(f"{section}.{key}", str(kind), "a text or a list of texts", texts)
        pairs += [(str(kind), text) for text in listed]
    return pairs


def _weighed(config: Mapping[str, object], currency: str, section: str) -> tuple[WeighedRule, ...]:
    """The patterns of scale labels; a price in one may not be finer than the currency's minor unit."""
    decimals_max = digits(currency) if currency else PRICE_DECIMALS_MAX
    if "weighed" not in config:
        return tuple(rule for rule in DEFAULT_RULES.weighed if rule.kind is not Measure.PRICE or rule.decimals <= decimals_max)
    rules = tuple(WeighedRule.parse(pattern, kind, f"{section}.weighed") for kind, pattern in _table(config, "weighed", section))
    for rule in rules:
        if rule.kind is Measure.PRICE and rule.decimals > decimals_max:
            raise _config_error(f"{section}.weighed", "price", f"at most {decimals_max} decimals, as {currency} has", rule.pattern)
    return rules


def _flag(config: Mapping[str, object], key: str, default: bool, section: str) -> bool:
    value = config.get(key, default)
    if not isinstance(value, bool):
        raise _config_error(section, key, "true or false", value)
    return value


def _separators(config: Mapping[str, object], section: str) -> str:
    value = config.get("separators", DEFAULT_RULES.separators)
    if not isinstance(value, str) or not set(value) <= set("$@[\\]^`{|}~"):
        raise _config_error(section, "separators", "characters of $@[\\]^`{|}~, which GS1 data cannot hold", value)
    return value


def _require_distinct(rules: CodeRules, config: Mapping[str, object], section: str) -> None:
    """Raise ConfigError for a pattern that has codes in common with another one, where the one that is tried first would silently win."""

    def told(rule: PrefixRule | WeighedRule) -> tuple[str, str, str]:
        """Where a pattern stands: section, key and the pattern."""
        if isinstance(rule, WeighedRule):
            return f"{section}.weighed", rule.kind.value, rule.pattern
        return f"{section}.{rule.table}", rule.kind, rule.template.source

    def written(rule: PrefixRule | WeighedRule) -> bool:
        return told(rule)[0].rpartition(".")[2] in config

    for rule, after in _overlapping(rules):
        if written(after) or (written(rule) and isinstance(after, PrefixRule)):  # whoever writes ``first`` may well take the delivered labels' codes
            named, other = (after, rule) if written(after) else (rule, after)
            where, key, source = told(other)
            by_whom = "" if written(other) else " (as delivered)"
            raise _config_error(told(named)[0], told(named)[1], f"codes of its own, none of those of [{where}] {key} = {source!r}{by_whom}", told(named)[2])


def _overlapping(rules: CodeRules) -> Iterator[tuple[PrefixRule | WeighedRule, PrefixRule | WeighedRule]]:
    """Every two patterns of which the first takes codes of the second."""
    yield from ((label, after) for label, after in combinations(rules.weighed, 2) if have_common_digits(label.form, after.form))
    yield from ((own, after) for own, after in combinations(rules.prefixes, 2) if _claims_those_of(own, after))
    for own, label in product(rules.prefixes, rules.weighed):
        form = digit_form(own.template)
        if own.first and lies_within(label.form, form):
            yield own, label
        if not own.first and lies_within(form, label.form):
            yield label, own


def _claims_those_of(own: PrefixRule, after: PrefixRule) -> bool:
    """Whether ``own``, tried first, takes codes of ``after`` that nothing gives it: of digits, ``first`` may take some and leave the rest."""
    form, others = digit_form(own.template), digit_form(after.template)
    same_digits = have_common_digits(form, others) if own.first == after.first else lies_within(others, form)
    return (same_digits and bool(form)) or have_common_text(own.template, after.template)


def _config_error(section: str, key: str, expected: str, got: object) -> ConfigError:
    return ConfigError(
        f"Invalid configuration: [{section}] {key}: expected {expected}, got {got!r}.",
        hint=f"Correct {key} in section [{section}].",
        reason="value",
        section=section,
        key=key,
        expected=expected,
        got=got,
    )


_DEFAULT_TEMPLATES = (
    ("loyalty", "LOY{9:8-12}"),
    ("loyalty", "https://shop.example/l/[LOY{9:8-12}]"),
    ("cart", "CART-{X:4-26}"),
    ("cart", "https://shop.example/cart/[CART-{X:4-26}]"),
    ("order", "ORD-{X:4-20}"),
    ("order", "https://shop.example/order/[ORD-{X:4-20}]"),
    ("receipt", "R-####-##-{9:6-9}"),
    ("receipt", "https://shop.example/r/[R-####-##-{9:6-9}]"),
    ("gift_card", "GC{9:16}"),
    ("coupon", "CPN-{X:4-20}"),
    ("staff", "STAFF-{9:1-8}"),
)

DEFAULT_RULES = CodeRules(
    weighed=(WeighedRule.parse("21.....{NNDDD}", "weight"), WeighedRule.parse("22.....{NNNDD}", "price")),
    prefixes=tuple(PrefixRule.parse(kind, template) for kind, template in _DEFAULT_TEMPLATES),
)
"""What holds where the configuration says nothing, and what the demo's shop prints. The value of each is the whole code as printed."""
