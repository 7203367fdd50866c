"""JSON lines, one per thing that happened, with the interaction's id on each.

Nothing is configured on import: a library does not log on its own account.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from pydantic import SecretStr

from vif.config import Access, DualLlmConfig
from vif.errors import ConfigError
from vif.events import Event, Finished, Recognised, ReplyFailed, StageFinished
from vif.interaction import Attempt, Interaction
from vif.llm.protocol import Caller
from vif.llm.transport import redacted
from vif.telemetry.failures import NOT_FAILED, OK, OUTPACED, error_of
from vif.telemetry.observer import Begun, stopped

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

KEY_NAMES = re.compile(r"(?:_KEY|_TOKEN|_SECRET|PASSWORD)$")
_URL_NAMES = ("VIF_DATABASE_URL", "VIF_REDIS_URL")

SHORTEST_SECRET = 8
"""Characters. Anything shorter would take words out of every line."""

_HAPPENED: Mapping[str, str] = {OK: "request answered", OUTPACED: "request outpaced"}

LEVELS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class LogObserver:
    """Writes what it sees as JSON lines. Text of messages and replies only when `messages` is on, else its length."""

    def __init__(self, level: str = "info", *, messages: bool = False, stream: TextIO | None = None) -> None:
        self._messages = messages
        self._log: FilteringBoundLogger = make_logger(level, stream)

    def begin(self, caller: Caller, begun: Begun) -> None:
        self._bound(caller).info(
            "interaction begun", mode=begun.mode, preset=begun.preset, **self._text("message", begun.message)
        )

    def see(self, caller: Caller, event: Event) -> None:
        log = self._bound(caller)
        match event:
            case Recognised(reading, recognition):
                for attempt in recognition.attempts:
                    self._attempt(log, "LLM #1", attempt)
                log.info(
                    "message read",
                    source=recognition.source,
                    model=recognition.model,
                    fallback_reason=recognition.fallback_reason,
                    corrections=len(recognition.corrections),
                    latency_ms=round(recognition.latency_ms, 3),
                    cost_usd=recognition.cost_usd,
                )
                log.debug("reading", domains=dict(reading.domains), **self._text("reasoning", recognition.reasoning))
            case StageFinished(stage, _, duration_ms):
                log.info("stage finished", stage=stage.value, duration_ms=round(duration_ms, 3))
            case ReplyFailed(message):
                log.warning("reply failed", error=message)
            case Finished(interaction):
                self._finished(log, interaction)

    def end(self, caller: Caller, error: BaseException | None) -> None:
        if error is not None:
            log = self._bound(caller)
            say = log.info if stopped(error) else log.warning
            # Its text might hold what must not be logged; its type does not.
            say("interaction ended early", error=type(error).__name__)

    def circuit(self, role: str, provider: str, model: str, state: str) -> None:
        self._log.warning("circuit changed", role=role, provider=provider, model=model, state=state)

    def not_stored(self, caller: Caller) -> None:
        self._bound(caller).error("interaction not stored")

    def _finished(self, log: FilteringBoundLogger, interaction: Interaction) -> None:
        response = interaction.response
        if response is not None:
            for attempt in response.failed_attempts:
                self._attempt(log, "LLM #2", attempt)
        log.info(
            "interaction finished",
            total_ms=round(interaction.timings_ms.total, 3),
            store_ms=round(interaction.timings_ms.store, 3),
            responder=response.model if response else None,
            first_token_ms=response.first_token_ms if response else None,
            input_tokens=response.input_tokens if response else 0,
            output_tokens=response.output_tokens if response else 0,
            cost_usd=response.cost_usd if response else None,
            finish_reason=response.finish_reason if response else None,
            **self._text("reply", interaction.reply),
        )

    def _attempt(self, log: FilteringBoundLogger, role: str, attempt: Attempt) -> None:
        say = log.info if attempt.outcome in NOT_FAILED else log.warning
        say(
            _HAPPENED.get(attempt.outcome, "request failed"),
            role=role,
            provider=attempt.provider,
            model=attempt.model,
            outcome=attempt.outcome,
            error=attempt.error if self._messages else error_of(attempt) or None,
            latency_ms=round(attempt.latency_ms, 3),
            input_tokens=attempt.input_tokens,
            output_tokens=attempt.output_tokens,
            cost_usd=attempt.cost_usd,
        )
        if role == "LLM #1":
            log.debug("raw answer", **self._text("raw_text", attempt.raw_text))

    def _text(self, name: str, text: str) -> dict[str, object]:
        return {name: text} if self._messages else {f"{name}_characters": len(text)}

    def _bound(self, caller: Caller) -> FilteringBoundLogger:
        return self._log.bind(interaction=caller.interaction, session=digest(caller.session))


class ForwardHandler(logging.Handler):
    """Takes the warnings of `vif`'s own modules into the same lines."""

    def __init__(self, level: str, stream: TextIO | None = None) -> None:
        super().__init__(LEVELS[level])
        self._log = make_logger(level, stream)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._log.log(record.levelno, record.getMessage(), logger=record.name)
        except Exception:  # noqa: BLE001  # a warning that cannot be written must not end what it warns of
            self.handleError(record)


def make_logger(level: str, stream: TextIO | None = None) -> FilteringBoundLogger:
    """A logger of JSON lines to `stream` (stderr by default), without keys. Changes no global setting."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_secrets(known_secrets(os.environ)),
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    ).bind()  # now: otherwise it is put together again for every line
    return logger


def known_secrets(environment: Mapping[str, str]) -> list[str]:
    """Keys, tokens and passwords of the environment, and the secrets among the settings (which may be in `.env`)."""
    found = [value for name, value in environment.items() if KEY_NAMES.search(name.upper())]
    found += [environment.get(name, "") for name in _URL_NAMES]
    try:
        settings = {**dict(Access()), **dict(DualLlmConfig())}
    except ConfigError:
        settings = {}  # whoever needs them will say so
    found += [value.get_secret_value() for value in settings.values() if isinstance(value, SecretStr)]
    return [value for value in found if len(value) >= SHORTEST_SECRET]


def without_secrets(
    secrets: Iterable[str],
) -> Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]:
    """A processor that takes out these secrets and whatever is shaped like a key."""
    longest_first = sorted(set(secrets), key=len, reverse=True)  # one may begin with another

    def clean(value: object) -> object:
        if isinstance(value, str):
            for secret in longest_first:
                value = value.replace(secret, "[key]")
            return redacted(value, "")
        if isinstance(value, Mapping):
            return {name: clean(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [clean(one) for one in value]
        return value

    def process(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: clean(value) for name, value in line.items()}

    return process


@lru_cache(maxsize=1024)
def digest(session: str) -> str:
    """A session's name in logs: enough to tell sessions apart, nothing to act with."""
    return hashlib.sha256(session.encode()).hexdigest()[:8] if session else ""
