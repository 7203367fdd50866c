"""From the models and recognisers somebody gives to the rungs of the ladder, with everything around them."""

from __future__ import annotations

from collections.abc import Sequence

from vif.llm.protocol import ChatModel
from vif.llm.stack import Guards
from vif.recognition.cache import CachedRecogniser, SingleFlight
from vif.recognition.drill import Fault, drilled
from vif.recognition.hedge import HedgedRecogniser
from vif.recognition.recogniser import ChatRecogniser, Recogniser


def rungs_of(given: Sequence[ChatModel | Recogniser], guards: Guards, drill: Fault | None) -> list[Recogniser]:
    """The rungs of the ladder. Only the first one's readings are remembered and hedged: the others stand in for it."""
    config = guards.config
    rungs = [ChatRecogniser(guards.reader(rung)) if isinstance(rung, ChatModel) else rung for rung in given]
    if rungs and drill:
        rungs[0] = drilled(rungs[0], drill, guards)
    if config.llm1_hedging and len(rungs) > 1:
        rungs[0] = HedgedRecogniser(rungs[0], rungs[1])
    if rungs and config.enable_caching:
        rungs[0] = CachedRecogniser(SingleFlight(rungs[0]), guards.state, config.cache_ttl_s)
    return rungs
