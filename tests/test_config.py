from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from vif.catalogue import EMBEDDED_MODEL
from vif.config import PRESETS, Access, DualLlmConfig, ModelRef, check_access, load_config, unknown_variables
from vif.errors import ConfigError
from vif.llm.protocol import Provider

SECRET = "sk-proj-Zq3vT8mWx1LrYb6NdKf0"
BOTH_KEYS = Access(openai_api_key=SecretStr(SECRET), anthropic_api_key=SecretStr(SECRET))
EMBEDDED = f"embedded:{EMBEDDED_MODEL}"

Environment = pytest.MonkeyPatch


def complaint(**values: object) -> str:
    with pytest.raises(ConfigError) as caught:
        DualLlmConfig(**values)
    return str(caught.value)


# ── Presets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "recognisers", "responders"),
    [
        ("balanced", ["openai:gpt-6-luna"], ["anthropic:claude-sonnet-5-5"]),
        ("fast", [EMBEDDED], ["openai:gpt-6.1-terra"]),
        ("cheap", ["anthropic:claude-haiku-5-5"], ["anthropic:claude-haiku-5-5"]),
        (
            "reliable",
            ["openai:gpt-6-luna", "anthropic:claude-haiku-5-5", EMBEDDED],
            ["anthropic:claude-sonnet-5-5", "openai:gpt-6.1-sol"],
        ),
        ("offline", [EMBEDDED], [EMBEDDED]),
    ],
)
def test_each_preset_names_its_models(name: str, recognisers: list[str], responders: list[str]) -> None:
    config = DualLlmConfig.preset(name)
    assert config.preset_name == name
    assert [str(reference) for reference in config.recognisers] == recognisers
    assert [str(reference) for reference in config.responders] == responders


def test_every_preset_says_what_it_is_for() -> None:
    assert list(PRESETS) == ["balanced", "fast", "cheap", "reliable", "offline"]
    assert all(preset.intent for preset in PRESETS.values())


def test_reliable_is_the_most_patient() -> None:
    reliable, others = DualLlmConfig.preset("reliable"), [DualLlmConfig.preset(n) for n in PRESETS if n != "reliable"]
    assert reliable.llm1_max_retries == 3
    for field in ("llm1_timeout_ms", "llm1_deadline_ms", "llm2_timeout_ms"):
        assert all(getattr(reliable, field) > getattr(other, field) for other in others)


def test_the_defaults_are_those_of_the_design() -> None:
    config = DualLlmConfig()
    assert (config.llm1_timeout_ms, config.llm1_deadline_ms, config.llm1_max_retries) == (5000, 12000, 2)
    assert (config.llm2_timeout_ms, config.cache_max_entries, config.cache_ttl_s) == (30000, 1000, 3600)
    assert (config.fallback_to_formula, config.enable_caching, config.llm1_oscillation) == (True, True, False)
    assert (config.autonomy, config.llm1_secondary, config.preset_name) == (0.55, None, None)
    assert (str(config.llm1), str(config.llm2)) == (EMBEDDED, EMBEDDED)


# ── Where settings come from ────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_said_counts_more_than_the_environment_and_that_more_than_the_preset(monkeypatch: Environment) -> None:
    assert DualLlmConfig.preset("reliable").llm1_max_retries == 3
    monkeypatch.setenv("VIF_LLM1_MAX_RETRIES", "7")
    assert DualLlmConfig.preset("reliable").llm1_max_retries == 7
    assert DualLlmConfig.preset("reliable", llm1_max_retries=1).llm1_max_retries == 1


