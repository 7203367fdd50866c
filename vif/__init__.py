"""VIF, the Volumetric Integration Framework: how a language model reads a message, next to a fixed formula.

import vif

interaction = vif.ask("How do I implement quicksort?")     # or: await vif.connect(vif.load_config()).process(…)
print(interaction.domains, interaction.reply)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vif.api import VifApi, formula_reading
    from vif.boundaries import BOUNDARY_NAMES, DEFAULT_BOUNDARIES, Boundary, Status
    from vif.catalogue import CATALOGUE, lifecycle_warning
    from vif.config import PRESETS, Access, DualLlmConfig, ModelRef, load_config
    from vif.connection import connect
    from vif.domains import DOMAINS, Domain
    from vif.errors import ConfigError, InputError, ModelError, Reason, RecognitionError, VifError
    from vif.interaction import Interaction, MessageReading, Recognition, Response
    from vif.llm.breaker import Circuit, CircuitState
    from vif.llm.budget import Spent
    from vif.llm.protocol import ChatModel, Completion, Finish, Provider, Request, Turn, Usage
    from vif.recognition.drill import Fault
    from vif.recognition.prompt import recognition_prompts
    from vif.scripting import ask, read, stream

__version__ = "0.1.0"

# Loaded when first used: settings and validation take a few tenths of a second to import.
_HOMES = {
    "vif.api": ("VifApi", "formula_reading"),
    "vif.boundaries": ("BOUNDARY_NAMES", "DEFAULT_BOUNDARIES", "Boundary", "Status"),
    "vif.catalogue": ("CATALOGUE", "lifecycle_warning"),
    "vif.config": ("PRESETS", "Access", "DualLlmConfig", "ModelRef", "load_config"),
    "vif.connection": ("connect",),
    "vif.domains": ("DOMAINS", "Domain"),
    "vif.errors": ("ConfigError", "InputError", "ModelError", "Reason", "RecognitionError", "VifError"),
    "vif.interaction": ("Interaction", "MessageReading", "Recognition", "Response"),
    "vif.llm.breaker": ("Circuit", "CircuitState"),
    "vif.llm.budget": ("Spent",),
    "vif.llm.protocol": ("ChatModel", "Completion", "Finish", "Provider", "Request", "Turn", "Usage"),
    "vif.recognition.drill": ("Fault",),
    "vif.recognition.prompt": ("recognition_prompts",),
    "vif.scripting": ("ask", "read", "stream"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "BOUNDARY_NAMES",
    "CATALOGUE",
    "DEFAULT_BOUNDARIES",
    "DOMAINS",
    "PRESETS",
    "Access",
    "Boundary",
    "ChatModel",
    "Circuit",
    "CircuitState",
    "Completion",
    "ConfigError",
    "Domain",
    "DualLlmConfig",
    "Fault",
    "Finish",
    "InputError",
    "Interaction",
    "MessageReading",
    "ModelError",
    "ModelRef",
    "Provider",
    "Reason",
    "Recognition",
    "RecognitionError",
    "Request",
    "Response",
    "Spent",
    "Status",
    "Turn",
    "Usage",
    "VifApi",
    "VifError",
    "ask",
    "connect",
    "formula_reading",
    "lifecycle_warning",
    "load_config",
    "read",
    "recognition_prompts",
    "stream",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'vif' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
