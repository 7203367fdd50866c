"""What can stand in a column of a comparison, and the settings each choice means."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import vif
from pages._sidebar import READERS, Settings
from vif.catalogue import find
from vif.flow import Mode

FORMULA = "formula"
MOST = 6
FEWEST = 2
AUTONOMIES = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.55", "0.6", "0.7", "0.8", "0.9", "1.0")


class Plan(NamedTuple):
    """How one column is carried out."""

    config: vif.DualLlmConfig
    mode: Mode
    autonomy: float


def options(access: vif.Access, today: date) -> list[str]:
    """The formula, all presets (one without its key says so in its column), and the models these keys allow."""
    models = [
        str(vif.ModelRef(entry.provider, entry.model))
        for entry in vif.CATALOGUE
        if entry.roles and entry.lifecycle(today) != "retired" and access.lacks(entry.provider) is None
        if entry.provider is not vif.Provider.EMBEDDED  # that is the preset "offline"
    ]
    return [FORMULA, *vif.PRESETS, *models]


def label(option: str) -> str:
    """A choice in words; a model of one's own stays as it was written."""
    if option == FORMULA:
        return READERS["formula"]
    return option.capitalize() if option in vif.PRESETS else option


def usual(access: vif.Access) -> list[str]:
    """What to begin with: the best preset these keys allow, the one that needs none, and the formula."""
    settled = vif.load_config(access=access).preset_name or "offline"
    return list(dict.fromkeys([settled, "offline", FORMULA]))


def plan_for_model(option: str, settings: Settings) -> Plan:
    """The settings a preset, a model or the formula stands for.

    A model takes the roles the catalogue gives it, both when it is not listed; the other role is the sidebar's. It
    has no stand-in: what is compared is this model. Raises ConfigError with a line that can be shown.
    """
    if option == FORMULA:
        return Plan(_base(settings), "formula", settings.autonomy)
    if option in vif.PRESETS:
        config = vif.DualLlmConfig.preset(option, autonomy=settings.autonomy)
        return _checked(Plan(config, settings.mode, settings.autonomy), settings.access)
    try:
        reference = vif.ModelRef.parse(option)
    except ValueError as error:
        raise vif.ConfigError(f"{option!r} is neither a preset nor a model: it {error}") from None
    entry = find(reference.model)
    roles = entry.roles if entry and entry.roles else ("LLM #1", "LLM #2")
    base = _base(settings)
    reader = reference if "LLM #1" in roles else base.llm1
    responder = reference if "LLM #2" in roles else base.llm2
    config = vif.DualLlmConfig(
        llm1_provider=reader.provider,
        llm1_model=reader.model,
        llm1_secondary=None,
        llm2_provider=responder.provider,
        llm2_model=responder.model,
        llm2_secondary=None,
        autonomy=settings.autonomy,
    )
    return _checked(Plan(config, settings.mode, settings.autonomy), settings.access)


def plan_for_autonomy(option: str, settings: Settings) -> Plan:
    """The sidebar's models with another autonomy. Raises ConfigError with a line that can be shown."""
    try:
        autonomy = float(option)
    except ValueError:
        autonomy = -1.0
    if not 0 <= autonomy <= 1:
        raise vif.ConfigError(f"autonomy is {option!r}; it must be a number from 0 to 1")
    if settings.config is None:
        raise vif.ConfigError(settings.problem or "the preset of the sidebar cannot be used")
    return Plan(settings.config, settings.mode, autonomy)


def _checked(plan: Plan, access: vif.Access) -> Plan:
    """The plan; ConfigError, shorter than that of `vif.connect`, when a key is missing."""
    used = (*(plan.config.recognisers if plan.mode == "dual" else ()), *plan.config.responders)
    missing = list(dict.fromkeys(name for reference in used if (name := access.lacks(reference.provider))))
    if missing:
        raise vif.ConfigError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set")
    return plan


def _base(settings: Settings) -> vif.DualLlmConfig:
    """The sidebar's models, or the ones that need no key when those cannot be used."""
    return settings.config or vif.load_config("offline", access=settings.access)