def test_the_environment_counts_more_than_the_env_file(monkeypatch: Environment, tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text("VIF_LLM1_TIMEOUT_MS=1111\nVIF_LLM2_TIMEOUT_MS=2222\nVIF_PRESET=cheap\nOTHER=1\n")
    monkeypatch.setenv("VIF_LLM2_TIMEOUT_MS", "3333")
    config = DualLlmConfig(_env_file=str(file))
    assert (config.llm1_timeout_ms, config.llm2_timeout_ms, config.preset_name) == (1111, 3333, "cheap")
    assert config.llm1_model == "claude-haiku-5-5"


def test_a_dotenv_file_in_the_working_folder_is_read(monkeypatch: Environment, tmp_path: Path) -> None:
    monkeypatch.setitem(DualLlmConfig.model_config, "env_file", ".env")
    monkeypatch.setitem(Access.model_config, "env_file", ".env")
    (tmp_path / ".env").write_text(f"VIF_AUTONOMY=0.25\nOPENAI_API_KEY={SECRET}\n")
    monkeypatch.chdir(tmp_path)
    assert DualLlmConfig().autonomy == 0.25
    assert Access().key(Provider.OPENAI) == SECRET


def test_an_empty_variable_counts_as_none(monkeypatch: Environment) -> None:
    monkeypatch.setenv("VIF_LLM1_TIMEOUT_MS", "")
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert DualLlmConfig().llm1_timeout_ms == 5000
    assert Access().key(Provider.OPENAI) is None


def test_the_preset_can_come_from_the_environment(monkeypatch: Environment) -> None:
    monkeypatch.setenv("VIF_PRESET", "reliable")
    assert load_config(access=BOTH_KEYS).preset_name == "reliable"
    assert load_config("cheap", access=BOTH_KEYS).preset_name == "cheap"


def test_a_model_named_alone_brings_its_provider_and_leaves_the_presets_behind() -> None:
    config = DualLlmConfig.preset("balanced", llm1_model="claude-haiku-5-5", llm2_model="gpt-5.4")
    assert (str(config.llm1), str(config.llm2)) == ("anthropic:claude-haiku-5-5", "openai:gpt-5.4")


def test_a_provider_named_alone_brings_its_default_model() -> None:
    config = DualLlmConfig.preset("balanced", llm1_provider="anthropic", llm2_provider="openrouter")
    assert str(config.llm1) == "anthropic:claude-haiku-5-5"
    assert str(config.llm2) == "openrouter:anthropic/claude-sonnet-5.5"


def test_a_model_the_catalogue_does_not_know_stays_with_the_presets_provider() -> None:
    assert str(DualLlmConfig.preset("balanced", llm1_model="gpt-99").llm1) == "openai:gpt-99"


# ── Without a preset ────────────────────────────────────────────────────────────────────────────────────────────────


def test_with_both_keys_the_default_is_balanced() -> None:
    assert load_config(access=BOTH_KEYS) == DualLlmConfig.preset("balanced")


def test_without_keys_the_default_is_offline() -> None:
    assert load_config(access=Access()) == DualLlmConfig.preset("offline")


@pytest.mark.parametrize(
    ("provider", "llm1", "llm2"),
    [("openai", "gpt-6-luna", "gpt-6.1-sol"), ("anthropic", "claude-haiku-5-5", "claude-sonnet-5-5")],
)
def test_with_one_key_both_roles_are_with_that_provider(provider: str, llm1: str, llm2: str) -> None:
    config = load_config(access=Access.model_validate({f"{provider}_api_key": SECRET}))
    assert config.preset_name == "balanced"
    assert (str(config.llm1), str(config.llm2)) == (f"{provider}:{llm1}", f"{provider}:{llm2}")


def test_with_one_key_a_role_that_was_chosen_stays_as_it_was_chosen() -> None:
    config = load_config(access=Access(openai_api_key=SecretStr(SECRET)), llm1_provider="embedded")
    assert (config.llm1.provider, config.llm2.provider) == (Provider.EMBEDDED, Provider.OPENAI)


def test_a_key_of_blanks_is_no_key() -> None:
    assert load_config(access=Access(openai_api_key=SecretStr("  "))).preset_name == "offline"


# ── What cannot work ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"preset_name": "turbo"},
            "preset is 'turbo'; it should be 'balanced', 'fast', 'cheap', 'reliable' or 'offline'",
        ),
        ({"llm1_timeout_ms": 0}, "llm1_timeout_ms (VIF_LLM1_TIMEOUT_MS) is 0; it should be greater than 0"),
        (
            {"llm2_timeout_ms": 10**9},
            "llm2_timeout_ms (VIF_LLM2_TIMEOUT_MS) is 1000000000; it should be less than or equal to 600000",
        ),
        (
            {"llm1_deadline_ms": "soon"},
            "llm1_deadline_ms (VIF_LLM1_DEADLINE_MS) is 'soon'; "
            "it should be a valid integer, unable to parse string as an integer",
        ),
        (
            {"llm1_provider": "closedai"},
            "llm1_provider (VIF_LLM1_PROVIDER) is 'closedai'; "
            "it should be 'openai', 'anthropic', 'openrouter', 'local' or 'embedded'",
        ),
        (
            {"llm2_provider": ""},
            "llm2_provider (VIF_LLM2_PROVIDER) is ''; "
            "it should be 'openai', 'anthropic', 'openrouter', 'local' or 'embedded'",
        ),
        (
            {"llm1_secondary": "gpt-6-luna"},
            "llm1_secondary (VIF_LLM1_SECONDARY) is 'gpt-6-luna'; it must be written provider:model, "
            "with provider one of openai, anthropic, openrouter, local, embedded",
        ),
        ({"llm1_provider": "local"}, "llm1_model must be named for the provider 'local'"),
        ({"autonomy": 1.5}, "autonomy (VIF_AUTONOMY) is 1.5; it should be less than or equal to 1"),
        ({"autonomy": float("nan")}, "autonomy (VIF_AUTONOMY) is nan; it should be less than or equal to 1"),
        ({"cache_max_entries": 0}, "cache_max_entries (VIF_CACHE_MAX_ENTRIES) is 0; it should be greater than 0"),
        ({"llm1_retries": 1}, "llm1_retries is not a setting of this version; did you mean llm1_max_retries?"),
        ({"zzzz": 1}, "zzzz is not a setting of this version"),
    ],
)
def test_a_wrong_value_is_one_line_with_the_setting_its_value_and_what_is_allowed(
    values: dict[str, object], message: str
) -> None:
    assert complaint(**values) == message


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("VIF_PRESET", "turbo", "preset is 'turbo'; it should be 'balanced', "),
        ("VIF_LLM1_TIMEOUT_MS", "0", "llm1_timeout_ms (VIF_LLM1_TIMEOUT_MS) is '0'; it should be greater than 0"),
        ("VIF_LLM2_PROVIDER", "closedai", "llm2_provider (VIF_LLM2_PROVIDER) is 'closedai'; it should be 'openai', "),
        (
            "VIF_ENABLE_CACHING",
            "perhaps",
            "enable_caching (VIF_ENABLE_CACHING) is 'perhaps'; it should be a valid bool",
        ),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: Environment, variable: str, value: str, message: str) -> None:
    monkeypatch.setenv(variable, value)
    assert complaint().startswith(message)
    assert "\n" not in complaint()


