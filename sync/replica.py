"""The local copy of everything that central publishes: two files, one face for the pull that fills them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from edge_agent.clock import Clock
from sync.durable_files import own_folder
from sync.feed_store import Applied, FeedLine, FeedState, FeedStore, Progress
from sync.replica_catalogue import CatalogueReplica
from sync.replica_people import Deleted, PeopleReplica


class Replica:
    """``catalogue`` and ``people`` in ``folder``. ``key`` is the journal's; the copy's own keys are made from it. Raises StorageError, ConfigError, OSError.

    ``currency`` and ``country`` are the store's: prices in another one are not taken, phone numbers that are typed without a country's code are of there.
    ``deleted`` keeps whom central deletes until they are forgotten elsewhere as well (``sync.erasures``).
    """

    def __init__(self, folder: Path, key: bytes, clock: Clock, currency: str = "", country: str = "", deleted: Deleted = lambda gone, back: None) -> None:
        own_folder(folder, "the copy of what central publishes")
        self.catalogue = CatalogueReplica(folder, clock, currency)
        self.people = PeopleReplica(folder, key, clock, country, deleted)
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

    def holds(self, feed: str) -> bool:
        """Whether there is a whole copy of ``feed``, of whatever age."""
        return self.state(feed).cursor is not None

    def apply(self, feed: str, lines: Iterable[FeedLine], state: FeedState) -> Applied:
        """Apply a page and move to ``state``, in one transaction."""
        return self._stores[feed].apply(feed, lines, state)

    def replace(
        self, feed: str, lines: Iterable[FeedLine], ended: Callable[[], FeedState], progress: Progress, *, changing: bool = False
    ) -> Applied:  # fmt: skip
        """Replace the whole content of ``feed``."""
        return self._stores[feed].replace(feed, lines, ended, progress, changing=changing)

    def touch(self, feed: str, as_of_ms: int) -> None:
        """Central said that nothing changed."""
        self._stores[feed].touch(feed, as_of_ms)
