"""`run_flow` against a second implementation on inputs nobody chose, and the oddities a faithful flow has to keep."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.reference import disagreements, flow, oscillation_step
from vif.boundaries import BOUNDARY_NAMES, Boundary, oscillate
from vif.flow_json import FlowInput, run_flow

many = settings(max_examples=400, deadline=None, derandomize=True, database=None)

# ── Inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = [
    *BOUNDARY_NAMES,
    *(
        "SD-CD",
        "ED-CuD",
        "CD-CD",
        "CD",
        "",
        "-",
        "CD-",
        "-ED",
        "CD-SD-ED",
        "CD--SD",
        "XX-CD",
        "Foo-Bar",
        "cd-sd",
        "Ää-ED",
    ),
]
STATUSES = ["Maintained", "Transitional", "Transcendent", "transcendent", "Active", "", "Transcendent "]
EDGES = [0.0, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0, -0.1]
WHITE_SPACE = ["\t", "\n", "\x0b", "\r", " ", "\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000"]
NOT_WHITE_SPACE = ["\x1c", "\x1d", "\x1e", "\x1f", "\u180e", "\u200b", "\u2060", "\ufeff"]
TOKENS = [
    *WHITE_SPACE,
    *NOT_WHITE_SPACE,
    *("maybe", "Perhaps", "MIGHT", "could", "impossible", "wonderful", "but", "However", "although", "while", "yet"),
    *(
        "whereas",
        "alternatively",
        "althoughowever",
        "meanwhileyet",
        "maybecouldcould",
        "mİght",
        "poſſible",
        "ΣΟΦΟΣ",
        "ſ",
        "K",
        "İ",
    ),
    *(
        "...",
        ".",
        "!",
        "?",
        "3.14",
        "?!",
        "；",
        "？",
        "。",
        "e.g.",
        "é",
        "e\u0301",
        "😀",
        "👩‍💻",
        "量子",
        "word",
        "word",
        "Word",
    ),
]

plain_number = st.floats(-2.0, 4.0) | st.sampled_from(EDGES)
boundaries = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(NAMES),
            "permeability": plain_number,
            "status": st.sampled_from(STATUSES) | st.text(max_size=4),
            "frequency": plain_number | st.just(0.0),
            "amplitude": plain_number,
            "phase": st.floats(-1e4, 1e4) | st.sampled_from([0.0, math.pi, 0.2 * math.pi, 2 * math.pi, -0.1]),
        }
    ),
    max_size=9,
)
domains = st.none() | st.dictionaries(
    st.sampled_from(["CD", "SD", "CuD", "ED", "XX", "", "cd", "Foo"]), st.floats(-0.5, 1.5) | st.sampled_from(EDGES)
)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
messages = (
    any_text
    | st.lists(st.sampled_from(TOKENS), max_size=120).map("".join)
    | st.lists(st.sampled_from(TOKENS) | any_text, max_size=40).map(" ".join)
)
inputs = st.fixed_dictionaries(
    {
        "message": messages,
        "autonomy": st.floats(-0.5, 2.0) | st.sampled_from([0.0, 0.375, 0.5, 0.55, 1.0]),
        "llm_response": st.sampled_from(["", " ", "a reply"]),
        "boundaries": boundaries,
        "domains": domains,
    }
)


def computed(value: dict[str, Any]) -> dict[str, Any]:
    """As `vif flow` computes it: JSON in, JSON out."""
    return json.loads(json.dumps(run_flow(FlowInput.model_validate_json(json.dumps(value)))))  # type: ignore[no-any-return]


def boundary(name: str = "CD-ED", **values: object) -> dict[str, Any]:
    return {"name": name, "permeability": 0.5, "status": "Maintained"} | values


def override(*given_boundaries: dict[str, Any], message: str = "", **given_domains: float) -> dict[str, Any]:
    return computed({"message": message, "boundaries": list(given_boundaries), "domains": given_domains})


# ── Agreement ───────────────────────────────────────────────────────────────────────────────────────────────────────


@many
@given(inputs)
@example(
    {"message": "althoughowever", "autonomy": 1.0, "llm_response": "", "boundaries": [boundary()], "domains": None}
)
@example({"message": "ὈΔΥΣΣΕΎΣ İ...", "autonomy": 1.0, "llm_response": "x", "boundaries": [boundary()], "domains": {}})
def test_the_flow_agrees_with_the_second_implementation(value: dict[str, Any]) -> None:
    full = value | {"boundaries": [{"frequency": 1.0, "amplitude": 0.1, "phase": 0.0} | b for b in value["boundaries"]]}
    assert disagreements(computed(value), flow(full), 1e-9) == []


@many
@given(
    st.floats(-50.0, 50.0),
    st.floats(-2.0, 2.0),
    st.floats(-100.0, 100.0),
    st.floats(-1.0, 2.0),
    st.lists(st.floats(-1000.0, 1000.0), max_size=12),
)
def test_oscillation_agrees_with_the_second_implementation(
    frequency: float, amplitude: float, phase: float, base: float, dts: list[float]
) -> None:
    swinging = Boundary("CD-SD", 0.5, "as it was", frequency, amplitude, phase)
    for dt in dts:
        swinging = oscillate(swinging, dt, base)
        permeability, phase = oscillation_step(frequency, amplitude, phase, base, dt)
        assert disagreements([swinging.permeability, swinging.phase], [permeability, phase], 1e-9) == []
    assert swinging.status == "as it was"


# ── Input ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_message_is_needed() -> None:
    result = computed({"message": "Hello"})
    # Autonomy 0.55: 0.8·0.55 = 0.44, 0.7·0.55 = 0.385, 0.6·0.55 = 0.33, 0.9·0.55 = 0.495.
    assert result["domains"] == pytest.approx({"CD": 0.44, "SD": 0.385, "CuD": 0.33, "ED": 0.495})
    assert [entry["name"] for entry in result["boundaries"]] == list(BOUNDARY_NAMES)
    assert {(b["frequency"], b["amplitude"], b["phase"]) for b in result["boundaries"]} == {(1.0, 0.1, 0.0)}


def test_unknown_keys_are_ignored() -> None:
    assert computed({"message": "Hello", "note": 1}) == computed({"message": "Hello"})


def test_a_message_that_is_not_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="message"):
        FlowInput.model_validate_json('{"message": 3}')


def test_supplied_domains_replace_stages_one_and_two() -> None:
    result = override(boundary(permeability=0.1, status="Transcendent"), CD=0.2)
    assert result["domains"] == {"CD": 0.2}  # below the threshold of stage 1, and kept
    assert (result["boundaries"][0]["permeability"], result["boundaries"][0]["status"]) == (0.1, "Transcendent")


# ── The oddities of section 5, by their numbers ─────────────────────────────────────────────────────────────────────


def test_oddity_4_a_missing_domain_counts_0_for_the_permeability_and_one_half_for_the_strength() -> None:
    # CuD is 0.6·0.5 = 0.3, which is not above 0.3: dropped. ED is 0.9·0.5 = 0.45.
    dropped = computed({"message": "", "autonomy": 0.5, "boundaries": [boundary("CuD-ED")]})
    assert dropped["boundaries"][0]["permeability"] == 0.0
    assert dropped["activation"][0]["activation_strength"] == pytest.approx(0.5 * 0.45)
    # Just above the threshold it contributes less: 0.306·0.459 instead of 0.5·0.459.
    kept = computed({"message": "", "autonomy": 0.51, "boundaries": [boundary("CuD-ED")]})
    assert kept["activation"][0]["activation_strength"] == pytest.approx(0.306 * 0.459)
    assert kept["activation"][0]["activation_strength"] < dropped["activation"][0]["activation_strength"]


def test_oddity_5_default_boundaries_show_no_rhythm_and_all_resonate() -> None:
    result = computed({"message": "Hello"})
    assert {entry["rhythm"] for entry in result["selected"]} == {"none"}  # 0.1 is not above 0.1
    assert {entry["resonance_cluster_size"] for entry in result["activation"]} == {5}
    first = result["activation"][0]
    # CD-SD: ρ = 1 + 5·0.2 = 2; (0.44·0.385·0.4 + √(0.44·0.385)·0.3)·2 = (0.06776 + 0.12347…)·2.
    assert first["priority_score"] == pytest.approx((0.06776 + 0.3 * math.sqrt(0.1694)) * 2)
    assert len(result["selected"]) == 6


def test_oddity_5_boundaries_that_swing_apart_can_all_stay_behind() -> None:
    # Without resonance the largest priority at 0.55 is CD-ED's: 0.44·0.495·0.4 + √(0.2178)·0.3 = 0.227, below 0.3.
    apart = [boundary(name, frequency=0.1 * 2**index) for index, name in enumerate(BOUNDARY_NAMES)]
    assert computed({"message": "Hello", "boundaries": apart})["selected"] == []


def test_oddity_8_lengths_are_bytes() -> None:
    # 25 two-byte letters are 50 bytes: L = 0.5 and one word of 50 bytes: S = 1. As 25 characters L would be 0.25.
    scores = override(boundary(amplitude=0.0, frequency=0.0), message="é" * 25)["raw_qualities"]["CD-ED"]
    assert scores[0] == pytest.approx(0.5 * 0.5 + 0.3 * 0.5 + 0.2)
    assert scores[3] == pytest.approx(0.3 * 0.5 + 0.3 * 1.0)
    # Two words of two three-byte characters: 6 bytes each, S = 0.5 + (2/3)·0.5; as 2 characters S would be 0.25.
    assert override(boundary(frequency=0.0), message="量子 量子")["raw_qualities"]["CD-ED"][3] == pytest.approx(
        0.15 + 0.3 * (0.5 + (2 / 3) * 0.5)
    )


@pytest.mark.parametrize(
    ("message", "rhythm"),
    [
        ("no stop here", 0.5),
        ("", 0.5),
        (".", 0.0),  # no words, two pieces
        ("one two three four.", (4 / 2) / 5 * 0.5),  # the empty last piece halves the mean: 2
        ("one two three four...", (4 / 4) / 5 * 0.5),  # four pieces: 1
        ("pi is 3.14", (4 / 2) / 5 * 0.5),  # "pi is 3" and "14"
    ],
)
def test_oddity_10_every_stop_cuts_and_empty_pieces_count(message: str, rhythm: float) -> None:
    # P = 0 and A = 0.3: coherence = 0.3·1 + 0.3·Q.
    scores = override(boundary(permeability=0.0, amplitude=0.3), message=message)["raw_qualities"]["CD-ED"]
    assert scores[6] == pytest.approx(0.3 + 0.3 * rhythm)


def test_oddity_11_an_empty_message_has_no_length_but_some_specificity_and_repetition() -> None:
    # P = 0, A = 0, F = 0, φ = π/2 leave what the message gives (and the constant parts).
    silent = boundary(permeability=0.0, amplitude=0.0, frequency=0.0, phase=math.pi / 2)
    clarity, depth, _, precision, _, resonance, _ = override(silent)["raw_qualities"]["CD-ED"]
    assert clarity == pytest.approx(0.2)  # L = 0
    assert depth == 0.0  # X = 0
    assert precision == pytest.approx(0.3 * 0.3)  # S = 0.3
    assert resonance == pytest.approx(0.4 * 0.5 + 0.2 * 0.3)  # R = 0.3


def test_oddity_12_ties_go_to_the_later_quality_and_the_earlier_boundary() -> None:
    # F = 4, A = 0.5 and P = 10 lift clarity, depth, precision and coherence over 1: all cut to 1. Coherence is last.
    tied = [boundary(name, permeability=10.0, frequency=4.0, amplitude=0.5) for name in ("SD-ED", "CD-SD", "CD-CuD")]
    result = override(*tied, CD=0.5, SD=0.5, CuD=0.5, ED=0.5)
    assert [entry["name"] for entry in result["selected"]] == ["SD-ED", "CD-SD", "CD-CuD"]
    assert {entry["primary_quality"] for entry in result["selected"]} == {"coherence"}


def test_oddity_13_emergent_qualities_do_not_ask_for_selection() -> None:
    result = override(boundary(permeability=0.1, status="Transcendent"), CD=0.1, ED=0.1)
    assert result["selected"] == []
    assert [entry["name"] for entry in result["emergent_qualities"]] == ["CD-ED"]


def test_oddity_15_a_name_of_one_part_keeps_its_values_takes_a_place_and_counts_in_the_end() -> None:
    alone = boundary("Alone", permeability=0.9, status="Transcendent")
    result = computed({"message": "", "autonomy": 1.0, "boundaries": [alone]})
    assert result["boundaries"][0]["permeability"] == 0.9
    assert result["activation"][0]["activation_strength"] == 0.0
    assert result["selected"] == []
    assert result["anchors"] == [{"name": "Alone", "confidence": 0.9}]
    # Seven boundaries are above 0.7; "Alone" comes first and takes one of the six places.
    others = [boundary(name, permeability=0.75) for name in BOUNDARY_NAMES]
    crowded = override(alone, *others, CD=0.0, SD=0.0, CuD=0.0, ED=0.0)
    assert [entry["name"] for entry in crowded["selected"]] == list(BOUNDARY_NAMES[:5])


def test_oddity_15_of_two_boundaries_of_one_name_the_first_ones_data_are_used() -> None:
    first = boundary(permeability=0.9, frequency=1.0, amplitude=0.5)
    second = boundary(permeability=0.0, frequency=2.0, amplitude=0.0)
    result = override(first, second, CD=0.0, ED=0.0)
    # Priority 0.9·0.3 = 0.27 is not above 0.3, but P = 0.9 is above 0.7: both come forward, rhythm of the first.
    assert [(entry["name"], entry["rhythm"]) for entry in result["selected"]] == [("CD-ED", "natural")] * 2
    assert [entry["priority_score"] for entry in result["selected"]] == pytest.approx([0.27, 0.27])


def test_oddity_15_two_boundaries_of_one_name_never_resonate_with_each_other() -> None:
    result = override(boundary(), boundary(), boundary("SD-ED"))
    assert [entry["resonance_cluster_size"] for entry in result["activation"]] == [1, 1, 2]


def test_oddity_17_scores_have_no_lower_limit() -> None:
    # P = 2: O = 1 − 1.5·2 = −2; openness = 0.4·(−2) + 0.3·0 + 0.3·0.5 = −0.65.
    assert override(boundary(permeability=2.0))["raw_qualities"]["CD-ED"][2] == pytest.approx(-0.65)


def test_oddity_17_a_large_amplitude_is_capped_in_three_qualities_only() -> None:
    wide, one = (override(boundary(amplitude=a, frequency=0.2))["raw_qualities"]["CD-ED"] for a in (3.0, 1.0))
    clarity, depth, openness, precision, fluidity, resonance, coherence = range(7)
    assert [wide[i] for i in (clarity, depth, openness, precision, fluidity)] == [
        one[i] for i in (clarity, depth, openness, precision, fluidity)
    ]
    # F·A is 0.2 and 0.6: 0.4·(0.6 − 0.2) more.
    assert wide[resonance] - one[resonance] == pytest.approx(0.16)
    assert wide[coherence] == one[coherence]  # |A − 0.3| is limited to 0.7 for both
