"""What the person at the counter sees: the newest snapshot, and waiting until it shows what was just done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_agent.client import AgentClient, Disconnected, newest
from edge_agent.views import AnyCommand, DeviceView, Snapshot

WAIT_SECONDS_MAX = 15.0
"""What a counter has not shown by then, it will not show."""


class NotSeen(Exception):
    """Something that should have happened did not, within its deadline; the message says what, and what was there instead."""


class Screen:
    """The counter's newest snapshot, followed by long-poll, as its terminal follows it. An async context manager."""

    def __init__(self, client: AgentClient) -> None:
        self.client = client
        self.away = True
        self._held: Snapshot | None = None
        self._news = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Screen:
        self._following = asyncio.get_running_loop().create_task(self._follow(), name="screen")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self.client.aclose()

    @property
    def now(self) -> Snapshot:
        """The newest snapshot. There is one after the first ``until``."""
        assert self._held is not None, "nothing was seen yet"
        return self._held

    @property
    def boot(self) -> str:
        """Which run of the service was seen last, or nothing."""
        return self._held.boot if self._held is not None else ""

    async def send(self, command: AnyCommand) -> Snapshot:
        """Give a command, and see its answer. Raises ApiProblem, ServiceUnreachable."""
        self._see(await self.client.send(command))
        return self.now

    async def until(self, what: str, condition: Callable[[Snapshot], bool], seconds: float = WAIT_SECONDS_MAX) -> Snapshot:
        """The first snapshot for which ``condition`` is true. Raises NotSeen, which names ``what``."""
        try:
            async with asyncio.timeout(seconds):
                while self._held is None or self.away or not condition(self._held):
                    await self._news.wait()
        except TimeoutError:
            raise NotSeen(f"waited {seconds:g} s for: {what}; seen: {'the service away' if self.away else told(self._held)}") from None
        return self.now

    async def until_device(self, name: str, *states: str, seconds: float = WAIT_SECONDS_MAX) -> DeviceView:
        """The device once it is in one of ``states``. Raises NotSeen."""

        def there(snapshot: Snapshot) -> bool:
            return any(device.name == name and device.state in states for device in snapshot.devices)

        seen = await self.until(f"{name} {' or '.join(states)}", there, seconds)
        return next(device for device in seen.devices if device.name == name)

    async def _follow(self) -> None:
        async for news in self.client.news():
            self.away = isinstance(news, Disconnected)
            if isinstance(news, Disconnected):
                self._wake()
            else:
                self._see(news)

    def _see(self, came: Snapshot) -> None:
        self._held = newest(self._held, came)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def told(snapshot: Snapshot | None) -> str:
    """A snapshot in a few words, for who has to find out what went wrong."""
    if snapshot is None:
        return "nothing yet"
    words = [f"{snapshot.phase}, link {snapshot.link.state} with {snapshot.link.waiting} waiting"]
    if snapshot.basket is not None:
        lines = ", ".join(f"{line.sku or line.name} {line.state} {line.quantity or 1} @{line.unit_price.minor} {line.source}" for line in snapshot.basket.lines)
        words.append(f"basket {snapshot.basket.id} of {snapshot.basket.total.minor} [{lines}]")
    if snapshot.payment is not None and snapshot.payment.attempt is not None:
        words.append(f"attempt {snapshot.payment.attempt.state} {snapshot.payment.attempt.reason}")
    words += [f"{len(snapshot.suspended)} suspended"] * bool(snapshot.suspended) + [f"{len(snapshot.parked)} parked"] * bool(snapshot.parked)
    if snapshot.last_sale is not None:
        words.append(f"last sale {snapshot.last_sale.id} of {snapshot.last_sale.total.minor} {snapshot.last_sale.print_state}")
    if snapshot.notice is not None:
        words.append(f"notice {snapshot.notice.key}: {snapshot.notice.text}")
    return "; ".join([*words, "devices " + ", ".join(f"{device.name} {device.state} {device.reason}".strip() for device in snapshot.devices)])
