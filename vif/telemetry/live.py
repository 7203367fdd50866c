"""What is happening now: the last interactions in memory, added up for a page. Per session, and for the process."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from vif.events import Event, Finished
from vif.interaction import Attempt, Interaction, Source, total_cost
from vif.llm.protocol import Caller
from vif.percentiles import Percentiles
from vif.telemetry.failures import NOT_FAILED, error_of
from vif.telemetry.observer import Begun, stopped

KEPT = 500
KEPT_SESSIONS = 256
WINDOW_S = 900.0
FAILURES = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that failed. `error` is one line without any text of the message."""

    at: float
    role: str
    provider: str
    model: str
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class Done:
    """What is kept of an interaction. `at` is in seconds since the epoch, times in milliseconds."""

    at: float
    dual: bool
    source: Source
    fallback_reason: str | None
    answered: bool
    recognise_ms: float
    first_token_ms: float | None
    total_ms: float
    cost_usd: float | None
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The last quarter of an hour, at most 500 interactions. Rates are None when there is nothing to divide by."""

    interactions: int = 0
    running: int = 0
    stopped: int = 0
    unanswered: int = 0
    sources: Mapping[Source, int] = field(default_factory=dict)
    fallbacks: Mapping[str, int] = field(default_factory=dict)
    fallback_rate: float | None = None
    hit_rate: float | None = None
    recognise: Percentiles | None = None
    first_token: Percentiles | None = None
    total: Percentiles | None = None
    cost_usd: float = 0.0
    unpriced: int = 0
    history: tuple[Done, ...] = ()
    failures: tuple[Failure, ...] = ()


class Live:
    """A rolling window. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._done: deque[Done] = deque(maxlen=KEPT)
        self._stopped: deque[float] = deque(maxlen=KEPT)
        self._running = 0
        self._lock = threading.Lock()

    def began(self) -> None:
        with self._lock:
            self._running += 1

    def finished(self, interaction: Interaction) -> None:
        done = _done(interaction, self._clock())
        with self._lock:
            self._done.append(done)

    def ended(self, *, stopped: bool) -> None:
        with self._lock:
            # Not below zero: a session can have been forgotten since it began.
            self._running = max(self._running - 1, 0)
            if stopped:
                self._stopped.append(self._clock())

    def snapshot(self) -> Snapshot:
        """The figures now."""
        since = self._clock() - WINDOW_S
        with self._lock:
            done = [one for one in self._done if one.at >= since]
            left = sum(at >= since for at in self._stopped)
            running = self._running
        read = [one for one in done if one.dual]
        return Snapshot(
            interactions=len(done),
            running=running,
            stopped=left,
            unanswered=sum(not one.answered for one in done),
            sources=Counter(one.source for one in done),
            fallbacks=Counter(one.fallback_reason for one in done if one.fallback_reason),
            fallback_rate=_share(one.fallback_reason is not None for one in read),
            hit_rate=_share(one.source == "cache" for one in read),
            recognise=Percentiles.of([one.recognise_ms for one in read]),
            first_token=Percentiles.of([one.first_token_ms for one in done if one.first_token_ms is not None]),
            total=Percentiles.of([one.total_ms for one in done]),
            cost_usd=sum(one.cost_usd or 0.0 for one in done),
            unpriced=sum(one.cost_usd is None for one in done),
            history=tuple(done),
            failures=tuple(failure for one in reversed(done) for failure in reversed(one.failures))[:FAILURES],
        )


class LiveBoard:
    """An observer that keeps a `Live` for the process and one for each session that was lately there."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.process = Live(clock)
        self._sessions: OrderedDict[str, Live] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, session: str) -> Live:
        """The figures of one session; empty ones when it has not asked anything."""
        with self._lock:
            live = self._sessions.setdefault(session, Live(self._clock))
            self._sessions.move_to_end(session)
            while len(self._sessions) > KEPT_SESSIONS:
                self._sessions.popitem(last=False)
            return live

    def begin(self, caller: Caller, begun: Begun) -> None:  # noqa: ARG002  # the interface
        for live in (self.process, self.of(caller.session)):
            live.began()

    def see(self, caller: Caller, event: Event) -> None:
        if isinstance(event, Finished):
            for live in (self.process, self.of(caller.session)):
                live.finished(event.interaction)

    def end(self, caller: Caller, error: BaseException | None) -> None:
        for live in (self.process, self.of(caller.session)):
            live.ended(stopped=stopped(error))

    def circuit(self, role: str, provider: str, model: str, state: str) -> None:
        """Circuits are looked at where they are."""

    def not_stored(self, caller: Caller) -> None:
        """That is for the log and the metrics."""


def _done(interaction: Interaction, at: float) -> Done:
    recognition, response = interaction.recognition, interaction.response
    # A reading that is used again was paid for, and failed, before.
    read = interaction.mode == "dual" and interaction.timings_ms.recognise > 0
    attempts = recognition.attempts if read else ()
    failed = [_failure("LLM #1", one, at) for one in attempts if one.outcome not in NOT_FAILED]
    answered = response is not None and response.error is None
    costs = [one.cost_usd for one in attempts]
    if response is not None:
        failed += [_failure("LLM #2", one, at) for one in response.failed_attempts]
        # A reply that failed is among the failed attempts.
        costs += [one.cost_usd for one in response.failed_attempts] + ([response.cost_usd] if answered else [])
    return Done(
        at=at,
        dual=read,
        source=recognition.source,
        fallback_reason=recognition.fallback_reason.value if read and recognition.fallback_reason else None,
        answered=answered,
        recognise_ms=interaction.timings_ms.recognise,
        first_token_ms=response.first_token_ms if response else None,
        total_ms=interaction.timings_ms.total,
        cost_usd=total_cost(costs),
        failures=tuple(failed),
    )


def _failure(role: str, attempt: Attempt, at: float) -> Failure:
    return Failure(at, role, attempt.provider, attempt.model, attempt.outcome, error_of(attempt))


def _share(flags: Iterable[bool]) -> float | None:
    values = list(flags)
    return sum(values) / len(values) if values else None
