"""Commands of the API, carried out by the use cases."""

from __future__ import annotations

from edge_agent import views as v
from edge_agent.api.idempotency import digest_of
from edge_agent.domain import commands as do
from edge_agent.domain.errors import OutOfBounds
from edge_agent.domain.quantity import Quantity
from edge_agent.service.till import Till


async def carry_out(till: Till, command: v.AnyCommand, command_id: str) -> None:
    """Run one command of a client under its id; once it is accepted, what was refused before it is past. Raises EdgeError."""
    refused_before = till.core.desk.refusal
    till.core.said[command_id] = digest_of(v.ENCODER.encode(command))
    try:
        await _run(till, command, command_id)
    finally:
        del till.core.said[command_id]
    till.core.accepted(refused_before)


async def _run(till: Till, command: v.AnyCommand, command_id: str) -> None:
    match command:
        case v.OpenShift(badge=badge, float_minor=float_minor):
            await till.day.open(badge, float_minor, command_id)
        case v.CheckBadge(badge=badge):
            till.day.operator(badge)
        case v.ForgetBadge(badge=badge):
            till.day.forget(badge)
        case v.CloseShift():
            await till.day.close(command_id)
        case v.SignIn(badge=badge):
            await till.day.sign_in(badge, command_id)
        case v.Enter(text=text):
            await till.counter.entered(text, command_id)
        case v.NextQuantity(text=text):
            till.counter.next_quantity(text)
        case v.NextIsCheck(on=on):
            till.counter.next_is_check(on)
        case v.AddArticle(sku=sku, quantity=quantity):
            await till.counter.add(sku, quantity, command_id)
        case v.CheckPrice(sku=sku):
            till.counter.check(sku)
        case v.AddDepartment():
            await till.department(command.department, command.price_minor, command.quantity, command.name, command.code, command_id)
        case _:
            await _on_basket(till, command, command_id)


async def _on_basket(till: Till, command: v.AnyCommand, command_id: str) -> None:
    match command:
        case v.SetQuantity(line=line, quantity=quantity):
            await till.counter.set_quantity(line, Quantity.parse(quantity), command_id)
        case v.RemoveLine(line=line):
            await till.remove(line, command_id)
        case v.DiscountLine(line=line):
            await till.discount(line, _cut(command), command_id)
        case v.DiscountBasket():
            await till.discount(None, _cut(command), command_id)
        case v.RemoveDiscount(discount=discount):
            await till.run(do.RemoveDiscount(discount), command_id)
        case v.VoidBasket(reason=reason):
            await till.void(reason, command_id)
        case v.Suspend(label=label, basket=basket):
            await till.set_aside(do.Suspend(label), command_id, basket)
        case v.Park(label=label, basket=basket):
            await till.set_aside(do.Park(label), command_id, basket)
        case v.Recall(basket=basket):
            await till.recall(basket, command_id)
        case v.AttachCustomer(customer=customer):
            await till.clienteling.chosen(customer, command_id)
        case v.DetachCustomer():
            await till.clienteling.detach(command_id)
        case v.LoadCart(cart=cart):
            await till.clienteling.load(cart, command_id)
        case v.ReleaseCart():
            await till.clienteling.release(command_id)
        case v.Answer(question=question, answer=answer):
            await till.clienteling.answered(question, answer, command_id)
        case _:
            await _on_money(till, command, command_id)


async def _on_money(till: Till, command: v.AnyCommand, command_id: str) -> None:
    match command:
        case v.PayCash(given_minor=given_minor, basket=basket):
            await till.paying.cash(given_minor, command_id, basket)
        case v.PayCard(amount_minor=amount_minor, basket=basket):
            await till.paying.card(amount_minor, command_id, basket)
        case v.CancelPayment():
            await till.paying.cancel(command_id)
        case v.ReturnTender(tender=tender):
            await till.paying.give_back(tender, command_id)
        case v.ReviewPayment(attempt=attempt, money_moved=money_moved, note=note):
            await till.paying.review(attempt, money_moved, note, command_id)
        case v.HandleContradiction(attempt=attempt, note=note):
            await till.paying.handled(attempt, note, command_id)
        case v.Reprint(sale=sale):
            till.printing.again(sale, copy=True)
        case v.PrintReceipt(sale=sale):
            till.printing.again(sale, copy=False)
        case _:
            raise AssertionError(f"no use case for {command}")


def _cut(command: v.DiscountLine | v.DiscountBasket) -> do.Cut:
    if (command.percent_milli is None) == (command.amount_minor is None):
        raise OutOfBounds("A discount is a share or an amount.", hint="Give one of the two.", reason="discount")
    return do.Cut(command.reason, command.percent_milli, command.amount_minor)
