"""Two replicas behind nginx, with PostgreSQL, Redis and sign-in, under load; one is killed and comes back.

python benchmarks/replicas.py [--visitors 8] [--seconds 40] [--kill-at 12] [--back-at 22] [--terminate] [--json]

Every visitor signs in, then asks one question after the other over the dashboard's own web socket, and uploads a file
after each, which only the replica takes that has their page. A fault is whatever is not as it should be: a socket that
ends, a status of 400 or more, a question without a complete reply. Recovery is from the kill to a visitor's next
complete reply to a question asked after it. The models are a stand-in that takes 50-150 ms to read, 300 ms to its first
word. The visitors, nginx, databases and replicas share this machine's cores: throughput says more about it than about
the dashboard.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.standin_process import StandinProcess, standin_process
from tests.replicas.deployment import Deployment, everything
from tests.replicas.kept import kept_questions
from tests.replicas.load import Met, load
from vif.llm.protocol import Provider
from vif.percentiles import Percentiles


def measured(options: argparse.Namespace, running: Deployment) -> Met:
    def end(met: Met) -> None:
        victim = running.replicas[met.where["before"][0]]
        if options.terminate:
            victim.terminate()
        else:
            victim.kill()

    def back(met: Met) -> None:
        running.replicas[met.where["before"][0]].restart()

    events = [(options.kill_at, "killed", end), (options.back_at, "back", back)]
    return asyncio.run(load(running, options.visitors, options.seconds, events))


def report(met: Met, kept: dict[str, str]) -> dict[str, object]:
    killed = met.events["killed"]
    faults = met.faults()
    # A fault counts where it began: who waited for an answer when the replica died was hit then.
    outside = [fault for fault in faults if not math.floor(killed) <= math.floor(fault.at) <= math.floor(killed) + 1]
    questions = [moment for moment in met.moments if moment.what == "question" and not moment.fault]
    took = Percentiles.of([moment.took_s * 1000 for moment in questions])
    recovery = met.recovery_s("killed")
    there = [visitor for visitor, name in enumerate(met.where["before"]) if name == met.where["before"][0]]
    return {
        "visitors": len(met.where["before"]),
        "visitors_at_the_killed_replica": len(there),
        "requests": len(met.moments),
        "confirmed_interactions": len(met.confirmed),
        "confirmed_but_not_in_the_database": len(met.confirmed.keys() - kept.keys()),
        "histories_per_visitor": max(
            len({kept[words] for words, who in met.confirmed.items() if who == visitor and words in kept})
            for visitor in range(len(met.where["before"]))
        ),
        "faults": len(faults),
        "faults_outside_the_second_of_the_kill_and_the_next": len(outside),
        "faults_of_visitors_elsewhere": len([fault for fault in faults if fault.visitor not in there]),
        "kinds_of_faults": sorted({fault.fault.split(":")[0] for fault in faults}),
        "question_p50_ms": round(took.p50) if took else None,
        "question_p95_ms": round(took.p95) if took else None,
        "recovery_s": [round(seconds, 2) for seconds in sorted(recovery.values())],
    }


def print_seconds(met: Met) -> None:
    names = {math.floor(at): name for name, at in met.events.items()}
    print("second  questions  uploads  pages  faults")
    for second, counted in met.seconds().items():
        row = "  ".join(f"{counted[what]:>7}" for what in ("question", "upload", "page", "fault"))
        print(f"{second:>6}  {row}  {names.get(second, '')}".rstrip())


def variables(server: StandinProcess) -> dict[str, str]:
    """What tells a replica where the models are."""
    found = {}
    for provider in (Provider.OPENAI, Provider.ANTHROPIC):
        found[f"{provider.upper()}_API_KEY"] = "standin"
        found[f"{provider.upper()}_BASE_URL"] = server.access.base_url(provider) or ""
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--kill-at", type=float, default=12.0)
    parser.add_argument("--back-at", type=float, default=22.0)
    parser.add_argument("--terminate", action="store_true", help="with SIGTERM, as systemctl restart does")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with (
        standin_process("--llm1-ms", "50-150", "--llm2-ms", "300") as server,
        tempfile.TemporaryDirectory() as folder,
        everything(Path(folder), variables(server)) as running,
    ):
        met = measured(options, running)
        found = report(met, kept_questions(running.database_url))
    if options.json:
        print(json.dumps(found))
    else:
        print_seconds(met)
        for name, value in found.items():
            print(f"{name:52} {value}")
    if found["confirmed_but_not_in_the_database"] or found["faults_outside_the_second_of_the_kill_and_the_next"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
