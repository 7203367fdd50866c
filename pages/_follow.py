"""A page that follows what goes on by itself on the library's event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from pages._whole import is_to_stop

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Work(Protocol[T_co]):
    """A `Run` or a `Group`."""

    def follow(self) -> Iterator[T_co]:
        """Its state at once, then whenever it has changed or a moment has passed, until it is over."""

    def stop(self) -> bool:
        """End it and keep what has arrived; False when it came to an end of its own."""


def follow(work: Work[T], draw: Callable[[T, T | None], None]) -> None:
    """Draw each new state, given the one drawn before. Another rerun takes it up where this one left it; a stop or an
    error ends it.

    Not for a fragment: there a click waits for the end of a script that runs. See `_columns.look_on`.
    """
    drawn: T | None = None
    try:
        for state in work.follow():
            if state is not drawn:
                draw(state, drawn)
                drawn = state
            if is_to_stop():
                work.stop()
    except Exception:
        work.stop()
        raise
