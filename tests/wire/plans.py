"""What the provider stand-in can be told to do with one request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
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
