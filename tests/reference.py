"""A second implementation of the flow, to compare with: the written specification transcribed line by line.

It shares nothing with `vif`. Everything is counted afresh for every boundary and every message, by hand where the
specification counts by hand, so that a clever shortcut in `vif` has something dull to be wrong against.
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math
from typing import Any

Json = dict[str, Any]

QUALITIES = ["clarity", "depth", "openness", "precision", "fluidity", "resonance", "coherence"]
WEIGHTS = {"CD": 0.8, "SD": 0.7, "CuD": 0.6, "ED": 0.9}
QUESTION_WORDS = ["maybe", "perhaps", "might", "could", "possible", "wonder"]
TURN_WORDS = ["however", "but", "although", "while", "yet", "whereas", "alternatively"]
SUBSTATES = {
    "CD": [("analytical", 0.9), ("logical", 0.85), ("pattern", 0.95), ("systematic", 0.8)],
    "SD": [("evidence", 0.95), ("theoretical", 0.85), ("empirical", 0.9), ("rigorous", 0.8)],
    "CuD": [("contextual", 0.9), ("narrative", 0.85), ("perspectival", 0.8), ("meaningful", 0.95)],
    "ED": [("experiential", 0.95), ("qualitative", 0.9), ("present", 0.85), ("engaged", 0.9)],
}
WHITE_SPACE = (
    [chr(code) for code in range(0x0009, 0x000D + 1)]
    + [chr(code) for code in (0x0020, 0x0085, 0x00A0, 0x1680)]
    + [chr(code) for code in range(0x2000, 0x200A + 1)]
    + [chr(code) for code in (0x2028, 0x2029, 0x202F, 0x205F, 0x3000)]
)


def disagreements(got: object, expected: object, tolerance: float, where: str = "") -> list[str]:
    """Where two JSON values differ: numbers by more than `tolerance`, anything else at all."""
    if isinstance(got, dict) and isinstance(expected, dict):
        found = [f"{where}: keys {sorted(got)} instead of {sorted(expected)}"] if got.keys() != expected.keys() else []
        return found + [
            fault
            for key in got.keys() & expected.keys()
            for fault in disagreements(got[key], expected[key], tolerance, f"{where}.{key}")
        ]
    if isinstance(got, list) and isinstance(expected, list):
        if len(got) != len(expected):
            return [f"{where}: {len(got)} entries instead of {len(expected)}"]
        return [
            fault
            for index, pair in enumerate(zip(got, expected, strict=True))
            for fault in disagreements(*pair, tolerance, f"{where}[{index}]")
        ]
    both_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (got, expected))
    same = abs(got - expected) <= tolerance if both_numbers else got == expected  # type: ignore[operator]
    return [] if same else [f"{where}: {got!r} instead of {expected!r}"]


# ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def byte_count(text: str) -> int:
    return len(text.encode("utf-8"))


def words(text: str) -> list[str]:
    found: list[str] = []
    current = ""
    for character in text:
        if character in WHITE_SPACE:
            if current != "":
                found.append(current)
            current = ""
        else:
            current = current + character
    if current != "":
        found.append(current)
    return found


def occurrences(text: str, wanted: str) -> int:
    count = 0
    position = 0
    while position + len(wanted) <= len(text):
        if text[position : position + len(wanted)] == wanted:
            count = count + 1
            position = position + len(wanted)
        else:
            position = position + 1
    return count


def two_decimals(value: float) -> float:
    return float("%.2f" % value)  # noqa: UP031  # as the specification writes it


# ── Two boundaries, one boundary ────────────────────────────────────────────────────────────────────────────────────


def two_sides(name: str) -> list[str] | None:
    parts = name.split("-")
    return parts if len(parts) == 2 else None


def resonates(one: Json, other: Json) -> bool:
    threshold = 0.2 * max(one["frequency"], other["frequency"])
    frequency_match = abs(one["frequency"] - other["frequency"]) < threshold
    return frequency_match and phase_distance(one, other) < 0.2 * math.pi


def phase_distance(one: Json, other: Json) -> float:
    d = math.fmod(abs(one["phase"] - other["phase"]), 2.0 * math.pi)
    return min(d, 2.0 * math.pi - d)


def strength(one: Json, other: Json) -> float:
    f1, f2 = one["frequency"], other["frequency"]
    fs = 1.0 - min(abs(f1 - f2) / max(f1, f2), 1.0) if max(f1, f2) > 0.0 else 1.0
    pa = 1.0 - phase_distance(one, other) / math.pi
    return float(0.6 * fs + 0.4 * pa)


def oscillation_step(frequency: float, amplitude: float, phase: float, base: float, dt: float) -> tuple[float, float]:
    """The permeability and the phase after `dt` seconds."""
    permeability = base + amplitude * math.sin(2.0 * math.pi * frequency * dt + phase)
    permeability = 0.0 if permeability < 0.0 else permeability
    permeability = 1.0 if permeability > 1.0 else permeability
    return permeability, math.fmod(phase + 2.0 * math.pi * frequency * dt, 2.0 * math.pi)


def autonomy(ambiguity: float, receptivity: float, stakes: float, confidence: float) -> float:
    return ((ambiguity * 0.4 + receptivity * 0.3) + stakes * 0.2) + confidence * 0.1


# ── Section 3: raw quality scores ───────────────────────────────────────────────────────────────────────────────────


def clarity(b: Json, m: str) -> float:
    n = byte_count(m)
    if n < 50:
        length = (n / 50) * 0.5
    elif n <= 500:
        length = 0.5 + ((n - 50) / 450) * 0.5
    else:
        length = 1.0 - min((n - 500) / 1000, 0.3)
    return min((0.5 * b["permeability"] + 0.3 * length) + 0.2 * (1.0 - min(b["amplitude"], 1.0)), 1.0)


def depth(b: Json, m: str) -> float:
    w = len(words(m))
    if w < 10:
        x = (w / 10) * 0.5
    elif w <= 100:
        x = 0.5 + ((w - 10) / 90) * 0.5
    else:
        x = 1.0
    return min((0.4 * min(b["amplitude"], 1.0) + 0.3 * x) + 0.3 * b["permeability"], 1.0)


def openness(b: Json, m: str) -> float:
    o = 1.0 - abs(b["permeability"] - 0.5) * 2.0
    k = occurrences(m, "?")
    for word in QUESTION_WORDS:
        k = k + occurrences(m.lower(), word)
    i = min(k / 5, 1.0)
    t = 0.8 if b["status"] == "Transitional" else 0.5
    return min((0.4 * o + 0.3 * i) + 0.3 * t, 1.0)


def precision(b: Json, m: str) -> float:
    found = words(m)
    if found == []:
        s = 0.3
    else:
        total = 0
        for word in found:
            total = total + byte_count(word)
        g = total / len(found)
        if g < 4:
            s = (g / 4) * 0.5
        elif g <= 7:
            s = 0.5 + ((g - 4) / 3) * 0.5
        else:
            s = 1.0
    return min((0.4 * min(b["frequency"] / 2, 1.0) + 0.3 * b["permeability"]) + 0.3 * s, 1.0)


def fluidity(b: Json, m: str) -> float:
    j = 0
    for word in TURN_WORDS:
        j = j + occurrences(m.lower(), word)
    h = min(j / 3, 1.0)
    steadiness = 1.0 - min(abs(b["frequency"] - 1.0), 1.0)
    return min((0.4 * min(b["amplitude"], 1.0) + 0.3 * steadiness) + 0.3 * h, 1.0)


def resonance(b: Json, m: str) -> float:
    found = words(m)
    if len(found) < 5:
        r = 0.3
    else:
        distinct: list[str] = []
        for word in found:
            if word not in distinct:
                distinct.append(word)
        r = min((1.0 - len(distinct) / len(found)) * 2.0, 1.0)
    wave = (math.cos(b["phase"]) + 1.0) / 2.0
    return min((0.4 * wave + 0.4 * min(b["frequency"] * b["amplitude"], 1.0)) + 0.2 * r, 1.0)


def coherence(b: Json, m: str) -> float:
    c = 0
    pieces = [""]
    for character in m:
        if character in {".", "!", "?"}:
            c = c + 1
            pieces.append("")
        else:
            pieces[-1] = pieces[-1] + character
    if c == 0:
        q = 0.5
    else:
        total = 0
        for piece in pieces:
            total = total + len(words(piece))
        y = total / (c + 1)
        if y < 5:
            q = (y / 5) * 0.5
        elif y <= 20:
            q = 0.5 + ((y - 5) / 15) * 0.5
        else:
            q = 1.0 - min((y - 20) / 30, 0.3)
    balance = 1.0 - min(abs(b["amplitude"] - 0.3), 0.7) / 0.7
    return min((0.4 * b["permeability"] + 0.3 * balance) + 0.3 * q, 1.0)


def raw_scores(b: Json, m: str) -> list[float]:
    return [
        clarity(b, m),
        depth(b, m),
        openness(b, m),
        precision(b, m),
        fluidity(b, m),
        resonance(b, m),
        coherence(b, m),
    ]


# ── Section 2: the seven stages ─────────────────────────────────────────────────────────────────────────────────────


def stage_1(a: float) -> dict[str, float]:
    kept = {}
    for domain, weight in WEIGHTS.items():
        if weight * a > 0.3:
            kept[domain] = weight * a
    return kept


def stage_2(stored: list[Json], domains: dict[str, float]) -> list[Json]:
    result = []
    for b in stored:
        copy = dict(b)
        sides = two_sides(b["name"])
        if sides is not None:
            p = math.sqrt(domains.get(sides[0], 0.0) * domains.get(sides[1], 0.0))
            copy["permeability"] = p
            copy["status"] = "Transcendent" if p > 0.8 else "Transitional" if p > 0.6 else "Maintained"
        result.append(copy)
    return result


def activation_strength(b: Json, domains: dict[str, float]) -> float:
    sides = two_sides(b["name"])
    if sides is None:
        return 0.0
    return domains.get(sides[0], 0.5) * domains.get(sides[1], 0.5)


def first_of_that_name(name: str, boundaries: list[Json]) -> Json:
    for b in boundaries:
        if b["name"] == name:
            return b
    raise LookupError(name)


def resonating_names(b: Json, boundaries: list[Json]) -> list[str]:
    return [other["name"] for other in boundaries if other["name"] != b["name"] and resonates(b, other)]


def activation_of(b: Json, boundaries: list[Json], domains: dict[str, float]) -> Json:
    s = activation_strength(b, domains)
    n = len(resonating_names(b, boundaries))
    rho = 1.0 + n * 0.2 if n > 0 else 1.0
    p = (s * 0.4 + first_of_that_name(b["name"], boundaries)["permeability"] * 0.3) * rho
    return {
        "name": b["name"],
        "activation_strength": s,
        "is_resonating": n > 0,
        "resonance_cluster_size": n,
        "priority_score": p,
    }


def rhythm(b: Json) -> str:
    if b["frequency"] > 0.5 and b["amplitude"] > 0.1:
        if b["frequency"] > 1.5:
            return "rapid"
        if b["frequency"] > 0.8:
            return "natural"
        return "gentle"
    return "none"


def primary_quality(b: Json, m: str) -> str:
    scores = raw_scores(b, m)
    best = 0
    for index in range(7):
        if scores[index] >= scores[best]:
            best = index
    return QUALITIES[best]


def stage_3(boundaries: list[Json], domains: dict[str, float], m: str) -> list[Json]:
    ranked = [(activation_of(b, boundaries, domains), b) for b in boundaries]
    # Insertion sort: a later one passes only those of strictly lower priority.
    ordered: list[tuple[Json, Json]] = []
    for item in ranked:
        place = len(ordered)
        while place > 0 and ordered[place - 1][0]["priority_score"] < item[0]["priority_score"]:
            place = place - 1
        ordered.insert(place, item)
    kept = []
    for activation, b in ordered:
        first = first_of_that_name(b["name"], boundaries)
        if activation["priority_score"] > 0.3 or first["permeability"] > 0.7:
            kept.append((activation, b, first))
    selected = []
    for activation, b, first in kept[:6]:
        if two_sides(b["name"]) is not None:
            entry = dict(activation)
            entry["primary_quality"] = primary_quality(first, m)
            entry["rhythm"] = rhythm(first)
            entry["resonates_with"] = resonating_names(b, boundaries)
            selected.append(entry)
    return selected


def stage_4(boundaries: list[Json], domains: dict[str, float], m: str) -> list[Json]:
    emergent = []
    for b in boundaries:
        if b["status"] == "Transcendent":
            boost = 1.0 + (activation_strength(b, domains) * 0.2)
            emergent.append({"name": b["name"], "values": [min(raw * boost, 1.0) for raw in raw_scores(b, m)]})
    return emergent


def stage_5(domains: dict[str, float]) -> Json:
    result = {}
    for domain, value in domains.items():
        numbers = {"activation": two_decimals(value)}
        for substate, k in SUBSTATES.get(domain, [("activation", 1.0)]):
            numbers[substate] = two_decimals(value * k)
        result[domain] = numbers
    return result


def stage_6(boundaries: list[Json], domains: dict[str, float], reply: str) -> tuple[list[str] | None, list[Json]]:
    names = sorted(domain for domain, value in domains.items() if value > 0.5)
    pattern = names if reply != "" and len(names) > 0 else None
    anchors = [
        {"name": b["name"], "confidence": b["permeability"]}
        for b in boundaries
        if b["status"] == "Transcendent" and b["permeability"] > 0.8
    ]
    return pattern, anchors


def stage_7(boundaries: list[Json], emergent: list[Json]) -> str:
    t = 0
    for b in boundaries:
        if b["status"] == "Transcendent":
            t = t + 1
    if emergent == []:
        v = 0.5
    else:
        total = 0.0
        for entry in emergent:
            values = entry["values"]
            total = total + (((values[0] + values[1]) + values[5]) + values[6]) / 4
        v = total / len(emergent)
    if t >= 4 and v > 0.8:
        return "Transcendence"
    if t >= 3 and v > 0.7:
        return "Recursion"
    if t >= 2 and v > 0.6:
        return "Generation"
    if t >= 1 and v > 0.5:
        return "Integration"
    return "Recognition"


def flow(given: Json) -> Json:
    """The `expect` object of one `input` object."""
    m = given["message"]
    if given.get("domains") is not None:
        domains, boundaries = dict(given["domains"]), list(given["boundaries"])
    else:
        domains = stage_1(given["autonomy"])
        boundaries = stage_2(given["boundaries"], domains)
    emergent = stage_4(boundaries, domains, m)
    pattern, anchors = stage_6(boundaries, domains, given["llm_response"])
    return {
        "domains": domains,
        "boundaries": boundaries,
        "resonance": [
            [i, j, resonates(boundaries[i], boundaries[j]), strength(boundaries[i], boundaries[j])]
            for i in range(len(boundaries))
            for j in range(i + 1, len(boundaries))
        ],
        "activation": [activation_of(b, boundaries, domains) for b in boundaries],
        "selected": stage_3(boundaries, domains, m),
        "raw_qualities": {b["name"]: raw_scores(b, m) for b in boundaries},
        "emergent_qualities": emergent,
        "substates": stage_5(domains),
        "pattern_domains": pattern,
        "anchors": anchors,
        "stage": stage_7(boundaries, emergent),
    }
