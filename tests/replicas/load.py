"""A load of people who ask, one after the other, while something is done to the replicas: what each of them met."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import aiohttp

from tests.replicas.deployment import Deployment
from tests.replicas.visitor import Unanswered, Visitor, visiting

PAUSE_S = 0.1
"""Between a fault and the next attempt, as a page waits before it connects again."""

FAULTS = (aiohttp.ClientError, ConnectionError, TimeoutError, Unanswered)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something somebody met. `at` is in seconds since the load began; `fault` is empty when all was well."""

    at: float
    visitor: int
    what: str
    took_s: float
    fault: str = ""


@dataclass(slots=True)
class Met:
    """What everybody met. `events` say when what was done to the replicas, in seconds since the load began."""

    moments: list[Moment] = field(default_factory=list)
    confirmed: dict[str, int] = field(default_factory=dict)
    """Questions whose reply was complete at the page, and who asked."""
    events: dict[str, float] = field(default_factory=dict)
    where: dict[str, list[str]] = field(default_factory=dict)
    """The replicas people were at, one a visitor, before and after."""

    begun: float = field(default_factory=time.monotonic)

    async def by(self, visitor: int, what: str, action: Callable[[], Awaitable[None]]) -> bool:
        """Note what somebody meets when they do something; whether it went well."""
        start = time.monotonic()
        fault = ""
        try:
            await action()
        except FAULTS as error:
            fault = f"{type(error).__name__}: {error}"
        now = time.monotonic()
        self.moments.append(Moment(now - self.begun, visitor, what, now - start, fault))
        if fault:
            await asyncio.sleep(PAUSE_S)
        return not fault

    def faults(self) -> list[Moment]:
        return [moment for moment in self.moments if moment.fault]

    def seconds(self) -> dict[int, Counter[str]]:
        """Of every second: how many of which kind, and `fault`."""
        table: dict[int, Counter[str]] = {}
        for moment in self.moments:
            table.setdefault(math.floor(moment.at), Counter())["fault" if moment.fault else moment.what] += 1
        return dict(sorted(table.items()))

    def recovery_s(self, event: str) -> dict[int, float]:
        """Of everybody who met a fault after an event: the time from it to their next confirmed question."""
        begun = self.events[event]
        hit = {moment.visitor for moment in self.faults() if moment.at >= begun}
        return {
            visitor: min(
                (
                    moment.at - begun
                    for moment in self.moments
                    if moment.visitor == visitor
                    and moment.what == "question"
                    and not moment.fault
                    # What ends after it can have been asked before, of the other replica.
                    and moment.at - moment.took_s >= begun
                ),
                default=math.inf,
            )
            for visitor in hit
        }


async def load(
    running: Deployment, visitors: int, seconds: float, events: Sequence[tuple[float, str, Callable[[Met], None]]]
) -> Met:
    """Let so many people ask for so long. `events`: when, a name, what to do; each in a thread, in order."""
    met = Met()
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(visiting(running.address)) for _ in range(visitors)]
        for number, person in enumerate(people):
            running.sign_in.claims = {"sub": str(number), "name": f"No. {number}", "email": f"{number}@example.org"}
            await person.open()
            await person.sign_in()
        met.begun = time.monotonic()
        met.where["before"] = [person.replica for person in people]

        async def happen() -> None:
            for at, name, action in events:
                await asyncio.sleep(max(0.0, met.begun + at - time.monotonic()))
                met.events[name] = time.monotonic() - met.begun
                await asyncio.to_thread(action, met)

        async with asyncio.TaskGroup() as group:
            group.create_task(happen())
            for number, person in enumerate(people):
                group.create_task(_ask_on(person, number, seconds, met))
        met.where["after"] = [person.replica for person in people]
    return met


async def _ask_on(person: Visitor, number: int, seconds: float, met: Met) -> None:
    numbers = count()
    connected = True
    while time.monotonic() - met.begun < seconds:
        question = f"Question {next(numbers)} of visitor {number}: why?"
        connected = connected or await met.by(number, "page", person.open)
        if not connected:
            continue
        connected = await met.by(number, "question", partial(person.ask, question))
        if connected:
            met.confirmed[question] = number
            connected = await met.by(number, "upload", person.upload)