def test_an_address_has_to_be_one(monkeypatch: Environment) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "api.example.com")
    with pytest.raises(ConfigError) as caught:
        Access()
    assert str(caught.value) == (
        "OPENAI_BASE_URL is 'api.example.com'; it must be an address that begins with http:// or https://"
    )


def test_a_changed_copy_is_checked_and_the_original_stays() -> None:
    config = DualLlmConfig.preset("balanced")
    assert config.with_(autonomy=0.9).autonomy == 0.9
    assert config.autonomy == 0.55
    assert config.with_(autonomy=0.9).llm1 == config.llm1
    with pytest.raises(ConfigError, match="autonomy"):
        config.with_(autonomy=9)
    with pytest.raises(ConfigError, match="is not a setting"):
        config.with_(autonomie=0.9)


def test_settings_cannot_be_assigned() -> None:
    with pytest.raises(Exception, match="frozen"):
        DualLlmConfig().autonomy = 0.9  # type: ignore[misc]


# ── References ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reference_keeps_colons_in_the_models_name() -> None:
    assert ModelRef.parse("local: llama3.2:3b ") == ModelRef(Provider.LOCAL, "llama3.2:3b")
    assert str(ModelRef(Provider.LOCAL, "llama3.2:3b")) == "local:llama3.2:3b"


@pytest.mark.parametrize("text", ["", "openai", "openai:", "openai: ", ":gpt", "closedai:gpt", "OpenAI:gpt"])
def test_a_reference_needs_a_known_provider_and_a_model(text: str) -> None:
    with pytest.raises(ValueError, match="must be written provider:model"):
        ModelRef.parse(text)


def test_no_rung_and_no_responder_is_asked_twice() -> None:
    config = DualLlmConfig(llm1_secondary=EMBEDDED, llm1_embedded=True, llm2_secondary=EMBEDDED)
    assert [str(reference) for reference in config.recognisers] == [EMBEDDED]
    assert [str(reference) for reference in config.responders] == [EMBEDDED]


