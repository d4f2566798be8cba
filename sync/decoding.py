"""Has the decoder know every type before more than one thread decodes.

What msgspec (0.22.0) knows of a Struct it works out when the class is decoded for the first time, and keeps it at the class before it is whole. A
second thread that decodes the same class in that moment reads a table that is not there, and the process dies: a service that sends, copies and
sells on several threads did, a second after its start. Which has been worked out once is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakSet

import msgspec
from msgspec import Struct

_known: WeakSet[type] = WeakSet()
"""Not held by this: a start that fails and is tried again makes the local API's own classes anew each time."""


def know_every_type() -> None:
    """Work out all Struct classes that are loaded, but those that are known already. Call it on one thread, before there are others that decode."""
    for kind in list(_below(Struct)):
        if kind not in _known:
            _known.add(kind)
            try:
                msgspec.json.Decoder(kind)
            except (TypeError, NameError):
                continue  # one that is never decoded: its fields are of no types that JSON can tell apart, or only named for the type checker


def _below(kind: type) -> Iterator[type]:
    under: type
    for under in kind.__subclasses__():
        yield under
        yield from _below(under)
