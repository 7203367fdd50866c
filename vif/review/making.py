"""Items for a campaign, from what was kept or just read. Pure: nobody is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vif.domains import DOMAINS, Domain
from vif.errors import InputError
from vif.evaluation.records import Result, Run
from vif.flow import Reading
from vif.interaction import FormulaReading, Interaction, Recognition
from vif.review.records import Item, Output, Rubric, Scale

LLM1, FORMULA = "LLM #1", "Rust formula"

READING_RUBRIC = Rubric(
    question="Which reading fits the message better?",
    corrections=True,
    reasons=("misses what it is about", "sees the tone", "too strong", "too weak", "one domain is wrong"),
)

_QUALITY = Scale(
    name="Quality",
    question="How good is the reply to this message?",
    anchors=("useless", "weak", "acceptable", "good", "excellent"),
)

REPLY_RUBRIC = Rubric(
    question="Which reply is better for who wrote the message?",
    scales=(_QUALITY,),
    reasons=("more correct", "more helpful", "fits the tone", "clearer", "shorter without losing anything"),
)


def reading_item(
    message: str, reading: Reading, recognition: Recognition, formula: FormulaReading, *, tags: Sequence[str] = ()
) -> Item:
    """LLM #1's reading of a message against the formula's. Raises InputError when the formula stood in for LLM #1."""
    if recognition.source == "formula":
        raise InputError(f"the message {message[:40]!r} was read by the Rust formula itself: nothing to compare")
    by_formula = formula.domains.model_dump()
    return Item(
        message=message,
        tags=tuple(tags),
        outputs=(
            Output(
                system=LLM1,
                domains={domain: reading.domains.get(domain.value, 0.0) for domain in DOMAINS},
                boundaries=reading.boundaries,
            ),
            Output(
                system=FORMULA,
                domains={domain: by_formula[domain.value] for domain in DOMAINS},
                boundaries=formula.boundaries,
            ),
        ),
    )


def item_of(interaction: Interaction, *, tags: Sequence[str] = ()) -> Item:
    """The two readings that a kept interaction holds. Errors as for `reading_item`."""
    reading = Reading(interaction.domains, interaction.boundaries)
    return reading_item(interaction.message, reading, interaction.recognition, interaction.formula, tags=tags)


def reply_item(dual: Interaction, formula: Interaction, *, tags: Sequence[str] = ()) -> Item:
    """The reply that follows LLM #1's reading against the one that follows the formula's, to the same message.

    Raises InputError when the messages differ or a reply is missing or not whole.
    """
    if dual.message != formula.message:
        raise InputError("the two replies answer different messages; they must answer the same")
    for name, one in ((LLM1, dual), (FORMULA, formula)):
        if one.response is None or one.response.error is not None or not one.reply:
            raise InputError(f"the reply that follows {name} is missing or not whole; it cannot be judged")
    return Item(
        message=dual.message,
        tags=tuple(tags),
        outputs=(Output(system=LLM1, text=dual.reply), Output(system=FORMULA, text=formula.reply)),
    )


def items_of_run(run: Run, results: Iterable[Result], subjects: Sequence[str], *, repeat: int = 0) -> tuple[Item, ...]:
    """The readings of an evaluation run, each pair of subjects on each case both have read; tags are the case's.

    Raises InputError when a subject is not in the run, fewer than two are named, or nothing was read by both.
    """
    names = [subject.name for subject in run.subjects]
    if unknown := next((name for name in subjects if name not in names), None):
        raise InputError(f"{unknown!r} is not in this run, which has {', '.join(names)}")
    if len(set(subjects)) < 2:
        raise InputError("one subject cannot be compared with itself; name at least two")
    read = {(result.case_id, result.subject): result for result in results if result.repeat == repeat and result.read}
    items = [
        Item(
            message=case.message,
            previous=case.previous,
            tags=case.tags,
            outputs=(_output(read[case.id, first]), _output(read[case.id, second])),
        )
        for case in run.cases
        for place, first in enumerate(subjects)
        for second in subjects[place + 1 :]
        if (case.id, first) in read and (case.id, second) in read
    ]
    if not items:
        raise InputError("no case of this run was read by two of these subjects; let the run finish first")
    return tuple(items)


def _output(result: Result) -> Output:
    domains: dict[Domain, float] = dict(result.domains or {})
    return Output(system=result.subject, domains=domains, boundaries=result.boundaries)
