"""What the provider stand-in can be told to do with one request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, Literal

Api = Literal["openai", "anthropic"]

READING: Mapping[str, object] = {
    "reasoning": "The message asks for a procedure.",
    "domains": {"CD": 0.95, "SD": 0.3, "CuD": 0.1, "ED": 0.2},
    "boundaries": {
        "CD-SD": {"permeability": 0.53, "status": "Maintained"},
        "CD-CuD": {"permeability": 0.31, "status": "Maintained"},
        "CD-ED": {"permeability": 0.44, "status": "Maintained"},
        "SD-CuD": {"permeability": 0.17, "status": "Maintained"},
        "SD-ED": {"permeability": 0.24, "status": "Maintained"},
        "CuD-ED": {"permeability": 0.14, "status": "Maintained"},
    },
    "patterns": ["asks how", "names an algorithm"],
}
REPLY = "Understanding arrives in small steps, and each of them is worth a pause."


class Ending(StrEnum):
    """How an answer ends."""

    COMPLETE = "complete"
    EARLY = "early"  # closed cleanly, but without saying why it stopped
    CUT = "cut"  # the server closes the connection in the middle
    RESET = "reset"  # the connection is reset (RST) in the middle
    STALL = "stall"  # nothing more comes, the connection stays
    ERROR_EVENT = "error_event"  # an error where the next piece should be
    MALFORMED = "malformed"  # a broken chunk, or a broken JSON body


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the answer says was used, the fresh input without the cached."""

    fresh: int = 12
    output: int = 7
    cache_read: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to one request. `text` None means the default answer. Delays are in seconds."""

    text: str | None = None
    finish: Literal["stop", "length", "refusal", "content_filter"] = "stop"
    ending: Ending = Ending.COMPLETE
    tokens: Tokens | None = Tokens()
    status: int = 200
    message: str = ""
    kind: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: tuple[str, bytes] | None = None  # content type and body, sent as they are
    hang: bool = False
    delay_s: float = 0.0
    first_token_s: float = 0.0
    between_s: float = 0.0


def say(text: str, **more: Any) -> Plan:
    """Answer with this text."""
    return Plan(text=text, **more)


def fenced(reading: Mapping[str, object] = READING) -> Plan:
    """Answer with JSON in a Markdown fence."""
    return say(f"```json\n{json.dumps(reading)}\n```")


def truncated(text: str) -> Plan:
    """Answer with this text and say that the token limit ended it."""
    return say(text, finish="length")


def refuse(text: str = "I cannot help with that.") -> Plan:
    """Decline the way the provider declines."""
    return say(text, finish="refusal")


def fail(status: int, message: str = "planned failure", *, headers: Mapping[str, str] | None = None) -> Plan:
    """Answer with an HTTP error in the provider's form."""
    return Plan(status=status, message=message, headers=headers or {})


def error_event(message: str = "Overloaded", kind: str = "", text: str = "so far so good") -> Plan:
    """Send an error event after the text (without streaming: in place of the answer)."""
    return say(text, ending=Ending.ERROR_EVENT, message=message, kind=kind)


def page(status: int = 200) -> Plan:
    """Answer with a web page, as a captive portal or a wrong base URL does."""
    return Plan(status=status, raw=("text/html", b"<!DOCTYPE html><html><body>Welcome</body></html>"))


def hang() -> Plan:
    """Take the request and never answer."""
    return Plan(hang=True)


def out_of_range() -> Plan:
    """Answer with a reading that says CD = 1.5."""
    domains = {"CD": 1.5, "SD": 0.3, "CuD": 0.1, "ED": 0.2}
    return say(json.dumps({**READING, "domains": domains}))


FAULTS: Mapping[str, Callable[[], Plan]] = {
    "hang": hang,
    "401": lambda: fail(401, "Incorrect API key provided"),
    "429": lambda: fail(429, "Rate limit reached", headers={"Retry-After": "1"}),
    "500": lambda: fail(500, "The server had an error"),
    "prose": lambda: say("I would say that this is mostly about computation."),
    "range": out_of_range,
    "cut": lambda: say(json.dumps(READING), ending=Ending.CUT),
}
"""What can go wrong with LLM #1, by the name that `Mix` and the command line use."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Each request with a schema fails with a probability of `share`, in one of the `kinds` at random."""

    share: float
    kinds: tuple[str, ...] = tuple(FAULTS)

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"the share of faults is {self.share!r}; it must be from 0 to 1")
        if not self.kinds or set(self.kinds) - set(FAULTS):
            raise ValueError(f"the faults are {self.kinds!r}; choose from {', '.join(FAULTS)}")

    def draw(self, random: Random) -> Plan | None:
        return FAULTS[random.choice(self.kinds)]() if random.random() < self.share else None


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds until an answer: anything from `least_s` to `most_s`, and `slow_factor` times that for `slow_share`."""

    least_s: float = 0.0
    most_s: float = 0.0
    slow_share: float = 0.0
    slow_factor: float = 10.0

    @classmethod
    def parse(cls, text: str) -> Latency:
        """From milliseconds: "100", "50-150", or with a heavy tail "100,0.01x10" (1 % of calls 10 times slower)."""
        usual, _, tail = text.partition(",")
        least, _, most = usual.partition("-")
        share, _, factor = tail.partition("x")
        latency = cls(
            float(least) / 1000, float(most or least) / 1000, float(share or 0.0), float(factor) if factor else 10.0
        )
        if not (0.0 <= latency.least_s <= latency.most_s and 0.0 <= latency.slow_share <= 1.0):
            raise ValueError(f"{text!r} is no latency; it must look like 100, 50-150 or 100,0.01x10")
        return latency

    def draw(self, random: Random) -> float:
        usual = random.uniform(self.least_s, self.most_s)
        return usual * self.slow_factor if random.random() < self.slow_share else usual
