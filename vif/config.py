"""Settings: what is asked of whom, and how long to wait. Environment prefix `VIF_`, then `.env`, then the preset.

`DualLlmConfig` holds no secret. Keys, addresses and the path of the embedded weights are in `Access`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from vif.catalogue import EMBEDDED_MODEL, find
from vif.domains import DEFAULT_AUTONOMY
from vif.errors import ConfigError
from vif.flow import Mode
from vif.identity import Admission
from vif.llm.protocol import Provider

PresetName = Literal["balanced", "fast", "cheap", "reliable", "offline"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A named starting point. `values` are settings below the environment and above the defaults."""

    intent: str
    values: Mapping[str, object]


PRESETS: Mapping[PresetName, Preset] = {
    "balanced": Preset(
        "Good readings and good answers at a fair price",
        {
            "llm1_provider": "openai",
            "llm1_model": "gpt-6-luna",
            "llm2_provider": "anthropic",
            "llm2_model": "claude-sonnet-5-5",
        },
    ),
    "fast": Preset(
        "Reads on this machine in milliseconds, answers in the cloud",
        {"llm2_provider": "openai", "llm2_model": "gpt-6.1-terra"},
    ),
    "cheap": Preset(
        "One low-cost model for both roles",
        {
            "llm1_provider": "anthropic",
            "llm1_model": "claude-haiku-5-5",
            "llm2_provider": "anthropic",
            "llm2_model": "claude-haiku-5-5",
        },
    ),
    "reliable": Preset(
        "Three readers in a row, two responders, longest time-outs",
        {
            "llm1_provider": "openai",
            "llm1_model": "gpt-6-luna",
            "llm1_secondary": "anthropic:claude-haiku-5-5",
            "llm1_embedded": True,
            "llm1_max_retries": 3,
            "llm1_timeout_ms": 10_000,
            "llm1_deadline_ms": 30_000,
            "llm2_provider": "anthropic",
            "llm2_model": "claude-sonnet-5-5",
            "llm2_secondary": "openai:gpt-6.1-sol",
            "llm2_timeout_ms": 60_000,
        },
    ),
    "offline": Preset("Everything on this machine, nothing leaves it", {}),
}

STRANGERS_LIMITS: Mapping[str, float] = {
    "requests_per_minute": 20,
    "budget_usd_per_person_per_day": 0.50,
    "budget_usd_per_day": 10.00,
}
"""What holds where strangers reach the server and its owner has set no other limit."""

_DEFAULT_MODELS: Mapping[tuple[Literal["llm1", "llm2"], Provider], str] = {
    ("llm1", Provider.OPENAI): "gpt-6-luna",
    ("llm1", Provider.ANTHROPIC): "claude-haiku-5-5",
    ("llm1", Provider.OPENROUTER): "openai/gpt-6-luna",
    ("llm1", Provider.EMBEDDED): EMBEDDED_MODEL,
    ("llm2", Provider.OPENAI): "gpt-6.1-sol",
    ("llm2", Provider.ANTHROPIC): "claude-sonnet-5-5",
    ("llm2", Provider.OPENROUTER): "anthropic/claude-sonnet-5.5",
    ("llm2", Provider.EMBEDDED): EMBEDDED_MODEL,
}


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model at a provider, written "provider:model"."""

    provider: Provider
    model: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"

    @classmethod
    def parse(cls, text: str) -> ModelRef:
        """From "provider:model"; ValueError when it is not of that form."""
        provider, colon, model = text.partition(":")
        if not colon or not model.strip() or provider not in set(Provider):
            raise ValueError(f"must be written provider:model, with provider one of {', '.join(Provider)}")
        return cls(Provider(provider), model.strip())


class _PresetSource(PydanticBaseSettingsSource):
    """The chosen preset's values, below everything that was said explicitly."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # the base class asks for it
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        said = self.current_state
        name = said.get("preset_name") or said.get("VIF_PRESET")
        preset = PRESETS.get(name) if isinstance(name, str) else None  # type: ignore[call-overload]
        values = dict(preset.values) if preset else {}
        for role in ("llm1", "llm2"):
            # Who names another provider or another model does not want the preset's other half with it.
            if f"{role}_provider" in said or f"{role}_model" in said:
                values.pop(f"{role}_model", None)
                if f"{role}_provider" not in said and (entry := find(str(said[f"{role}_model"]))):
                    values[f"{role}_provider"] = entry.provider
        return values


