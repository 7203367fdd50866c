"""Setting up a run: who reads what, how often, and what that will cost, before anybody is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import uuid4

import streamlit as st

import vif
from pages import _choices, _evaluate_runs, _evaluate_suite
from pages._evaluate_words import PARAMETER, counted, duration, money
from pages._sidebar import Settings
from pages._text import plain
from vif.config import check_access
from vif.errors import VifError
from vif.evaluation.course import Course
from vif.evaluation.plan import FORMULA, config_of, estimated_cost, make_run
from vif.evaluation.records import Run, Subject
from vif.evaluation.suite import Suite

USUAL_REPEATS = 5
CONCURRENCY = 8
MOST_AT_ONCE = 64
USUAL_S = {vif.Provider.EMBEDDED: 0.08, vif.Provider.LOCAL: 3.0}
USUAL_CLOUD_S = 1.5
"""A reading of a model nobody has measured yet takes about so long; it is only told, nothing depends on it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is read how often, and how."""

    suite: Suite | None
    repeats: int
    concurrency: int
    budget_usd: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A run and how it is carried out."""

    run: Run
    access: vif.Access
    concurrency: int
    budget_usd: float | None


def draw(settings: Settings) -> None:
    """The form, what it comes to, and the button that starts it."""
    with st.container(border=True):
        suite = _evaluate_suite.choose()
        subjects = st.multiselect(
            "Who reads",
            options(settings.access),
            default=_choices.usual(settings.access),
            key="evaluate_subjects",
            format_func=_choices.label,
            accept_new_options=True,
            placeholder="Presets, models, or provider:model",
            help="Listed are the presets and models your keys allow; any other model can be written as "
            "provider:model. The Rust formula is the baseline.",
        )
        with st.expander("Part of the suite, repeats, budget", icon=":material/tune:"):
            terms = _draw_terms(suite)
        plan = _planned(settings, subjects, terms)
        start = plan is not None and _draw_estimate(plan)
        st.button(
            "Start",
            key="evaluate_start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not start,
            on_click=_start,
            args=(plan,),
        )


def options(access: vif.Access) -> list[str]:
    """The formula, and the presets and models that can read with these keys."""
    presets = [name for name in vif.PRESETS if _can_read(name, access)]
    models = [
        str(vif.ModelRef(entry.provider, entry.model))
        for entry in vif.CATALOGUE
        if "LLM #1" in entry.roles
        and entry.lifecycle(date.today()) != "retired"  # noqa: DTZ011  # the day where the reader sits
        and access.lacks(entry.provider) is None
        and entry.provider is not vif.Provider.EMBEDDED  # that is the preset "offline"
    ]
    return [FORMULA, *presets, *models]


def _can_read(preset: str, access: vif.Access) -> bool:
    return all(access.lacks(model.provider) is None for model in vif.DualLlmConfig.preset(preset).recognisers)


def _draw_terms(suite: Suite | None) -> Terms:
    tags = st.multiselect(
        "Only cases with one of these tags",
        suite.tags if suite else [],
        key="evaluate_tags",
        placeholder="All cases" if suite and suite.tags else "This suite has no tags",
        disabled=not (suite and suite.tags),
    )
    with st.grid(3, min_column_width=160):
        repeats = st.number_input(
            "Repeats",
            1,
            100,
            USUAL_REPEATS,
            key="evaluate_repeats",
            help="Readings of each case by each reader. From two on it can be said how much a reader varies.",
        )
        concurrency = st.number_input("Calls at once", 1, MOST_AT_ONCE, CONCURRENCY, key="evaluate_concurrency")
        budget = st.number_input(
            "Budget in US dollars",
            0.0,
            None,
            None,
            0.1,
            format="%.4f",
            key="evaluate_budget",
            placeholder="None",
            help="For the whole run. It does not start when the estimate is above it, and stops before it is passed.",
        )
    chosen = [tag for tag in tags if suite and tag in suite.tags]
    if suite and chosen:
        cases = tuple(case for case in suite.cases if set(chosen) & set(case.tags))
        suite = Suite(f"{suite.name}, {' '.join(chosen)}", cases)
    return Terms(suite, int(repeats), int(concurrency), budget)


def _planned(settings: Settings, subjects: Sequence[str], terms: Terms) -> Plan | None:
    suite = terms.suite
    if suite is None or not suite.cases:
        st.caption("Choose a suite that can be read.")
        return None
    if not subjects:
        st.caption("Choose at least one reader.")
        return None
    try:
        run = make_run(suite, [name.strip() for name in subjects], repeats=terms.repeats, autonomy=settings.autonomy)
        for subject in run.subjects:
            if not subject.formula:
                check_access(config_of(run, subject), settings.access)
    except VifError as error:
        st.warning(plain(str(error), 400), icon=":material/error:")
        return None
    return Plan(run, settings.access, terms.concurrency, terms.budget_usd)


def _draw_estimate(plan: Plan) -> bool:
    """What it comes to, in a sentence; whether it may start."""
    run = plan.run
    estimate = estimated_cost(run)
    calls = run.total - sum(subject.formula for subject in run.subjects) * len(run.cases) * run.repeats
    times = f" × {counted(run.repeats, 'repeat')}" if run.repeats > 1 else ""
    price = f"cost about **{money(estimate.usd)}**" if estimate.usd else "cost **nothing**"
    st.markdown(
        f"**{counted(run.total, 'reading')}** ({counted(len(run.cases), 'case')} × "
        f"{counted(len(run.subjects), 'reader')}{times}), {counted(calls, 'call')} of a model. "
        f"It will {price} and take about **{duration(_seconds(plan))}**."
    )
    if estimate.unpriced:
        names = ", ".join(plain(name, 60) for name in estimate.unpriced)
        st.warning(f"The price of {names} is not known, so it is not in the estimate.", icon=":material/help:")
    try:
        Course(run, (), plan.concurrency, plan.budget_usd).check_budget()
    except VifError as error:
        st.warning(plain(str(error)), icon=":material/account_balance_wallet:")
        return False
    return True


def _seconds(plan: Plan) -> float:
    """A rough guess: models of this machine read one message after the other, others many at once."""
    readings = len(plan.run.cases) * plan.run.repeats
    own, others = 1.0, 0.0
    for subject in plan.run.subjects:
        if subject.formula:
            continue
        provider = _provider(plan.run, subject)
        each = USUAL_S.get(provider, USUAL_CLOUD_S)
        if provider is vif.Provider.EMBEDDED:
            own += readings * each
        else:
            others += readings * each / plan.concurrency
    return max(own, others)


def _provider(run: Run, subject: Subject) -> vif.Provider:
    return config_of(run, subject).llm1_provider


def _start(plan: Plan) -> None:
    """Begin what the page says now, and look on. A callback."""
    run = plan.run.model_copy(update={"id": uuid4().hex, "created_at": datetime.now(UTC)})
    _evaluate_runs.begin(run, plan.access, plan.concurrency, plan.budget_usd)
    st.query_params[PARAMETER] = run.id
