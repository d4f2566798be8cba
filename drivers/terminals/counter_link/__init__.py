"""Counter Link: a small, open terminal protocol of JSON lines over TCP, which our simulated terminal speaks.

It asks of a terminal what the real protocols ask (a client's own reference, a status by it, an abort on a second connection) and is as
unforgiving: an answer can get lost, and then only the terminal's own books tell.

A line is one JSON object in UTF-8, ended by a line feed, of at most 65,536 bytes. Members that a reader does not know are ignored; members
it knows have exactly the type below. Amounts are whole minor units; currencies ISO 4217. A ``ref`` is 10 characters of Crockford's
base32, made by the client, used once. Each connection carries one greeting and one request::

    client    {"counterLink": 1, "do": "hello"}
    terminal  {"say": "hello", "counterLink": 1, "terminal": "SIM-0001", "busy": false}

    client    {"do": "payment", "ref": "7K3M9QX2AB", "amountMinor": 1250, "currency": "EUR"}
    terminal  {"say": "step", "ref": "7K3M9QX2AB", "step": "present_card"}            present_card, enter_pin, contacting_bank, remove_card
    terminal  {"say": "result", "ref": "7K3M9QX2AB", "outcome": "approved", "amountMinor": 1250, "currency": "EUR", "offline": false, "card": {...}}

    client    {"do": "void", "ref": "0D4Y6N1T8C", "original": "7K3M9QX2AB", "amountMinor": 1250, "currency": "EUR"}
    terminal  steps and a result, as for a payment; the amount is the one given back, always the whole of it

    client    {"do": "status", "ref": "7K3M9QX2AB"}
    terminal  {"say": "status", "ref": "7K3M9QX2AB", "state": "done", ... the members of its result}
              {"say": "status", "ref": "7K3M9QX2AB", "state": "in_flight", "step": "enter_pin"}
              {"say": "status", "ref": "7K3M9QX2AB", "state": "not_found"}

    client    {"do": "abort", "ref": "7K3M9QX2AB"}                                    on a second connection while the first is open
    terminal  {"say": "abort", "ref": "7K3M9QX2AB", "accepted": true}                 the result still comes on the first, and may be "approved"

    client    {"do": "totals"}
    terminal  {"say": "totals", "totals": [{"currency": "EUR", "payments": 12, "paymentsMinor": 45600, "voids": 1, "voidsMinor": 1250}]}

Outcomes: ``approved`` (``amountMinor`` may be less than asked: partial); ``declined`` with a ``reason``; ``cancelled`` with ``by`` (customer,
associate, timeout); ``refused`` with a ``reason``: never taken up (busy, malformed, unsupported, currency, amount, original_unknown), except
``ref_known``: the reference was used before, a status tells for what. ``card`` may have ``providerRef``, ``approval``, ``brand``,
``lastFour``, ``entryMode``, ``verification``, ``merchantAccount`` and ``receiptLines``; whatever else a terminal puts there is not read. A
``providerRef`` has a letter in it, so that nobody takes it for a card's number.

What a terminal promises, and the driver counts on:

* The result is in its books before it is said, and stays there, for a status, at least 48 hours and over a restart.
* It goes on with what it has taken up when the connection ends.
* It takes a request up within TAKE_UP_SECONDS_MAX of its arrival or never. The driver lets nothing it wrote be sent again later than
  UNSENT_SECONDS_MAX after it gave up, even when its process dies. The sum is how long a ``not_found`` may not be believed.
* While it works it says a step at least every STEP_SECONDS_MAX, the same one again if need be: silence is a loss.
"""

from drivers.terminals.counter_link.terminal import CounterLinkTerminal, build

__all__ = ["CounterLinkTerminal", "build"]
