"""Has a process of ours begin sooner and answer more evenly: no library's own command line is imported, and garbage is not looked for among what stays.

An import makes some hundred thousand objects that live as long as the process. Python's collector looks through all of them several times while
they are made, and again every so often after that, each time for tens of milliseconds in which no scan is answered.
"""

from __future__ import annotations

import gc
import sys

UNUSED = ("httpx._main", "rich.traceback")
"""httpx's command line, and the tracebacks in colour that structlog would draw for a developer: each imports a syntax highlighter, and both libraries
go on without them."""
SETTLED_SECONDS = 2.0
"""The service, and the counter, are there by then."""


def begin() -> None:
    """The first thing that a program of ours does. Garbage is not collected until ``settled``."""
    gc.disable()
    for name in UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type] # None is what makes an import of it fail
    import httpx
    import structlog

    assert httpx
    assert structlog
    for name in UNUSED:
        if sys.modules[name] is None:
            del sys.modules[name]


def settled() -> None:
    """What the process needs is imported and built: from now on garbage is collected, and what there is by now is never looked at again. Does nothing
    where nobody began."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
