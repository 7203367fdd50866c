"""What a type checker makes of the public names. The strict run of `check` covers this file as a stranger's."""

from __future__ import annotations

import re
from collections.abc import Generator
from importlib.resources import files
from typing import assert_type

import pytest

import vif
from vif.events import Event
from vif.flow import Reading


async def as_a_stranger_writes_it() -> None:
    """Never called: what is asserted here is asserted by the type checker, and `Any` would fail it."""
    assert_type(vif.read("x"), vif.MessageReading)
    assert_type(vif.read("x", using="offline").domains, dict[str, float])
    assert_type(vif.ask("x"), vif.Interaction)
    assert_type(vif.ask("x").boundaries[0].permeability, float)
    assert_type(vif.stream("x"), Generator[Event, None, None])
    api = vif.connect(vif.load_config("offline"))
    assert_type(api, vif.VifApi)
    assert_type(await api.process("x"), vif.Interaction)
    assert_type(await api.recognise("x"), tuple[Reading, vif.Recognition])
    assert_type(vif.formula_reading(0.5).domains.CD, float)
    assert_type(vif.DualLlmConfig.preset("fast").llm1.model, str)


def test_the_package_says_that_it_is_typed() -> None:
    assert (files("vif") / "py.typed").is_file()


def callables() -> list[str]:
    found = []
    for name in vif.__all__:
        value = getattr(vif, name)
        if isinstance(value, type):
            own = [member for member in vars(value) if not member.startswith("_") and callable(getattr(value, member))]
            found += [f"{name}.{member}" for member in own if getattr(value, member).__module__.startswith("vif")]
        elif callable(value):
            found.append(name)
    return found


@pytest.mark.parametrize("name", callables())
def test_nothing_untyped_comes_out_of_a_public_name(name: str) -> None:
    value: object = vif
    for part in name.split("."):
        value = getattr(value, part)
    function = getattr(value, "__func__", value)
    hints = function.__annotations__
    assert "return" in hints
    assert not re.search(r"\bAny\b", str(hints["return"]))
