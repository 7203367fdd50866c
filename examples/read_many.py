"""Many messages read at once, with a bar, one JSON object per line in the order of the messages.

    python read_many.py < messages.txt > readings.jsonl

For many messages `async` pays: one connection, eight readings under way, no thread per message.
"""

import asyncio
import json
import sys

from rich.console import Console
from rich.progress import Progress

import vif

AT_ONCE = 8
SOME = ["Sort this list.", "Why is the sky blue?", "Is this joke rude in Japan?", "I am so tired today."]


async def main(messages: list[str]) -> None:
    api = vif.connect(vif.load_config())
    places = asyncio.Semaphore(AT_ONCE)
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("reading", total=len(messages))

        async def read(message: str) -> dict[str, object]:
            async with places:
                try:
                    reading, recognition = await api.recognise(message)
                except vif.VifError as error:  # one bad message must not end the others
                    return {"message": message, "error": str(error)}
                finally:
                    progress.advance(bar)
            return {"message": message, "domains": dict(reading.domains), "source": recognition.source}

        try:
            lines = await asyncio.gather(*map(read, messages))
        finally:
            await api.aclose()
    for line in lines:
        print(json.dumps(line, ensure_ascii=False))


given = [] if sys.stdin is None or sys.stdin.isatty() else [line.strip() for line in sys.stdin if line.strip()]
asyncio.run(main(given or SOME))