class DualLlmConfig(BaseSettings):
    """How an interaction is carried out. Immutable; `with_(…)` makes a changed copy, checked again.

    Raises ConfigError, naming the setting, its value and what is allowed, when a value cannot work.
    """

    model_config = SettingsConfigDict(
        env_prefix="VIF_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    preset_name: PresetName | None = Field(
        None,
        validation_alias=AliasChoices("preset_name", "VIF_PRESET"),
        description="a named starting point; every other setting changes it",
    )

    llm1_provider: Provider = Field(Provider.EMBEDDED, description="who reads")
    llm1_model: str = Field("", description="the model that reads; a known name also chooses its provider")
    llm1_timeout_ms: int = Field(5_000, gt=0, le=600_000, description="milliseconds for each attempt")
    llm1_deadline_ms: int = Field(12_000, gt=0, le=600_000, description="milliseconds for the whole ladder")
    llm1_max_retries: int = Field(2, ge=0, le=10, description="on each rung, after the first attempt")
    llm1_oscillation: bool = Field(False, description="ask LLM #1 for frequency, amplitude and phase too")
    llm1_secondary: str | None = Field(None, description="asked when the primary fails")
    llm1_embedded: bool = Field(False, description="the embedded recogniser as the last rung before the formula")
    llm1_hedging: bool = Field(False, description="ask the secondary too when the primary is slower than usual")

    llm2_provider: Provider = Field(Provider.EMBEDDED, description="who answers")
    llm2_model: str = Field("", description="the model that answers; a known name also chooses its provider")
    llm2_timeout_ms: int = Field(
        30_000, gt=0, le=600_000, description="milliseconds for the whole reply, retries included"
    )
    llm2_max_retries: int = Field(1, ge=0, le=10, description="of each responder, before its first word")
    llm2_max_tokens: int = Field(1_024, gt=0, le=128_000, description="tokens of a reply, after which it is cut")
    llm2_secondary: str | None = Field(None, description="answers when the first fails before its first word")

    fallback_to_formula: bool = Field(True, description="false: a failure of every rung raises RecognitionError")
    enable_caching: bool = Field(True, description="remember readings of equal questions")
    cache_max_entries: int = Field(1_000, gt=0, le=1_000_000, description="how many readings; Redis has its own limit")
    cache_ttl_s: float = Field(3_600, gt=0, description="seconds a reading is remembered")
    autonomy: float = Field(DEFAULT_AUTONOMY, ge=0, le=1, description="the formula's only input")

    breaker_failures: int = Field(5, gt=0, le=1_000, description="failures in a row after which a model is left alone")
    breaker_reset_s: float = Field(30.0, gt=0, le=86_400, description="seconds until it is tried again")
    budget_usd_per_session: float | None = Field(
        None, ge=0, description="US dollars of one session, and of a person who signed in"
    )
    budget_usd_per_day: float | None = Field(
        None, ge=0, description="US dollars of all sessions, from midnight UTC; 10.00 for strangers"
    )
    budget_usd_per_person_per_day: float | None = Field(
        None, ge=0, description="US dollars of one person, from midnight UTC; 0.50 for strangers"
    )
    requests_per_minute: int | None = Field(
        None, ge=1, le=1_000_000, description="answers one person may ask for; 20 for strangers"
    )

    database_url: SecretStr | None = Field(
        None, description="sqlite:///path or postgresql://user:password@host/database; by default a file of this user"
    )
    retention_days: int | None = Field(
        None, ge=1, le=36_500, description="days after which interactions are deleted for good, except favourites"
    )
    redis_url: SecretStr | None = Field(None, description="shares cache, circuits and budgets between processes")
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="the least that is logged")
    log_messages: bool = Field(False, description="let the text of messages and replies into the log")

    def __init__(self, **values: Any) -> None:
        unknown = set(values) - set(type(self).model_fields) - {"_env_file"}
        if unknown:
            raise ConfigError(_unknown_setting(min(unknown), list(type(self).model_fields)))
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(_explained(error)) from None

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The settings of a preset; the environment and `changes` count more than the preset."""
        return cls(preset_name=name, **changes)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the base class passes it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, _PresetSource(settings_cls)

    @field_validator("llm1_secondary", "llm2_secondary")
    @classmethod
    def _check_reference(cls, text: str | None) -> str | None:
        return str(ModelRef.parse(text)) if text else None

    @model_validator(mode="before")
    @classmethod
    def _default_models(cls, values: dict[str, Any]) -> dict[str, Any]:
        for role in ("llm1", "llm2"):
            provider = values.get(f"{role}_provider", Provider.EMBEDDED)
            if not values.get(f"{role}_model") and provider in set(Provider):
                default = _DEFAULT_MODELS.get((role, Provider(provider)))
                if default is None:
                    raise ValueError(f"{role}_model must be named for the provider {str(provider)!r}")
                values[f"{role}_model"] = default
        return values

    @property
    def llm1(self) -> ModelRef:
        return ModelRef(self.llm1_provider, self.llm1_model)

    @property
    def llm2(self) -> ModelRef:
        return ModelRef(self.llm2_provider, self.llm2_model)

    @property
    def recognisers(self) -> tuple[ModelRef, ...]:
        """The ladder of LLM #1 from the top, without the formula; no rung twice."""
        rungs = [self.llm1]
        if self.llm1_secondary:
            rungs.append(ModelRef.parse(self.llm1_secondary))
        if self.llm1_embedded:
            rungs.append(ModelRef(Provider.EMBEDDED, EMBEDDED_MODEL))
        return tuple(dict.fromkeys(rungs))

    @property
    def responders(self) -> tuple[ModelRef, ...]:
        """LLM #2, then the one that stands in for it."""
        stand_in = (ModelRef.parse(self.llm2_secondary),) if self.llm2_secondary else ()
        return tuple(dict.fromkeys((self.llm2, *stand_in)))

    def for_strangers(self) -> Self:
        """The same with the limits of a server that strangers reach, where nothing else was said."""
        return self.model_copy(
            update={name: value for name, value in STRANGERS_LIMITS.items() if getattr(self, name) is None}
        )

    def with_(self, **changes: Any) -> Self:
        """A copy with some settings changed, checked like a new one. Another provider brings its own usual model."""
        values = self.model_dump()
        for role in ("llm1", "llm2"):
            if f"{role}_provider" in changes:
                values[f"{role}_model"] = ""
        return type(self)(**(values | changes))


