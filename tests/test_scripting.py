"""`vif.read`, `vif.ask` and `vif.stream` in processes and loops of all kinds."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator

import pytest

import dev
import vif
from tests.conftest import without_provider_settings
from tests.fakes import FakeModel, FakeRecogniser, answer
from vif.events import Finished, ReplyDelta
from vif.llm.protocol import Completion, Request
from vif.scripting import _running

QUESTION = "How do I implement quicksort?"


def api(*replies: str) -> vif.VifApi:
    rungs = [FakeRecogniser(*(answer(CD=0.9) for _ in replies or ("",)))]
    return vif.VifApi.with_dual_llm(rungs, FakeModel(*replies), vif.DualLlmConfig(enable_caching=False))


def main_waits() -> bool:
    """Whether the main thread waits for another one."""
    frame = sys._current_frames()[threading.main_thread().ident or 0]
    return (frame.f_code.co_name, frame.f_globals["__name__"]) == ("wait", "threading")


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as in a terminal: who starts the tests in the background may have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Endless(FakeModel):
    """Says a word, and nothing more until it is closed."""

    def __init__(self) -> None:
        super().__init__("word")
        self.stopped = threading.Event()

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        try:
            yield "word"
            await asyncio.Event().wait()
        finally:
            self.stopped.set()


def test_read_gives_the_reading_next_to_the_formula_and_asks_for_no_reply() -> None:
    found = vif.read(QUESTION, using=api())
    assert (found.message, found.domains["CD"]) == (QUESTION, 0.9)
    assert pytest.approx(0.44) == found.formula.domains.CD
    assert found.recognition.source == "llm1"


def test_ask_gives_the_interaction() -> None:
    both = api("one", "two")
    first = vif.ask(QUESTION, using=both)
    second = vif.ask("And mergesort?", autonomy=0.3, previous=first, using=both)
    assert (first.reply, second.reply, second.autonomy) == ("one", "two", 0.3)


def test_stream_yields_events_and_last_the_interaction() -> None:
    *events, last = vif.stream(QUESTION, using=api("a reply"))
    assert "".join(event.text for event in events if isinstance(event, ReplyDelta)) == "a reply"
    assert isinstance(last, Finished)
    assert last.interaction.reply == "a reply"


def test_all_calls_share_one_event_loop_from_whatever_thread_or_loop_they_come() -> None:
    seen: set[int] = set()

    class Noting(FakeModel):
        async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
            seen.add(id(asyncio.get_running_loop()))
            async for piece in super().stream(request):
                yield piece

    shared = vif.VifApi(Noting("one", "two", "three"), vif.DualLlmConfig())

    async def in_a_notebook() -> None:
        vif.ask(QUESTION, using=shared)  # where a loop runs already

    vif.ask(QUESTION, using=shared)
    asyncio.run(in_a_notebook())
    thread = threading.Thread(target=vif.ask, args=(QUESTION,), kwargs={"using": shared})
    thread.start()
    thread.join()
    assert len(seen) == 1


def test_a_connection_is_made_once_for_the_same_settings_and_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    background = _running()
    assert background.api("offline") is background.api(vif.load_config("offline"))
    assert background.api(vif.load_config("offline", autonomy=0.3)) is not background.api("offline")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a")
    before = background.api(None)
    assert background.api(None) is before
    monkeypatch.setenv("OPENAI_API_KEY", "sk-b")
    assert background.api(None) is not before


def test_errors_arrive_as_they_are() -> None:
    with pytest.raises(vif.InputError, match="autonomy is 2"):
        vif.ask(QUESTION, autonomy=2, using=api())
    with pytest.raises(vif.InputError, match="autonomy is 2"):
        next(vif.stream(QUESTION, autonomy=2, using=api()))
    with pytest.raises(vif.ConfigError, match="'balancd'"):
        vif.read(QUESTION, using="balancd")


def test_leaving_a_stream_early_stops_the_model() -> None:
    model = Endless()
    for event in vif.stream(QUESTION, using=vif.VifApi(model)):
        if isinstance(event, ReplyDelta):
            break
    assert model.stopped.wait(20)


def test_ctrl_c_while_waiting_stops_the_model(ctrl_c: None) -> None:
    class Interrupting(Endless):
        async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
            async for piece in super().stream(request):
                yield piece
                while not main_waits():  # noqa: ASYNC110  # nobody can be asked to tell
                    await asyncio.sleep(0)
                os.kill(os.getpid(), signal.SIGINT)

    model = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        vif.ask(QUESTION, using=vif.VifApi(model))
    assert model.stopped.wait(20)


def test_a_call_that_would_wait_for_itself_says_so() -> None:
    class Asking(FakeModel):
        async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
            with pytest.raises(vif.InputError, match="on the event loop it would wait for"):
                vif.read(QUESTION, using="offline")
            with pytest.raises(vif.InputError, match="on the event loop it would wait for"):
                next(vif.stream(QUESTION, using="offline"))
            async for piece in super().stream(request):
                yield piece

    assert vif.ask(QUESTION, using=vif.VifApi(Asking("fine"))).reply == "fine"


@pytest.mark.parametrize("ending", ["", "next(vif.stream('x', using=api))"])
def test_a_script_ends_quietly_at_once_and_releases_what_it_used(ending: str) -> None:
    script = f"""
import vif
from tests.fakes import FakeModel
class Model(FakeModel):
    async def aclose(self): print("released")
api = vif.VifApi(Model("one", "two"))
print(vif.ask("x", using=api).reply)
vif.read("x", using="offline")
{ending}
"""
    environment = without_provider_settings(os.environ) | {"PYTHONPATH": str(dev.ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout == "one\nreleased\n"
