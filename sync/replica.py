"""The local copy of everything that central publishes: two files, one face for the pull that fills them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from edge_agent.clock import Clock
from sync.feed_store import Applied, FeedLine, FeedState, FeedStore, Progress
from sync.replica_catalogue import CatalogueReplica
from sync.replica_people import PeopleReplica


class Replica:
    """``catalogue`` and ``people`` in ``folder``. ``key`` is the journal's; the copy's own keys are made from it. Raises StorageError, OSError."""

    def __init__(self, folder: Path, key: bytes, clock: Clock) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.catalogue = CatalogueReplica(folder, clock)
        self.people = PeopleReplica(folder, key, clock)
        people: FeedStore = self.people
        self._stores: dict[str, FeedStore] = {"catalogue": self.catalogue, "prices": self.catalogue, "customers": people, "carts": people, "staff": people}

    @property
    def feeds(self) -> tuple[str, ...]:
        """The feeds that it is a copy of."""
        return tuple(self._stores)

    def close(self) -> None:
        """Close both files."""
        self.catalogue.close()
        self.people.close()

    # --- sync.feed_store.FeedStore ---

    def state(self, feed: str) -> FeedState:
        """Where the copy of ``feed`` stands."""
        return self._stores[feed].state(feed)

    def apply(self, feed: str, lines: Iterable[FeedLine], state: FeedState) -> Applied:
        """Apply a page and move to ``state``, in one transaction."""
        return self._stores[feed].apply(feed, lines, state)

    def replace(self, feed: str, lines: Iterable[FeedLine], ended: Callable[[], FeedState], progress: Progress) -> Applied:
        """Replace the whole content of ``feed``."""
        return self._stores[feed].replace(feed, lines, ended, progress)

    def touch(self, feed: str, as_of_ms: int) -> None:
        """Central said that nothing changed."""
        self._stores[feed].touch(feed, as_of_ms)
