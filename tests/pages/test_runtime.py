"""A run goes on beside the page, is followed by it, and leaves nothing behind when it is stopped."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

import vif
from pages._runtime import Run, connection
from pages._turn import Turn
from tests.standin import Ending, Standin, hang, say

MESSAGE = "hello"


@pytest.fixture
def access(standin: Standin) -> vif.Access:
    return vif.Access()


def begin(access: vif.Access, mode: str = "dual") -> Run:
    config = vif.load_config("balanced", access=access)
    run = Run(Turn(1, MESSAGE, "dual", config), connection(config, access, "dual"), 0.55, None)
    run.start()
    return run


def until(run: Run, what: str) -> Turn:
    """Follow until this part of the turn has arrived."""
    return next(turn for turn in run.follow() if getattr(turn, what) or turn.over)


def test_a_run_passes_through_formula_reading_and_reply_to_its_end(standin: Standin, access: vif.Access) -> None:
    run = begin(access)
    turns = list(run.follow())
    assert turns[-1].over
    assert turns[-1].reply == standin.reply
    assert turns[-1].interaction is not None
    assert run.turn is turns[-1]


def test_stopping_keeps_what_has_arrived_and_hangs_up_on_the_provider(standin: Standin, access: vif.Access) -> None:
    standin.plan("anthropic", say("Half a thought", ending=Ending.STALL))
    run = begin(access)
    until(run, "reply")
    run.stop()
    assert run.turn.stopped
    assert run.turn.recognition is not None
    assert "Half a thought".startswith(run.turn.reply)
    assert run.turn.reply
    assert standin.requests[-1].gone.wait(10), "the provider still has our request"


def test_stopping_while_llm_1_reads_hangs_up_on_it(standin: Standin, access: vif.Access) -> None:
    standin.plan("openai", hang())
    run = begin(access)
    assert until(run, "formula").formula is not None
    while not standin.requests:
        next(run.follow())
    run.stop()
    assert run.turn.stopped
    assert standin.requests[0].gone.wait(10)
    assert len(standin.requests) == 1, "LLM #2 was never asked"


def test_a_second_page_can_take_up_a_run_that_another_one_left(standin: Standin, access: vif.Access) -> None:
    run = begin(access)
    until(run, "formula")
    assert list(run.follow())[-1].reply == standin.reply
    assert len(standin.requests) == 2


def test_starting_or_stopping_twice_changes_nothing(standin: Standin, access: vif.Access) -> None:
    run = begin(access)
    run.start()
    end = list(run.follow())[-1]
    run.stop()
    run.stop()
    assert run.turn is end
    assert not run.turn.stopped
    assert len(standin.requests) == 2


def test_an_argument_the_library_refuses_ends_the_run_with_its_reason(standin: Standin, access: vif.Access) -> None:
    config = vif.load_config("balanced", access=access)
    run = Run(Turn(1, MESSAGE, "dual", config), connection(config, access, "dual"), 1.5, None)
    run.start()
    end = list(run.follow())[-1]
    assert end.failure == "autonomy is 1.5; it must be a number from 0 to 1"
    assert end.over


def test_the_same_settings_and_keys_share_one_connection_and_others_do_not(
    standin: Standin, access: vif.Access
) -> None:
    config = vif.load_config("balanced", access=access)
    one = connection(config, access, "dual").api
    assert connection(config.with_(autonomy=0.9), access, "dual").api is one
    assert connection(config, access, "formula").api is not one
    other = access.model_copy(update={"openai_api_key": SecretStr("another")})
    assert connection(config, other, "dual").api is not one
