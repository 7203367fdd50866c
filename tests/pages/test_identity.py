"""Who somebody is, by how the server runs. Sign-in itself is tested in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages import _gate, _identity


def script() -> None:
    import streamlit as st

    from pages import _identity
    from vif.identity import Role

    person = _identity.need(Role.RATER, "rate")
    st.text(f"{_identity.way()} {person.name} {person.role} {_identity.owner()}")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def drawn(name: str = "") -> AppTest:
    app = AppTest.from_function(script)
    app.session_state[_identity.NAME_KEY] = name
    return app.run()


def test_who_is_alone_on_this_machine_may_do_everything_and_sees_everything() -> None:
    assert drawn("  Lena \n L ").text[0].value == "single Lena L admin None"


@pytest.mark.parametrize("why", ["public", "address"])
def test_a_guest_of_a_server_that_strangers_reach_may_not_rate(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if why == "public":
        monkeypatch.setenv("VIF_PUBLIC", "1")
    else:
        monkeypatch.setattr(_identity, "is_loopback", lambda _: False)
    app = drawn()
    assert not app.text
    assert app.warning[0].value.replace("\\", "").startswith("'A guest' may not rate: that needs the role rater")
    assert "sign-in" in app.markdown[0].value


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False), (None, False)],
)
def test_what_only_this_machine_reaches(address: str | None, loopback: bool) -> None:
    assert _gate.is_loopback(address) is loopback


def test_the_same_name_is_the_same_rater_and_another_name_another() -> None:
    def id_of(name: str) -> str:
        app = AppTest.from_string("import streamlit as st\nfrom pages import _identity\nst.text(_identity.person().id)")
        app.session_state[_identity.NAME_KEY] = name
        return str(app.run().text[0].value)

    assert id_of("Lena") == id_of(" lena ") != id_of("Ben")