class Access(BaseSettings):
    """Keys, addresses and the path of the embedded weights, from the environment or `.env`. Never printed.

    Provider base URLs are as each SDK takes them: with `/v1` for OpenAI's wire, without for Anthropic.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY", description="key for OpenAI")
    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias="ANTHROPIC_API_KEY", description="key for Anthropic"
    )
    openrouter_api_key: SecretStr | None = Field(
        None, validation_alias="OPENROUTER_API_KEY", description="key for OpenRouter"
    )
    local_api_key: SecretStr | None = Field(
        None, validation_alias="VIF_LOCAL_API_KEY", description="key for a server of your own, if it wants one"
    )
    openai_base_url: str | None = Field(
        None, validation_alias="OPENAI_BASE_URL", description="address in place of OpenAI's, with /v1"
    )
    anthropic_base_url: str | None = Field(
        None, validation_alias="ANTHROPIC_BASE_URL", description="address in place of Anthropic's, without /v1"
    )
    openrouter_base_url: str | None = Field(
        None, validation_alias="OPENROUTER_BASE_URL", description="address in place of OpenRouter's, with /v1"
    )
    local_base_url: str | None = Field(
        None,
        validation_alias="VIF_LOCAL_BASE_URL",
        description="any OpenAI-compatible server, e.g. http://localhost:11434/v1 for Ollama",
    )
    gguf_path: Path | None = Field(
        None,
        validation_alias="VIF_GGUF_PATH",
        description="another GGUF file than the packaged one for the embedded responder",
    )

    @field_validator("openai_base_url", "anthropic_base_url", "openrouter_base_url", "local_base_url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("must be an address that begins with http:// or https://")
        return url

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(_explained(error)) from None

    def key(self, provider: Provider) -> str | None:
        """The key of a provider, blanks removed; None when there is none."""
        secret = getattr(self, f"{provider}_api_key", None)
        return (secret.get_secret_value().strip() or None) if isinstance(secret, SecretStr) else None

    def base_url(self, provider: Provider) -> str | None:
        url = getattr(self, f"{provider}_base_url", None)
        return url if isinstance(url, str) else None

    def lacks(self, provider: Provider) -> str | None:
        """The name of the variable this provider still needs, or None when it can be used."""
        if provider in _KEY_NAMES and self.key(provider) is None:
            return _KEY_NAMES[provider]
        if provider is Provider.LOCAL and self.local_base_url is None:
            return "VIF_LOCAL_BASE_URL"
        return None


_KEY_NAMES: Mapping[Provider, str] = {
    Provider.OPENAI: "OPENAI_API_KEY",
    Provider.ANTHROPIC: "ANTHROPIC_API_KEY",
    Provider.OPENROUTER: "OPENROUTER_API_KEY",
}


def load_config(
    preset: str | None = None, *, access: Access | None = None, mode: Mode = "dual", **changes: Any
) -> DualLlmConfig:
    """The settings to start with. In formula mode LLM #1's access is not looked at.

    Without a preset: "balanced" with both keys; with one of them the same with both roles on that provider;
    "offline" without. Raises ConfigError for a chosen provider whose key or address is missing.
    """
    access = access or Access()
    if preset is None and not DualLlmConfig(**changes).preset_name:
        has_openai, has_anthropic = (access.lacks(p) is None for p in (Provider.OPENAI, Provider.ANTHROPIC))
        preset = "balanced" if has_openai or has_anthropic else "offline"
        if has_openai != has_anthropic:
            only = Provider.OPENAI if has_openai else Provider.ANTHROPIC
            said = DualLlmConfig(**changes).model_fields_set
            for role in ("llm1_provider", "llm2_provider"):
                if role not in said:
                    changes[role] = only
    config = DualLlmConfig(preset_name=preset, **changes) if preset else DualLlmConfig(**changes)
    check_access(config, access, mode=mode)
    return config


def check_access(config: DualLlmConfig, access: Access, *, mode: Mode = "dual") -> None:
    """Raise ConfigError when a provider that will be used lacks its key or address, or the weights cannot be read."""
    used = (*(config.recognisers if mode == "dual" else ()), *config.responders)
    for reference in used:
        if missing := access.lacks(reference.provider):
            # "offline" uses no key of its own accord: a setting beside it chose this provider.
            by_preset = config.preset_name not in (None, "offline")
            named = f"the preset {config.preset_name!r}" if by_preset else "the configuration"
            instead = "the preset 'offline'" if by_preset else "the provider 'embedded'"
            raise ConfigError(
                f"{missing} is not set, and {named} uses {reference}; set it, or choose {instead}, which needs no key"
            )
    if access.gguf_path is not None and any(reference.provider is Provider.EMBEDDED for reference in used):
        from vif.llm.gguf import check_gguf

        check_gguf(access.gguf_path)


OTHER_VARIABLES = frozenset({"VIF_PRESET", "VIF_LOCAL_API_KEY", "VIF_LOCAL_BASE_URL", "VIF_GGUF_PATH"})


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """A sentence for each `VIF_` variable that no setting reads: usually a slip of the pen."""
    fields = (*DualLlmConfig.model_fields, *Admission.model_fields)
    known = {f"VIF_{name.upper()}" for name in fields} | OTHER_VARIABLES
    names = os.environ if environment is None else environment
    return [
        _unknown_setting(name, sorted(known)) for name in sorted(names) if name.startswith("VIF_") and name not in known
    ]


def _unknown_setting(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"{name} is not a setting of this version" + (f"; did you mean {close[0]}?" if close else "")


def _explained(error: ValidationError) -> str:
    """One line for the first fault: the setting, its value, what is allowed."""
    fault = error.errors(include_url=False)[0]
    field = str(fault["loc"][0]) if fault["loc"] else ""
    name = "preset" if field in ("preset_name", "VIF_PRESET") else field
    allowed = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not field:
        return allowed
    if field in DualLlmConfig.model_fields and field != "preset_name":
        name = f"{field} (VIF_{field.upper()})"
    secret = "key" in field.lower() or field in ("database_url", "redis_url")
    shown = "" if secret else f" is {fault['input']!r};"
    return f"{name}{shown} it {allowed}" if allowed.startswith(("must", "should")) else f"{name}{shown} {allowed}"
