"""Whatever a register is told, in whatever order: what was replayed is what was lived, money adds up, and nothing but ours is raised."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.domain import commands as do
from edge_agent.domain.errors import RuleError
from edge_agent.domain.market import GERMANY, SWEDEN, UNITED_STATES
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.tender import Approved, AttemptState, Cancelled, CardResult, Declined, InFlight, NotFound, NotProcessed, Unknown
from edge_agent.service.codec import event_row, read_event, read_state, write_state
from tests.support_register import COAT, GOLD, LEASE, MARIA, OFFERS, OMAR, PRALINES, SOCKS, Memory, cart, grams, pieces

KNOWN = {"COAT": (COAT, OFFERS["COAT"]), "SOCKS": (SOCKS, OFFERS["SOCKS"])}
FINDINGS = st.one_of(
    st.builds(Approved, st.integers(0, 30_000), st.sampled_from(["EUR", "SEK", "USD"]), st.just(CardResult())),
    st.sampled_from([Declined("refused"), Cancelled("customer"), NotProcessed("busy"), InFlight("pin"), NotFound(), Unknown("silence")]),
)
STEPS = st.one_of(
    st.tuples(st.just("article"), st.sampled_from([COAT, SOCKS, PRALINES]), st.integers(1, 5)),
    st.tuples(st.just("cut"), st.integers(0, 3), st.integers(1, 100_000)),
    st.tuples(st.just("cash"), st.one_of(st.none(), st.integers(0, 90_000))),
    st.tuples(st.just("card"), st.one_of(st.none(), st.integers(0, 90_000))),
    st.tuples(st.just("learn"), st.integers(0, 3), FINDINGS, st.booleans()),
    st.tuples(st.just("remove"), st.integers(0, 3)),
    st.tuples(st.sampled_from(["cart", "release", "maria", "omar", "detach", "suspend", "park", "recall", "void", "asked", "back", "close", "review"])),
)


def play(till: Memory, step: tuple) -> None:
    basket = till.state.basket
    line = basket.lines[step[1] % len(basket.lines)].id if basket and basket.lines and step[0] in ("cut", "remove") else "none"
    attempts = [attempt.id for held in till.state.baskets for tender in held.tenders for attempt in tender.attempts] or ["none"]
    aside = [held.id for held in (*till.state.suspended, *till.state.parked)] or ["none"]
    tender = basket.tenders[-1].id if basket and basket.tenders else "none"
    match step:
        case ("article", article, count):
            till.add(article, grams(count * 137) if article is PRALINES else pieces(count))
        case ("cut", which, size):
            till.do(do.DiscountBasket(do.Cut("why", amount_minor=size)) if which == 0 else do.DiscountLine(line, do.Cut("why", percent_milli=size)))
        case ("cash", given):
            till.do(do.PayCash(given))
        case ("card", amount):
            till.card(amount)
        case ("learn", which, finding, settled):
            till.do(do.Learn(attempts[which % len(attempts)], finding, "answer", transport_settled=settled))
        case ("remove", _):
            till.do(do.RemoveLine(line))
        case ("cart",):
            till.do(do.LoadCart(cart(("w1", "COAT", 1, 18900), ("w2", "SOCKS", 3, 1250)), LEASE, KNOWN))
        case ("release",):
            till.do(do.ReleaseCart())
        case ("maria",):
            till.do(do.AttachCustomer(MARIA, "tag", GOLD))
        case ("omar",):
            till.do(do.AttachCustomer(OMAR, "card", OFFERS))
        case ("detach",):
            till.do(do.DetachCustomer(OFFERS))
        case ("suspend",):
            till.do(do.Suspend("x"))
        case ("park",):
            till.do(do.Park("x"))
        case ("recall",):
            till.do(do.Recall(aside[0]))
        case ("void",):
            till.do(do.VoidBasket("why"))
        case ("asked",):
            till.do(do.Asked(attempts[-1]))
        case ("back",):
            till.do(do.StartVoid(tender, till.new_id(), till.new_id()))
        case ("close",):
            till.do(do.CloseShift())
        case ("review",):
            till.do(do.Review(attempts[-1], True, "seen"))


@settings(max_examples=int(os.environ.get("EDGE_EXAMPLES", "200")), deadline=None)
@given(st.sampled_from([GERMANY, SWEDEN, UNITED_STATES]), st.lists(STEPS, max_size=40))
def test_any_sequence_of_commands_keeps_the_books(market, steps):
    till = Memory(market)
    told = "-"
    for step in steps:
        try:
            play(till, step)
        except RuleError as refused:
            told = refused.hint
    assert told, "a refusal without a hint"
    replayed = Register()
    for event in till.events:
        replayed = evolve(replayed, read_event(event_row(event)))
    assert replayed == till.state
    assert read_state(write_state(till.state)).receipts == till.state.receipts
    for number, sale in enumerate(till.sales, 1):
        check_sale(number, sale)
    for held in till.state.baskets:
        moved = {AttemptState.APPROVED, AttemptState.APPROVED_PARTIAL, AttemptState.APPROVED_OFFLINE}
        charged = sum(a.approved_minor for t in held.tenders for a in t.attempts if a.state in moved and a.kind.value == "sale")
        assert charged == sum(t.settled_minor for t in held.tenders if t.attempts), "a charge that is not part of the books"
        assert held.settled_minor <= held.totals(market).total_minor


def check_sale(number, sale):
    totals = sale.totals
    assert sale.number == number
    assert sum(t.settled_minor for t in sale.tenders) == totals.total_minor
    for tender in sale.tenders:
        if tender.given_minor:
            assert tender.given_minor - tender.change_minor == tender.settled_minor + tender.rounding_minor
    assert sum(totals.shares_minor) == totals.lines_minor - sum(totals.basket_discounts_minor)
    assert sum(row.base_minor + row.tax_minor for row in totals.taxes) == totals.total_minor
    assert all(share >= 0 for share in totals.shares_minor)
