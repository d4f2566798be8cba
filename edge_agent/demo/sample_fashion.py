"""What hangs and lies in the sample shop: models of clothes, shoes and accessories, each in colours and sizes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

SIZES: dict[str, tuple[str, ...]] = {
    "women": ("34", "36", "38", "40", "42", "44"),
    "letters": ("XS", "S", "M", "L", "XL"),
    "men": ("S", "M", "L", "XL", "XXL"),
    "suit": ("46", "48", "50", "52", "54", "56"),
    "jeans": ("29/32", "30/32", "31/32", "32/32", "33/34", "34/34"),
    "shoes-w": ("36", "37", "38", "39", "40", "41"),
    "shoes-m": ("40", "41", "42", "43", "44", "45"),
    "kids": ("98", "104", "110", "116", "122", "128"),
    "socks": ("35-38", "39-42", "43-46"),
    "belt": ("80", "90", "100"),
    "one": ("",),
}

# code | name | department | sizes | colours | price in EUR
_MODELS = """
coat-wool | Wool coat | Women | women | navy, camel, black | 199.00
coat-trench | Trench coat | Women | women | sand, black | 179.00
coat-down | Down coat, long | Women | women | olive, black, ice blue | 229.00
friese | Friesennerz | Women | letters | gelb, marine | 119.00
jacket-denim | Denim jacket | Women | letters | light blue, dark blue | 89.90
jacket-biker | Biker jacket, lamb leather | Women | women | black, cognac | 299.00
tracht | Trachtenjanker | Women | women | anthrazit, tanne | 189.00
blazer-w | Blazer, single-breasted | Women | women | black, navy, chalk | 139.00
dress-wrap | Wrap dress | Women | women | poppy, midnight, sage | 99.90
dress-shirt | Shirt dress, poplin | Women | women | white, sky | 89.90
dress-knit | Knitted dress | Women | letters | oatmeal, burgundy | 109.00
dress-lace | Lace dress | Women | women | ivory, black | 149.00
skirt-pleat | Pleated skirt | Women | women | emerald, black | 79.90
skirt-pencil | Pencil skirt | Women | women | navy, grey | 69.90
trousers-wide | Wide-leg trousers | Women | women | black, ecru, rust | 89.90
trousers-cig | Cigarette trousers | Women | women | navy, black | 79.90
jeans-w-slim | Jeans, slim | Women | jeans | indigo, black, stone | 89.90
jeans-w-mom | Jeans, mom fit | Women | jeans | light blue, ecru | 89.90
blouse-silk | Silk blouse | Women | women | ivory, powder, ink | 119.00
blouse-pop | Poplin blouse | Women | women | white, blue stripe | 59.90
shirt-breton | Breton shirt | Women | letters | navy stripe, red stripe | 39.90
tee-w | T-shirt, organic cotton | Women | letters | white, black, rose | 19.90
top-rib | Ribbed top | Women | letters | white, black, sage | 24.90
sweater-cash | Cashmere sweater | Women | letters | camel, grey, petrol | 169.00
cardigan-w | Cardigan, merino | Women | letters | navy, berry | 99.90
turtle-w | Turtleneck, fine knit | Women | letters | black, cream | 69.90
hoodie-w | Hoodie | Women | letters | grey melange, lilac | 59.90
pyjama-w | Pyjamas, flannel | Women | letters | check red, check blue | 59.90
leggings | Leggings, high waist | Women | letters | black, graphite | 39.90
swim | Swimsuit | Women | women | black, coral | 69.90
coat-boucle | Bouclé coat | Women | women | cream, rose, grey, black | 189.00
vest-down | Down vest | Women | letters | navy, sand, red, olive | 89.90
dress-slip | Slip dress, satin | Women | women | champagne, black, emerald, plum | 99.90
dress-maxi | Maxi dress, viscose | Women | women | floral blue, floral red, black, terracotta | 119.00
skirt-midi | Midi skirt, satin | Women | women | champagne, petrol, black, plum | 69.90
trousers-lin | Linen trousers | Women | women | white, sand, olive, navy | 79.90
blouse-bow | Pussy-bow blouse | Women | women | ivory, dots, black, sky | 79.90
polo-w | Knitted polo | Women | letters | white, navy, camel, bottle green | 59.90
tank-w | Tank top | Women | letters | white, black, khaki, coral | 16.90
sweater-moh | Mohair sweater | Women | letters | pink, sky, cream, forest | 119.00
jog-w | Joggers | Women | letters | grey melange, black, sand, navy | 54.90
bra-soft | Soft bra | Women | letters | black, skin, rose, white | 39.90
brief-w | Briefs, 3 pack | Women | letters | black, skin, mixed, white | 29.90
nightdress | Nightdress | Women | letters | white, sky, rose, navy | 49.90
coat-m-wool | Overcoat, wool | Men | suit | charcoal, navy | 259.00
parka-m | Parka, waterproof | Men | men | olive, navy | 199.00
jacket-m-quilt | Quilted jacket | Men | men | navy, racing green | 129.00
loden | Lodenmantel | Men | suit | loden, anthrazit | 329.00
bomber | Bomber jacket | Men | men | black, olive | 119.00
suit-jacket | Suit jacket, virgin wool | Men | suit | navy, mid grey | 249.00
suit-trousers | Suit trousers, virgin wool | Men | suit | navy, mid grey | 119.00
waistcoat | Waistcoat | Men | suit | navy | 89.90
shirt-oxford | Oxford shirt | Men | men | white, light blue, pink | 59.90
shirt-linen | Linen shirt | Men | men | white, sand, sky | 69.90
shirt-flannel | Flannel shirt | Men | men | check green, check rust | 69.90
shirt-dress-m | Dress shirt, non-iron | Men | men | white, blue stripe | 79.90
polo | Polo shirt | Men | men | white, navy, bottle green | 49.90
tee-m | T-shirt, heavy cotton | Men | men | white, black, navy | 24.90
henley | Henley shirt | Men | men | ecru, charcoal | 39.90
sweater-m-lamb | Lambswool sweater | Men | men | navy, oatmeal, bordeaux | 99.90
troyer | Troyer, Schurwolle | Men | men | marine, natur | 139.00
cardigan-m | Shawl-collar cardigan | Men | men | grey, navy | 129.00
hoodie-m | Hoodie, brushed | Men | men | grey melange, black | 69.90
chino | Chino | Men | jeans | sand, navy, olive | 79.90
jeans-m-str | Jeans, straight | Men | jeans | indigo, black, stone | 99.90
cord | Corduroy trousers | Men | jeans | tobacco, bottle green | 99.90
shorts-m | Shorts, linen blend | Men | men | sand, navy | 49.90
pyjama-m | Pyjamas, jersey | Men | men | navy, grey | 59.90
briefs | Boxer briefs, 3 pack | Men | men | black, mixed | 34.90
vest-m | Padded vest | Men | men | navy, black, olive, rust | 99.90
overshirt | Overshirt | Men | men | navy, khaki, rust, grey | 99.90
shirt-cord | Corduroy shirt | Men | men | camel, navy, forest, burgundy | 79.90
tee-m-stripe | T-shirt, striped | Men | men | navy stripe, green stripe, red stripe, grey stripe | 29.90
sweater-m-cash | Cashmere sweater, V-neck | Men | men | navy, grey, camel, black | 189.00
half-zip | Half-zip, merino | Men | men | navy, anthracite, oatmeal, forest | 119.00
jog-m | Joggers, men's | Men | men | grey melange, black, navy, olive | 59.90
swim-m | Swim shorts | Men | men | navy, coral, palm, turquoise | 49.90
kids-parka | Parka, lined | Kids | kids | red, navy | 79.90
kids-rain | Matschhose | Kids | kids | blau, gelb | 34.90
kids-tee | T-shirt, dinosaur | Kids | kids | green, orange | 14.90
kids-dress | Dress, dots | Kids | kids | red, navy | 34.90
kids-jeans | Jeans, pull-on | Kids | kids | blue, grey | 29.90
kids-sweat | Sweatshirt, stripes | Kids | kids | navy, mustard | 24.90
kids-pyj | Pyjamas, moon and stars | Kids | kids | navy, rose | 29.90
kids-cord | Cord dungarees | Kids | kids | rust, petrol | 44.90
kids-hood | Hoodie, bear ears | Kids | kids | brown, grey, rose | 34.90
kids-legg | Leggings, kids' | Kids | kids | navy, dots, stripes | 14.90
kids-swim | Swim shirt, UV 50 | Kids | kids | blue, coral, green | 27.90
kids-knit | Knitted cardigan | Kids | kids | cream, navy, rose | 39.90
kids-shirt | Shirt, checked | Kids | kids | blue, red, green | 27.90
kids-skirt | Tulle skirt | Kids | kids | rose, silver, navy | 29.90
kids-ski | Ski suit | Kids | kids | red, turquoise, navy | 119.00
boots-chelsea | Chelsea boots | Shoes | shoes-w | black, chestnut | 159.00
boots-ankle | Ankle boots, block heel | Shoes | shoes-w | black, taupe | 139.00
pumps | Pumps, 6 cm | Shoes | shoes-w | black, nude, red | 119.00
loafers-w | Loafers | Shoes | shoes-w | cognac, black | 129.00
sneakers-w | Sneakers, leather | Shoes | shoes-w | white, white-green | 109.00
ballerinas | Ballet flats | Shoes | shoes-w | black, gold | 89.90
sandals-w | Sandals | Shoes | shoes-w | tan, black | 79.90
slippers | Filzpantoffeln | Shoes | shoes-w | grau, beere | 49.90
derby | Derby shoes | Shoes | shoes-m | black, dark brown | 189.00
chelsea-m | Chelsea boots, suede | Shoes | shoes-m | tobacco, black | 199.00
sneakers-m | Sneakers, leather, men's | Shoes | shoes-m | white, navy | 119.00
loafers-m | Penny loafers | Shoes | shoes-m | bordeaux, black | 169.00
hiker | Hiking boots | Shoes | shoes-m | brown, grey | 179.00
boots-rain | Rubber boots | Shoes | shoes-w | yellow, navy, green, black | 59.90
mules | Mules | Shoes | shoes-w | black, camel, silver, red | 99.90
espadrilles | Espadrilles | Shoes | shoes-w | natural, navy, stripes, black | 49.90
oxford | Oxford shoes | Shoes | shoes-m | black, cognac, oxblood | 199.00
sandals-m | Sandals, men's | Shoes | shoes-m | brown, black, sand | 89.90
socks-merino | Socks, merino | Accessories | socks | navy, grey, bordeaux | 12.50
socks-cotton | Socks, cotton, 2 pack | Accessories | socks | black, stripes | 14.90
tights | Tights, 40 denier | Accessories | letters | black, navy | 16.90
scarf-wool | Scarf, lambswool | Accessories | one | navy, camel, check | 49.00
scarf-silk | Silk scarf | Accessories | one | paisley, birds, dots | 79.00
hat-felt | Felt hat | Accessories | letters | black, camel | 69.90
beanie | Beanie, cashmere blend | Accessories | one | grey, petrol, red | 39.90
cap | Baseball cap | Accessories | one | navy, beige | 29.90
gloves | Leather gloves, lined | Accessories | letters | black, cognac | 69.90
belt | Leather belt | Accessories | belt | black, cognac | 49.90
tie | Silk tie | Accessories | one | navy dots, bordeaux, stripes | 59.90
bow-tie | Bow tie | Accessories | one | black, midnight | 39.90
bag-tote | Leather tote | Accessories | one | black, cognac | 199.00
bag-cross | Crossbody bag | Accessories | one | black, sand, berry | 129.00
backpack | Backpack, waxed canvas | Accessories | one | olive, navy | 149.00
wallet | Wallet, eight cards | Accessories | one | black, cognac | 69.90
umbrella | Umbrella, automatic | Accessories | one | black, navy | 39.90
sunglasses | Sunglasses | Accessories | one | tortoise, black | 119.00
earrings | Earrings, silver | Accessories | one | hoops, drops | 59.00
ring | Ring, gold-plated | Accessories | one | 52, 54, 56 | 69.00
"""


COLOURS_MAX = 4


class Piece(Struct, frozen=True):
    """One article of fashion before it has a number. ``price_minor`` in EUR."""

    code: str
    name: str
    department: str
    variant: str
    price_minor: int


def pieces() -> Iterator[Piece]:
    """Every model in its first colour and all its sizes, then in its second, and so on: whoever takes some has every model."""
    models = [[cell.strip() for cell in line.split("|")] for line in _MODELS.strip().splitlines()]
    for turn in range(COLOURS_MAX):
        for code, name, department, sizes, colours, price in models:
            named = [colour.strip() for colour in colours.split(",")]
            for size in SIZES[sizes] if turn < len(named) else ():
                colour = named[turn]
                variant = f"{colour}, {size}" if size else colour
                yield Piece(_sku(code, colour, size), name, department, variant, int(price.replace(".", "")))


def _sku(code: str, colour: str, size: str) -> str:
    words = [code, colour.replace(" ", ""), size.replace("/", "-")]
    return "-".join(word for word in words if word).upper()
