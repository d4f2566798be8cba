"""A corpus of symbols: how to draw each, what a scanner sends for it, and what the shop must understand by it.

``draw`` and ``read`` need zint (a program) and zxing-cpp; the corpus itself needs neither, so that any test may send ``payload`` (and
``aim`` before it, where its scanner is set up so) down its own wire and compare what arrives with ``code``.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from edge_agent.domain.code import (
    CartCode,
    Code,
    CouponCode,
    GiftCardCode,
    GtinCode,
    LoyaltyCode,
    OrderCode,
    ReceiptCode,
    StaffCode,
    Unrecognised,
    WeighedCode,
)

READ_AT_MS = 1_790_000_000_000  # September 2026
DRAW_SECONDS_MAX = 20.0


@dataclass(frozen=True)
class Symbol:
    """``kind`` is zint's name of the symbology, ``data`` what zint is given (without check digit where zint adds it)."""

    name: str
    kind: str
    data: str
    aim: str
    payload: bytes
    code: Code
    gs1: bool = False


ARTICLE = GtinCode("04006381333931", "4006381333931")

CORPUS: tuple[Symbol, ...] = (
    Symbol("ean-13", "EANX", "400638133393", "]E0", b"4006381333931", ARTICLE),
    Symbol("ean-13-book", "EANX", "978030640615", "]E0", b"9780306406157", GtinCode("09780306406157", "9780306406157")),
    Symbol("ean-13-that-begins-like-an-identifier", "EANX", "703206980498", "]E0", b"7032069804988", GtinCode("07032069804988", "7032069804988")),
    Symbol("ean-8", "EANX", "9638507", "]E4", b"96385074", GtinCode("00000096385074", "96385074")),
    Symbol("ean-8-that-is-a-upc-e-too", "EANX", "0123456", "]E4", b"01234565", GtinCode("00000001234565", "01234565")),
    Symbol("upc-a", "UPCA", "01234567890", "]E0", b"0012345678905", GtinCode("00012345678905", "012345678905")),
    Symbol("upc-e", "UPCE", "0425261", "]E0", b"0042100005264", GtinCode("00042100005264", "042100005264")),
    Symbol("ean-13-with-add-on", "EANX", "977123456700+12", "]E0", b"9771234567003", GtinCode("09771234567003", "9771234567003")),
    Symbol("itf-14", "ITF14", "1400638133393", "]I1", b"14006381333938", GtinCode("14006381333938", "14006381333938")),
    Symbol("ean-13-as-code-128", "CODE128", "4006381333931", "]C0", b"4006381333931", ARTICLE),
    Symbol("ean-13-as-qr", "QRCODE", "4006381333931", "]Q1", b"4006381333931", ARTICLE),
    Symbol("scale-label-weight", "EANX", "211234500412", "]E0", b"2112345004129", WeighedCode("12345", 412, None, None, "21.....{NNDDD}")),
    Symbol("scale-label-price", "EANX", "221234501995", "]E0", b"2212345019953", WeighedCode("12345", None, 1995, None, "22.....{NNNDD}")),
    Symbol(
        "gs1-128-batch-and-serial",
        "GS1_128",
        "[01]04006381333931[10]ABC123[21]A1",
        "]C1",
        b"010400638133393110ABC123\x1d21A1",
        GtinCode("04006381333931", "4006381333931", batch="ABC123", serial="A1"),
    ),
    Symbol(
        "gs1-128-with-the-lot-first",
        "GS1_128",
        "[10]7A[01]04006381333931[17]270228",
        "]C1",
        b"107A\x1d010400638133393117270228",
        GtinCode("04006381333931", "4006381333931", batch="7A", expiry="2027-02-28"),
    ),
    Symbol(
        "gs1-datamatrix-end-of-month",
        "DATAMATRIX",
        "[01]04006381333931[17]280200[10]LOT/7[21]0001",
        "]d2",
        b"01040063813339311728020010LOT/7\x1d210001",
        GtinCode("04006381333931", "4006381333931", batch="LOT/7", expiry="2028-02-29", serial="0001"),
        gs1=True,
    ),
    Symbol(
        "gs1-qr",
        "QRCODE",
        "[01]04006381333931[17]261231",
        "]Q3",
        b"010400638133393117261231",
        GtinCode("04006381333931", "4006381333931", expiry="2026-12-31"),
        gs1=True,
    ),
    Symbol("databar", "DBAR_OMN", "0400638133393", "]e0", b"0104006381333931", ARTICLE),
    Symbol(
        "databar-expanded-weight",
        "DBAR_EXP",
        "[01]90012345678908[3103]001750",
        "]e0",
        b"01900123456789083103001750",
        GtinCode("90012345678908", "90012345678908", grams=1750),
    ),
    Symbol(
        "databar-stacked-weight-and-price",
        "DBAR_EXPSTK",
        "[01]90012345678908[3103]000412[3922]1644",
        "]e0",
        b"019001234567890831030004123922" + b"1644",
        GtinCode("90012345678908", "90012345678908", grams=412, price_minor=1644),
    ),
    Symbol("carton", "GS1_128", "[00]340123450000000000", "]C1", b"00340123450000000000", Unrecognised("(00)340123450000000000")),
    Symbol(
        "digital-link",
        "QRCODE",
        "https://brand.example/01/04006381333931/10/ABC%2F1?17=261231",
        "]Q1",
        b"https://brand.example/01/04006381333931/10/ABC%2F1?17=261231",
        GtinCode("04006381333931", "4006381333931", batch="ABC/1", expiry="2026-12-31"),
    ),
    Symbol(
        "digital-link-in-capitals",
        "QRCODE",
        "HTTPS://BRAND.EXAMPLE/P/01/04006381333931",
        "]Q1",
        b"HTTPS://BRAND.EXAMPLE/P/01/04006381333931",
        ARTICLE,
    ),
    Symbol("loyalty-card", "CODE128", "LOY12345678", "]C0", b"LOY12345678", LoyaltyCode("LOY12345678")),
    Symbol("loyalty-link", "QRCODE", "https://shop.example/l/LOY12345678", "]Q1", b"https://shop.example/l/LOY12345678", LoyaltyCode("LOY12345678")),
    Symbol("cart", "AZTEC", "CART-7K3M9P2Q", "]z0", b"CART-7K3M9P2Q", CartCode("CART-7K3M9P2Q")),
    Symbol("cart-link", "QRCODE", "https://shop.example/cart/CART-7K3M9P2Q", "]Q1", b"https://shop.example/cart/CART-7K3M9P2Q", CartCode("CART-7K3M9P2Q")),
    Symbol("order", "DATAMATRIX", "ORD-20417", "]d1", b"ORD-20417", OrderCode("ORD-20417")),
    Symbol("receipt", "CODE128", "R-0001-02-000123", "]C0", b"R-0001-02-000123", ReceiptCode("R-0001-02-000123")),
    Symbol("gift-card", "PDF417", "GC4111111111111111", "]L2", b"GC4111111111111111", GiftCardCode("GC4111111111111111")),
    Symbol("coupon", "CODE128", "CPN-WINTER20", "]C0", b"CPN-WINTER20", CouponCode("CPN-WINTER20")),
    Symbol("staff-badge", "CODE39", "STAFF-0042", "]A0", b"STAFF-0042", StaffCode("STAFF-0042")),
    Symbol("somebody-elses-code", "CODE93", "PARCEL 77/A", "]G0", b"PARCEL 77/A", Unrecognised("PARCEL 77/A")),
)


def draw(symbol: Symbol, folder: Path) -> Path:
    """Let zint draw ``symbol`` as a PNG in ``folder``; raises with zint's own words when it cannot."""
    target = folder / f"{symbol.name}.png"
    gs1 = ["--gs1"] if symbol.gs1 else []
    command = ["zint", f"--barcode={symbol.kind}", *gs1, "--scale=2", "--quietzones", "-o", str(target), "-d", symbol.data]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DRAW_SECONDS_MAX, check=False)
    assert done.returncode == 0, f"{symbol.name}: {done.stderr}"
    return target


def read(picture: Path) -> tuple[str, bytes]:
    """The AIM identifier and the bytes that zxing-cpp reads in ``picture``: what a scanner would send."""
    import zxingcpp
    from PIL import Image

    with Image.open(picture) as image:
        found = zxingcpp.read_barcodes(image.convert("L"))
    assert len(found) == 1, f"{picture.name}: {len(found)} symbols found"
    return found[0].symbology_identifier, found[0].bytes
