"""An event loop whose time passes only when nothing is left to do, and in which a whole program can die between any two of its steps.

Everything runs on one thread: what the code under test gives to worker threads runs here too, a little later, as the seed says. So one seed
is one history. What belongs to one run of a program (its tasks, timers and callbacks) carries that run's ``Life`` in its context; when the
life ends, none of it is ever run again, not even a ``finally``, as after ``kill -9``.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random as Mersenne
from typing import Any, TypeVar

T = TypeVar("T")


class Life:
    """One run of a program, from its start to its end. ``steps_left`` counts down to its sudden death; None while none is planned."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.steps_left: int | None = None
        self.on_death: Callable[[], None] = lambda: None

    def context(self) -> Context:
        """A context in which everything belongs to this life."""
        context = copy_context()
        context.run(_LIFE.set, self)
        return context

    def end(self) -> None:
        """Die now."""
        if self.alive:
            self.alive = False
            self.on_death()


_LIFE: ContextVar[Life | None] = ContextVar("life", default=None)


def life_here() -> Life | None:
    """The life to which the step belongs that is being taken."""
    return _LIFE.get()


class Stuck(AssertionError):
    """Somebody waits, and nothing will ever happen."""


class SimLoop(asyncio.AbstractEventLoop):
    """The loop. ``random`` decides how long worker threads take."""

    def __init__(self, random: Seeded) -> None:
        self.random = random
        self.steps = 0
        self._now = 0.0
        self._count = 0
        self._ready: deque[events.Handle] = deque()
        self._timers: list[tuple[float, int, events.TimerHandle]] = []
        self._kept: list[asyncio.Task[Any]] = []
        self.failures: list[str] = []

    # --- what asyncio and its users ask of a loop ---

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> events.Handle:
        handle = events.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> events.TimerHandle:
        return self.call_at(self._now + max(0.0, delay), callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> events.TimerHandle:
        handle = events.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None) -> asyncio.Task[T]:  # type: ignore[override] # typeshed's is generic over generators too
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._kept.append(task)  # a task of an ended life must not be collected: that would run its finally blocks
        if len(self._kept) > 4096:
            self._kept = [kept for kept in self._kept if not kept.done()]
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """The worker thread is here and now, only a little later."""
        future: asyncio.Future[T] = self.create_future()

        def work() -> None:
            if future.cancelled():
                return
            try:
                result = func(*args)
            except Exception as problem:
                future.set_exception(problem)
            else:
                future.set_result(result)

        self.call_later(self.random.between(0.00002, 0.0005), work)
        return future

    def get_task_factory(self) -> None:
        return None

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: events.TimerHandle) -> None:
        pass

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody waited for is a bug of the code under test: it is kept, and the seed fails by it."""
        self.failures.append(f"{context.get('message')}: {context.get('exception')!r}")

    # --- running ---

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run until ``main`` is over. Raises what it raises, and Stuck when nothing is left that could go on."""
        events._set_running_loop(self)
        try:
            task = self.create_task(main)
            while not task.done():
                self._step()
            return task.result()
        finally:
            events._set_running_loop(None)

    def _step(self) -> None:
        if not self._ready:
            self._pass_time()
        handle = self._ready.popleft()
        if handle._cancelled:
            return
        context: Context = handle._context  # type: ignore[attr-defined] # every handle has one
        life = context.get(_LIFE)
        goes_on = _goes_on(handle)
        if life is not None:
            if goes_on and life.steps_left is not None and life.alive:
                life.steps_left -= 1
                if life.steps_left < 0:
                    life.end()
            if not life.alive:
                return
        self.steps += goes_on
        handle._run()

    def _pass_time(self) -> None:
        while self._timers and self._timers[0][2]._cancelled:
            heapq.heappop(self._timers)
        if not self._timers:
            raise Stuck("nothing is left to do, and somebody waits")
        self._now = self._timers[0][0]
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])


def _goes_on(handle: events.Handle) -> bool:
    """Whether this is a task that goes on behind an await. (How many other callbacks there are depends on the version of Python.)"""
    name = getattr(handle._callback, "__qualname__", type(handle._callback).__qualname__)  # type: ignore[attr-defined] # every handle has one
    return name.endswith("task_wakeup") or name.startswith(("TaskStep", "TaskWakeup"))


class SimTurns:
    """A writer's turns on the event loop: what was put waits for ``latency`` and goes together with whatever came meanwhile."""

    def __init__(self, loop: SimLoop, life: Life, latency: Callable[[], float], tick_seconds: float | None = None) -> None:
        self._loop = loop
        self._context = life.context()
        self._latency = latency
        self._tick_seconds = tick_seconds
        self._waiting: deque[Any] = deque()
        self._turn: Callable[[deque[Any]], bool] = lambda _: False
        self._running = self._due = False
        self.at_once = False  # while nobody runs the loop: whoever puts something waits for its turn

    def start(self, turn: Callable[[deque[Any]], bool]) -> None:
        self._turn, self._running = turn, True
        if self._tick_seconds is not None:
            self._loop.call_later(self._tick_seconds, self._tick, context=self._context)

    def put(self, job: object) -> None:
        self._waiting.append(job)
        if self.at_once:
            self._go()
        elif not self._due:
            self._due = True
            self._loop.call_later(self._latency(), self._go, context=self._context)

    def join(self) -> None:
        while self._running:
            self._running = self._turn(self._waiting)

    def _go(self) -> None:
        self._due = False
        while self._running and self._waiting:
            self._running = self._turn(self._waiting)

    def _tick(self) -> None:
        if self._running and not self._waiting:
            self._running = self._turn(self._waiting)
        if self._running and self._tick_seconds is not None:
            self._loop.call_later(self._tick_seconds, self._tick, context=self._context)


class SimClock:
    """Virtual time as a PC reads it: right, but for ``offset_ms`` and what its quartz makes of a day."""

    def __init__(self, loop: SimLoop, start_ms: int) -> None:
        self._loop = loop
        self._start_ms = start_ms
        self.offset_ms = 0

    def now_ms(self) -> int:
        return self._start_ms + self.offset_ms + int(self._loop.time() * 1000)

    def monotonic(self) -> float:
        return self._loop.time()


class Seeded:
    """The one source of chance; fits ``edge_agent.clock.Random``. Uses only what is the same in every version of Python."""

    def __init__(self, seed: int | str) -> None:
        self._random = Mersenne(str(seed))

    def token_bytes(self, count: int) -> bytes:
        return self._random.getrandbits(count * 8).to_bytes(count, "big") if count else b""

    def fraction(self) -> float:
        return self._random.random()

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random.random()

    def below(self, count: int) -> int:
        return int(self._random.random() * count)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def one_of(self, choices: Any) -> Any:
        return choices[self.below(len(choices))]
