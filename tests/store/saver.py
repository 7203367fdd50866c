"""Processes that save, and write the id of each interaction that was reported finished, one a line.

python -m tests.store.saver URL NAME STORES ROUNDS   # begins after a line on its input
python -m tests.store.saver URL                      # for each line on its input: a child of that name, to be killed

The second writes "pid NUMBER" when a child is there and "ended STATUS" when it is not any more.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import threading

from tests.store.making import made
from vif.interaction import Interaction
from vif.store import Store

AT_ONCE = 100
"""Saves under way in one process, spread over its stores."""


def say(line: str) -> None:
    os.write(sys.stdout.fileno(), f"{line}\n".encode())  # at once and in one piece, so a kill cuts no line in two


async def save(store: Store, interaction: Interaction, name: str, rounds: int) -> None:
    for number in range(rounds) if rounds else itertools.count():
        id = f"{name}-{number}"
        await store.save(interaction.model_copy(update={"id": id}), session=name, conversation=name)
        say(id)


async def save_all(url: str, interaction: Interaction, name: str, *, stores: int = 1, rounds: int = 0) -> None:
    """With 0 rounds it never ends."""
    opened = await asyncio.gather(*(asyncio.to_thread(Store, url) for _ in range(stores)))
    savers = zip(range(AT_ONCE), itertools.cycle(opened), strict=False)
    await asyncio.gather(*(save(store, interaction, f"{name}-{saver}", rounds) for saver, store in savers))
    for store in opened:
        store.close()


def main(url: str, name: str | None = None, stores: int = 1, rounds: int = 0) -> None:
    interaction = asyncio.run(made("How do I implement quicksort?"))
    if name is not None:
        sys.stdin.readline()
        asyncio.run(save_all(url, interaction, name, stores=stores, rounds=rounds))
        return
    assert threading.active_count() == 1  # only then may a process be forked
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(save_all(url, interaction, line.strip()))
        say(f"pid {child}")
        _, status = os.waitpid(child, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [url]:
            main(url)
        case [url, name, stores, rounds]:
            main(url, name, int(stores), int(rounds))
