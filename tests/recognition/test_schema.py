from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import wire_answer, wire_text
from vif.boundaries import BOUNDARY_NAMES, DEFAULT_BOUNDARIES, Boundary
from vif.errors import InvalidJsonError, OutputError, RefusalError, SchemaError, TruncatedError
from vif.llm.protocol import Completion, Finish, Usage
from vif.recognition.schema import LONGEST_TEXT, Answer, checked_answer, output_schema

USAGE = Usage(1200, 300)


def check(text: str, finish: Finish = Finish.STOP, *, oscillation: bool = False) -> Answer:
    return checked_answer(Completion(text, "m", finish, USAGE), DEFAULT_BOUNDARIES, oscillation=oscillation)


def refused(error: type[OutputError], text: str, finish: Finish = Finish.STOP, *, oscillation: bool = False) -> str:
    """The complaint, which is fit for the next prompt; the error keeps what was said and what it cost."""
    with pytest.raises(error) as caught:
        check(text, finish, oscillation=oscillation)
    assert caught.value.raw_text == text
    assert caught.value.usage == USAGE
    assert caught.value.retryable
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_boundary(name: str = "CD-SD", **values: object) -> str:
    answer = wire_answer()
    answer["boundaries"][name] = answer["boundaries"][name] | values
    return json.dumps(answer)


def with_domains(**values: object) -> str:
    answer = wire_answer()
    answer["domains"] |= values
    return json.dumps(answer)


# ── Accepted ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_answer_is_taken_whole() -> None:
    found = check(wire_text())
    assert found.domains == {"CD": 0.25, "SD": 0.25, "CuD": 0.25, "ED": 0.25}
    assert found.boundaries == tuple(Boundary(name, 0.25, "Maintained") for name in BOUNDARY_NAMES)
    assert (found.reasoning, found.patterns, found.corrections) == ("Asks for something.", ("a question",), ())


@pytest.mark.parametrize(
    "frame",
    [
        "```json\n{}\n```",
        "```\n{}```",
        "```JSON \r\n{}\r\n```",
        "Here you are:\n```json\n{}\n```\nAnything else?",
        "\n  {}  \n",
        "\ufeff{}",
    ],
)
def test_a_markdown_fence_and_blanks_are_taken_off(frame: str) -> None:
    assert check(frame.replace("{}", wire_text())) == check(wire_text())


def test_domains_and_boundaries_come_in_their_order() -> None:
    answer = wire_answer()
    for key in ("domains", "boundaries"):
        answer[key] = dict(reversed(answer[key].items()))
    found = check(json.dumps(answer))
    assert list(found.domains) == ["CD", "SD", "CuD", "ED"]
    assert [boundary.name for boundary in found.boundaries] == list(BOUNDARY_NAMES)


def test_unknown_keys_are_ignored_everywhere() -> None:
    answer = json.loads(with_boundary(colour="blue")) | {"confidence": 0.9}
    answer["domains"]["XD"] = 7
    answer["boundaries"]["CD-XD"] = "?"
    assert check(json.dumps(answer)) == check(wire_text())


def test_whole_numbers_are_numbers() -> None:
    found = check(with_domains(CD=1, SD=0))
    assert (found.domains["CD"], found.domains["SD"]) == (1.0, 0.0)


def test_a_complete_answer_is_accepted_although_the_stream_was_cut() -> None:
    assert check(wire_text(), Finish.CUT) == check(wire_text())


def test_reasoning_and_patterns_may_be_missing() -> None:
    found = check(json.dumps({key: wire_answer()[key] for key in ("domains", "boundaries")}))
    assert (found.reasoning, found.patterns) == ("", ())


def test_texts_are_one_line_and_not_endless() -> None:
    found = check(wire_text(reasoning="a\n b\t c", patterns=[" ", "x" * 1000, *"abcdef"]))
    assert found.reasoning == "a b c"
    assert len(found.patterns) == 5
    assert found.patterns[0] == "x" * (LONGEST_TEXT - 1) + "…"
    assert found.patterns[1:] == ("a", "b", "c", "d")


# ── Not an answer ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_is_named_even_when_it_is_json() -> None:
    assert refused(RefusalError, wire_text(), Finish.REFUSAL) == "the model declined to answer"


def test_an_answer_at_the_token_limit_is_cut_off_even_when_it_looks_whole() -> None:
    assert "cut off at the token limit" in refused(TruncatedError, wire_text(), Finish.LENGTH)


def test_half_an_answer_of_a_cut_stream_is_truncated() -> None:
    assert refused(TruncatedError, wire_text()[:80], Finish.CUT) == "the answer stops in the middle"


@pytest.mark.parametrize(
    ("text", "finish"), [("", Finish.STOP), ("", Finish.CUT), (" \n", Finish.CUT), ("\ufeff", Finish.STOP)]
)
def test_an_empty_answer_is_named(text: str, finish: Finish) -> None:
    assert refused(InvalidJsonError, text, finish) == "the answer was empty; answer with the JSON object"


