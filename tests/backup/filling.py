"""A store with something of everything in it, and what is in a store."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from sqlalchemy import select

from tests.store.making import MIDNIGHT, copies, made
from vif.backup.form import TABLES
from vif.domains import Domain
from vif.errors import ServerError
from vif.evaluation.keeping import EvaluationStore
from vif.evaluation.records import Batch, Result, Run, Subject
from vif.evaluation.suite import Case
from vif.identity import Person, Role
from vif.llm.protocol import Provider
from vif.review.records import Answer, Campaign, Draft, Item, Output, Rubric
from vif.review.service import Reviews
from vif.store import Store
from vif.store.people import UserRow, put_user

MESSAGES = ("“Ünï” 🦊 'x'; DROP TABLE interactions; --", "nul\0nul", "line\nline\r\n\t\u2028", "=1+1", "")
LEAD, ANNA = Person("lead", "Lena", Role.ADMIN), Person("anna", "Änna", Role.RATER)


async def fill(store: Store) -> None:
    for number, message in enumerate(MESSAGES):
        (interaction,) = copies(await made(message, "Because\0 so."), f"i{number}", message=message)
        await store.save(interaction, session="anna", conversation="talk" if number % 2 else None)
    (failed,) = copies(await made("Why?", ServerError("busy")), "failed")
    await store.save(failed, session="guest", conversation="chat")
    await store.favourite("anna", "i1", on=True)
    await store.write(partial(put_user, row=UserRow("anna", "Änna", "anna@example.org", "rater", MIDNIGHT, MIDNIGHT)))
    await store.write(partial(put_user, row=UserRow("lead", "Lena", None, None, MIDNIGHT, MIDNIGHT)))
    await _evaluate(store)
    await _review(store)


async def _evaluate(store: Store) -> None:
    runs = EvaluationStore(store)
    cases = (Case(id="a", message="Why?"), Case(id="b", message="How?"))
    run = Run(id="run", created_at=MIDNIGHT, suite="mine", cases=cases, subjects=(Subject(name="luna"),))
    await runs.save_run(run)
    await runs.add_result("run", Result(case_id="a", subject="luna", repeat=0, domains={Domain.CD: 0.5}, at=MIDNIGHT))
    batch = Batch(id="batch_1", subject="luna", provider=Provider.OPENAI, readings=(("b", 0),), at=MIDNIGHT)
    await runs.save_batch("run", batch)


async def _review(store: Store) -> None:
    reviews = Reviews(store, clock=lambda: datetime(2026, 11, 23, tzinfo=UTC))
    outputs = (Output(system="llm1", domains={Domain.CD: 0.9}), Output(system="formula", domains={Domain.CD: 0.4}))
    items = tuple(Item(id=f"item{number}", message=f"message {number}", outputs=outputs) for number in range(3))
    campaign = Campaign(
        id="campaign", created_at=MIDNIGHT, name="Which?", items=items, rubric=Rubric(reasons=("tone",))
    )
    await reviews.create(LEAD, campaign)
    for answer in (Answer(choice="left", confidence=2, reasons=("tone",), comment="Schön"), None):
        task = await reviews.next(ANNA, "campaign")
        assert task is not None
        await reviews.rate(ANNA, "campaign", task.shown.item_id, answer, seconds=1.5)
    task = await reviews.next(ANNA, "campaign")
    assert task is not None
    await reviews.draft(ANNA, "campaign", task.shown.item_id, Draft(comment="hm"))


async def content(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    return {
        table.name: await store.read(
            lambda connection, table=table: [  # type: ignore[misc]
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
        )
        for table in TABLES
    }
