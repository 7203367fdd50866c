"""The pure parts the adapters share."""

from __future__ import annotations

import pytest

from vif.errors import BadRequestError, ServerError
from vif.llm.transport import MESSAGE_LENGTH, error_type, host, provider_message, retry_after_s, shortened

# Sat, 21 Nov 2026 12:00:00 GMT = 20778 days × 86 400 s + 43 200 s since the epoch.
NOON_S = 20778 * 86_400.0 + 43_200.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_milliseconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, now_s=NOON_S) == seconds


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "plain"}, "plain"),
        ({"error": {"message": "nested"}}, "nested"),
        ({"error": "a string"}, "a string"),
        ({"detail": "of a web framework"}, "of a web framework"),
        ({}, "no message"),
        (None, "no message"),
        ("<html><body>Bad gateway</body></html>", "a web page instead of an answer"),
        ("Bad gateway", "Bad gateway"),
    ],
)
def test_a_providers_message_is_found_in_every_shape(body: object, message: str) -> None:
    assert provider_message(body) == message


def test_a_message_is_one_line_of_bounded_length() -> None:
    assert shortened("a\n b\t c") == "a b c"
    long = shortened("word " * 100)
    assert len(long) == MESSAGE_LENGTH
    assert long.endswith("…")


def test_a_host_is_shown_without_password_and_path() -> None:
    assert host("http://me:secret@example.org:8080/v1") == "example.org:8080"


def test_a_status_without_its_own_error_falls_by_its_class() -> None:
    assert error_type(418) is BadRequestError
    assert error_type(599) is ServerError
