"""What starting costs: importing the package, all of its interface, and the command line.

python benchmarks/startup.py [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

ROUNDS = 7
STARTS = {
    "python itself": "pass",
    "import vif": "import vif",
    "every public name": "from vif import *",
    "vif --version": "import sys; sys.argv = ['vif', '--version']; from vif.cli import main; main()",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    times: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(ROUNDS):  # in turn, so that a noisy moment meets all of them
        for name, code in STARTS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
            times[name].append((time.perf_counter() - start) * 1000)
    medians = {name: round(statistics.median(values), 1) for name, values in times.items()}
    if as_json:
        print(json.dumps(medians))
        return
    for name, value in medians.items():
        print(f"{name:<20} {value:7.1f} ms   {value - medians['python itself']:+7.1f} over python itself")


if __name__ == "__main__":
    main()
