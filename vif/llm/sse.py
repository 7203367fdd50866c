"""Server-sent events, as far as the providers' streams use them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterable, Mapping


async def json_events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[Mapping[str, object], None]:
    """The data of each event, wherever the chunks were cut. Raises ValueError for data that is not a JSON object."""
    rest, data = b"", list[bytes]()
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:].strip())
            elif data == [b"[DONE]"]:  # how some servers say goodbye
                data.clear()
            elif data and line in (b"", b"\r"):
                yield _event(data)
                data.clear()
    if data and data != [b"[DONE]"]:  # the last event, from a server that saves the empty line
        yield _event(data)


def _event(data: list[bytes]) -> Mapping[str, object]:
    event = json.loads(b"\n".join(data))
    if not isinstance(event, dict):
        raise ValueError("an event of the stream is not an object")  # noqa: TRY004  # it is data, not a mistake here
    return event
