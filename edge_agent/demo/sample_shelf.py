"""What stands on the sample shop's shelves: beauty, delicatessen by the piece and by weight, and things for the home."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

# code | name | variants | price in EUR | the one country it is sold in, if it is one
_BEAUTY = """
lip-mat | Lipstick, matt | 01 brick, 02 rosewood, 03 berry, 04 nude, 05 classic red, 06 plum, 07 coral, 08 mauve | 24.00
lip-sat | Lipstick, satin | 11 rose, 12 cherry, 13 peach, 14 fig, 15 toffee, 16 ruby | 26.00
lip-gloss | Lip gloss | clear, shell, pink, copper | 19.00
lip-liner | Lip liner | nude, red, berry, brown | 14.00
foundation | Foundation, light cover | 00 porcelain, 10 ivory, 20 beige, 30 honey, 40 amber, 50 caramel, 60 chestnut, 70 mocha, 80 espresso | 39.00
concealer | Concealer | 10 ivory, 20 beige, 30 honey, 40 amber, 50 caramel, 60 chestnut | 27.00
powder | Loose powder | translucent, banana, deep | 34.00
blush | Blush | peach, rose, terracotta, berry | 29.00
bronzer | Bronzer | light, medium, deep | 32.00
mascara | Mascara, volume | black, brown, navy | 28.00
mascara-wp | Mascara, waterproof | black, brown | 29.00
liner | Eyeliner pen | black, brown | 22.00
kajal | Kajal | black, grey, green, blue | 15.00
shadow-4 | Eyeshadow quartet | smoke, earth, sunset, forest | 45.00
brow | Brow pencil | blonde, taupe, brown, black | 19.00
nail | Nail polish | 101 milk, 102 blush, 103 scarlet, 104 wine, 105 navy, 106 forest, 107 taupe, 108 lilac, 109 slate, 110 gold | 12.50
remover | Nail polish remover | 100 ml, 200 ml | 7.90
serum-c | Vitamin C serum | 15 ml, 30 ml | 49.00
serum-h | Hyaluronic serum | 15 ml, 30 ml, 50 ml | 45.00
retinol | Retinol night serum | 0.1 %, 0.3 % | 52.00
cream-day | Day cream | normal skin, dry skin, SPF 30 | 42.00
cream-night | Night cream | 30 ml, 50 ml | 48.00
cream-eye | Eye cream | 15 ml | 38.00
cleanser | Cleansing gel | 100 ml, 200 ml | 24.00
milk | Cleansing milk | 200 ml | 26.00
toner | Toner, rose water | 100 ml, 200 ml | 22.00
mask | Clay mask | 50 ml, 100 ml | 29.00
sheet | Sheet mask | aloe, green tea, honey | 4.50
sun-face | Sun fluid face, SPF 50 | 40 ml, tinted | 27.00
sun-body | Sun milk, SPF 30 | 100 ml, 200 ml | 24.00
body-lotion | Body lotion | almond, fig, unscented | 22.00
body-butter | Body butter | shea, cocoa, mango | 24.00
scrub | Body scrub | sea salt, coffee | 26.00
hand | Hand cream | rose, lavender, lemon, unscented | 12.00
soap | Bar soap | olive, lavender, oat, charcoal | 7.50
shower | Shower gel | citrus, vetiver, neroli | 16.00
bath | Bath oil | rosemary, spruce | 28.00
deo | Deodorant cream | sage, citrus | 14.00
shampoo | Shampoo | fine hair, curly hair, colour care, dry scalp | 21.00
conditioner | Conditioner | fine hair, curly hair, colour care | 21.00
hair-mask | Hair mask | repair, moisture | 28.00
hair-oil | Hair oil, argan | 50 ml, 100 ml | 32.00
edp-fig | Eau de parfum Fig & Cedar | 30 ml, 50 ml, 100 ml | 79.00
edp-iris | Eau de parfum Iris & Musk | 30 ml, 50 ml, 100 ml | 82.00
edp-oud | Eau de parfum Oud & Rose | 30 ml, 50 ml, 100 ml | 95.00
edt-sea | Eau de toilette Salt & Driftwood | 50 ml, 100 ml | 65.00
cologne | Kölnisch Zitrus, Eau de Cologne | 50 ml, 100 ml | 39.00
beard | Beard oil | cedar, unscented | 22.00
shave | Shaving cream | sandalwood, lime | 18.00
brush-set | Brush set | 5 brushes, 8 brushes | 59.00
sponge | Make-up sponge | rose, black | 9.90
salbe | Ringelblumensalbe | 50 ml, 100 ml | 11.90 | DE
moor | Moorbad, Badezusatz | 500 ml | 18.90 | DE
"""

_FOOD = """
choc-70 | Dark chocolate 70 % | 100 g | 4.50
choc-85 | Dark chocolate 85 % | 100 g | 4.90
choc-milk | Milk chocolate | plain, hazelnut, sea salt, almond | 4.50
choc-white | White chocolate | vanilla, raspberry | 4.50
choc-ruby | Ruby chocolate | 100 g | 5.50
praline-box | Praline box | 9 pieces, 16 pieces, 25 pieces | 14.90
truffles | Champagne truffles | 100 g, 200 g | 12.90
nougat | Nougat bar | almond, pistachio | 6.90
caramel | Salted caramels | 150 g | 7.50
honey | Honey | acacia, linden, heather, forest | 8.90
jam | Fruit spread | apricot, strawberry, blackcurrant, sour cherry, fig | 5.90
marmalade | Orange marmalade | fine cut, thick cut | 6.50
oil-olive | Olive oil, extra virgin | 250 ml, 500 ml, 750 ml | 12.90
oil-walnut | Walnut oil | 250 ml | 9.90
vinegar | Balsamic vinegar | 3 years, 8 years, 12 years | 14.90
mustard | Mustard | Dijon, wholegrain, honey, fig | 4.90
salt | Sea salt flakes | plain, smoked, herbs | 5.90
pepper | Pepper | Kampot black, Kampot red, Timut | 8.90
spice | Spice blend | za'atar, ras el hanout, garam masala, baharat, curry | 6.50
pasta | Pasta, bronze-drawn | spaghetti, rigatoni, linguine, orecchiette, paccheri | 3.90
pesto | Pesto | basil, rocket, sun-dried tomato | 6.90
sauce | Tomato sauce | basil, arrabbiata, olive | 4.90
rice | Risotto rice | Carnaroli, Arborio | 5.90
coffee | Coffee, whole bean | house, espresso, decaf, Ethiopia, Colombia, Guatemala | 11.90
coffee-g | Coffee, ground | house, espresso | 11.90
tea-bag | Tea, 20 bags | English breakfast, Earl Grey, sencha, peppermint, rooibos, camomile | 5.90
tea-tin | Tea, gift tin | Darjeeling, Assam, jasmine | 14.90
cookie | Biscuits | butter, oat, ginger, almond, lemon | 4.90
panettone | Panettone | 500 g, 1 kg | 16.90
crackers | Crackers | rosemary, sesame, sea salt | 3.90
nuts | Roasted nuts | almonds, cashews, mixed, macadamia | 6.90
juice | Pressed juice | apple, pear, quince | 4.50
sardines | Sardines in olive oil | plain, lemon, chili | 6.50
tuna | Tuna fillets | in olive oil, natural | 7.90
lebkuchen | Nürnberger Elisenlebkuchen | glasiert, schokoliert, natur | 12.90 | DE
stollen | Dresdner Christstollen | 750 g, 1 kg | 19.90 | DE
marzipan | Lübecker Marzipanbrot | 125 g, 200 g | 6.90 | DE
pumpernickel | Pumpernickel | 250 g | 2.90 | DE
sanddorn | Sanddorn-Fruchtaufstrich | 225 g | 6.50 | DE
schinken | Schwarzwälder Schinken, geschnitten | 100 g | 4.90 | DE
senf | Senf, mittelscharf | 200 ml | 1.90 | DE
gurken | Spreewälder Gurken | Gewürz, Senf, Knoblauch | 3.90 | DE
apfelmost | Apfelmost naturtrüb | 0,75 l | 3.50 | DE
brezel | Laugenbrezel-Knabberei | 200 g | 2.90 | DE
"""

# item number | name | price in EUR per kilogram
_BY_WEIGHT = """
12345 | Pralines, mixed | 39.90
12346 | Truffles, dark | 44.90
12347 | Marzipan potatoes | 24.90
12348 | Chocolate, broken | 29.90
12349 | Candied orange peel | 34.90
12350 | Nougat, soft | 36.90
12351 | Liquorice, mixed | 14.90
12352 | Fruit jellies | 19.90
13001 | Comté, 18 months | 34.90
13002 | Gruyère | 32.90
13003 | Parmigiano Reggiano, 24 months | 36.90
13004 | Manchego | 29.90
13005 | Brie de Meaux | 24.90
13006 | Gorgonzola dolce | 22.90
13007 | Roquefort | 33.90
13008 | Goat's cheese, ash | 35.90
13009 | Mountain cheese, raw milk | 26.90
13010 | Stilton | 31.90
13101 | Prosciutto di Parma | 49.90
13102 | Jamón serrano | 44.90
13103 | Fennel salami | 34.90
13104 | Bresaola | 54.90
13105 | Mortadella | 19.90
13106 | Pastrami | 36.90
13201 | Olives, Kalamata | 16.90
13202 | Olives, green, garlic | 15.90
13203 | Dried tomatoes in oil | 18.90
13204 | Artichoke hearts | 21.90
13205 | Antipasti, mixed | 22.90
13206 | Feta in herbs | 17.90
14001 | Coffee beans, house | 27.90
14002 | Coffee beans, Yirgacheffe | 36.90
14003 | Coffee beans, decaf | 29.90
14101 | Darjeeling First Flush | 89.00
14102 | Assam, broken | 59.00
14103 | Sencha | 79.00
14104 | Herbal tea, mountain herbs | 69.00
14105 | Fruit tea, winter | 49.00
14201 | Almonds, unskinned | 19.90
14202 | Walnut halves | 24.90
14203 | Cashews, roasted | 22.90
14204 | Pistachios | 34.90
14205 | Pecans | 36.90
14206 | Trail mix | 17.90
14301 | Medjool dates | 16.90
14302 | Dried apricots | 18.90
14303 | Dried figs | 17.90
14304 | Cranberries, dried | 21.90
15001 | Grapes, seedless | 5.90
15002 | Apples, Cox | 3.90
15003 | Pears, Williams | 4.20
15004 | Clementines | 3.50
15101 | Schwarzwälder Schinken am Stück | 27.90 | DE
15102 | Thüringer Leberwurst | 16.90 | DE
15103 | Allgäuer Bergkäse | 23.90 | DE
15104 | Handkäse | 14.90 | DE
15105 | Matjesfilets | 21.90 | DE
15106 | Gebrannte Mandeln | 24.90 | DE
15107 | Baumkuchenspitzen | 42.90 | DE
15108 | Dominosteine | 18.90 | DE
"""

_HOME = """
candle | Scented candle | fig, cedar, linen, orange, amber | 29.00
candle-s | Pillar candle | ivory, red, forest, anthracite | 9.90
diffuser | Room diffuser | fig, cedar, linen | 39.00
blanket | Throw, lambswool | grey, camel, check | 89.00
cushion | Cushion, linen | natural, ink, rust, sage | 39.00
towel | Bath towel | white, sand, petrol, anthracite | 34.90
towel-h | Hand towel | white, sand, petrol, anthracite | 14.90
robe | Bathrobe | S/M, L/XL | 89.00
mug | Mug, stoneware | white, blue, speckled | 14.90
bowl | Bowl, stoneware | white, blue, speckled | 16.90
plate | Plate, stoneware | white, blue, speckled | 18.90
glass | Tumbler, recycled glass | clear, green, 4 pack | 9.90
vase | Vase | small, tall | 34.90
tray | Tray, oak | small, large | 39.90
apron | Apron, linen | natural, navy | 34.90
tea-towel | Tea towel, 2 pack | stripes, check | 16.90
notebook | Notebook, A5 | dots, lines, plain | 14.90
pen | Ballpoint pen, brass | brass, black | 24.90
cards | Greeting cards, 5 pack | birthday, thank you, winter | 12.90
wrap | Gift wrap | stars, stripes, plain red, kraft | 4.90
bauble | Christbaumkugeln, 6 Stück | rot, gold, silber | 24.90 | DE
pyramid | Weihnachtspyramide, Erzgebirge | klein, groß | 89.00 | DE
"""

# Neither goods nor service: taxed when it is redeemed, or not at all.
_UNTAXED = """
voucher | Gift voucher | 10, 25, 50, 100 | 10.00 25.00 50.00 100.00
donation | Donation, city shelter | 1, 2, 5 | 1.00 2.00 5.00
"""


class Shelved(Struct, frozen=True):
    """One article of the shelves before it has a number. ``price_minor`` in EUR, for a kilogram where ``item`` is set; ``only`` one country."""

    code: str
    name: str
    department: str
    tax_class: str
    variant: str
    price_minor: int
    item: str = ""
    only: str = ""


def shelved() -> Iterator[Shelved]:
    """Everything on the shelves."""
    for table, department, tax_class in ((_BEAUTY, "Beauty", "standard"), (_FOOD, "Delicatessen", "reduced"), (_HOME, "Home", "standard")):
        for code, name, variants, price, *only in _rows(table):
            for place, variant in enumerate(variants.split(", ")):
                larger = _minor(price) + (_minor(price) * 6 // 10 * place if _is_size(variant) else 0)
                yield Shelved(f"{code}-{place + 1:02}".upper(), name, department, tax_class, variant, _shop_price(larger), only="".join(only))
    for item, name, price, *only in _rows(_BY_WEIGHT):
        yield Shelved(f"W-{item}", name, "Delicatessen", "reduced", "", _minor(price), item, "".join(only))
    for code, name, variants, prices in _rows(_UNTAXED):
        for variant, price in zip(variants.split(", "), prices.split(), strict=True):
            yield Shelved(f"{code}-{variant}".upper(), name, "Vouchers", "zero", variant, _minor(price))


def _rows(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        yield [cell.strip() for cell in line.split("|")]


def _minor(price: str) -> int:
    return int(price.replace(".", ""))


def _is_size(variant: str) -> bool:
    return variant.endswith((" ml", " g", " kg", " l", " pieces", " years"))


def _shop_price(minor: int) -> int:
    """From 10.00 on without single cents."""
    return minor if minor < 1000 else minor // 10 * 10
