"""The sample shop as central would publish it: the rows of every feed, the same for the same seed."""

from __future__ import annotations

import json
from pathlib import Path

from edge_agent.demo.dice import Dice
from edge_agent.demo.sample_articles import DAY_MS, Row, catalogue_rows, price_rows, sample_articles
from edge_agent.demo.sample_carts import cart_rows
from edge_agent.demo.sample_people import customer_rows, staff_rows
from edge_agent.domain.errors import ConfigError

SAMPLE_AT_MS = 1_795_352_400_000
"""Sunday, 22 November 2026, 14:00 in Berlin: the day of the sample, unless another one is given."""

STORES: tuple[Row, ...] = (
    {"store": "0001", "storeName": "Berlin Mitte", "country": "DE", "registers": ["01", "02", "03"]},
    {"store": "0002", "storeName": "New York SoHo", "country": "US", "registers": ["01", "02"]},
)
"""The two stores, one in each market."""


def sample_feeds(seed: int, at_ms: int = SAMPLE_AT_MS) -> dict[str, list[Row]]:
    """The data of every row by feed: catalogue, prices, customers, carts, staff.

    ``at_ms`` (wall time) is the sample's today: visits, talks and carts lie before it, offers around it, some prices begin a week later.
    """
    articles = sample_articles()
    prices = price_rows(articles, Dice(seed, "prices"), at_ms)
    customers = customer_rows(articles, Dice(seed, "customers"), at_ms)
    return {
        "catalogue": catalogue_rows(articles),
        "prices": prices,
        "customers": customers,
        "carts": cart_rows(articles, prices, customers, Dice(seed, "carts"), at_ms),
        "staff": staff_rows(),
    }


def newest_at_ms(now_ms: int) -> int:
    """The today of a sample that is made at ``now_ms``: the same for a day, so that making it again makes the same.

    >>> newest_at_ms(SAMPLE_AT_MS + 5), newest_at_ms(SAMPLE_AT_MS - 1) == SAMPLE_AT_MS - DAY_MS
    (1795352400000, True)
    """
    return now_ms - (now_ms - SAMPLE_AT_MS) % DAY_MS


def key_of(feed: str, row: Row) -> str:
    """The key under which ``feed`` carries ``row``."""
    if feed == "catalogue":
        return str(row["sku"])
    if feed == "prices":
        return f"{row['sku']}/{row['book']}/{row['group']}/{row['fromMs']}"
    return str(row["id"])


def write_folder(path: Path, seed: int, at_ms: int = SAMPLE_AT_MS) -> None:
    """Write ``stores.ndjson`` and one file per feed into ``path`` (made if need be), as ``edge-central seed`` reads them.

    Raises ConfigError for a file that is there with other content, before anything is written; OSError.
    """
    files = {"stores.ndjson": _lines(list(STORES))}
    for feed, rows in sample_feeds(seed, at_ms).items():
        files[f"{feed}.ndjson"] = _lines([{"op": "put", "key": key_of(feed, row), "data": row} for row in rows])
    path.mkdir(parents=True, exist_ok=True)
    other = [name for name, body in files.items() if (path / name).exists() and (path / name).read_bytes() != body]
    if other:
        told = f"{', '.join(str(path / name) for name in other)}: expected no file, or this sample's, got other content."
        raise ConfigError(told, hint="Nothing was written. Name another folder.", reason="other_content")
    for name, body in files.items():
        (path / name).write_bytes(body)


def _lines(rows: list[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows).encode()
