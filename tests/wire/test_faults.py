"""A provider that misbehaves while a hundred people ask: nobody is left without an answer, and each reason is told."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path

from tests.standin import Standin
from tests.wire.plans import Mix
from vif.config import Access, DualLlmConfig
from vif.connection import connect
from vif.interaction import Interaction
from vif.load.messages import load_messages
from vif.state import MemoryState
from vif.store import Store

KEY = "sk-proj-Zq3vT8mWx1LrYb6NdKf0"


async def test_a_hundred_at_once_with_every_fifth_reading_at_fault(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/kept.sqlite3"
    with Standin(faults=Mix(0.2), seed=3, key=KEY) as standin:
        access = Access(
            OPENAI_API_KEY=KEY,
            ANTHROPIC_API_KEY=KEY,
            OPENAI_BASE_URL=standin.base_url("openai"),
            ANTHROPIC_BASE_URL=standin.base_url("anthropic"),
        )
        config = DualLlmConfig(
            llm1_provider="openai", llm2_provider="anthropic", llm1_timeout_ms=500, breaker_reset_s=0.2
        )
        store = Store(url)
        api = connect(config, access, state=MemoryState(), store=store)
        places = asyncio.Semaphore(100)

        async def ask(message: str) -> Interaction:
            async with places:
                return await api.process(message)

        done = await asyncio.gather(*(ask(message) for message in islice(load_messages(1), 300)))
        await api.aclose()

    assert [one.response.error for one in done if one.response] == [None] * 300
    fallen = [one.recognition for one in done if one.recognition.source == "formula"]
    assert fallen
    assert all(recognition.fallback_reason and recognition.attempts for recognition in fallen)
    assert len({attempt.outcome for one in done for attempt in one.recognition.attempts}) >= 5
    assert await store.count() == 300
    store.close()
    for file in tmp_path.iterdir():  # noqa: ASYNC240  # nobody else is on this loop
        assert KEY.encode() not in file.read_bytes()
