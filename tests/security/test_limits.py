"""What strangers may ask for and spend: across processes, through the pages, and in a fault drill."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import streamlit as st

import dev
import vif
from pages import _identity
from pages._runtime import Visitor
from tests.pages.conftest import Page, server, standin
from tests.redis_server import RedisServer
from tests.security.asking import CALLS, REQUESTS
from tests.standin import Standin
from vif.identity import Person, Role
from vif.recognition.drill import Fault

__all__ = ["server", "standin"]  # fixtures

HERE = "203.0.113.7"


@pytest.fixture(autouse=True)
def _no_leftovers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_identity, "_address", lambda: HERE)
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_processes_that_share_redis_let_one_person_ask_and_spend_so_much_together(redis_server: RedisServer) -> None:
    redis_server.flush()
    command = [sys.executable, "-m", "tests.security.asking", redis_server.url, "20", "session", "address"]
    processes = [subprocess.Popen(command, cwd=dev.ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(int(answered) for answered, _ in told) == REQUESTS
    assert sum(int(paid) for _, paid in told) == CALLS


def test_a_guest_who_asks_too_often_is_told_when_again_and_loses_nothing(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIF_PUBLIC", "1")
    monkeypatch.setenv("VIF_REQUESTS_PER_MINUTE", "2")
    page = Page().send("one").send("two").send("three")
    refused = page.turns[-1]
    assert refused.message == "three"
    assert refused.failure is not None
    assert refused.failure.startswith("at most 2 requests a minute are answered here (VIF_REQUESTS_PER_MINUTE); ask ag")
    assert "again" in page.buttons(), "the message is still there, and one click asks it once more"
    assert len(standin.requests) == 4, "no model was asked in vain"
    anew = Page().send("after loading the page anew")
    assert (anew.turns[-1].failure or "").startswith("at most 2 requests")
    monkeypatch.setattr(_identity, "_address", lambda: "203.0.113.8")
    assert Page().send("somebody elsewhere").turns[-1].reply


def test_a_guest_cannot_spend_more_in_a_new_session_or_in_a_fault_drill(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIF_PUBLIC", "1")
    monkeypatch.setenv("VIF_BUDGET_USD_PER_PERSON_PER_DAY", "0.000001")
    assert Page().send("one").turns[-1].interaction
    said = "the budget for one person today is used up"
    assert said in (Page().send("two").turns[-1].failure or "")
    drilled = Page()
    drilled.at.session_state["drill"] = _drill()
    assert said in (drilled.send("three").turns[-1].failure or "")


def _drill() -> object:
    from pages._runtime import Drill

    return Drill(Fault.AUTH)


@pytest.mark.parametrize(
    ("way", "role", "public", "visitor"),
    [
        ("single", Role.ADMIN, False, Visitor()),
        ("signed", Role.ADMIN, True, Visitor()),
        ("signed", Role.VIEWER, False, Visitor(("lena",))),
        ("signed", Role.RATER, True, Visitor(("lena",), stranger=True)),
        ("guest", Role.VIEWER, False, Visitor(("lena", f"address:{_identity._digest(HERE)}"), stranger=True)),
    ],
)
def test_who_is_limited_and_as_whom(
    way: str, role: Role, public: bool, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_identity, "way", lambda: way)
    monkeypatch.setenv("VIF_PUBLIC", str(public))
    assert _identity._visitor(Person("lena", "Lena", role)) == visitor


def test_strangers_have_limits_also_when_nobody_set_any() -> None:
    config = vif.DualLlmConfig()
    assert (config.requests_per_minute, config.budget_usd_per_person_per_day, config.budget_usd_per_day) == (None,) * 3
    limits = config.for_strangers()
    assert (limits.requests_per_minute, limits.budget_usd_per_person_per_day, limits.budget_usd_per_day) == (
        20,
        0.5,
        10,
    )
    chosen = vif.DualLlmConfig(requests_per_minute=3, budget_usd_per_day=0.0).for_strangers()
    assert (chosen.requests_per_minute, chosen.budget_usd_per_day) == (3, 0.0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        # 64 bits are one household: a machine chooses the other 64 as it likes.
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1%eth0", "2001:db8:1:2::/64"),
        ("", ""),
        ("nowhere", ""),
    ],
)
def test_a_household_is_one_address(address: str, network: str) -> None:
    assert _identity.network_of(address) == network
