"""What the outcome of a request means, and how a failed one may be told to others than who wrote the message."""

from __future__ import annotations

from vif.errors import Reason
from vif.interaction import Attempt

OK, OUTPACED = "ok", "outpaced"
NOT_FAILED = frozenset({OK, OUTPACED})
"""The slower one of two was ended because it was not needed."""

NOT_SENT = frozenset({Reason.CIRCUIT_OPEN.value, Reason.BUDGET.value})
"""No provider has seen the request."""

_QUOTES_THE_ANSWER = frozenset({Reason.INVALID_JSON.value, Reason.SCHEMA.value})


def error_of(attempt: Attempt) -> str:
    """What went wrong, in one line without any text of the message.

    A complaint about an answer quotes it, and a model may have answered in the user's own words. What follows the
    first quotation mark is left out: a quotation can be cut short, so nothing tells where it ends.
    """
    error = attempt.error or ""
    if attempt.outcome not in _QUOTES_THE_ANSWER:
        return error
    plain, quote, _ = error.partition('"')
    return plain + '"…"' if quote else plain
