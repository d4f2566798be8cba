"""Everything that central bounds, with its unit and what happens beyond it."""

from __future__ import annotations

from msgspec import Struct

MS_PER_DAY = 86_400_000


class Limits(Struct, frozen=True):
    """Central's bounds; beyond ``*_max`` of something the answer is 503 busy with Retry-After, unless it says otherwise."""

    jobs_waiting_max: int = 512
    """Writes that wait for the one writer."""
    jobs_per_commit_max: int = 64
    """Writes that share one synced transaction; more wait for the next one."""
    pushes_in_hand_max: int = 64
    """Batches being decoded or stored at once: each may hold a few MiB of memory."""
    waiters_max: int = 5_000
    """Feed requests that wait for news."""
    wait_seconds_max: int = 25
    """How long a feed request may wait; a longer wish is cut to this, below what proxies cut off."""
    feed_rows_default: int = 500
    feed_rows_max: int = 2_000
    """Rows in one page of a feed; a larger wish is cut to this."""
    feed_bytes_max: int = 2 * 1024 * 1024
    """Bytes of rows in one page; the page ends after the row that reaches it."""
    tombstone_ms: int = 30 * MS_PER_DAY
    """How long deletions are remembered: a register that was away longer starts from a snapshot (410)."""
    snapshot_age_ms_max: int = 60_000
    """A snapshot of an older state than this is built anew when it is asked for and something has changed."""
    snapshots_kept: int = 2
    """Files per feed and market; a download that is interrupted for longer than that begins again."""
    enrol_code_ms: int = 600_000
    """How long an enrolment code can be used."""
    claim_memory_ms: int = 7 * MS_PER_DAY
    """How long the key of an ended claim is remembered, so that a request that was lost on the way for that long cannot hold the cart again."""
    publish_bytes_max: int = 8 * 1024 * 1024
    """One request that publishes rows; 413 beyond."""
    body_bytes_max: int = 64 * 1024
    """Any other request's body; 413 beyond."""
    ops_rows_max: int = 1_000
    """Rows in one answer of the operations endpoints; a larger wish is cut to this."""
