"""Every error `vif` raises on purpose.

    VifError
    ├── ConfigError                a setting that cannot work; nothing was started
    ├── InputError                 an argument outside its range (also a ValueError)
    ├── ForbiddenError             an action that needs a role this person does not have
    ├── TooManyRequestsError       asked more often than one person may; says when they may again
    ├── RecognitionError           LLM #1 failed and falling back to the formula was switched off
    └── ModelError                 one call to one model failed
        ├── AuthError              401, 403: the key is missing, wrong or not allowed
        ├── ModelNotFoundError     404: the provider does not know the model
        ├── BadRequestError        400, 413, 422: the provider refuses the request as it stands
        ├── RateLimitError         429
        ├── ServerError            5xx, 529, an error event in a stream
        ├── ConnectError           refused, reset, cut in the middle
        ├── ModelTimeoutError      no answer within the time allowed
        ├── DeadlineError          the time for all attempts together is over
        ├── CircuitOpenError       not asked: the model failed too often just now
        ├── BudgetError            not asked: the money set aside is spent
        ├── UnavailableError       the model cannot be loaded here (embedded weights)
        └── OutputError            the model answered, but the answer cannot be used
            ├── InvalidJsonError   not JSON, or empty
            ├── SchemaError        JSON, but not the contract
            ├── RefusalError       the model declined
            └── TruncatedError     the answer stops before its end

`ModelError.retryable` says whether asking the same model again can help. A failure of LLM #2 is not raised: the
interaction that comes back carries it in `response.error`, with the reading and any partial reply.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from vif.llm.protocol import Usage


class Reason(StrEnum):
    """Why a reading did not come from where it should have come from."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    AUTH = "auth"
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    INVALID_JSON = "invalid_json"
    SCHEMA = "schema"
    REFUSAL = "refusal"
    TRUNCATED = "truncated"
    CIRCUIT_OPEN = "circuit_open"
    BUDGET = "budget"
    DEADLINE = "deadline"
    NOT_CONFIGURED = "not_configured"


class VifError(Exception):
    """Base of all errors of this package."""


class ConfigError(VifError):
    """A setting that cannot work. The message names it, its value and what is allowed."""


class InputError(VifError, ValueError):
    """An argument outside its range."""


class ForbiddenError(VifError):
    """An action that needs a role this person does not have. Nothing was done."""


class TooManyRequestsError(VifError):
    """Somebody asked more often than one person may. Nothing was asked of a model.

    Attributes:
        free_in_s: seconds until they may ask again.
    """

    def __init__(self, message: str, free_in_s: float) -> None:
        super().__init__(message)
        self.free_in_s = free_in_s


class RecognitionError(VifError):
    """LLM #1 failed on every rung and `fallback_to_formula` is off."""

    def __init__(self, message: str, reason: Reason | None) -> None:
        super().__init__(message)
        self.reason = reason


class ModelError(VifError):
    """One call to one model failed.

    Attributes:
        reason: the contract's word for it.
        retryable: whether the same request to the same model may succeed later.
        retry_after_s: seconds the provider asked us to wait, when it did.
        raw_text: what the model had said before the failure, when it said anything.
        usage: what the call cost in tokens, when the provider said so.
        earlier: failures of the same call that were followed by a retry.
        began_s, took_s: when the failed attempt began, counted from the call's beginning, and seconds until it failed;
            where a retry measured them.
    """

    reason: ClassVar[Reason]
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, raw_text: str = "", usage: Usage | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.raw_text = raw_text
        self.usage = usage
        self.earlier: tuple[ModelError, ...] = ()
        self.began_s = self.took_s = 0.0


class AuthError(ModelError):
    reason = Reason.AUTH


class ModelNotFoundError(ModelError):
    reason = Reason.NOT_CONFIGURED


class BadRequestError(ModelError):
    reason = Reason.NOT_CONFIGURED


class RateLimitError(ModelError):
    reason = Reason.RATE_LIMIT
    retryable = True


class ServerError(ModelError):
    reason = Reason.SERVER_ERROR
    retryable = True


class ConnectError(ModelError):
    reason = Reason.CONNECTION
    retryable = True


class ModelTimeoutError(ModelError):
    reason = Reason.TIMEOUT
    retryable = True


class DeadlineError(ModelError):
    reason = Reason.DEADLINE


class CircuitOpenError(ModelError):
    reason = Reason.CIRCUIT_OPEN


class BudgetError(ModelError):
    reason = Reason.BUDGET


class UnavailableError(ModelError):
    reason = Reason.NOT_CONFIGURED


class OutputError(ModelError):
    """The model answered; asking again with the fault named may help."""

    retryable = True


class InvalidJsonError(OutputError):
    reason = Reason.INVALID_JSON


class SchemaError(OutputError):
    reason = Reason.SCHEMA


class RefusalError(OutputError):
    reason = Reason.REFUSAL


class TruncatedError(OutputError):
    reason = Reason.TRUNCATED
