"""The key: in the request, and nowhere else."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

import vif
from tests.standin import Ending, error_event, fail, say
from tests.wire.calls import KEYS, Call, Wire, request
from vif.errors import AuthError, ModelError
from vif.llm.transport import redacted

PACKAGE = str(Path(vif.__file__).parent)


def locals_of_ours(error: BaseException) -> str:
    """The local variables of the package's frames in a traceback, as a debugger or an error page would show them."""
    frames = traceback.walk_tb(error.__traceback__)
    return "".join(repr(frame.f_locals) for frame, _line in frames if frame.f_code.co_filename.startswith(PACKAGE))


async def test_a_wrong_key_that_the_provider_echoes_is_not_repeated(wire: Wire, call: Call) -> None:
    wire.standin.expected_key = "another"
    with pytest.raises(AuthError) as caught:
        await call(wire.model, request())
    assert "Incorrect API key provided: [key]" in str(caught.value)
    assert wire.key not in everything(caught.value)


@pytest.mark.parametrize(
    "plan",
    [
        lambda key: fail(429, f"key {key} has no quota"),
        lambda key: fail(500, f"while serving Bearer {key}"),
        lambda key: error_event(f"while serving {key}"),
        lambda _key: say("x", ending=Ending.CUT),
        lambda _key: say("x", ending=Ending.MALFORMED),
    ],
)
async def test_no_failure_shows_the_key_or_hangs_on_an_exception_that_could(
    wire: Wire, call: Call, plan: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(plan)
    caplog.set_level(logging.DEBUG)
    wire.standin.plan(wire.api, plan(wire.key))
    with pytest.raises(ModelError) as caught:
        await call(wire.model, request())
    assert wire.key in str(wire.standin.requests[0].headers)
    assert wire.key not in everything(caught.value)
    assert wire.key not in caplog.text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def everything(error: BaseException) -> str:
    chain = "".join(traceback.format_exception(error))
    return f"{chain}{error!r}{vars(error)}{locals_of_ours(error)}"


def test_a_model_does_not_show_its_key(wire: Wire) -> None:
    assert wire.key not in f"{wire.model!r}{wire.model}{vars(wire.model)}"
    assert wire.model.model in repr(wire.model)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Incorrect API key provided: sk-proj-Zq3vT8mWx1LrYb6NdKf0.", "Incorrect API key provided: [key]."),
        ("key sk-proj-********Kf0 is wrong", "key [key] is wrong"),
        ("another sk-ant-api03-Hs7Qe2Vu9PoCj4 of someone", "another [key] of someone"),
        ("ends in ...b6NdKf0", "ends in ...b6NdKf0"),
        ("ends in Yb6NdKf0", "ends in [key]"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [key]"),
        ("proxy http://me:secret@proxy.example:3128 failed", "proxy http://[key]proxy.example:3128 failed"),
        ("the task-force asked", "the task-force asked"),
    ],
)
def test_anything_like_a_key_is_taken_out_of_a_message(text: str, shown: str) -> None:
    assert redacted(text, KEYS["openai"]) == shown
