"""Pages run in this process, without a browser; cloud providers are a stand-in behind a real socket."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from pages._conversation import Conversation
from pages._turn import Turn
from tests.standin import Standin

MAIN = Path(__file__).resolve().parents[2] / "pages" / "main.py"


@pytest.fixture(autouse=True, scope="module")
def _own_configuration() -> None:
    """Streamlit reads its configuration once in a process, and other tests do so in other folders."""
    with contextlib.chdir(MAIN.parents[1]):
        config.get_config_options(force_reparse=True)


class Page:
    """The Explore page as a person without eyes for the layout sees it."""

    def __init__(self, **query: str) -> None:
        self.at = AppTest.from_file(str(MAIN), default_timeout=120)
        for name, value in query.items():
            self.at.query_params[name] = value
        self.run()

    def run(self) -> Page:
        self.at.run()
        assert not self.at.exception, self.at.exception[0].message
        return self

    def send(self, message: str) -> Page:
        self.at.chat_input[0].set_value(message)
        return self.run()

    def click(self, key: str) -> Page:
        self.at.button(key=key).click()
        return self.run()

    def buttons(self) -> list[str]:
        return [button.key or "" for button in self.at.button]

    @property
    def turns(self) -> list[Turn]:
        """The turns that are over."""
        talk: Conversation = self.at.session_state["conversation"]
        return talk.turns

    @property
    def markdown(self) -> str:
        return "\n\n".join(element.value for element in (*self.at.markdown, *self.at.caption))

    def charts(self) -> list[dict[str, dict[str, list[float]]]]:
        """For each chart the named traces, as they are sent to the browser."""
        specs = [json.loads(chart.proto.spec) for chart in self.at.get("plotly_chart")]
        return [{trace["name"]: trace for trace in spec["data"] if "name" in trace} for spec in specs]

    def alternatives(self) -> list[str]:
        return [chart.proto.alt for chart in self.at.get("plotly_chart")]

    def everything(self) -> str:
        """All that was sent to the browser, as text."""
        return "\n".join(str(element.proto) for element in self.at.main) + "\n".join(
            str(element.proto) for element in self.at.sidebar
        )


@pytest.fixture(scope="session")
def server() -> Iterator[Standin]:
    with Standin() as standin:
        yield standin


@pytest.fixture
def standin(server: Standin, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """Both cloud providers. A new key for every test, so that no test finds the cache of another one."""
    server.reset()
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    for api in ("openai", "anthropic"):
        monkeypatch.setenv(f"{api.upper()}_BASE_URL", server.base_url(api))
        monkeypatch.setenv(f"{api.upper()}_API_KEY", f"key-{uuid.uuid4().hex}")
    return server


@pytest.fixture
def explore() -> Callable[..., Page]:
    """Opens the page, with what stands in the address."""
    return Page
