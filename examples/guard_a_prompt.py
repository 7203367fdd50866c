"""A gate for CI: a suite of your own is read, and a build fails when it is read worse than it should be.

    python guard_a_prompt.py              exit status 0: as expected, 1: not

`vif eval` alone is such a gate, on the design's targets. This one leaves out the time, which a busy machine misses, and
adds what your cases expect.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

SUITE = """\
id,message,cd_min,cd_max,ed_min,ed_max,tags
sort,How do I implement quicksort?,0.7,1,0,0.5,code
grief,What does grief feel like when it returns?,0,0.5,0.7,1,feeling
"""
suite = Path("suite.csv")
if not suite.exists():
    suite.write_text(SUITE)

done = subprocess.run(
    [
        "vif",
        "eval",
        "--suite",
        str(suite),
        "--preset",
        "offline",
        "--repeats",
        "1",
        "--json",
        "--markdown",
        "report.md",
    ],
    env=os.environ | {"VIF_DATABASE_URL": "sqlite:///guard.sqlite3"},
    stdout=subprocess.PIPE,
    check=False,
)
if done.returncode not in {0, 1}:  # 2: wrong use or configuration, 3: nobody could read
    sys.exit(done.returncode)

report = json.loads(done.stdout)["report"]
(subject,) = report["subjects"]
missed = [name for name in report["missed"].get(subject["name"], []) if not name.startswith("latency")]
faults = [f"{case['case_id']}: {fault}" for case in subject["cases"] for fault in case["faults"]]
print(report["headline"])
print("\n".join([*(f"target missed: {name}" for name in missed), *faults]) or "as expected")
sys.exit(1 if missed or faults else 0)