@pytest.mark.parametrize(
    "text", ["I think this is computational.", f"Sure! {wire_text()}", wire_text()[:80], "```json\n{\n```"]
)
def test_prose_is_not_json(text: str) -> None:
    assert refused(InvalidJsonError, text).startswith("the answer was not JSON (")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"domains": ' + "9" * 10_000 + "}"])
def test_json_that_cannot_be_used_is_not_json(text: str) -> None:
    assert refused(InvalidJsonError, text) == "the answer was not usable JSON"


@pytest.mark.parametrize("text", ["[]", "null", '"text"', "0.5"])
def test_json_has_to_be_an_object(text: str) -> None:
    assert refused(SchemaError, text) == "the answer was JSON, but not an object"


# ── Not the contract ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["domains", "boundaries"])
def test_a_missing_part_is_named(key: str) -> None:
    answer = wire_answer()
    del answer[key]
    assert refused(SchemaError, json.dumps(answer)) == f"{key} is missing"


def test_a_missing_domain_is_named() -> None:
    answer = wire_answer()
    del answer["domains"]["CuD"]
    assert refused(SchemaError, json.dumps(answer)) == "domains.CuD is missing"


def test_a_missing_boundary_is_named() -> None:
    answer = wire_answer()
    del answer["boundaries"]["SD-ED"]
    assert refused(SchemaError, json.dumps(answer)) == "boundaries.SD-ED is missing"


@pytest.mark.parametrize("key", ["permeability", "status"])
def test_a_missing_value_of_a_boundary_is_named(key: str) -> None:
    answer = wire_answer()
    del answer["boundaries"]["SD-ED"][key]
    assert refused(SchemaError, json.dumps(answer)) == f"boundaries.SD-ED.{key} is missing"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("1.5", "domains.CD is 1.5: should be less than or equal to 1"),
        ("-0.1", "domains.CD is -0.1: should be greater than or equal to 0"),
        ("NaN", "domains.CD is NaN: should be "),
        ("Infinity", "domains.CD is Infinity: should be "),
        ("1e999", "domains.CD is Infinity: should be "),
        ('"0.5"', 'domains.CD is "0.5": should be a valid number'),
        ("true", "domains.CD is true: should be a valid number"),
        ("null", "domains.CD is null: should be a valid number"),
        ("[0.5]", "domains.CD is [0.5]: should be a valid number"),
    ],
)
def test_a_value_that_is_no_number_from_0_to_1_is_never_clamped(value: str, complaint: str) -> None:
    text = wire_text().replace('"CD": 0.25', f'"CD": {value}')
    assert refused(SchemaError, text).startswith(complaint)
    text = with_boundary("CD-ED", permeability="HERE").replace('"HERE"', value)
    assert refused(SchemaError, text).startswith(complaint.replace("domains.CD", "boundaries.CD-ED.permeability"))


def test_several_faults_are_named_together() -> None:
    assert refused(SchemaError, with_domains(CD=2, ED=-1)) == (
        "domains.CD is 2: should be less than or equal to 1; domains.ED is -1: should be greater than or equal to 0"
    )


@pytest.mark.parametrize(
    "changes",
    [{"domains": [0.1]}, {"boundaries": "none"}, {"patterns": "one"}, {"patterns": [1]}, {"reasoning": {"why": 1}}],
)
def test_a_part_of_the_wrong_kind_is_named(changes: dict[str, Any]) -> None:
    assert refused(SchemaError, wire_text(**changes)).startswith(next(iter(changes)))


def test_a_long_wrong_value_is_shown_short() -> None:
    assert len(refused(SchemaError, with_domains(CD="x" * 10_000))) < 150


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.text()
    | st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        json.dumps
    )
)
def test_whatever_comes_back_is_an_output_error(text: str) -> None:
    with pytest.raises(OutputError):
        check(text)


# ── Corrections ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("permeability", "kept"),
    [
        (0.25, True),
        (0.3, True),  # 20 % away, but only 0.05
        (0.2, True),
        (0.301, False),  # more than 0.05 and more than 15 %
        (0.199, False),
        (1.0, False),
        (0.0, False),
    ],
)
def test_a_permeability_far_from_the_root_is_replaced_and_recorded(permeability: float, kept: bool) -> None:
    # All activations are 0.25: the root of the product is 0.25.
    found = check(with_boundary(permeability=permeability))
    assert found.boundaries[0].permeability == (permeability if kept else 0.25)
    expected = {
        "boundary": "CD-SD",
        "field": "permeability",
        "given": permeability,
        "used": 0.25,
        "why": "more than 15 % away from the square root of CD times SD",
    }
    assert [correction.model_dump() for correction in found.corrections] == ([] if kept else [expected])


@pytest.mark.parametrize(("permeability", "kept"), [(0.85, True), (0.86, True), (0.849, False)])
def test_a_large_permeability_may_be_15_percent_away(permeability: float, kept: bool) -> None:
    # CD and SD are 1: the root is 1, and 15 % of it is more than 0.05.
    answer = json.loads(with_boundary(permeability=permeability, status="Transcendent"))
    answer["domains"] |= {"CD": 1.0, "SD": 1.0}
    assert check(json.dumps(answer)).boundaries[0].permeability == (permeability if kept else 1.0)


