"""Who reads better? Two subjects on the suite of the design, compared as a Markdown report.

    python evaluate_two.py offline formula > report.md

A subject is a preset, a model ("openai:gpt-6-luna") or "formula". Every reading is kept in evaluation.sqlite3.
"""

import asyncio
import sys
from contextlib import closing

from vif import VifApi, connect
from vif.evaluation.keeping import EvaluationStore
from vif.evaluation.markdown import report_markdown
from vif.evaluation.metrics import evaluate
from vif.evaluation.plan import config_of, make_run
from vif.evaluation.records import Progress
from vif.evaluation.runner import Runner
from vif.evaluation.suite import shipped
from vif.store import open_store

names = sys.argv[1:] or ["offline", "formula"]
run = make_run(shipped("standard"), names, repeats=1)


def connected(name: str) -> VifApi:
    subject = next(subject for subject in run.subjects if subject.name == name)
    return connect(config_of(run, subject), mode="formula" if subject.formula else "dual")


async def main() -> str:
    with closing(open_store("sqlite:///evaluation.sqlite3")) as store:
        keeper = EvaluationStore(store)
        apis = {name: connected(name) for name in names}
        async for event in Runner(run, apis, keeper, budget_usd=1.0).run():
            if isinstance(event, Progress):
                print(f"\r{event.done} of {event.total}, ${event.spent_usd:.4f}", end="", file=sys.stderr)
        for api in apis.values():
            await api.aclose()
        return report_markdown(evaluate(run, await keeper.results(run.id)))


print(asyncio.run(main()))
