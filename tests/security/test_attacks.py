"""Every attack twice: its defence stops it, and without exactly that defence it comes through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit import config

from pages import _gate
from tests.security.attacks import ATTACKS, Attack


@pytest.fixture(autouse=True)
def _this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings of a dashboard that was just installed."""
    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    _gate._admission.cache_clear()
    yield
    config.set_option("server.address", before)
    _gate._admission.cache_clear()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_the_attack_fails(attack: Attack) -> None:
    assert not attack.comes_through()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_without_its_defence_the_attack_comes_through(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    for defence in attack.defences:
        monkeypatch.setattr(defence.place, defence.gone)
    assert attack.comes_through()
