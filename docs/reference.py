"""The tables of the documentation that the code knows best: `python docs/reference.py` writes them anew.

A table stands between `<!-- NAME -->` and `<!-- end -->`; everything around it is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from vif.catalogue import CATALOGUE, find
from vif.config import PRESETS, Access, DualLlmConfig
from vif.flow import Stage
from vif.identity import Admission
from vif.llm.protocol import Provider

HERE = Path(__file__).parent

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "flow": ("preset_name", "autonomy", "fallback_to_formula"),
        "llm1": tuple(name for name in DualLlmConfig.model_fields if name.startswith("llm1_")),
        "llm2": tuple(name for name in DualLlmConfig.model_fields if name.startswith("llm2_")),
        "reliability": tuple(
            name for name in DualLlmConfig.model_fields if name.startswith(("enable_caching", "cache_", "breaker_"))
        ),
        "limits": tuple(name for name in DualLlmConfig.model_fields if name.startswith(("budget_", "requests_"))),
        "kept": ("database_url", "retention_days", "redis_url", "log_level", "log_messages"),
    }
)
"""Which settings of `DualLlmConfig` stand in which table."""

THEN: Sequence[str] = ("gpt-3.5-turbo", "claude-3-haiku", "claude-3-5-sonnet")
"""The models the presets of 2025 named."""

_TABLE = re.compile(r"<!-- (\S+) -->\n.*?<!-- end -->", re.DOTALL)


def settings(model: type[BaseSettings], names: Iterable[str] | None = None) -> str:
    """Variable, default, what is allowed and what it is for; one row per setting."""
    rows = [
        (f"`{variable(name, field)}`", _default(field), _allowed(name, field), field.description or "")
        for name, field in model.model_fields.items()
        if names is None or name in names
    ]
    return _table(("variable", "default", "allowed", "meaning"), rows)


def variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        alias = next(str(choice) for choice in alias.choices if str(choice).startswith("VIF_"))
    return str(alias or f"VIF_{name.upper()}")


def presets() -> str:
    """Who reads, who answers, and what else a preset sets."""
    rows = []
    for name, preset in PRESETS.items():
        config = DualLlmConfig.preset(name, _env_file=None)
        rest = {key: value for key, value in preset.values.items() if not re.search("provider|model|secondary", key)}
        rows.append(
            (
                f"`{name}`",
                " → ".join(dict.fromkeys(one.model for one in config.recognisers)),
                " → ".join(dict.fromkeys(one.model for one in config.responders)),
                ", ".join(f"`{key}={value}`" for key, value in rest.items() if key != "llm1_embedded") or "–",
                preset.intent,
            )
        )
    return _table(("preset", "LLM #1", "LLM #2", "also sets", "for"), rows)


def usual_models() -> str:
    """The models that are used where a provider is named and no model is."""
    rows = []
    for provider in Provider:
        if provider is Provider.LOCAL:
            rows.append((f"`{provider}`", "must be named", "must be named"))
            continue
        config = DualLlmConfig(llm1_provider=provider, llm2_provider=provider, _env_file=None)
        rows.append((f"`{provider}`", f"`{config.llm1_model}`", f"`{config.llm2_model}`"))
    return _table(("provider", "LLM #1", "LLM #2"), rows)


def models_of_2025() -> str:
    rows = []
    for name in THEN:
        entry = find(name)
        if entry is None or entry.ends is None:
            raise LookupError(f"{name!r} is not a model with an end in the catalogue")
        rows.append((f"`{name}`", entry.ends.isoformat(), f"`{entry.successor}`"))
    return _table(("then", "ended", "now"), rows)


def models_that_end() -> str:
    """The other models of the catalogue with an end, the latest first."""
    gone = {find(name) for name in THEN}
    rows = [
        (f"`{entry.model}`", entry.provider.value, entry.ends.isoformat(), f"`{entry.successor}`")
        for entry in CATALOGUE
        if entry.ends is not None and entry not in gone
    ]
    rows.sort(key=lambda row: row[2], reverse=True)
    return _table(("model", "provider", "ends", "use instead"), rows)


STAGES: Mapping[Stage, tuple[str, str]] = MappingProxyType(
    {
        Stage.DOMAINS: ("LLM #1, or the formula", "four activations, 0 to 1"),
        Stage.BOUNDARIES: ("LLM #1, or the formula", "six permeabilities with their status"),
        Stage.INTERFACES: ("code", "which boundaries come forward, and in which order"),
        Stage.QUALITIES: ("code", "seven qualities of every Transcendent boundary"),
        Stage.INTEGRATION: ("code", "the structured prompt, which LLM #2 then answers"),
        Stage.CONTINUITY: ("code", "patterns and identity anchors"),
        Stage.EVOLUTION: ("code", "the developmental stage"),
    }
)
"""Who does what in each stage."""


def stages() -> str:
    """The seven stages, in the order of the code."""
    return _table(("", "stage", "by", "gives"), [(str(one.number), one.value, *STAGES[one]) for one in Stage])


TABLES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        **{group: partial(settings, DualLlmConfig, names) for group, names in GROUPS.items()},
        "admission": partial(settings, Admission),
        "access": partial(settings, Access),
        "presets": presets,
        "stages": stages,
        "usual-models": usual_models,
        "models-of-2025": models_of_2025,
        "models-that-end": models_that_end,
    }
)


def renewed(page: str) -> str:
    """The page with every table as the code gives it now. KeyError for a table nobody knows."""
    return _TABLE.sub(lambda found: f"<!-- {found[1]} -->\n\n{TABLES[found[1]]()}\n<!-- end -->", page)


def pages() -> list[Path]:
    """Those with tables."""
    return [page for page in sorted(HERE.rglob("*.md")) if _TABLE.search(page.read_text("utf-8"))]


def write() -> None:
    for page in pages():
        page.write_text(renewed(page.read_text("utf-8")), encoding="utf-8")


def _default(field: FieldInfo) -> str:
    value = field.get_default()
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _allowed(name: str, field: FieldInfo) -> str:
    kind = field.annotation
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if kind is bool:
        return "true, false"
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{choice.value}`" for choice in kind)
    if kind in (int, float):
        return _range(field, whole=kind is int)
    if kind is SecretStr:
        return "secret"
    return "`provider:model`" if name.endswith("_secondary") else "text"


def _range(field: FieldInfo, *, whole: bool) -> str:
    above = next((one.gt for one in field.metadata if isinstance(one, Gt)), None)
    low: Any = next((one.ge for one in field.metadata if isinstance(one, Ge)), above)
    high = next((one.le for one in field.metadata if isinstance(one, Le)), None)
    if above is not None and not whole:
        return f"above {low:g}" + ("" if high is None else f", up to {high:,}")
    low = low if above is None else low + 1
    return f"{low:,} or more" if high is None else f"{low:,} to {high:,}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    write()
