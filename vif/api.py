"""The front door: one message in, an `Interaction` out, with events on the way for those who want to draw them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, Self
from uuid import uuid4

from vif.boundaries import DEFAULT_BOUNDARIES, Boundary
from vif.config import DualLlmConfig
from vif.domains import DOMAINS, Domain, check_autonomy, formula_activations
from vif.errors import InputError
from vif.events import (
    Event,
    Finished,
    FormulaRead,
    Recognised,
    ReplyDelta,
    ReplyFailed,
    ReplyStarted,
    StageFinished,
    StageStarted,
)
from vif.flow import Conclusion, FlowContext, Mode, Reading, Stage, conclude, read_formula, shape
from vif.interaction import (
    BoundaryQualities,
    DomainActivations,
    FormulaReading,
    Interaction,
    Recognition,
    Timings,
)
from vif.llm.breaker import Circuit
from vif.llm.budget import Spent
from vif.llm.protocol import Caller, ChatModel, Preparable, Turn
from vif.llm.stack import Guards
from vif.oscillation import swinging_like
from vif.prompt import as_message
from vif.recognition.drill import Fault
from vif.recognition.ladder import Ladder
from vif.recognition.reading import read_message
from vif.recognition.recogniser import Question, Recogniser
from vif.recognition.stack import rungs_of
from vif.response import Reply, respond
from vif.state import MemoryState, State
from vif.store import StoreError
from vif.telemetry.observer import NOBODY_LOOKS, Begun, Observer, Observers
from vif.watch import StageWatch, Watch

FORMULA: Mode = "formula"

LONGEST_MESSAGE = 200_000
"""Characters. More than any model of the catalogue reads with profit, and enough for a long document."""


_log = logging.getLogger(__name__)


class Keeper(Protocol):
    """Where finished interactions go: `vif.store.Store`, or one that is opened later."""

    async def save(
        self, interaction: Interaction, *, session: str | None = None, conversation: str | None = None
    ) -> None:
        """Return once it is safe. Raises StoreError."""
        ...


class VifApi:
    """Carries out interactions.

    `VifApi(llm2)` takes stages 1 and 2 from the Rust formula; `VifApi.with_dual_llm(llm1, llm2, config)` from LLM #1.
    Everything after stage 2 is the same. One object serves many interactions at once on one event loop.
    """

    def __init__(
        self,
        llm2: ChatModel | Sequence[ChatModel],
        config: DualLlmConfig | None = None,
        *,
        state: State | None = None,
        counts: State | None = None,
        store: Keeper | None = None,
        observer: Observer = NOBODY_LOOKS,
    ) -> None:
        """`state` holds circuits, budgets and remembered readings; by default it is this object's own.

        With `counts` money and requests are counted there instead. Finished interactions go into `store`, before they
        are told to be finished; without one they are not kept. The `observer` is told of everything.
        """
        self._config = config or DualLlmConfig()
        # Looking on must not change what happens, whoever looks.
        self._observer = observer if isinstance(observer, Observers) else Observers([observer])
        state = state or MemoryState(self._config.cache_max_entries)
        self._guards = Guards(self._config, state, self._observer.circuit, counts)
        models = (llm2,) if isinstance(llm2, ChatModel) else tuple(llm2)
        self._responders = tuple(self._guards.responder(model) for model in models)
        self._ladder: Ladder | None = None
        self._clock: Callable[[], float] = time.perf_counter
        self._session = uuid4().hex
        self._store = store

    def __repr__(self) -> str:
        def named(models: Iterable[ChatModel | Recogniser]) -> str:
            return ", ".join(f"{one.provider}:{one.model}" for one in models)

        readers = f"read by {named(self._ladder.rungs)}" if self._ladder else "read by the Rust formula"
        return f"<VifApi: {readers}; answered by {named(self._responders)}>"

    @classmethod
    def with_dual_llm(
        cls,
        llm1: ChatModel | Recogniser | Sequence[ChatModel | Recogniser],
        llm2: ChatModel | Sequence[ChatModel],
        config: DualLlmConfig | None = None,
        *,
        state: State | None = None,
        counts: State | None = None,
        store: Keeper | None = None,
        observer: Observer = NOBODY_LOOKS,
        drill: Fault | None = None,
    ) -> Self:
        """LLM #1 reads. Of several the first is the primary, the others stand in for it; the formula is always last.

        Of several `llm2` the second answers when the first fails before its first word. In a `drill` the primary
        misbehaves on purpose.
        """
        api = cls(llm2, config, state=state, counts=counts, store=store, observer=observer)
        rungs = llm1 if isinstance(llm1, Sequence) else (llm1,)
        api._ladder = Ladder(rungs_of(rungs, api._guards, drill), api._config)
        return api

    @property
    def config(self) -> DualLlmConfig:
        return self._config

    @property
    def mode(self) -> Mode:
        return "dual" if self._ladder else "formula"

    async def process(
        self,
        message: str,
        autonomy: float | None = None,
        previous: Interaction | None = None,
        *,
        boundaries: Sequence[Boundary] = DEFAULT_BOUNDARIES,
        session: str = "",
        conversation: str | None = None,
        counted_as: Sequence[str] = (),
    ) -> Interaction:
        """The whole interaction. A failure of LLM #2 is in `response.error`, with everything else still there.

        Args:
            message: the user's text; may be empty.
            autonomy: 0 to 1; the setting's value when None.
            previous: the interaction before in the same conversation.
            boundaries: frequency, amplitude and phase of the boundaries; their other values are computed.
            session: whose budget it is; by default this object is one session.
            conversation: id of the conversation it is kept in, when there is a store.
            counted_as: ids of who asks, each with a share of their own of what one person may ask for and spend; by
                default nobody's share is used.

        Raises:
            InputError: autonomy outside 0 to 1, or a message over 200,000 characters.
            TooManyRequestsError: who asks has asked too often.
            RecognitionError: LLM #1 failed and `fallback_to_formula` is off.
        """
        events = self.stream(
            message,
            autonomy,
            previous,
            boundaries=boundaries,
            session=session,
            conversation=conversation,
            counted_as=counted_as,
        )
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Finished):
                    return event.interaction
        raise AssertionError("the stream ended without Finished")

    async def recognise(
        self,
        message: str,
        previous: Interaction | Mapping[Domain, float] | None = None,
        *,
        boundaries: Sequence[Boundary] = DEFAULT_BOUNDARIES,
        session: str = "",
    ) -> tuple[Reading, Recognition]:
        """Stages 1 and 2 only: no reply is asked for. Arguments and errors as for `process`.

        Of `previous` the activations are enough, 0 to 1 each.
        """
        _check_message(message)
        before = _activations(previous)
        return await self._read(message, self._config.autonomy, before, tuple(boundaries), self._caller(session))

    async def stream(
        self,
        message: str,
        autonomy: float | None = None,
        previous: Interaction | None = None,
        *,
        boundaries: Sequence[Boundary] = DEFAULT_BOUNDARIES,
        session: str = "",
        conversation: str | None = None,
        counted_as: Sequence[str] = (),
    ) -> AsyncGenerator[Event, None]:
        """The same as events, in the order `vif.events` describes. Arguments and errors as for `process`."""
        _check_message(message)
        autonomy = check_autonomy(self._config.autonomy if autonomy is None else autonomy)
        boundaries = tuple(boundaries)
        caller = self._caller(session, conversation, counted_as)
        await self._guards.rate.admit(caller.counted_as)
        events = self._interact(caller, message, autonomy, previous, boundaries)
        async with aclosing(self._watched(caller, Begun(message, self.mode, self._config.preset_name), events)) as seen:
            async for event in seen:
                yield event

    async def _interact(
        self,
        caller: Caller,
        message: str,
        autonomy: float,
        previous: Interaction | None,
        boundaries: tuple[Boundary, ...],
    ) -> AsyncGenerator[Event, None]:
        """The whole interaction, arguments checked."""
        watch = Watch(self._clock)

        formula = formula_reading(autonomy, boundaries)
        yield FormulaRead(formula)

        for stage in (Stage.DOMAINS, Stage.BOUNDARIES):
            yield StageStarted(stage)
        reading, recognition = await self._read(message, autonomy, _activations(previous), boundaries, caller)
        recognise_ms = watch.lap()
        yield Recognised(reading, recognition)
        for stage in (Stage.DOMAINS, Stage.BOUNDARIES):
            yield StageFinished(stage, reading, recognise_ms)

        plan = _Plan(caller, message, reading, recognition, formula, autonomy, previous, self.mode, recognise_ms)
        async with aclosing(self._carry_on(plan, watch)) as events:
            async for event in events:
                yield event

    async def answer_again(
        self,
        interaction: Interaction,
        previous: Interaction | None = None,
        *,
        boundaries: Sequence[Boundary] | None = None,
        from_formula: bool = False,
        session: str = "",
        conversation: str | None = None,
        counted_as: Sequence[str] = (),
    ) -> AsyncGenerator[Event, None]:
        """LLM #2 only: another answer to the message of `interaction`, whose reading is used again.

        Args:
            previous: what the interaction followed, as it did then.
            boundaries: other frequencies, amplitudes and phases; None keeps them.
            from_formula: answer from the Rust formula's reading instead.
            session, conversation, counted_as: as for `process`.

        Yields the events from stage 3 on; the last is `Finished` with a new interaction.
        """
        watch = Watch(self._clock)
        given = {boundary.name: boundary for boundary in (boundaries or interaction.boundaries)}
        swinging = tuple(swinging_like(boundary, given) for boundary in interaction.boundaries)
        if from_formula:
            reading = read_formula(interaction.autonomy, swinging)
            recognition, mode = Recognition(source="formula"), FORMULA
        else:
            reading = Reading(interaction.domains, swinging)
            recognition, mode = interaction.recognition, interaction.mode
        formula = formula_reading(interaction.autonomy, swinging)
        caller = self._caller(session, conversation, counted_as)
        await self._guards.rate.admit(caller.counted_as)
        plan = _Plan(caller, interaction.message, reading, recognition, formula, interaction.autonomy, previous, mode)
        begun = Begun(interaction.message, mode, self._config.preset_name)
        async with aclosing(self._watched(caller, begun, self._carry_on(plan, watch))) as events:
            async for event in events:
                yield event

    async def _watched(
        self, caller: Caller, begun: Begun, events: AsyncGenerator[Event, None]
    ) -> AsyncGenerator[Event, None]:
        """The events, told to whoever looks on."""
        self._observer.begin(caller, begun)
        over, error = False, None
        try:
            async with aclosing(events):
                async for event in events:
                    over = isinstance(event, Finished)
                    self._observer.see(caller, event)
                    yield event
        except BaseException as raised:
            # Who has the last event may leave.
            error = None if over else raised
            raise
        finally:
            self._observer.end(caller, error)

    async def _carry_on(self, plan: _Plan, watch: Watch) -> AsyncGenerator[Event, None]:
        """Stages 3 to 7, with the reply between 5 and 6."""
        stages = StageWatch(self._clock)
        context = shape(plan.message, plan.reading, stages.done)
        for stage in (Stage.INTERFACES, Stage.QUALITIES, Stage.INTEGRATION):
            yield StageFinished(stage, context, stages.ms[stage])

        yield ReplyStarted(self._responders[0].provider, self._responders[0].model)
        watch.lap()
        reply: Reply | None = None
        answer = respond(
            self._responders,
            context,
            history=_history(plan.previous),
            max_tokens=self._config.llm2_max_tokens,
            timeout_s=self._config.llm2_timeout_ms / 1000,
            caller=plan.caller,
            clock=self._clock,
        )
        async with aclosing(answer) as pieces:
            async for piece in pieces:
                if isinstance(piece, Reply):
                    reply = piece
                else:
                    yield ReplyDelta(piece)
        if reply is None:
            raise AssertionError("respond() ended without a Reply")
        respond_ms = watch.lap()
        if reply.response.error:
            yield ReplyFailed(reply.response.error)

        stages.start()
        conclusion = conclude(context, reply.text, stages.done)
        for stage in (Stage.CONTINUITY, Stage.EVOLUTION):
            yield StageFinished(stage, conclusion, stages.ms[stage])

        timings = Timings(
            recognise=plan.recognise_ms, flow=sum(stages.ms.values()), respond=respond_ms, total=watch.total_ms()
        )
        interaction = self._interaction(plan, context, conclusion, reply, timings)
        kept = timings.model_copy(update={"store": await self._keep(interaction, plan.caller)})
        yield Finished(interaction.model_copy(update={"timings_ms": kept}))

    async def circuits(self) -> tuple[Circuit, ...]:
        """How the circuit of each model stands that is asked over a network."""
        return await self._guards.circuits()

    async def spent(self, session: str = "") -> Spent:
        """What a session (by default this object's) and this day have cost, as far as budgets count it."""
        return await self._guards.purse.spent(session or self._session)

    async def warm_up(self) -> None:
        """Import SDKs and load embedded weights now, so that no message has to wait for them. Failures wait for one."""
        models: list[object] = [*self._responders, *(self._ladder.rungs if self._ladder else ()), self._store]
        await asyncio.gather(*(m.prepare() for m in models if isinstance(m, Preparable)), return_exceptions=True)

    async def aclose(self) -> None:
        """Release connections; the object cannot be used afterwards. Calling it twice is harmless."""
        if self._ladder:
            await self._ladder.aclose()
        for model in self._responders:
            await model.aclose()

    async def _read(
        self,
        message: str,
        autonomy: float,
        before: Mapping[str, float] | None,
        boundaries: tuple[Boundary, ...],
        caller: Caller,
    ) -> tuple[Reading, Recognition]:
        """Stages 1 and 2."""
        if self._ladder is None:
            return read_formula(autonomy, boundaries), Recognition(source="formula")
        question = Question(message, before, boundaries, self._config.llm1_oscillation, caller)
        return await read_message(
            self._ladder, question, autonomy, fallback_to_formula=self._config.fallback_to_formula
        )

    def _caller(self, session: str, conversation: str | None = None, counted_as: Sequence[str] = ()) -> Caller:
        return Caller(uuid4().hex, session or self._session, conversation, tuple(counted_as))

    async def _keep(self, interaction: Interaction, caller: Caller) -> float:
        """Milliseconds it took to keep it. That it could not be kept is no reason to lose it."""
        if self._store is None:
            return 0.0
        watch = Watch(self._clock)
        try:
            await self._store.save(interaction, session=caller.session, conversation=caller.conversation)
        except StoreError as error:
            _log.warning("interaction %s was not stored: %s", interaction.id, error)
            self._observer.not_stored(caller)
        return watch.lap()

    def _interaction(
        self, plan: _Plan, context: FlowContext, conclusion: Conclusion, reply: Reply, timings: Timings
    ) -> Interaction:
        return Interaction(
            id=plan.caller.interaction,
            message=plan.message,
            mode=plan.mode,
            preset=self._config.preset_name,
            autonomy=plan.autonomy,
            domains=dict(plan.reading.domains),
            boundaries=plan.reading.boundaries,
            formula=plan.formula,
            interfaces=context.interfaces,
            qualities=tuple(BoundaryQualities.of(entry) for entry in context.emergent),
            patterns=_patterns(conclusion),
            anchors=conclusion.anchors,
            developmental_stage=conclusion.developmental_stage,
            prompt=context.prompt,
            reply=reply.text,
            recognition=plan.recognition,
            response=reply.response,
            timings_ms=timings,
        )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is settled once stages 1 and 2 are done."""

    caller: Caller
    message: str
    reading: Reading
    recognition: Recognition
    formula: FormulaReading
    autonomy: float
    previous: Interaction | None
    mode: Mode
    recognise_ms: float = 0.0


def formula_reading(autonomy: float, boundaries: Sequence[Boundary] = DEFAULT_BOUNDARIES) -> FormulaReading:
    """The Rust formula's reading as it is shown beside LLM #1's: all four domains, none dropped."""
    return FormulaReading(
        domains=DomainActivations(**formula_activations(autonomy)),
        boundaries=read_formula(autonomy, boundaries).boundaries,
    )


def _activations(previous: Interaction | Mapping[Domain, float] | None) -> Mapping[str, float] | None:
    if isinstance(previous, Interaction):
        return previous.domains
    return {domain.value: previous[domain] for domain in DOMAINS if domain in previous} if previous else None


def _check_message(message: str) -> None:
    if len(message) > LONGEST_MESSAGE:
        raise InputError(f"the message has {len(message):,} characters; at most {LONGEST_MESSAGE:,} can be read")
    try:
        message.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the message is not valid text: character {error.start + 1} is half a character") from None


def _history(previous: Interaction | None) -> tuple[Turn, ...]:
    if previous is None or not previous.reply:
        return ()
    return Turn("user", as_message(previous.message)), Turn("assistant", previous.reply)


def _patterns(conclusion: Conclusion) -> tuple[str, ...]:
    return (" + ".join(conclusion.pattern_domains),) if conclusion.pattern_domains else ()
