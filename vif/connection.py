"""From settings and keys to a `VifApi` that can be used."""

from __future__ import annotations

from vif.api import Keeper, VifApi
from vif.config import Access, DualLlmConfig, ModelRef, check_access
from vif.flow import Mode
from vif.llm.factory import open_model
from vif.llm.protocol import ChatModel, Provider
from vif.recognition.drill import Fault
from vif.recognition.recogniser import EmbeddedRecogniser, Recogniser
from vif.state import MemoryState, State, shared_state
from vif.telemetry.observer import NOBODY_LOOKS, Observer


def connect(
    config: DualLlmConfig,
    access: Access | None = None,
    *,
    mode: Mode = "dual",
    state: State | None = None,
    store: Keeper | None = None,
    observer: Observer = NOBODY_LOOKS,
    drill: Fault | None = None,
) -> VifApi:
    """A `VifApi` with clients for the models of `config`. Nothing is imported, loaded or connected before it is used.

    Circuits, budgets and remembered readings are shared by all that this process connects, and over `redis_url` by all
    processes; `state` keeps them apart. With a `drill` LLM #1 misbehaves on purpose, and the state is always its own,
    except for what limits and budgets count.

    Raises ConfigError when a provider lacks its key or address, or configured weights cannot be read.
    """
    access = access or Access()
    check_access(config, access, mode=mode)
    counts = None
    if drill or state is None:
        shared = shared_state(
            config.redis_url.get_secret_value() if config.redis_url else None, config.cache_max_entries
        )
        if drill:
            # It pretends that LLM #1 fails; what LLM #2 is asked is real, and so is the money.
            state, counts = state or MemoryState(config.cache_max_entries), shared
        state = state or shared
    llm2 = [open_model(reference, access) for reference in config.responders]
    if mode == "formula":
        return VifApi(llm2, config, state=state, counts=counts, store=store, observer=observer)
    llm1 = [_recogniser(reference, access) for reference in config.recognisers]
    return VifApi.with_dual_llm(
        llm1, llm2, config, state=state, counts=counts, store=store, observer=observer, drill=drill
    )


def _recogniser(reference: ModelRef, access: Access) -> ChatModel | Recogniser:
    if reference.provider is Provider.EMBEDDED:
        from vif.llm.embedded import EmbeddedModel
        from vif.recognition.embedded import EmbeddedReader

        embedded = EmbeddedModel(access.gguf_path)
        return EmbeddedRecogniser(embedded, EmbeddedReader(embedded))
    return open_model(reference, access, recogniser=True)
