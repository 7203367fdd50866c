"""Setting up a campaign: where its items come from, and what raters are asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from secrets import randbelow
from typing import TypeVar

import streamlit as st
from pydantic import ValidationError

from pages import _identity, _rate, _review, _runtime
from pages._sidebar import Settings
from pages._text import plain
from vif import formula_reading
from vif.errors import InputError, VifError
from vif.evaluation.keeping import EvaluationStore
from vif.evaluation.suite import shipped
from vif.events import Event, Finished
from vif.identity import Person
from vif.interaction import Interaction
from vif.review.making import READING_RUBRIC, REPLY_RUBRIC, item_of, items_of_run, reading_item, reply_item
from vif.review.records import MOST_ITEMS, Campaign, Item, Kind, Rubric
from vif.store import Store
from vif.store.evaluations import RunRow
from vif.store.history import Filter
from vif.store.reviews import CampaignRow

T = TypeVar("T")

SOURCES = {
    "suite": "A suite",
    "pasted": "Messages of your own",
    "history": "Your history",
    "run": "An evaluation run",
}
KINDS: dict[Kind, str] = {"reading": "Readings: LLM #1 or the formula", "reply": "Replies: after LLM #1 or the formula"}
MOST = 300
AT_ONCE = 4
WAIT_S = 30.0

_PROBLEM = "campaign_problem"


def draw_new(person: Person, settings: Settings) -> None:
    """The form for a new campaign."""
    source = st.segmented_control(
        "Messages from",
        list(SOURCES),
        key="campaign_source",
        default="suite",
        required=True,
        format_func=SOURCES.__getitem__,
    )
    if source == "run":
        kind: Kind = "reading"
        make = _from_run()
    else:
        kind = st.segmented_control(
            "What is compared",
            list(KINDS),
            key="campaign_kind",
            default="reading",
            required=True,
            format_func=KINDS.__getitem__,
        )
        make = _from_history(settings, kind) if source == "history" else _from_messages(settings, kind, source)
    rubric = _draw_rubric(kind)
    left, middle, right = st.columns([2, 1, 1])
    name = left.text_input("Name", key="campaign_name", max_chars=200, placeholder=_usual_name(kind))
    raters = middle.number_input("Raters per item", 1, 20, 3, key="campaign_raters")
    pilot = right.number_input(
        "Pilot items",
        0,
        20,
        0,
        key="campaign_pilot",
        help="Rated first, and by everybody: to see early who agrees.",
    )
    instructions = st.text_area("What raters should know", key="campaign_instructions", max_chars=4_000, height=68)
    if problem := st.session_state.pop(_PROBLEM, None):
        st.warning(plain(problem), icon=":material/error:")
    if (
        st.button(
            "Begin the campaign",
            key="campaign_begin",
            type="primary",
            icon=":material/rate_review:",
            disabled=make is None or rubric is None,
        )
        and make is not None
        and rubric is not None
    ):
        try:
            items = make()
            campaign = Campaign(
                name=name.strip() or _usual_name(kind),
                kind=kind,
                instructions=instructions,
                rubric=rubric,
                items=tuple(item.model_copy(update={"pilot": number < pilot}) for number, item in enumerate(items)),
                raters_per_item=int(raters),
                seed=randbelow(1_000_000_000),
            )
            _review.ask(lambda reviews: reviews.create(person, campaign))
        except (VifError, ValidationError) as error:
            st.session_state[_PROBLEM] = str(error) if isinstance(error, VifError) else _first_fault(error)
        st.rerun()


def draw_all(person: Person, campaigns: Sequence[CampaignRow]) -> None:
    """The campaigns there are."""
    if not campaigns:
        st.caption("No campaign yet. The first one can be done in a minute: a suite, readings, begin.")
        return
    for row in campaigns:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"campaign_{row.id}"):
            with st.container():
                st.markdown(f"**{plain(row.name)}** {':gray-badge[closed]' if row.closed else ':green-badge[open]'}")
                st.caption(
                    f"{row.total} items · {row.rated} ratings by {row.raters} raters · {row.created_at:%d %B %Y}"
                )
            st.page_link(
                "rate.py", label="Rate", icon=":material/thumbs_up_down:", query_params={_rate.PARAMETER: row.id}
            )
            st.page_link("verdict.py", label="Verdict", icon=":material/gavel:", query_params={_rate.PARAMETER: row.id})
            st.button(
                "Open again" if row.closed else "Close",
                key=f"campaign_close_{row.id}",
                type="tertiary",
                icon=":material/lock_open:" if row.closed else ":material/lock:",
                on_click=_close,
                args=(person, row.id, not row.closed),
            )
            with st.popover("Delete", icon=":material/delete:", type="tertiary"):
                st.markdown(f"Delete **{plain(row.name)}** with its {row.rated} ratings for good?")
                st.button(
                    "Delete it",
                    key=f"campaign_delete_{row.id}",
                    type="primary",
                    on_click=_delete,
                    args=(person, row.id),
                )


def _close(person: Person, id: str, closed: bool) -> None:
    _review.ask(lambda reviews: reviews.close(person, id, closed=closed))


def _delete(person: Person, id: str) -> None:
    _review.ask(lambda reviews: reviews.delete(person, id))


def _draw_rubric(kind: Kind) -> Rubric | None:
    usual = READING_RUBRIC if kind == "reading" else REPLY_RUBRIC
    with st.expander("What raters are asked", icon=":material/checklist:"):
        question = st.text_input("Question", usual.question, key=f"campaign_question_{kind}", max_chars=300)
        reasons = st.text_area(
            "Reasons to pick from, one a line", "\n".join(usual.reasons), key=f"campaign_reasons_{kind}"
        )
        columns = st.columns(4)
        ties = columns[0].toggle("Equally good", usual.ties, key=f"campaign_ties_{kind}")
        both_bad = columns[1].toggle("Both bad", usual.both_bad, key=f"campaign_bad_{kind}")
        corrections = kind == "reading" and columns[2].toggle(
            "Own activations",
            usual.corrections,
            key="campaign_corrections",
            help="What raters correct can be learnt from.",
        )
        scales = columns[3].toggle("1 to 5 scale", bool(usual.scales), key=f"campaign_scales_{kind}")
    try:
        return Rubric(
            question=question,
            ties=ties,
            both_bad=both_bad,
            corrections=bool(corrections),
            scales=REPLY_RUBRIC.scales if scales else (),
            reasons=tuple(dict.fromkeys(line.strip() for line in reasons.splitlines() if line.strip())),
        )
    except ValidationError as error:
        st.warning(plain(_first_fault(error)), icon=":material/error:")
        return None


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def _usual_name(kind: Kind) -> str:
    return f"{'Readings' if kind == 'reading' else 'Replies'}, {datetime.now(UTC):%d %B %Y}"


# Where items come from. Each gives a function that makes them, or None when there is nothing to make them of.

Make = Callable[[], Sequence[Item]]


def _from_messages(settings: Settings, kind: Kind, source: str) -> Make | None:
    messages: list[tuple[str, tuple[str, ...]]]
    if source == "suite":
        left, right = st.columns([2, 1])
        suite = shipped(
            left.selectbox("Suite", ["standard", "broad"], key="campaign_suite", format_func=str.capitalize)
        )
        count = right.number_input(
            "Messages", 1, min(MOST, len(suite.cases)), min(15, len(suite.cases)), key="campaign_count"
        )
        # Evenly over the suite, which is ordered by kind.
        step = len(suite.cases) / count
        chosen = [suite.cases[int(number * step)] for number in range(count)]
        messages = [(case.message, case.tags) for case in chosen]
    else:
        text = st.text_area("Messages, one a line", key="campaign_messages", height=160, max_chars=200_000)
        lines = [line.strip() for line in text.splitlines()]
        no_tags: tuple[str, ...] = ()
        messages = [(line, no_tags) for line in lines if line][:MOST]
    if settings.config is None:
        st.warning(plain(settings.problem or "LLM #1 cannot be asked"), icon=":material/key_off:")
        return None
    reader = plain(settings.config.llm1.model)
    asks = "reads each" if kind == "reading" else "reads each, and LLM #2 answers each twice"
    st.caption(f"{reader} {asks} now: {len(messages)} messages.")
    connection = _runtime.connection(settings.config, settings.access, "dual")

    async def make(message: str, tags: Sequence[str]) -> Item:
        if kind == "reading":
            reading, recognition = await connection.api.recognise(message, session=connection.session)
            return reading_item(message, reading, recognition, formula_reading(settings.autonomy), tags=tags)
        dual = await _last(connection.stream(message, settings.autonomy))
        return reply_item(dual, await _last(connection.answer_again(dual, from_formula=True)), tags=tags)

    return partial(_all, [partial(make, message, tags) for message, tags in messages]) if messages else None


def _from_history(settings: Settings, kind: Kind) -> Make | None:
    count = int(st.number_input("The newest", 1, MOST, 30, key="campaign_newest"))
    owner = _identity.owner()
    found = _read(lambda store: store.recent(count, only=Filter(mode="dual", session=owner)))
    read = [row for row in found if row.source != "formula" and not (kind == "reply" and row.failed)]
    st.caption(f"{len(read)} messages of your history can be used." if read else "Nothing in your history can be used.")
    connection: _runtime.Connection | None = None
    if kind == "reply":
        if settings.config is None:
            st.warning(plain(settings.problem or "LLM #2 cannot be asked"), icon=":material/key_off:")
            return None
        connection = _runtime.connection(settings.config, settings.access, "dual")

    async def make(id: str) -> Item:
        store = await _runtime.store().store()
        interaction = await store.load(id)
        if interaction is None:
            raise InputError("a message was deleted just now")
        if connection is None:
            return item_of(interaction)
        return reply_item(interaction, await _last(connection.answer_again(interaction, from_formula=True)))

    return partial(_all, [partial(make, row.id) for row in read]) if read else None


def _from_run() -> Make | None:
    owner = _identity.owner()
    runs: list[RunRow] = [row for row in _read(lambda store: EvaluationStore(store, owner).runs()) if row.done]
    if not runs:
        st.caption("There is no evaluation run yet. *Evaluate* makes one.")
        return None
    row = st.selectbox(
        "Run",
        runs,
        key="campaign_run",
        format_func=lambda row: f"{row.suite}, {row.created_at:%d %B %H:%M}, {', '.join(row.subjects)}",
    )
    subjects = st.multiselect(
        "Who is compared", row.subjects, list(row.subjects)[:2], key=f"campaign_subjects_{row.id}"
    )
    if len(subjects) < 2:
        st.caption("Name at least two.")
        return None

    def make() -> Sequence[Item]:
        run = _read(lambda store: EvaluationStore(store, owner).run(row.id))
        if run is None:
            raise InputError("this run was deleted just now")
        return items_of_run(run, _read(lambda store: EvaluationStore(store, owner).results(row.id)), subjects)[
            :MOST_ITEMS
        ]

    return make


def _read(work: Callable[[Store], Coroutine[object, object, T]]) -> T:
    async def carry_out() -> T:
        return await work(await _runtime.store().store())

    return _runtime.event_loop().submit(carry_out()).result(WAIT_S)


async def _last(events: AsyncGenerator[Event, None]) -> Interaction:
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Finished):
                return event.interaction
    raise InputError("the message got no answer")


def _all(makers: Sequence[Callable[[], Coroutine[object, object, Item]]]) -> Sequence[Item]:
    """All items, a few at once, with a bar. One that cannot be made is left out; InputError when none can."""
    places = asyncio.Semaphore(AT_ONCE)

    async def carry_out(make: Callable[[], Coroutine[object, object, Item]]) -> Item:
        async with places:
            return await make()

    futures = [_runtime.event_loop().submit(carry_out(make)) for make in makers]
    bar = st.progress(0.0, "Reading …")
    items: list[Item] = []
    problems: list[str] = []
    try:
        for number, future in enumerate(futures, 1):
            try:
                items.append(future.result())
            except VifError as error:
                problems.append(str(error))
            bar.progress(number / len(futures), f"{number} of {len(futures)}")
    finally:
        for future in futures:
            future.cancel()
    if not items:
        raise InputError(problems[0])
    if problems:
        st.toast(f"{len(problems)} of {len(makers)} messages are left out: {plain(problems[0])}")
    return items
