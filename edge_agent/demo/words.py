"""What the demo's panel says, in English and German."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "setting_up": ("Setting up the sample shop ...", "Der Beispielladen wird eingerichtet ..."),
    "title": ("Demo: the customer and the world", "Demo: der Kunde und die Umgebung"),
    "banner": ("This is a demo. F12 plays the customer and the world.", "Das ist eine Demo. F12 spielt den Kunden und die Umgebung."),
    "banner.hint": ("Begin with F12, then A: an article is scanned.", "Zum Anfang F12, dann A: ein Artikel wird gescannt."),
    "leaving": ("Leaving ends the demo. Nothing of it is kept.", "Damit endet die Demo. Nichts davon bleibt."),
    "leaving.kept": (
        "Leaving ends the demo. The next one with this folder goes on here.",
        "Damit endet die Demo. Die nächste mit diesem Ordner macht hier weiter.",
    ),
    # groups
    "customer": ("The customer: {person}", "Der Kunde: {person}"),
    "goods": ("Goods", "Ware"),
    "devices": ("Devices", "Geräte"),
    "payments": ("Card terminal", "Kartenterminal"),
    "network": ("Network and central", "Netz und Zentrale"),
    # acts: what the line says, and what is said when it was done
    "tap": ("holds the tag to the reader", "hält den Anhänger an den Leser"),
    "tap.done": ("{person} held the tag to the reader.", "{person} hat den Anhänger an den Leser gehalten."),
    "pass": ("holds a phone with the pass to the reader", "hält das Handy mit Kundenkarte an den Leser"),
    "pass.done": ("{person} held a phone with the pass to the reader.", "{person} hat das Handy mit Kundenkarte an den Leser gehalten."),
    "card": ("shows the loyalty card", "zeigt die Kundenkarte"),
    "card.done": ("{person}'s loyalty card was scanned.", "Die Kundenkarte von {person} wurde gescannt."),
    "cart": ("shows the online cart's code", "zeigt den Code des Onlinekorbs"),
    "cart.done": ("The code of {person}'s online cart was scanned.", "Der Code des Onlinekorbs von {person} wurde gescannt."),
    "pick": ("scan from the cart: {what}", "aus dem Onlinekorb scannen: {what}"),
    "edit": ("adds something to the cart online", "legt online noch etwas in den Korb"),
    "edit.done": ("{person} put another piece of {what} into the online cart.", "{person} hat noch ein Stück {what} in den Onlinekorb gelegt."),
    "edit.none": ("{person} has no online cart any more.", "{person} hat keinen Onlinekorb mehr."),
    "bank": ("a bank card is held to the reader", "eine Bankkarte wird an den Leser gehalten"),
    "bank.done": ("A bank card was held to the reader.", "Eine Bankkarte wurde an den Leser gehalten."),
    "phone": ("a phone without a pass is held to the reader", "ein Handy ohne Kundenkarte wird vorgehalten"),
    "phone.done": ("A phone without a pass was held to the reader.", "Ein Handy ohne Kundenkarte wurde vorgehalten."),
    "next": ("the next customer: {what}", "nächster Kunde: {what}"),
    "next.done": ("Now {person} stands there.", "Jetzt steht {person} da."),
    "article": ("scan {what}", "{what} scannen"),
    "again": ("scan again: {what}", "noch einmal: {what}"),
    "weight": ("scan a scale's label: {what}", "Waagenetikett: {what}"),
    "batch": ("scan a 2D code with a batch: {what}", "2D-Code mit Charge: {what}"),
    "spoilt": ("scan with a wrong check digit: {what}", "mit falscher Prüfziffer: {what}"),
    "unknown": ("scan an article that nobody knows", "einen unbekannten Artikel scannen"),
    "staff": ("scan a colleague's badge: {what}", "Ausweis aus dem Team scannen: {what}"),
    "scanned": ("Scanned: {what}.", "Gescannt: {what}."),
    "scanner": ("unplug the scanner", "den Scanner abstecken"),
    "scanner.away": ("The scanner is unplugged: C plugs it in.", "Der Scanner ist abgesteckt: C steckt ihn ein."),
    "scanner.back": ("plug the scanner in", "den Scanner einstecken"),
    "reader": ("unplug the NFC reader", "den NFC-Leser abstecken"),
    "reader.back": ("plug the NFC reader in", "den NFC-Leser einstecken"),
    "printer": ("pull the printer's network cable", "das Netzwerkkabel des Druckers ziehen"),
    "printer.back": ("plug the printer's network cable in", "das Netzwerkkabel des Druckers einstecken"),
    "paper": ("take the paper out of the printer", "das Papier aus dem Drucker nehmen"),
    "paper.back": ("put paper into the printer", "Papier in den Drucker legen"),
    "cover": ("open the printer's cover", "den Deckel des Druckers öffnen"),
    "cover.back": ("close the printer's cover", "den Deckel des Druckers schließen"),
    "decline": ("the next card is declined", "die nächste Karte wird abgelehnt"),
    "partial": ("the next card has only {what} left", "die nächste Karte hat nur noch {what}"),
    "slow": ("the next payment takes ten seconds", "die nächste Zahlung dauert zehn Sekunden"),
    "lost": ("the next payment's answer gets lost", "die Antwort auf die nächste Zahlung geht verloren"),
    "red": ("the customer presses the red key", "der Kunde drückt die rote Taste"),
    "red.done": ("The customer pressed the red key.", "Der Kunde hat die rote Taste gedrückt."),
    "red.late": ("The red key did nothing: no payment could be stopped now.", "Die rote Taste blieb ohne Wirkung: gerade läuft keine Zahlung."),
    "dead": ("the terminal stops answering", "das Terminal antwortet nicht mehr"),
    "dead.back": ("the terminal answers again", "das Terminal antwortet wieder"),
    "armed": ("set up", "vorgemerkt"),
    "planned": ("Set up: {what}.", "Vorgemerkt: {what}."),
    "cut": ("cut the network to central", "die Verbindung zur Zentrale trennen"),
    "cut.back": ("put the network to central back", "die Verbindung zur Zentrale wiederherstellen"),
    "drag": ("make the network slow", "das Netz langsam machen"),
    "drag.back": ("make the network fast again", "das Netz wieder schnell machen"),
    "lose": ("lose central's answers", "die Antworten der Zentrale verlieren"),
    "lose.back": ("let central's answers through again", "die Antworten der Zentrale wieder durchlassen"),
    "restart": ("restart central", "die Zentrale neu starten"),
    "restart.done": ("Central was restarted.", "Die Zentrale wurde neu gestartet."),
    "done": ("Done: {what}.", "Erledigt: {what}."),
    "failed": ("That did not work: {what}", "Das ging nicht: {what}"),
}


class Words:
    """The texts of one language (``de``, or else English)."""

    def __init__(self, language: str) -> None:
        self._column = 1 if language.lower().startswith("de") else 0

    def __call__(self, key: str, **shown: str) -> str:
        """The text of ``key`` with its values."""
        return TEXTS[key][self._column].format(**shown)
