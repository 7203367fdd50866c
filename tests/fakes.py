"""Test doubles: models and recognisers that say what they were told to, and time that passes without waiting.

model = FakeModel("a reply", AuthError("wrong key"))        # one entry per call, in order
rung = FakeRecogniser(answer(CD=0.9), ServerError("down"))
in_virtual_time(main)                                       # asyncio.sleep(3600) inside takes no time
"""

from __future__ import annotations

import asyncio
import json
import selectors
import sys
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vif.boundaries import BOUNDARY_NAMES, dissolve
from vif.llm.protocol import Completion, Finish, Provider, Request, Usage
from vif.recognition.recogniser import Question, Read
from vif.recognition.schema import Answer

VIF = (sys.executable, "-c", "from vif.cli import main; main()")
"""The `vif` command, whether or not its script is on the path."""

T = TypeVar("T")


# ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class FakeClock:
    """A clock that stands still until somebody sleeps by it."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def ticking(self, seconds: float) -> Callable[[], float]:
        """The same clock, except that every look at it takes `seconds`."""

        def look() -> float:
            self.now += seconds
            return self.now

        return look


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for time to pass it tells the loop that it has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self.passed += timeout
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer when there is nothing to do.

    `asyncio.sleep` and `asyncio.timeout` work as ever and take no time. Not for tests with sockets or threads.
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


def in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of `main()`, run on a `VirtualTimeLoop`."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def loop_time() -> float:
    """The running loop's time: the clock that fits `in_virtual_time`."""
    return asyncio.get_running_loop().time()


# ── Models ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Said:
    """One planned answer of a `FakeModel`: pieces of text, then a failure or a completion.

    `finish` None means that a stream ends without a completion.
    """

    pieces: Sequence[str] = ()
    finish: Finish | None = Finish.STOP
    usage: Usage = field(default=Usage(1200, 300))
    then: BaseException | None = None
    model: str = ""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


Plan = Said | str | BaseException | Callable[[Request], Awaitable[Said]]


class FakeModel:
    """A chat model with a queue of answers; keeps the requests it got."""

    def __init__(self, *plans: Plan, provider: Provider = Provider.OPENAI, model: str = "gpt-6-luna") -> None:
        self._provider, self._model = provider, model
        self.plans = deque(plans)
        self.requests: list[Request] = []
        self.closed = 0
        self.streams_closed = 0

    @property
    def provider(self) -> Provider:
        return self._provider

    @property
    def model(self) -> str:
        return self._model

    async def complete(self, request: Request) -> Completion:
        said = await self._next(request)
        if said.then:
            raise said.then
        assert said.finish is not None, "only a stream can end without a completion"
        return Completion(said.text, said.model or self._model, said.finish, said.usage)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        said = await self._next(request)
        try:
            for piece in said.pieces:
                yield piece
            if said.then:
                raise said.then
            if said.finish is not None:
                yield Completion(said.text, said.model or self._model, said.finish, said.usage)
        finally:
            self.streams_closed += 1

    async def aclose(self) -> None:
        self.closed += 1

    async def _next(self, request: Request) -> Said:
        self.requests.append(request)
        assert self.plans, f"{self._model} was asked once more than planned"
        plan = self.plans.popleft()
        if isinstance(plan, BaseException):
            return Said(then=plan)
        if isinstance(plan, str):
            return Said((plan,))
        return plan if isinstance(plan, Said) else await plan(request)


# ── Recognisers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def answer(CD: float = 0.9, SD: float = 0.4, CuD: float = 0.1, ED: float = 0.2) -> Answer:  # noqa: N803
    """A checked answer with these activations and the permeabilities that belong to them."""
    domains = {"CD": CD, "SD": SD, "CuD": CuD, "ED": ED}
    return Answer(domains, dissolve(Question("").six_boundaries, domains), "because", ("a pattern",))


def wire_answer(**changes: object) -> dict[str, Any]:
    """What LLM #1 sends when all is well; `changes` replace top-level keys.

    All activations are 0.25, so every permeability is √(0.25·0.25) = 0.25.
    """
    return {
        "reasoning": "Asks for something.",
        "domains": {"CD": 0.25, "SD": 0.25, "CuD": 0.25, "ED": 0.25},
        "boundaries": {name: {"permeability": 0.25, "status": "Maintained"} for name in BOUNDARY_NAMES},
        "patterns": ["a question"],
    } | changes


def wire_text(**changes: object) -> str:
    return json.dumps(wire_answer(**changes))


ReadPlan = Read | Answer | BaseException | Callable[[], Awaitable[Read]]


class FakeRecogniser:
    """A rung with a queue of outcomes; keeps what it was asked, told was wrong, and given in seconds."""

    def __init__(
        self,
        *plans: ReadPlan,
        provider: Provider = Provider.OPENAI,
        model: str = "gpt-6-luna",
        attempts: int | None = None,
    ) -> None:
        self._provider, self._model, self._attempts = provider, model, attempts
        self.plans = deque(plans)
        self.questions: list[Question] = []
        self.complaints: list[str | None] = []
        self.allowed_s: list[float] = []
        self.closed = 0

    @property
    def provider(self) -> Provider:
        return self._provider

    @property
    def model(self) -> str:
        return self._model

    @property
    def attempts(self) -> int | None:
        return self._attempts

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        self.questions.append(question)
        self.complaints.append(complaint)
        self.allowed_s.append(timeout_s)
        assert self.plans, f"{self._model} was asked once more than planned"
        plan = self.plans.popleft()
        if isinstance(plan, BaseException):
            raise plan
        if isinstance(plan, Answer):
            return Read(plan)
        return plan if isinstance(plan, Read) else await plan()

    async def aclose(self) -> None:
        self.closed += 1


async def hang() -> Any:
    """Never comes back; as a plan, a provider that does not answer."""
    await asyncio.Event().wait()


def takes(seconds: float, read: Read | Answer) -> Callable[[], Awaitable[Read]]:
    """As a plan, an answer that takes its time."""

    async def slowly() -> Read:
        await asyncio.sleep(seconds)
        return read if isinstance(read, Read) else Read(read)

    return slowly
