"""A call ends when its time is over, whatever is beneath. Time passes without waiting."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import FakeModel, Said, in_virtual_time, loop_time
from vif.errors import DeadlineError
from vif.llm.deadline import Deadline
from vif.llm.protocol import Completion, Request, Turn

REQUEST = Request("", (Turn("user", "Why?"),), 100, 2.0)


async def _hang(_request: Request) -> Said:
    await asyncio.sleep(3600)
    raise AssertionError


def test_a_call_that_hangs_is_ended() -> None:
    async def main() -> float:
        with pytest.raises(DeadlineError, match="gpt-6-luna had 2 s in all and was not done"):
            await Deadline(FakeModel(_hang)).complete(REQUEST)
        return loop_time()

    assert in_virtual_time(main) == pytest.approx(2.0)


def test_a_stream_that_hangs_is_ended_and_closed() -> None:
    async def main() -> float:
        with pytest.raises(DeadlineError):
            await anext(Deadline(FakeModel(_hang)).stream(REQUEST))
        return loop_time()

    assert in_virtual_time(main) == pytest.approx(2.0)


def test_what_the_reader_does_between_the_words_is_not_interrupted() -> None:
    async def main() -> list[str | Completion]:
        heard = []
        async for item in Deadline(FakeModel("hello")).stream(REQUEST):
            await asyncio.sleep(1.0)
            heard.append(item)
        return heard

    assert in_virtual_time(main)[0] == "hello"


def test_who_stops_reading_stops_the_model() -> None:
    async def main() -> int:
        model = FakeModel(Said(("a", "b", "c")))
        stream = Deadline(model).stream(REQUEST)
        await anext(stream)
        await stream.aclose()
        return model.streams_closed

    assert in_virtual_time(main) == 1
