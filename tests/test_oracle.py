"""Every number of the reference data, which an independent implementation of the flow left behind."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import VIF
from tests.reference import disagreements, flow, oscillation_step
from vif.boundaries import Boundary, oscillate
from vif.flow_json import FlowInput, run_flow

DATA = Path(__file__).parent / "data"
TOLERANCE = 1e-9
THROUGH_COSINE = {"raw_qualities", "emergent_qualities"}
"""Two maths libraries may differ in the last digit of a cosine; everything else has to be equal to the last bit."""


def cases(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        found: list[dict[str, Any]] = json.load(file)["cases"]
    return found


FLOW = cases("flow")
OSCILLATION = cases("oscillation")


def faults(got: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    keys = disagreements(sorted(got), sorted(expected), 0.0, "keys")
    return keys + [
        fault
        for key in expected
        for fault in disagreements(got[key], expected[key], TOLERANCE if key in THROUGH_COSINE else 0.0, key)
    ]


def test_the_reference_data_is_complete() -> None:
    assert (len(FLOW), len(OSCILLATION)) == (289, 120)


@pytest.mark.parametrize("case", FLOW, ids=lambda case: f"{case['id']}-{case['tag']}")
def test_the_flow_meets_the_reference(case: dict[str, Any]) -> None:
    given = FlowInput.model_validate_json(json.dumps(case["input"]))
    assert faults(json.loads(json.dumps(run_flow(given))), case["expect"]) == []


@pytest.mark.parametrize("case", FLOW, ids=lambda case: f"{case['id']}-{case['tag']}")
def test_the_second_implementation_meets_the_reference_too(case: dict[str, Any]) -> None:
    assert faults(flow(case["input"]), case["expect"]) == []


@pytest.mark.parametrize("case", OSCILLATION, ids=lambda case: str(case["id"]))
def test_oscillation_steps_meet_the_reference(case: dict[str, Any]) -> None:
    boundary = Boundary("CD-SD", 0.0, "any", case["frequency"], case["amplitude"], case["phase"])
    phase, steps, second = case["phase"], [], []
    for dt in case["dts"]:
        boundary = oscillate(boundary, dt, case["base"])
        steps.append([boundary.permeability, boundary.phase])
        permeability, phase = oscillation_step(case["frequency"], case["amplitude"], phase, case["base"], dt)
        second.append([permeability, phase])
    assert disagreements(steps, case["steps"], TOLERANCE) == []
    assert disagreements(second, case["steps"], TOLERANCE) == []


def test_the_command_meets_the_reference_line_by_line() -> None:
    given = "\n".join(json.dumps(case["input"], ensure_ascii=False) for case in FLOW)
    done = subprocess.run([*VIF, "flow"], input=given, capture_output=True, text=True, encoding="utf-8", check=True)
    # "\n" only: a message may hold other characters that str.splitlines() takes for the end of a line.
    lines = done.stdout.removesuffix("\n").split("\n")
    assert len(lines) == len(FLOW)
    assert {
        case["id"]: found
        for case, line in zip(FLOW, lines, strict=True)
        if (found := faults(json.loads(line), case["expect"]))
    } == {}
    assert done.stderr == ""
