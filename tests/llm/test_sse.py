"""Events come out whole, however the bytes were cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import pytest

from vif.llm.sse import json_events

STREAM = (
    ": a comment\n\n"
    'event: first\ndata: {"n": 1, "text": "Grüße\u2028\\n"}\n\n'
    'data: {"n": 2}\r\n\r\n'
    'data: {"n":\ndata:  3}\n\n\n'
    'id: 7\ndata:{"n": 4}\n\n'
).encode()
EVENTS = [{"n": 1, "text": "Grüße\u2028\n"}, {"n": 2}, {"n": 3}, {"n": 4}]


async def parts(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
async def test_events_are_whole_wherever_the_chunks_were_cut(size: int) -> None:
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [event async for event in json_events(parts(chunks))] == EVENTS


async def test_the_last_event_needs_no_empty_line_but_a_whole_line() -> None:
    assert [event async for event in json_events(parts([b'data: {"n": 1}\n']))] == [{"n": 1}]
    assert [event async for event in json_events(parts([b'data: {"n": 1}']))] == []


@pytest.mark.parametrize("data", ["{", "[1]", "null", "so far"])
async def test_data_that_is_not_an_object_is_an_error(data: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        [event async for event in json_events(parts([f"data: {data}\n\n".encode()]))]


@pytest.mark.parametrize("goodbye", ["data: [DONE]\n\n", "data: [DONE]\n", "data: [DONE]"])
async def test_a_goodbye_is_no_event(goodbye: str) -> None:
    assert [event async for event in json_events(parts([b'data: {"n": 1}\n\n', goodbye.encode()]))] == [{"n": 1}]


async def test_a_web_page_has_no_events() -> None:
    assert [event async for event in json_events(parts([b"<html>\n<body>\n\n"]))] == []
