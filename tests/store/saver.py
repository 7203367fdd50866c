"""A process that saves, 100 at a time, and writes the id of each that was reported finished, one a line.

python -m tests.store.saver URL NAME ROUNDS     # opens the store after a line on its input; ROUNDS 0: for ever
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from tests.store.making import made
from vif.interaction import Interaction
from vif.store import Store

AT_ONCE = 100


async def save(store: Store, interaction: Interaction, name: str, rounds: int) -> None:
    for number in range(rounds) if rounds else itertools.count():
        id = f"{name}-{number}"
        await store.save(interaction.model_copy(update={"id": id}), session=name, conversation=name)
        os.write(sys.stdout.fileno(), f"{id}\n".encode())


async def main(url: str, name: str, rounds: int) -> None:
    interaction = await made("How do I implement quicksort?")
    sys.stdin.readline()
    store = Store(url)
    await asyncio.gather(*(save(store, interaction, f"{name}-{saver}", rounds) for saver in range(AT_ONCE)))
    store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
