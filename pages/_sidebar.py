"""The sidebar: who reads and who answers, with which keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import streamlit as st
from pydantic import SecretStr
from streamlit.errors import StreamlitSecretNotFoundError

import vif
from pages import _circuits, _providers
from pages._text import plain
from vif.domains import DEFAULT_AUTONOMY
from vif.flow import Mode

AUTOMATIC = "automatic"
OFFLINE = "offline"
READERS: Mapping[Mode, str] = {"dual": "LLM #1", "formula": "Rust formula"}
KEYED: Mapping[vif.Provider, str] = {
    vif.Provider.OPENAI: "OpenAI",
    vif.Provider.ANTHROPIC: "Anthropic",
    vif.Provider.OPENROUTER: "OpenRouter",
}

_SESSION_KEYS = "session_keys"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the next message is sent with. `config` is None when it cannot be sent; `problem` says why, in a line."""

    access: vif.Access
    mode: Mode
    autonomy: float
    config: vif.DualLlmConfig | None = None
    problem: str | None = None


def sidebar() -> Settings:
    """Draw the sidebar and return what it says."""
    with st.sidebar:
        preset = st.selectbox(
            "Preset",
            [AUTOMATIC, *vif.PRESETS],
            key="preset",
            bind="query-params",
            format_func=str.capitalize,
            help="Which models read and answer. Automatic takes the best that your keys allow.",
        )
        about = st.container(gap="xxsmall")
        mode: Mode = st.segmented_control(
            "Who reads the message",
            list(READERS),
            key="reader",
            bind="query-params",
            default="dual",
            required=True,
            format_func=READERS.__getitem__,
            width="stretch",
            help="LLM #1 reads each message. The Rust formula is fixed: it looks at the autonomy alone.",
        )
        autonomy = st.slider(
            "Autonomy",
            0.0,
            1.0,
            DEFAULT_AUTONOMY,
            0.05,
            key="autonomy",
            bind="query-params",
            help="The formula multiplies a fixed weight of each domain by this. LLM #1 does not use it.",
        )
        caching = st.toggle(
            "Remember readings",
            key="caching",
            value=True,
            bind="query-params",
            help="The same message is not read twice within an hour. Off: LLM #1 is asked every time.",
        )
        access = _keys()
        wanted = st.button("Models and providers", key="models_button", icon=":material/list:", type="tertiary")
    settings = _settings(str(preset), access, mode, autonomy=float(autonomy), enable_caching=caching)
    with about:
        _describe(settings)
    if wanted:
        config = settings.config
        _providers.show(access, _circuits.circuits(config, access, mode) if config else ())
    return settings


def current_access() -> vif.Access:
    """The keys and addresses this session has now."""
    return vif.Access(**_secrets() | {f"{provider}_api_key": secret for provider, secret in _typed().items()})


def choose_offline() -> None:
    """Switch to the preset that needs no key. A callback."""
    st.session_state["preset"] = OFFLINE


def _settings(preset: str, access: vif.Access, mode: Mode, *, autonomy: float, enable_caching: bool) -> Settings:
    chosen = None if preset == AUTOMATIC else preset
    # Said only when it is off: the environment may have switched it off for everybody.
    changes = {} if enable_caching else {"enable_caching": False}
    try:
        config = vif.load_config(chosen, access=access, mode=mode, autonomy=autonomy, **changes)
    except vif.ConfigError as error:
        return Settings(access, mode, autonomy, problem=str(error))
    return Settings(access, mode, autonomy, config)


def _describe(settings: Settings) -> None:
    """What the preset is for, which models it uses, and what is wrong with them."""
    config = settings.config
    if config is None:
        return
    if config.preset_name:
        st.caption(f"{vif.PRESETS[config.preset_name].intent}.")
    readers = " → ".join(plain(reference.model) for reference in config.recognisers)
    answering = " → ".join(plain(reference.model) for reference in config.responders)
    st.caption(f"**LLM #1** {readers if settings.mode == 'dual' else 'not asked'}  \n**LLM #2** {answering}")
    _circuits.draw_trouble(config, settings.access, settings.mode)
    models = {reference.model for reference in (*config.recognisers, *config.responders)}
    for model in sorted(models):
        if warning := vif.lifecycle_warning(model, date.today()):  # noqa: DTZ011  # the day where the reader sits
            st.warning(plain(warning), icon=":material/event_busy:")


def _keys() -> vif.Access:
    """The keys of the environment and the secrets, below those typed here; these stay in this browser session."""
    typed = _typed()
    with st.expander("Keys for this session", icon=":material/key:"):
        st.caption("Kept in this browser session only: not stored, not logged, not shown again.")
        for provider, name in KEYED.items():
            if provider in typed:
                with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                    st.markdown(f":material/check: {name}: key in use", width="content")
                    st.button("Forget", key=f"forget_{provider}", type="tertiary", on_click=_forget, args=(provider,))
            else:
                st.text_input(
                    f"{name} key",
                    type="password",
                    key=f"key_{provider}",
                    autocomplete="off",
                    on_change=_keep,
                    args=(provider,),
                )
    return current_access()


def _typed() -> dict[vif.Provider, SecretStr]:
    typed: dict[vif.Provider, SecretStr] = st.session_state.setdefault(_SESSION_KEYS, {})
    return typed


def _keep(provider: vif.Provider) -> None:
    # The field is emptied: a key goes to the server once and never comes back.
    value = str(st.session_state[f"key_{provider}"]).strip()
    st.session_state[f"key_{provider}"] = ""
    if value:
        st.session_state[_SESSION_KEYS][provider] = SecretStr(value)


def _forget(provider: vif.Provider) -> None:
    st.session_state[_SESSION_KEYS].pop(provider, None)


def _secrets() -> dict[str, SecretStr]:
    """Keys of Streamlit's secrets that the environment does not have."""
    environment = vif.Access()
    found: dict[str, SecretStr] = {}
    for provider in KEYED:
        try:
            value = st.secrets.get(f"{provider.upper()}_API_KEY")
        except StreamlitSecretNotFoundError:
            return {}
        if isinstance(value, str) and value and environment.key(provider) is None:
            found[f"{provider}_api_key"] = SecretStr(value)
    return found
