"""What the demo's panel says, in English and German."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("The customer and the world", "Die Kundschaft und die Welt"),
    "banner": ("This is a demo. F12 plays the customer and the world.", "Das ist eine Vorführung. F12 spielt die Kundschaft und die Welt."),
    "banner.hint": ("Begin with F12, then A: an article is scanned.", "Zum Anfang F12, dann A: ein Artikel wird gescannt."),
    # groups
    "customer": ("The customer", "Die Kundschaft"),
    "goods": ("Goods", "Waren"),
    "devices": ("Devices", "Geräte"),
    "payments": ("Card terminal", "Kartenterminal"),
    "network": ("Network and central", "Netz und Zentrale"),
    # acts: what the line says, and what is said when it was done
    "tap": ("{person} holds the tag to the reader", "{person} hält den Anhänger an den Leser"),
    "tap.done": ("{person} held the tag to the reader.", "{person} hat den Anhänger an den Leser gehalten."),
    "pass": ("{person} holds a phone with the pass to the reader", "{person} hält das Telefon mit der Kundenkarte an den Leser"),
    "pass.done": ("{person} held a phone with the pass to the reader.", "{person} hat das Telefon mit der Kundenkarte an den Leser gehalten."),
    "card": ("{person} shows the loyalty card", "{person} zeigt die Kundenkarte"),
    "card.done": ("{person}'s loyalty card was scanned.", "Die Kundenkarte von {person} wurde gescannt."),
    "cart": ("{person} shows the online cart's code", "{person} zeigt den Code des Onlinekorbs"),
    "cart.done": ("The code of {person}'s online cart was scanned.", "Der Code des Onlinekorbs von {person} wurde gescannt."),
    "pick": ("scan the next article of {person}'s online cart", "den nächsten Artikel aus dem Onlinekorb von {person} scannen"),
    "edit": ("{person} changes the cart online", "{person} ändert den Onlinekorb"),
    "edit.done": ("{person} put another piece of {what} into the online cart.", "{person} hat noch ein Stück {what} in den Onlinekorb gelegt."),
    "edit.none": ("{person} has no online cart any more.", "{person} hat keinen Onlinekorb mehr."),
    "bank": ("a bank card is held to the NFC reader", "eine Bankkarte wird an den NFC-Leser gehalten"),
    "bank.done": ("A bank card was held to the NFC reader.", "Eine Bankkarte wurde an den NFC-Leser gehalten."),
    "phone": ("a phone without a pass is held to the reader", "ein Telefon ohne Kundenkarte wird an den Leser gehalten"),
    "phone.done": ("A phone without a pass was held to the reader.", "Ein Telefon ohne Kundenkarte wurde an den Leser gehalten."),
    "next": ("the next customer comes", "die nächste Kundin, der nächste Kunde kommt"),
    "next.done": ("Now {person} stands there.", "Jetzt steht {person} da."),
    "article": ("scan an article", "einen Artikel scannen"),
    "again": ("scan the same article again", "denselben Artikel noch einmal scannen"),
    "weight": ("scan a scale's label", "ein Waagenetikett scannen"),
    "batch": ("scan a 2D code with a batch", "einen 2D-Code mit Charge scannen"),
    "spoilt": ("scan a code with a wrong check digit", "einen Code mit falscher Prüfziffer scannen"),
    "unknown": ("scan an article that nobody knows", "einen Artikel scannen, den niemand kennt"),
    "staff": ("scan a colleague's badge", "den Ausweis aus dem Kollegium scannen"),
    "scanned": ("Scanned: {what}.", "Gescannt: {what}."),
    "scanner": ("pull the scanner's plug", "den Stecker des Scanners ziehen"),
    "scanner.back": ("plug the scanner in", "den Scanner einstecken"),
    "reader": ("pull the NFC reader's plug", "den Stecker des NFC-Lesers ziehen"),
    "reader.back": ("plug the NFC reader in", "den NFC-Leser einstecken"),
    "printer": ("pull the printer's network cable", "das Netzkabel des Druckers ziehen"),
    "printer.back": ("plug the printer's network cable in", "das Netzkabel des Druckers einstecken"),
    "paper": ("take the paper out of the printer", "dem Drucker das Papier nehmen"),
    "paper.back": ("put paper into the printer", "dem Drucker Papier geben"),
    "cover": ("open the printer's cover", "den Deckel des Druckers öffnen"),
    "cover.back": ("close the printer's cover", "den Deckel des Druckers schließen"),
    "decline": ("the next card is declined", "die nächste Karte wird abgelehnt"),
    "partial": ("the next card has only 1.00 left", "die nächste Karte hat nur noch 1,00"),
    "slow": ("the next payment takes ten seconds", "die nächste Zahlung dauert zehn Sekunden"),
    "lost": ("the next payment's answer gets lost", "die Antwort auf die nächste Zahlung geht verloren"),
    "red": ("the customer presses the red key", "am Terminal wird die rote Taste gedrückt"),
    "red.done": ("The customer pressed the red key.", "Am Terminal wurde die rote Taste gedrückt."),
    "red.late": ("The red key stopped nothing.", "Die rote Taste hat nichts angehalten."),
    "dead": ("the terminal says nothing any more", "das Terminal sagt nichts mehr"),
    "dead.back": ("the terminal answers again", "das Terminal antwortet wieder"),
    "planned": ("Agreed: {what}.", "Abgemacht: {what}."),
    "cut": ("cut the network to central", "das Netz zur Zentrale kappen"),
    "cut.back": ("put the network to central back", "das Netz zur Zentrale flicken"),
    "drag": ("make the network slow", "das Netz langsam machen"),
    "drag.back": ("make the network fast again", "das Netz wieder schnell machen"),
    "lose": ("lose central's answers", "die Antworten der Zentrale verlieren"),
    "lose.back": ("let central's answers through again", "die Antworten der Zentrale wieder durchlassen"),
    "restart": ("restart central", "die Zentrale neu starten"),
    "restart.done": ("Central was restarted.", "Die Zentrale wurde neu gestartet."),
    "done": ("Done: {what}.", "Getan: {what}."),
    "failed": ("That did not work: {what}", "Das ging nicht: {what}"),
}


class Words:
    """The texts of one language (``de``, or else English)."""

    def __init__(self, language: str) -> None:
        self._column = 1 if language.lower().startswith("de") else 0

    def __call__(self, key: str, **shown: str) -> str:
        """The text of ``key`` with its values."""
        return TEXTS[key][self._column].format(**shown)
