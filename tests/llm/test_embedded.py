"""The embedded model with its real weights and its real engine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from vif.errors import BadRequestError, ModelTimeoutError, UnavailableError
from vif.llm.embedded import PROMPT_TOKENS, READING_BYTES, EmbeddedModel, shortened
from vif.llm.protocol import ChatModel, Completion, Finish, Provider, Request, Turn

GENEROUS_S = 120.0
ENDLESS = "Write a very long story about a voyage around the world, in twelve chapters."


def _request(text: str, max_tokens: int = 16, timeout_s: float = GENEROUS_S) -> Request:
    return Request("You are a kind assistant.", (Turn("user", text),), max_tokens, timeout_s)


@pytest.fixture
def model() -> EmbeddedModel:
    return EmbeddedModel()


def test_it_is_a_chat_model_named_after_its_weights(model: EmbeddedModel) -> None:
    assert isinstance(model, ChatModel)
    assert (model.provider, model.model) == (Provider.EMBEDDED, "SmolLM2-135M-Instruct")


async def test_a_reply_streams_in_pieces_and_ends_with_one_completion(model: EmbeddedModel) -> None:
    *pieces, last = [part async for part in model.stream(_request("Tell me about the sea.", max_tokens=20))]
    assert isinstance(last, Completion)
    assert all(isinstance(piece, str) and piece for piece in pieces)
    assert len(pieces) > 10
    assert last.text == "".join(str(piece) for piece in pieces)
    assert last.finish is Finish.LENGTH
    assert last.usage.output_tokens == 20
    assert 15 < last.usage.input_tokens < 60


async def test_a_short_answer_ends_by_itself(model: EmbeddedModel) -> None:
    completion = await model.complete(_request("Answer with the single word yes.", max_tokens=200))
    assert completion.finish is Finish.STOP
    assert 0 < completion.usage.output_tokens < 200


async def test_earlier_turns_are_part_of_the_prompt(model: EmbeddedModel) -> None:
    alone = await model.complete(_request("And the second?", max_tokens=1))
    turns = (Turn("user", "Name two seas."), Turn("assistant", "The Baltic."), Turn("user", "And the second?"))
    after = await model.complete(Request("You are a kind assistant.", turns, 1, GENEROUS_S))
    assert after.usage.input_tokens > alone.usage.input_tokens + 10


@pytest.mark.parametrize("text", ["word " * 5000, "🜁" * 4000, "<|im_end|>" * 2000])
async def test_a_prompt_longer_than_the_context_is_shortened(model: EmbeddedModel, text: str) -> None:
    completion = await model.complete(_request(text, max_tokens=2))
    assert PROMPT_TOKENS // 3 < completion.usage.input_tokens <= PROMPT_TOKENS


async def test_of_a_long_conversation_the_present_message_stays(model: EmbeddedModel) -> None:
    turns = (*(Turn("user", f"earlier {index} " * 100) for index in range(8)), Turn("user", "Hello there"))
    with_history = await model.complete(Request("Be kind.", turns, 2, GENEROUS_S))
    assert with_history.usage.input_tokens <= PROMPT_TOKENS


def test_shortening_keeps_both_ends() -> None:
    # 40 % of 100 characters are 40, less the 5 of the mark: 35, of which 18 stand before it and 17 after.
    assert shortened("a" * 50 + "b" * 50, 0.4) == "a" * 18 + "\n[…]\n" + "b" * 17


async def test_a_marker_of_the_chat_format_in_a_message_is_only_text(model: EmbeddedModel) -> None:
    plain, marked = await model.embed(["end", "<|im_end|>"])
    assert not np.allclose(plain, marked)
    # As one special token «<|im_end|>» would count 1; as text it counts several.
    bare = await model.complete(_request("", max_tokens=1))
    spoken = await model.complete(_request("<|im_end|>", max_tokens=1))
    assert spoken.usage.input_tokens > bare.usage.input_tokens + 3


async def test_the_time_allowed_bounds_the_whole_call(model: EmbeddedModel) -> None:
    await model.complete(_request("Hello", max_tokens=1))
    with pytest.raises(ModelTimeoutError):
        await model.complete(_request(ENDLESS, max_tokens=700, timeout_s=0.2))


async def _tokens_written_until_idle(model: EmbeddedModel) -> int:
    while (work := await model.work()).replies:
        pass
    return work.tokens_written


async def test_leaving_a_stream_stops_the_generation(model: EmbeddedModel) -> None:
    before = await _tokens_written_until_idle(model)
    stream = model.stream(_request(ENDLESS, max_tokens=700))
    assert [await anext(stream) for _ in range(3)]
    await stream.aclose()
    # It would write 700 tokens; a few more than 3 are under way when the connection closes.
    assert await _tokens_written_until_idle(model) - before < 100


async def test_cancelled_replies_stop_and_leave_the_model_usable(model: EmbeddedModel) -> None:
    before = await _tokens_written_until_idle(model)
    writing = asyncio.Event()

    async def reply() -> None:
        async for _ in model.stream(_request(ENDLESS, max_tokens=700)):
            writing.set()

    tasks = [asyncio.create_task(reply()) for _ in range(5)]
    await writing.wait()
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended)
    assert await _tokens_written_until_idle(model) - before < 300
    assert (await model.complete(_request("Hello", max_tokens=2))).usage.output_tokens == 2


async def test_hidden_states_do_not_depend_on_the_texts_read_beside_them(model: EmbeddedModel) -> None:
    texts = ["Hello", "How deep is the sea?", "你好"]
    together = await model.embed(texts)
    alone = np.array([(await model.embed([text]))[0] for text in texts])
    assert together.shape == (3, 1152)
    assert np.abs(together - alone).max() < 1e-6


async def test_neither_prefix_nor_question_is_in_the_mean_over_the_text(model: EmbeddedModel) -> None:
    # The model is causal: the states of «a» in «a b» are those of «a» alone, so the mean over both texts' own
    # tokens is (mean of «a» · tokens of «a» + states of « b»); with one token repeated, the first keeps its state.
    one, two = (await model.embed(["Hello", "Hello Hello"]))[:, :576]
    second = 2 * two - one
    assert np.linalg.norm(one) == pytest.approx(24, rel=0.01)  # one state: norm √576, since the final norm is all 1
    assert np.linalg.norm(second) == pytest.approx(24, rel=0.01)


async def test_any_text_can_be_read(model: EmbeddedModel) -> None:
    long = "word " * 4000
    states = await model.embed([long, long[:READING_BYTES], "🜁" * 300, "\ud800", "\x00"])
    assert np.isfinite(states).all()
    assert np.array_equal(states[0], states[1])
    assert (await model.embed([])).shape == (0, 1152)
    with pytest.raises(BadRequestError, match="empty"):
        await model.embed([""])


def test_many_event_loops_at_once_get_what_one_gets() -> None:
    texts = [f"Message number {index}" for index in range(6)]
    expected = asyncio.run(EmbeddedModel().embed(texts))

    def in_its_own_loop(index: int) -> tuple[np.ndarray, Completion]:
        async def both() -> tuple[np.ndarray, Completion]:
            model = EmbeddedModel()
            return (await model.embed([texts[index]]))[0], await model.complete(_request(texts[index], max_tokens=4))

        return asyncio.run(both())

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(in_its_own_loop, range(6)))
    assert np.abs(np.array([state for state, _ in found]) - expected).max() < 1e-4
    assert all(completion.text for _, completion in found)


async def test_a_file_that_only_begins_like_a_model_is_unavailable(tmp_path: Path) -> None:
    whole = EmbeddedModel().weights.read_bytes()
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnavailableError, match=r"damaged\.gguf"):
        await EmbeddedModel(damaged).complete(_request("Hello"))


async def test_missing_weights_are_said_on_the_first_call(tmp_path: Path) -> None:
    model = EmbeddedModel(tmp_path / "nowhere.gguf")
    assert model.model == "embedded"
    with pytest.raises(UnavailableError, match=r"nowhere\.gguf.*does not exist"):
        await model.complete(_request("Hello"))


async def test_closing_twice_is_harmless(model: EmbeddedModel) -> None:
    await model.aclose()
    await model.aclose()
    assert (await model.complete(_request("Hello", max_tokens=1))).usage.output_tokens == 1


_LEAVE_WHILE_GENERATING = """
import asyncio
from vif.llm.embedded import EmbeddedModel
from vif.llm.protocol import Request, Turn

async def main():
    model = EmbeddedModel()
    await model.embed(["Hello"])
    task = asyncio.create_task(model.complete(Request("", (Turn("user", "Tell a long story."),), 700, 60.0)))
    async for part in model.stream(Request("", (Turn("user", "Hello"),), 700, 60.0)):
        print("generating", flush=True)
        break

asyncio.run(main())
"""


def test_a_process_that_ends_while_generating_ends_cleanly_and_silently() -> None:
    command = [sys.executable, "-c", _LEAVE_WHILE_GENERATING]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "generating\n", "")


def test_importing_it_loads_neither_the_runtime_nor_numpy() -> None:
    code = "import sys, vif.llm.embedded, vif.recognition.embedded; print({'xllamacpp', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
