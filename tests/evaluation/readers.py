"""A provider whose models read the standard suite with a bias and a noise that are known."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from random import Random

from tests.standin import Seen, Standin, hang, say
from tests.wire.plans import Latency, Plan
from vif.boundaries import DEFAULT_BOUNDARIES, dissolve
from vif.domains import DOMAINS
from vif.evaluation.suite import Suite, shipped

_MESSAGE = re.compile(r"<message>\n(.*)\n</message>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Habit:
    """How a model misreads: `bias` is added to every activation, `noise` is the standard deviation around that."""

    bias: float
    noise: float


class Readers(Standin):
    """Models by name, each with its habit; any other one reads as the stand-in does."""

    def __init__(
        self, habits: Mapping[str, Habit], *, suite: Suite | None = None, latency: Latency | None = None, seed: int = 1
    ) -> None:
        self.held = threading.Event()
        self._left: int | None = None
        super().__init__(llm1=latency or Latency())
        self.habits = dict(habits)
        self._cases = {case.message.strip(): case for case in (suite or shipped("standard")).cases}
        self._chance = Random(seed)

    def hold_after(self, answers: int | None) -> None:
        """Answer so many requests more and then none, until told otherwise; `held` is set by the first one held."""
        self.held.clear()
        self._left = answers

    def reset(self) -> None:
        super().reset()
        self.hold_after(None)

    def _unplanned(self, seen: Seen) -> Plan:
        if self._left is not None:
            if not self._left:
                self.held.set()
                return hang()
            self._left -= 1
        habit = self.habits.get(str(seen.body.get("model")))
        found = _MESSAGE.search(_said(seen.body))
        case = self._cases.get(unescape(found[1]).strip()) if found else None
        if habit is None or case is None or not seen.has_schema:
            return super()._unplanned(seen)
        domains = {
            domain.value: round(min(max(case.expected[domain] + self._chance.gauss(habit.bias, habit.noise), 0), 1), 2)
            for domain in DOMAINS
        }
        reading = {
            "reasoning": "It is what the suite expects, give or take.",
            "domains": domains,
            "boundaries": {
                one.name: {"permeability": one.permeability, "status": str(one.status)}
                for one in dissolve(DEFAULT_BOUNDARIES, domains)
            },
            "patterns": ["asks something"],
        }
        return say(json.dumps(reading))


def _said(body: Mapping[str, object]) -> str:
    """The last turn, of either dialect."""
    turns = body["messages"]
    assert isinstance(turns, list)
    content = turns[-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
