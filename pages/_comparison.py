"""The comparison of one browser session: what is compared, and the columns under way."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

import streamlit as st

import vif
from pages import _choices, _runtime
from pages._columns import Column, Group, Job
from pages._sidebar import Settings
from pages._turn import Turn
from vif.events import Event, Recognised

By = Literal["models", "autonomy"]

_KEY = "comparison"


@dataclass(frozen=True, slots=True)
class Request:
    """What is compared: a message, and by what. `quick` leaves the replies out."""

    message: str
    by: By
    choices: tuple[str, ...]
    quick: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """`number` tells one comparison of a session from the next."""

    number: int
    request: Request
    group: Group


def comparison() -> Comparison | None:
    """The one that is under way or over; None before the first."""
    found: Comparison | None = st.session_state.get(_KEY)
    return found


def begin(request: Request, settings: Settings) -> None:
    """Carry out a comparison in the place of the last one."""
    stop()
    before = comparison()
    number = before.number + 1 if before else 1
    group = Group([_job(number, choice, request, settings) for choice in request.choices])
    # From here on a rerun finds the columns: a model is never asked twice.
    st.session_state[_KEY] = Comparison(number, request, group)
    group.start()


def stop() -> None:
    """End what is under way; what has arrived stays. A callback as well."""
    if found := comparison():
        found.group.stop()


def name_of(by: By, choice: str) -> str:
    """What a column is called."""
    return _choices.label(choice) if by == "models" else f"Autonomy {choice}"


def _job(number: int, choice: str, request: Request, settings: Settings) -> Job:
    name = name_of(request.by, choice)
    make_plan = _choices.plan_for_model if request.by == "models" else _choices.plan_for_autonomy
    try:
        plan = make_plan(choice, settings)
        api = _runtime.connection(plan.config, settings.access, plan.mode)
    except vif.ConfigError as error:
        return Job(Column(name, problem=str(error)))
    turn = Turn(number, request.message, plan.mode, plan.config)
    return Job(Column(name, turn), lambda: _events(api, request, plan.autonomy))


async def _events(api: _runtime.Connection, request: Request, autonomy: float) -> AsyncGenerator[Event, None]:
    async with aclosing(api.stream(request.message, autonomy)) as events:
        async for event in events:
            yield event
            if request.quick and isinstance(event, Recognised):
                return  # nobody has been asked for a reply yet


def changed_since(found: Comparison, message: str, by: By, choices: Sequence[str], quick: bool) -> bool:
    """Whether the page now says something else than was compared."""
    return found.request != Request(message, by, tuple(choices), quick)
