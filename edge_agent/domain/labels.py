"""The words on a receipt, by language: what a market's customers read, whatever language the associate's screen speaks."""

from __future__ import annotations

ENGLISH = {
    "receipt": "Receipt",
    "copy": "COPY",
    "operator": "Served by",
    "subtotal": "Subtotal",
    "total": "Total",
    "tax_included": "includes tax",
    "tax_on_top": "tax",
    "net": "net",
    "cash": "Cash",
    "card": "Card",
    "change": "Change",
    "rounding": "Rounding (cash)",
    "rest_online": "stays in your online cart",
    "rest_online_many": "articles stay in your online cart",
    "customer": "Customer",
    "points": "Points",
    "thanks": "Thank you. Keep this receipt for returns.",
    "member": "member price",
    "instead": "instead of",
    "label_price": "price on the label",
    "pieces": "pcs",
}
GERMAN = {
    "receipt": "Beleg",
    "copy": "KOPIE",
    "operator": "Es bediente Sie",
    "subtotal": "Zwischensumme",
    "total": "Summe",
    "tax_included": "enthaltene MwSt.",
    "tax_on_top": "Steuer",
    "net": "netto",
    "cash": "Bar",
    "card": "Karte",
    "change": "Rückgeld",
    "rounding": "Rundung (bar)",
    "rest_online": "bleibt in Ihrem Online-Warenkorb",
    "rest_online_many": "Artikel bleiben in Ihrem Online-Warenkorb",
    "customer": "Kundin/Kunde",
    "points": "Punkte",
    "thanks": "Vielen Dank. Bitte für Rückgaben aufbewahren.",
    "member": "Mitgliedspreis",
    "instead": "statt",
    "label_price": "Preis vom Etikett",
    "pieces": "Stück",
}
SWEDISH = {
    "receipt": "Kvitto",
    "copy": "KOPIA",
    "operator": "Du betjänades av",
    "subtotal": "Delsumma",
    "total": "Summa",
    "tax_included": "varav moms",
    "tax_on_top": "moms",
    "net": "netto",
    "cash": "Kontant",
    "card": "Kort",
    "change": "Växel",
    "rounding": "Öresavrundning",
    "rest_online": "ligger kvar i din kundvagn på nätet",
    "rest_online_many": "artiklar ligger kvar i din kundvagn på nätet",
    "customer": "Kund",
    "points": "Poäng",
    "thanks": "Tack! Spara kvittot för byten.",
    "member": "medlemspris",
    "instead": "i stället för",
    "label_price": "pris på etiketten",
    "pieces": "st",
}
LABELS = {"en": ENGLISH, "de": GERMAN, "sv": SWEDISH}


def labels(locale: str) -> dict[str, str]:
    """The words for a CLDR locale; English where a language is not written yet."""
    return LABELS.get(locale.split("_")[0], ENGLISH)
