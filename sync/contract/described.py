"""The contract in words: what stands in the OpenAPI document beside paths and schemas, so that a receiver can be written from the document alone.

A test compares what it says in numbers and bytes with the code.
"""

from __future__ import annotations

from sync.contract.envelope import BATCH_BYTES_MAX, BATCH_FACTS_MAX, BATCH_TYPE, FACT_BYTES_MAX, FIRST_PREVHASH, STREAMS
from sync.contract.facts import BEHIND, WITHHELD
from sync.contract.fields import NUMBER_MAX
from sync.contract.identifiers import SINGLE_KINDS
from sync.contract.messages import ENROL_PREFIX, EPOCHS_AHEAD_MAX, PROBLEM_ROOT
from sync.contract.problems import PROBLEMS

SINGLE = " and ".join(f"`{kind}`" for kind in SINGLE_KINDS)
NAMES = ", ".join(f"`{stream}`" for stream in STREAMS)


def _table() -> str:
    rows = (f"| `{kind.removeprefix(PROBLEM_ROOT)}` | {told.status} | {told.means} | {told.does} |" for kind, told in PROBLEMS.items())
    return "\n".join(("| type | status | what it means | what the register does |", "|---|---|---|---|", *rows))


BATCHES = f"""A JSON array of facts, each byte for byte as the register stored it: `[`, the facts with `,` between them, `]`.

* Content-Type `{BATCH_TYPE}`; Content-Encoding `zstd` (a window of at most 8 MiB), `gzip`, `identity` or none.
* At most {BATCH_FACTS_MAX} facts, and at most {BATCH_BYTES_MAX} bytes (1 MiB) of facts before compression; the array's brackets and commas come on top. A
  single fact has at most {FACT_BYTES_MAX} bytes. Bound what you decompress by the same number: more is `too-large`.
* Facts of one register; any streams, in any mixture; those of one stream in order and without gaps. All of it is stored, or nothing."""

ENROLMENT = f"""The device makes an Ed25519 key pair (RFC 8032) of its own and proves that it has it. All binary values are base64url without padding (RFC
4648, section 5).

`publicKey` is the raw public key: 32 bytes, 43 characters. `proof` is the signature, 64 bytes, 86 characters, by that key over these bytes, all ASCII:

1. `{ENROL_PREFIX}`
2. one line feed (0x0A)
3. the text of `code`, exactly as it stands in the request (dashes and lower case as they were typed)
4. one line feed (0x0A)
5. the text of `publicKey`, exactly as it stands in the request; nothing follows it

It is plain Ed25519: the bytes are signed themselves, not a hash of them. `examples/enrol-request.json` holds a true proof.

A code is used once, by one key. The same key may repeat the call while the code lives (its answer may have been lost); it is given another token for the
same epoch. Refuse the repeat (`enrolment-code-invalid`) once a newer code was made for the register, or used for it or by that key, and once facts of that
epoch have come: else a machine that was replaced takes the register back, and its successor is stopped. Each enrolment with a new code gives the
register its next `epoch`, begins every stream at number 1 again, retires earlier tokens and ends a freezing.

No epoch is given twice, also where central forgot one because it was restored from a backup: the next `epoch` is one above the highest that central knows
of and that `epochs` names for this source. Refuse one that is more than {EPOCHS_AHEAD_MAX} above your own (`invalid`), so that nobody uses the numbers up.

`earlier` tells where you stand with each stream of the source's earlier epochs, as the cursor does. A register takes a fact of an earlier epoch as kept
where it is below that `next` and `headHash` is the hash of its own fact before `next`; all others it issues anew in the new epoch, also what was acknowledged
to it (a backup may be older), in their order, each with its `id` and data. Where the hash is another's (two machines wrote), it takes what was acknowledged to
it as kept if `next` is above that, and else issues the whole stream of that epoch anew: what you have all the same is a duplicate (see *Facts*)."""

CURSOR = """Before the first fact after a start, while it is stopped, whenever a feed brought something, and after half a minute without anything to send,
the register asks for this and compares, stream by stream (a stream that is not named stands at `next` 1):

* `source` and `epoch` must be its own; else it stops (another enrolment replaced it).
* `frozen` not empty: it stops and shows the reason.
* `next` above its own last number + 1: central has facts that this disk has not. It says so by one fact (see *Two machines*), and stops.
* `headHash` is the SHA-256 of the wire bytes of fact `next` - 1 (64 zeros at `next` 1). It must be the hash of the register's own fact of that number; else
  it sends that one fact, which is a fork, and stops.
* otherwise it goes on from `next`, also where it had more acknowledged: central was restored from a backup and is sent again what it lost."""

