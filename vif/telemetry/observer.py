"""The one interface everything that looks on has, and how several look on at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from vif.events import Event, ReplyDelta
from vif.flow import Mode
from vif.llm.protocol import Caller

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of an interaction when it begins."""

    message: str
    mode: Mode
    preset: str | None = None


class Observer(Protocol):
    """Told what happens. The calls of one interaction come in order; those of several are mixed.

    A call is on the way of somebody's answer: it must be quick.
    """

    def begin(self, caller: Caller, begun: Begun) -> None: ...

    def see(self, caller: Caller, event: Event) -> None:
        """Every event but `ReplyDelta`: there are hundreds of them, and `Finished` has the whole reply."""
        ...

    def end(self, caller: Caller, error: BaseException | None) -> None:
        """Over. `error` is a `GeneratorExit` or `CancelledError` when the user left before the end."""
        ...

    def circuit(self, role: str, provider: str, model: str, state: str) -> None:
        """The circuit of a model changed to "closed", "half-open" or "open"."""
        ...

    def not_stored(self, caller: Caller) -> None:
        """A finished interaction could not be kept."""
        ...


class Observers:
    """Several observers as one. A fault of one of them is logged once and harms nobody else."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = tuple(observers)
        self._complained: set[int] = set()

    def begin(self, caller: Caller, begun: Begun) -> None:
        self._tell(lambda observer: observer.begin(caller, begun))

    def see(self, caller: Caller, event: Event) -> None:
        if not isinstance(event, ReplyDelta):
            self._tell(lambda observer: observer.see(caller, event))

    def end(self, caller: Caller, error: BaseException | None) -> None:
        self._tell(lambda observer: observer.end(caller, error))

    def circuit(self, role: str, provider: str, model: str, state: str) -> None:
        self._tell(lambda observer: observer.circuit(role, provider, model, state))

    def not_stored(self, caller: Caller) -> None:
        self._tell(lambda observer: observer.not_stored(caller))

    def _tell(self, call: Callable[[Observer], None]) -> None:
        for number, observer in enumerate(self._observers):
            try:
                call(observer)
            except Exception as error:  # noqa: BLE001  # looking on must not change what happens
                if number not in self._complained:
                    self._complained.add(number)
                    _log.error("%s fails (%s)", type(observer).__name__, type(error).__name__)


def stopped(error: BaseException | None) -> bool:
    """Whether an interaction ended because its user left."""
    return isinstance(error, GeneratorExit | asyncio.CancelledError)


NOBODY_LOOKS: Observer = Observers()
