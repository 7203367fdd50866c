from __future__ import annotations

import subprocess
import sys

import pytest

import vif

NAMES = [
    "BOUNDARY_NAMES",
    "CATALOGUE",
    "DEFAULT_BOUNDARIES",
    "DOMAINS",
    "PRESETS",
    "Access",
    "Boundary",
    "ChatModel",
    "Circuit",
    "CircuitState",
    "Completion",
    "ConfigError",
    "Domain",
    "DualLlmConfig",
    "Fault",
    "Finish",
    "InputError",
    "Interaction",
    "MessageReading",
    "ModelError",
    "ModelRef",
    "Provider",
    "Reason",
    "Recognition",
    "RecognitionError",
    "Request",
    "Response",
    "Spent",
    "Status",
    "Turn",
    "Usage",
    "VifApi",
    "VifError",
    "ask",
    "connect",
    "formula_reading",
    "lifecycle_warning",
    "load_config",
    "read",
    "recognition_prompts",
    "stream",
]


def test_the_public_names_are_exactly_these() -> None:
    assert vif.__all__ == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there_and_listed(name: str) -> None:
    assert getattr(vif, name) is not None
    assert name in dir(vif)


@pytest.mark.parametrize("name", NAMES)
def test_every_class_and_function_says_what_it_is(name: str) -> None:
    value = getattr(vif, name)
    if callable(value):
        assert value.__doc__
        assert value.__module__.startswith("vif.")


def test_any_other_name_is_unknown() -> None:
    with pytest.raises(AttributeError, match="module 'vif' has no attribute 'nothing'"):
        _ = vif.nothing
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec("from vif import nothing")  # noqa: S102


def test_a_star_brings_exactly_the_public_names() -> None:
    found: dict[str, object] = {}
    exec("from vif import *", found)  # noqa: S102
    assert sorted(found.keys() - {"__builtins__"}) == sorted(NAMES)


def test_each_name_can_be_the_first_thing_that_is_imported() -> None:
    # Every name in an import system of its own, so that no import order is relied on.
    program = (
        "import sys\n"
        "for name in sys.argv[1:]:\n"
        "    for module in [m for m in sys.modules if m.split('.')[0] == 'vif']: del sys.modules[module]\n"
        "    import vif\n"
        "    getattr(vif, name)\n"
    )
    subprocess.run([sys.executable, "-c", program, *NAMES], check=True)
