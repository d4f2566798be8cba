"""Names of the sample shop's customers, as they write them themselves, and what they say in their languages."""

from __future__ import annotations

import unicodedata

from msgspec import Struct

_LATIN = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "Ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "ae", "Ö": "oe", "Ü": "ue"}
)


class Tongue(Struct, frozen=True):
    """People of one language: ``share`` of a hundred customers, ``home`` the market most of them live in, names as "shown/latin" or "shown"."""

    language: str
    share: int
    home: str
    given: tuple[str, ...]
    family: tuple[str, ...]
    talks: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TONGUES = (
    Tongue("de", 30, "DE",
        _words("Anna Lukas Sophie Jonas Lena Felix Hannah Maximilian Greta Emil Johanna Moritz Käthe Jürgen Björn Heike Uwe Sabine Torsten Anneliese"),
        _words("Müller Schmidt Schäfer Weiß Köhler Lüdenscheidt Groß Vogel Krüger Jansen Brandt Böhm Hoffmann Öztürk-Meyer Seidel Pohl Voß Kühn Ebert Lindner"),
        ("Ist der Mantel in 40 wieder da?", "Ich hole die Änderung am Freitag ab.", "Danke! Den Schal nehme ich auch.",
         "Können Sie mir die Stiefel zurücklegen?")),
    Tongue("en", 26, "US",
        _words("Emma James Olivia Noah Grace Ethan Chloe Mason Ruby Henry Zoe Owen Naomi Caleb Hazel Isaac Maya Desmond Imani Patrick"),
        _words("Johnson Williams Brown O'Brien Miller Davis Wilson Carter Nguyen-Smith Baker Reed McAllister Brooks Bennett Hughes Okafor Coleman Foster "
               "Sullivan Park"),
        ("Is the tote back in black?", "I'll pick up the alteration on Friday.", "Thanks! Please hold the boots for me.",
         "Could you send me a photo of the green one?")),
    Tongue("es", 10, "US",
        _words("Lucía Mateo Valentina Santiago Camila Diego Inés José Pilar Álvaro"),
        _words("Fernández García Muñoz Ibáñez Rodríguez Peña Núñez Castillo Ortega Vargas"),
        ("¿Ha llegado el abrigo en la 38?", "Paso el sábado a recogerlo.", "¿Me guarda las botas, por favor?")),
    Tongue("tr", 8, "DE",
        _words("Ayşe Işıl Çağla Ömer Şule Gökçe Yiğit Ebru İpek Tuğba"),
        _words("Yılmaz Çelik Öztürk Şahin Güneş Kılıç Aydın Doğan Işık Kaya"),
        ("Kabanın 38 bedeni geldi mi?", "Cumartesi günü alırım, teşekkürler.", "Botları benim için ayırır mısınız?")),
    Tongue("ar", 8, "DE",
        _words("عمر/Omar ليلى/Layla يوسف/Yusuf مريم/Maryam خالد/Khalid نور/Nour سامي/Sami هدى/Huda"),
        _words("السعيد/Al-Said حداد/Haddad الخطيب/Al-Khatib منصور/Mansour نجار/Najjar العلي/Al-Ali درويش/Darwish"),
        ("هل وصل المعطف مقاس ٤٠؟", "سأمر يوم السبت، شكراً.", "هل يمكنكم حجز الحذاء لي؟")),
    Tongue("hi", 7, "US",
        _words("प्रिया/Priya आरव/Aarav अनिता/Anita राहुल/Rahul मीरा/Meera विक्रम/Vikram दीपिका/Deepika"),
        _words("शर्मा/Sharma पटेल/Patel गुप्ता/Gupta सिंह/Singh अय्यर/Iyer वर्मा/Verma"),
        ("क्या यह कोट 38 में आ गया है?", "मैं शनिवार को लेने आऊँगी, धन्यवाद।", "क्या आप जूते मेरे लिए रख सकते हैं?")),
    Tongue("fr", 6, "DE",
        _words("Chloé Hugo Zoé Rémi Élodie Loïc Manon Benoît"),
        _words("Lefèvre Dubois Rousseau Noël Beaulieu Garçon Mercier"),
        ("Le manteau est-il de retour en 38 ?", "Je passe samedi, merci.")),
    Tongue("pl", 3, "DE",
        _words("Zofia Łukasz Małgorzata Paweł Agnieszka Michał"),
        _words("Wójcik Kamiński Łącka Zieliński Dąbrowska"),
        ("Czy płaszcz w rozmiarze 38 już jest?", "Odbiorę w sobotę, dziękuję.")),
    Tongue("vi", 2, "US",
        _words("Linh Minh Thảo Đức Hương"),
        _words("Nguyễn Trần Phạm Lê"),
        ("Áo khoác cỡ 38 có lại chưa ạ?",)),
)  # fmt: skip


def shown(name: str) -> str:
    """The name as it is written.

    >>> shown("ليلى/Layla"), shown("Käthe")
    ('ليلى', 'Käthe')
    """
    return name.partition("/")[0]


def latin(name: str) -> str:
    """The name in the letters of an e-mail address.

    >>> latin("ليلى/Layla"), latin("Käthe"), latin("Işıl"), latin("O'Brien")
    ('layla', 'kaethe', 'isil', 'obrien')
    """
    text = (name.partition("/")[2] or name).casefold().translate(_LATIN)
    return "".join(char for char in unicodedata.normalize("NFKD", text) if char.isascii() and char.isalpha())