# ── Access ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("openrouter", "OPENROUTER_API_KEY"),
        ("local", "VIF_LOCAL_BASE_URL"),
    ],
)
def test_what_a_provider_lacks_is_one_line(provider: str, variable: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(access=Access(), llm2_provider=provider, llm2_model="some-model")
    assert str(caught.value) == (
        f"{variable} is not set, and the configuration uses {provider}:some-model; set it, or choose the provider "
        "'embedded', which needs no key"
    )


def test_formula_mode_needs_no_key_for_llm_1() -> None:
    config = DualLlmConfig.preset("balanced")
    only_anthropic = Access(anthropic_api_key=SecretStr(SECRET))
    check_access(config, only_anthropic, mode="formula")
    with pytest.raises(ConfigError) as caught:
        check_access(config, only_anthropic)
    assert str(caught.value) == (
        "OPENAI_API_KEY is not set, and the preset 'balanced' uses openai:gpt-6-luna; set it, or choose the preset "
        "'offline', which needs no key"
    )


def test_settings_without_a_preset_are_called_the_configuration() -> None:
    with pytest.raises(ConfigError, match="and the configuration uses openai:gpt-6-luna"):
        check_access(DualLlmConfig(llm1_provider=Provider.OPENAI), Access())


def test_weights_that_cannot_be_read_are_refused_only_when_they_would_be_used(tmp_path: Path) -> None:
    missing = Access(gguf_path=tmp_path / "no.gguf", openai_api_key=SecretStr(SECRET))
    with pytest.raises(ConfigError, match=r"VIF_GGUF_PATH is '.*no\.gguf', which does not exist"):
        load_config("offline", access=missing)
    load_config(access=missing, llm1_provider="openai", llm2_provider="openai")


def test_addresses_and_keys_come_from_the_environment(monkeypatch: Environment) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {SECRET}\n")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("VIF_LOCAL_BASE_URL", "http://127.0.0.1:2/v1")
    access = Access()
    assert access.key(Provider.OPENAI) == SECRET
    assert access.base_url(Provider.OPENAI) == "http://127.0.0.1:1/v1"
    assert access.base_url(Provider.ANTHROPIC) is None
    assert (access.key(Provider.EMBEDDED), access.base_url(Provider.EMBEDDED)) == (None, None)
    assert [access.lacks(provider) for provider in Provider] == [
        *(None, "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", None, None),
    ]


# ── Secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_are_in_no_text_of_the_settings(monkeypatch: Environment) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "VIF_LOCAL_API_KEY"):
        monkeypatch.setenv(variable, SECRET)
    access = Access()
    config = load_config(access=access)
    for shown in (
        repr(access),
        str(access),
        access.model_dump_json(),
        repr(config),
        str(config),
        repr(access.model_dump()),
    ):
        assert SECRET not in shown
        assert SECRET[:10] not in shown


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "VIF_LOCAL_API_KEY"])
def test_a_key_of_the_wrong_kind_is_not_quoted(variable: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Access(**{variable: [SECRET]})
    assert variable in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_an_error_does_not_drag_the_keys_along(monkeypatch: Environment) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", "nowhere")
    with pytest.raises(ConfigError) as caught:
        Access()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None


# ── Unknown variables ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_variable_is_reported_with_a_suggestion() -> None:
    environment = {"VIF_LLM1_TIMEOUT": "1", "VIF_XQZW": "1", "VIF_PRESET": "fast", "VIF_GGUF_PATH": "x", "HOME": "/"}
    assert unknown_variables(environment) == [
        "VIF_LLM1_TIMEOUT is not a setting of this version; did you mean VIF_LLM1_TIMEOUT_MS?",
        "VIF_XQZW is not a setting of this version",
    ]


def test_every_setting_has_a_variable_that_is_known(monkeypatch: Environment) -> None:
    assert unknown_variables() == []
    assert unknown_variables({f"VIF_{name.upper()}": "" for name in DualLlmConfig.model_fields}) == []
    monkeypatch.setenv("VIF_AUTONOMIE", "1")
    assert len(unknown_variables()) == 1


def test_another_provider_brings_its_own_usual_model() -> None:
    config = DualLlmConfig.preset("balanced").with_(llm1_provider="anthropic")
    assert str(config.llm1) == "anthropic:claude-haiku-5-5"
    assert str(config.llm2) == "anthropic:claude-sonnet-5-5"
