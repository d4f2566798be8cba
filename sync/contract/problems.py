"""Every problem of the contract: its status and title, what it means, and what the register does on it."""

from __future__ import annotations

from msgspec import Struct

from sync.contract.envelope import BATCH_FACTS_MAX
from sync.contract.facts import WITHHELD
from sync.contract.messages import (
    PROBLEM_BUSY,
    PROBLEM_CHAIN,
    PROBLEM_CHANGED,
    PROBLEM_CODE_INVALID,
    PROBLEM_CURSOR_EXPIRED,
    PROBLEM_ENCODING,
    PROBLEM_ENVELOPE,
    PROBLEM_EPOCH_RETIRED,
    PROBLEM_FORBIDDEN,
    PROBLEM_FORK,
    PROBLEM_FROZEN,
    PROBLEM_GAP,
    PROBLEM_HELD,
    PROBLEM_INVALID,
    PROBLEM_LEASE_GONE,
    PROBLEM_NOT_FOUND,
    PROBLEM_TAKEN,
    PROBLEM_TOO_LARGE,
    PROBLEM_UNAUTHORISED,
)


class Told(Struct, frozen=True):
    """A problem in words: its HTTP ``status`` and ``title``, what it ``means``, and what the register ``does`` on it."""

    status: int
    title: str
    means: str
    does: str


STOPS = "sends nothing more, asks for its cursor every five minutes and says on its screen what to do; selling goes on"
WAITS = "keeps its facts and comes back, after a wait that grows to thirty seconds"

PROBLEMS: dict[str, Told] = {
    PROBLEM_GAP: Told(
        409,
        "Facts are missing before these",
        "The batch begins above the number that central wants next in `stream`, or leaves a number out. `expected` is the number wanted; nothing was stored.",
        "asks for its cursor, and sends from the number there on",
    ),
    PROBLEM_FORK: Told(
        409,
        "Two machines wrote under one identity",
        "Central has another fact (another SHA-256 of the wire bytes) under one of the batch's numbers: two machines write under one identity. "
        "Nothing of the batch was stored; in the same transaction the register was frozen.",
        STOPS,
    ),
    PROBLEM_CHAIN: Told(
        409,
        "These facts do not follow the ones that are here",
        "A new fact's `prevhash` is not the SHA-256 of the wire bytes of the fact before it. Nothing was stored; the register is not frozen by this.",
        STOPS,
    ),
    PROBLEM_EPOCH_RETIRED: Told(
        409,
        "This enrolment of the register was replaced by a newer one",
        "The token or the facts are of an earlier enrolment of the register. Nothing was stored.",
        STOPS,
    ),
    PROBLEM_FROZEN: Told(
        409,
        "This register is frozen",
        "Central takes nothing from this register until it is enrolled again; `detail` says why. Nothing was stored.",
        STOPS,
    ),
    PROBLEM_ENVELOPE: Told(
        422,
        "Not a fact of this contract",
        "One fact, at `index` (from 0) of the batch, does not fit the envelope's schema, is larger than a fact may be, or is of no known stream. "
        "Nothing of the batch was stored. What is wrong with a fact's `data` is never answered so: see quarantine.",
        "sends smaller batches until that fact stands alone, and shows it again for ten minutes and five times at least, while the other streams go on. Is it "
        f"refused still, it uses the fact's number for one of type `{WITHHELD}`, links the facts after it anew (none of them was ever taken), keeps the "
        "fact's bytes for repair and says so to the shop and to IT",
    ),
    PROBLEM_TOO_LARGE: Told(
        413,
        "Too large",
        f"More than {BATCH_FACTS_MAX} facts, or a body that is too large before or after decompression. Nothing was stored.",
        f"halves the batch; a single fact that is still too large is shown again for a while as well, and replaced by one of type `{WITHHELD}`. A 413 without "
        "this problem document comes from somebody on the way: then it halves, and a single fact waits with its stream alone; nothing is withheld",
    ),
    PROBLEM_ENCODING: Told(
        415,
        "Not sent in a form that is understood here",
        "Another Content-Type than that of a batch, or a Content-Encoding that is not understood here.",
        "tries zstd, then gzip, then identity",
    ),
    PROBLEM_UNAUTHORISED: Told(
        401,
        "Not known here",
        "No token, or one that no register has (any more); events and cursor answer the token of an earlier enrolment with `epoch-retired` instead.",
        "says that it has to be enrolled again, " + WAITS,
    ),
    PROBLEM_FORBIDDEN: Told(
        403, "Not for this register", "The token is another register's than the one whose facts or cursor this is about.", "says so, " + WAITS
    ),
    PROBLEM_CODE_INVALID: Told(
        403,
        "This enrolment code cannot be used",
        "No such enrolment code, or it has expired, or another device used it, or the device that used it may not repeat the call any more.",
        "tells who typed it",
    ),
    PROBLEM_TAKEN: Told(
        409,
        "This identifier is another customer's",
        "A loyalty card or a tag stands for one customer alone, and it is another one's. Nothing was published.",
        "is not told so: it publishes no customers",
    ),
    PROBLEM_NOT_FOUND: Told(
        404,
        "Not here",
        "There is no such row, feed, cart or snapshot; also the answer for a path that is not there.",
        "takes a customer or cart for unknown, reads a feed without a snapshot page by page, and says of any other path that central does not offer it",
    ),
    PROBLEM_INVALID: Told(
        400,
        "Not a valid request",
        "The request does not fit what is described here; `detail` says where.",
        "begins the feed again when it asked for one with a cursor; else says so, " + WAITS,
    ),
    PROBLEM_CURSOR_EXPIRED: Told(
        410,
        "This cursor is too old",
        "The feed's cursor is another central's or another market's, or older than the deletions that are remembered.",
        "takes a snapshot, or reads the feed from its beginning",
    ),
    PROBLEM_HELD: Told(409, "Somebody else holds this cart", "Another basket holds the cart: `heldBy` (store/register), `untilMs`.", "tells the associate"),
    PROBLEM_CHANGED: Told(409, "This cart has changed", "The cart is at `version`, not at the one that was asked for.", "shows the cart as it is now"),
    PROBLEM_LEASE_GONE: Told(
        409, "This lease has ended", "This lease has ended, or was never this register's.", "goes on without it; the sale's fact settles the cart"
    ),
    PROBLEM_BUSY: Told(503, "Too much at once", "Too much at once, or nothing can be written just now. `Retry-After` (seconds) says when to come back.", WAITS),
}
"""By their type."""
