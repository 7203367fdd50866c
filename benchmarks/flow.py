"""What the flow itself costs: stages 1 to 7, six boundaries, a 200-character message, no model.

python benchmarks/flow.py [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

from vif.boundaries import BOUNDARY_NAMES, DEFAULT_BOUNDARIES, Boundary, permeability_between, status_of
from vif.flow import Reading, conclude, read_formula, shape

MESSAGE = (
    "How do I implement quicksort so that it stays fast on sorted input, and why does the choice of the pivot matter "
    "so much? Perhaps you could show me a small example, but keep it simple; I wonder a bit."
)
ROUNDS, PER_ROUND = 200, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    domains = {"CD": 0.95, "SD": 0.9, "CuD": 0.85, "ED": 0.92}
    open_reading = Reading(domains, tuple(_open(name, domains) for name in BOUNDARY_NAMES))

    def formula() -> None:
        conclude(shape(MESSAGE, read_formula(0.55, DEFAULT_BOUNDARIES)), "a reply")

    def all_open() -> None:
        conclude(shape(MESSAGE, open_reading), "a reply")

    result = {
        "message_characters": len(MESSAGE),
        "formula_reading_us": _microseconds(formula),
        "six_transcendent_boundaries_us": _microseconds(all_open),
    }
    if as_json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:<34} {value}")


def _open(name: str, domains: dict[str, float]) -> Boundary:
    first, second = name.split("-")
    permeability = permeability_between(domains[first], domains[second])
    return Boundary(name, permeability, status_of(permeability))


def _microseconds(work: object) -> dict[str, float]:
    assert callable(work)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(PER_ROUND):
            work()
        times.append((time.perf_counter() - start) / PER_ROUND * 1e6)
    times.sort()
    return {
        "min": round(times[0], 1),
        "median": round(statistics.median(times), 1),
        "p95": round(times[int(0.95 * ROUNDS)], 1),
    }


if __name__ == "__main__":
    main()
