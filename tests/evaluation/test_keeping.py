from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from vif.domains import Domain
from vif.evaluation.keeping import EvaluationStore
from vif.evaluation.plan import make_run
from vif.evaluation.records import Result, Run
from vif.evaluation.suite import Case, Suite
from vif.interaction import Recognition
from vif.store import Store, StoreError
from vif.store.tables import evaluation_runs


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    yield store
    store.close()


def planned(cases: int = 2, **more: object) -> Run:
    suite = Suite("made", tuple(Case(id=f"c{number}", message=f"message \0 {number}") for number in range(cases)))
    return make_run(suite, ["formula"], repeats=2).model_copy(update=more)


def result(case: str, repeat: int = 0, **more: object) -> Result:
    found = {"case_id": case, "subject": "formula", "repeat": repeat, "domains": {Domain.CD: 0.5}, **more}
    return Result.model_validate({"recognition": Recognition(source="formula"), **found})


async def test_a_run_and_its_results_come_back_as_they_were(store: Store) -> None:
    keeper, run = EvaluationStore(store), planned(suite="a suite\0")
    await keeper.save_run(run)
    start = datetime(2026, 11, 23, tzinfo=UTC)
    results = [result("c1", at=start), result("c0", at=start + timedelta(seconds=1), error="down")]
    for one in reversed(results):
        await keeper.add_result(run.id, one)
    assert await keeper.run(run.id) == run
    # In the order of the measurements, whatever the order of keeping.
    assert await keeper.results(run.id) == tuple(results)
    (row,) = await keeper.runs()
    assert (row.id, row.suite, row.subjects, row.done, row.total) == (run.id, "a suite\ufffd", ("formula",), 2, 4)


async def test_of_two_results_of_one_call_the_first_stays(store: Store) -> None:
    keeper, run = EvaluationStore(store), planned()
    await keeper.save_run(run)
    first = result("c0")
    await keeper.add_result(run.id, first)
    await keeper.add_result(run.id, result("c0", error="later"))
    assert await keeper.results(run.id) == (first,)


async def test_a_result_of_no_run_is_refused(store: Store) -> None:
    with pytest.raises(StoreError):
        await EvaluationStore(store).add_result("nobody's", result("c0"))


async def test_a_deleted_run_takes_its_results_with_it(store: Store) -> None:
    keeper, run = EvaluationStore(store), planned()
    await keeper.save_run(run)
    await keeper.add_result(run.id, result("c0"))
    assert await keeper.delete_run(run.id)
    assert not await keeper.delete_run(run.id)
    assert await keeper.run(run.id) is None
    assert await keeper.results(run.id) == ()


async def test_nobody_finds_reads_or_deletes_the_runs_of_somebody_else(store: Store) -> None:
    anna, ben, everybody = EvaluationStore(store, "anna"), EvaluationStore(store, "ben"), EvaluationStore(store)
    run = planned()
    await anna.save_run(run)
    await anna.add_result(run.id, result("c0"))
    assert [row.id for row in await anna.runs()] == [row.id for row in await everybody.runs()] == [run.id]
    assert await ben.runs() == []
    assert await ben.run(run.id) is None
    assert await ben.results(run.id) == ()
    assert not await ben.delete_run(run.id)
    assert len(await anna.results(run.id)) == len(await everybody.results(run.id)) == 1


async def test_a_run_this_version_cannot_read_is_named(store: Store) -> None:
    keeper, run = EvaluationStore(store), planned()
    await keeper.save_run(run)
    await store.write(lambda connection: connection.execute(evaluation_runs.update().values(body='{"suite": 1}')))
    with pytest.raises(StoreError, match=f"the stored run '{run.id}' was written by another version of vif"):
        await keeper.run(run.id)
