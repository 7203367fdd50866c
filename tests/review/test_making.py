from __future__ import annotations

import pytest

from tests.store.making import made
from vif.domains import Domain
from vif.errors import InputError
from vif.evaluation.records import Result, Run, Subject
from vif.evaluation.suite import Case
from vif.interaction import Recognition
from vif.review.making import FORMULA, LLM1, item_of, items_of_run, reply_item

READ = {Domain.CD: 0.9, Domain.SD: 0.4, Domain.CUD: 0.1, Domain.ED: 0.2}


async def test_a_kept_interaction_gives_both_readings() -> None:
    interaction = await made("How do I implement quicksort?")
    item = item_of(interaction, tags=("code",))
    first, second = item.outputs
    assert (item.message, item.tags, first.system, second.system) == (interaction.message, ("code",), LLM1, FORMULA)
    assert first.domains == {Domain(name): value for name, value in interaction.domains.items()}
    assert first.boundaries == interaction.boundaries
    assert second.domains[Domain.CD] == interaction.formula.domains.CD


async def test_a_reading_the_formula_stood_in_for_cannot_be_compared_with_it() -> None:
    interaction = await made("Hello")
    by_formula = interaction.model_copy(update={"recognition": Recognition(source="formula")})
    with pytest.raises(InputError, match="was read by the Rust formula itself"):
        item_of(by_formula)


async def test_two_replies_to_one_message_make_an_item() -> None:
    dual = await made("Hello")
    formula = dual.model_copy(update={"reply": "Good day."})
    item = reply_item(dual, formula)
    assert [output.text for output in item.outputs] == [dual.reply, "Good day."]
    with pytest.raises(InputError, match="answer different messages"):
        reply_item(dual, formula.model_copy(update={"message": "Bye"}))
    with pytest.raises(InputError, match=r"the reply that follows Rust formula is missing or not whole"):
        reply_item(dual, formula.model_copy(update={"reply": ""}))


def result(case: str, subject: str, *, source: str = "llm1", repeat: int = 0) -> Result:
    recognition = Recognition.model_validate({"source": source})
    return Result(case_id=case, subject=subject, repeat=repeat, domains=READ, recognition=recognition)


def test_an_evaluation_run_gives_a_pair_of_each_two_subjects_for_each_case_both_read() -> None:
    cases = tuple(Case(id=id, message=f"message {id}", tags=("t",)) for id in ("a", "b"))
    run = Run(suite="s", cases=cases, subjects=tuple(Subject(name=name) for name in ("x", "y", "z")), repeats=2)
    results = [
        *(result("a", name) for name in ("x", "y", "z")),
        *(result("b", name) for name in ("x", "y")),
        result("b", "z", repeat=1),
    ]
    items = items_of_run(run, results, ("x", "y", "z"))
    pairs = [(item.message, *(output.system for output in item.outputs)) for item in items]
    assert pairs == [
        ("message a", "x", "y"),
        ("message a", "x", "z"),
        ("message a", "y", "z"),
        ("message b", "x", "y"),
    ]
    assert items[0].tags == ("t",)
    assert len({item.id for item in items}) == 4


def test_runs_that_give_nothing_to_compare_are_refused() -> None:
    run = Run(suite="s", cases=(Case(id="a", message="m"),), subjects=(Subject(name="x"), Subject(name="y")))
    with pytest.raises(InputError, match="'z' is not in this run, which has x, y"):
        items_of_run(run, [], ("x", "z"))
    with pytest.raises(InputError, match="one subject cannot be compared with itself"):
        items_of_run(run, [], ("x", "x"))
    with pytest.raises(InputError, match="no case of this run was read by two"):
        items_of_run(run, [result("a", "x")], ("x", "y"))
