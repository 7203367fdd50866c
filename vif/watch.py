"""Stop watches for the parts of an interaction."""

from __future__ import annotations

from collections.abc import Callable

from vif.flow import Stage


class Watch:
    """Milliseconds since the last look, and since the start."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = self._last = clock()

    def lap(self) -> float:
        now = self._clock()
        passed, self._last = now - self._last, now
        return passed * 1000

    def total_ms(self) -> float:
        return (self._clock() - self._start) * 1000


class StageWatch:
    """How long each stage took."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.ms: dict[Stage, float] = {}
        self._watch = Watch(clock)

    def start(self) -> None:
        self._watch.lap()

    def done(self, stage: Stage) -> None:
        self.ms[stage] = self._watch.lap()