OVERVIEW = f"""Everything under `/edge/v1` is the contract between a register (the edge agent on a store's PC) and a central platform: whatever answers
these paths as described here is a central. `/ops` is the reference central's own, for its operators and its web shop; another central needs none of it. The
data of facts and rows is described by the JSON Schemas (2020-12) in `schemas/` beside this document, each with exact bytes in `examples/` (the line feed at
a file's end is not part of them).

JSON is UTF-8, members are in camelCase, and those that a reader does not know are let through. Amounts are integer minor units, times are milliseconds
since 1970 UTC, integers are written without fraction or exponent. Hashes are SHA-256 in lower-case hexadecimal.

Bearer tokens stand in for sender-constrained (DPoP-bound) tokens in this version; facts are chained and not signed.

## Enrolment

{ENROLMENT}

## Facts

A fact is a CloudEvents 1.0.2 event in JSON (schema `envelope.v1`). Its *wire bytes* are what the register stored and sends; they alone are hashed, so keep
them: JSON that was decoded and encoded again is other bytes. Cut them out of the batch as they stand, from a fact's `{{` to its `}}`.

* Streams are {NAMES}. In each, per `source` and `epoch`, `sequence` counts from 1 to at most {NUMBER_MAX} without gaps. (source, epoch, stream, sequence)
  identifies a fact: no other key for repeated requests is needed.
* `prevhash` is the SHA-256 of the wire bytes of the fact before it in its stream; the first one of an epoch has `{FIRST_PREVHASH}`.
* Take a batch in one transaction, stream by stream. Numbers below `next` that are there: equal hashes are duplicates, and are counted; a different hash is
  a fork. The first number at or above `next` must be `next`, and its `prevhash` the head's hash; each further one follows. Then store the wire bytes, move
  `next` and the head's hash, and sync to disk.
* **Issued anew.** A register does not always hear that a fact came. Enrolled again, it issues such a fact anew in the new epoch: other wire bytes, with
  `id`, `type` and `data` byte for byte as they were. A fact whose `id` this `source` told before is compared with that one: equal `type` and `data` are a
  duplicate, which is stored in its stream, moves `next`, is counted in `duplicates`, and is entered nowhere a second time. Others are quarantined.
* **`next` is the only acknowledgement**: the register takes what is below it as kept, and sends it again only where central's own cursor is lower. Let it
  leave after the synced commit, never before.
* **Quarantine.** What is authentic is stored and moves `next`, also what is wrong in business terms: a type or schema that is not known, sums that do not
  add up, another currency than the store's, a receipt number or code used twice, an `id` that is another fact's. It is told in `quarantined`, with a problem
  for each; also when the same fact comes again. The register shows how many there are; a fact is never refused for its `data`.
* The types of facts, their streams and data are the schemas `retail.*`; `{WITHHELD}` takes the place of another fact, in any stream.

## How a register sends

One request at a time. {CURSOR}

Then it sends batches of what waits, {BATCH_FACTS_MAX} facts at most, and moves on with each `next`. It does not believe a `next` beyond what it sent, nor
an answer that is not about it (a proxy's page, a captive portal): it asks for the cursor again.

{BATCHES}

## Two machines

A disk that was cloned, or brought back from a backup, makes two machines with one identity. Freeze the register, for good and in the same transaction, as
soon as one of these is seen; a frozen register gets `register-frozen` for every batch and the reason in its cursor, until it is enrolled again.

* **A fork**: a number that is here with another hash.
* **A fact of type `{BEHIND}`** in `ops`, that is true: the machine whose disk ends before central says it, where it has nothing of its own under a number
  that central has. It sends the facts of `ops` up to this one and no other stream's. It is true where its `epoch` is the envelope's, `central` is greater
  than `ours`, and the fact of `stream` with number `central` has the hash `headHash` here. Store it, move `next`, answer 200, and freeze. Where it is not
  true, store it and let nothing follow: after a new enrolment it may come again, issued anew in the new epoch with its data as it was.
  `examples/{BEHIND}.json` follows on `examples/day.json`.

## What the answers mean

Problems are RFC 9457 (`application/problem+json`); `type` is `{PROBLEM_ROOT}` and one of these. An answer of another type, or without such a document, is
not central's own word: the register keeps its facts, tells somebody which path was answered with which status, and tries again.

{_table()}

## Feeds

Five feeds go out. A register keeps a copy of each and follows it by its cursor, which is opaque to it.

* `after` is empty at first, then the `cursor` of the last end line. `more` true: ask again at once. `wait` holds the answer until there is news, or so many
  seconds.
* An answer is NDJSON, one line per row and an end line; without the end line it was cut off, and nothing of it is applied.
* `put` replaces the row with that key, `del` removes it (a tombstone). A row never comes before one that was committed earlier, and no row is left out for
  a reader that goes by the cursor. A reader from the beginning is told of no deletion, except in `customers`: every deletion of a customer is told to
  everybody, however old it is, because a register whose copy is made anew may keep sales to them.
* `If-None-Match` with the last ETag is answered 304 while there is nothing new.
* Where `snapshots/catalogue` and `snapshots/prices` are there, a first copy is taken from the file: zstd-compressed NDJSON of `put` lines without an end
  line. Its SHA-256, size and number of rows must be the manifest's; then the feed is followed from the manifest's cursor. 404 means: read the feed from its
  beginning.

## Customers and carts

Asked while somebody stands at the counter, and given up after a second: the register then uses its copies.

* Identifiers are compared in one form, whatever way they were published and typed: `phone` as E.164 (without separators, `00` for the plus, a national
  number as one of the asking register's country), `tag_uid` without separators, and all without regard to case.
* An identifier may stand for several customers (a couple's phone number). All of them are answered, and the associate chooses. {SINGLE} stand for
  one customer alone: refuse to publish one that is another customer's (`identifier-taken`).

A cart is held by a lease (`claim`), let go (`release`) or sold (`complete`). A register goes on holding it by repeating its claim with the same key in good
time: the answer is the same lease with a later end. Once that lease has ended the repeat is refused (`lease-gone`), and the cart is claimed anew, with another
key, if it is still free. A sale's fact names the cart's lines that it sold and does the same as `complete`, also for a register that was offline. Do either
once per sale and line."""