@pytest.mark.parametrize("status", ["Transitional", "transcendent", "", "Open\x1b[31m"])
def test_a_status_that_does_not_belong_is_replaced_and_recorded(status: str) -> None:
    found = check(with_boundary(status=status))
    assert found.boundaries[0].status == "Maintained"
    (correction,) = found.corrections
    assert (correction.field, correction.given, correction.used) == ("status", status, "Maintained")
    assert correction.why == "does not belong to a permeability of 0.25"


def test_the_status_follows_the_corrected_permeability() -> None:
    # √(0.25·0.25) = 0.25 replaces 0.9, so the Transcendent that belonged to 0.9 goes too.
    found = check(with_boundary(permeability=0.9, status="Transcendent"))
    assert [(c.field, c.given, c.used) for c in found.corrections] == [
        ("permeability", 0.9, 0.25),
        ("status", "Transcendent", "Maintained"),
    ]


# ── Oscillation ─────────────────────────────────────────────────────────────────────────────────────────────────────

SWING = {"frequency": 2.5, "amplitude": 0.4, "phase": 3.0}


def swinging(**changes: object) -> str:
    answer = wire_answer()
    for boundary in answer["boundaries"].values():
        boundary.update(SWING | changes)
    return json.dumps(answer)


def test_oscillation_is_taken_when_it_was_asked_for() -> None:
    first = check(swinging(), oscillation=True).boundaries[0]
    assert (first.frequency, first.amplitude, first.phase) == (2.5, 0.4, 3.0)


def test_oscillation_is_ignored_when_it_was_not_asked_for() -> None:
    mine = (Boundary("CD-ED", frequency=0.7, amplitude=0.6, phase=1.0),)
    found = checked_answer(Completion(swinging(), "m", Finish.STOP), mine).boundaries
    assert [(b.frequency, b.amplitude, b.phase) for b in found[:3]] == [
        (1.0, 0.1, 0.0),
        (1.0, 0.1, 0.0),
        (0.7, 0.6, 1.0),
    ]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"frequency": 3.1}, "boundaries.CD-SD.frequency is 3.1: should be less than or equal to 3"),
        ({"amplitude": 1.1}, "boundaries.CD-SD.amplitude is 1.1: should be less than or equal to 1"),
        ({"phase": 6.3}, "boundaries.CD-SD.phase is 6.3: should be less than or equal to 6.28"),
        ({"phase": math.nan}, "boundaries.CD-SD.phase is NaN: should be "),
    ],
)
def test_oscillation_out_of_range_is_named(changes: dict[str, object], complaint: str) -> None:
    assert refused(SchemaError, swinging(**changes), oscillation=True).startswith(complaint)


def test_missing_oscillation_is_named() -> None:
    assert refused(SchemaError, wire_text(), oscillation=True).startswith("boundaries.CD-SD.frequency is missing")


# ── The schema ──────────────────────────────────────────────────────────────────────────────────────────────────────


def objects(schema: Any) -> list[dict[str, Any]]:
    if not isinstance(schema, dict):
        return []
    nested = [found for value in schema.values() for found in objects(value)]
    return [schema, *nested] if schema.get("type") == "object" else nested


@pytest.mark.parametrize("oscillation", [False, True])
def test_the_schema_is_legal_in_strict_mode(oscillation: bool) -> None:
    schema = output_schema(oscillation)
    assert schema.name == "reading"
    found = objects(dict(schema.schema))
    assert len(found) == 1 + 1 + 1 + 6  # the answer, domains, boundaries, each boundary
    for part in found:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])
    assert list(schema.schema["properties"]) == ["reasoning", "domains", "boundaries", "patterns"]  # type: ignore[call-overload]


BOUNDED = {"permeability": (0, 1), "frequency": (0, 3), "amplitude": (0, 1), "phase": (0, 2 * math.pi)}


def test_the_schema_bounds_every_number() -> None:
    schema: Any = output_schema(oscillation=True).schema
    for name in BOUNDARY_NAMES:
        numbers = dict(schema["properties"]["boundaries"]["properties"][name]["properties"])
        assert numbers.pop("status")["enum"] == ["Maintained", "Transitional", "Transcendent"]
        assert {key: (bounds["minimum"], bounds["maximum"]) for key, bounds in numbers.items()} == BOUNDED
    assert {
        key: (b["minimum"], b["maximum"]) for key, b in schema["properties"]["domains"]["properties"].items()
    } == dict.fromkeys(("CD", "SD", "CuD", "ED"), (0, 1))


@pytest.mark.parametrize("key", BOUNDED)
def test_the_check_has_the_bounds_of_the_schema(key: str) -> None:
    lowest, highest = BOUNDED[key]
    for value in (lowest, highest):
        check(swinging(**{key: value}), oscillation=True)
    for value in (math.nextafter(lowest, -1), math.nextafter(highest, 9)):
        refused(SchemaError, swinging(**{key: value}), oscillation=True)
