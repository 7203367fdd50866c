"""The steps of the tour that count: cost and latency, the verdict, and where to go from here."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

import streamlit as st

import vif
from pages import _choices, _follow, _layout, _tour, _tour_verdict, _words
from pages._clock import moment
from pages._sidebar import Settings
from pages._text import plain
from pages._turn import Turn
from vif.catalogue import COMPARED_USAGE, cost_usd
from vif.errors import VifError
from vif.evaluation.measures import Report, SubjectReport
from vif.evaluation.shown import ends, number
from vif.interaction import Attempt, total_cost

_DOT, _BRACKET = r"\.", r"\)"

MANY = 1_000
"""Messages that presets are compared by: the price of one is too small to mean anything."""


# ── 6: cost and latency ─────────────────────────────────────────────────────────────────────────────────────────────


class Figure(NamedTuple):
    """A number that was measured, and what it is about."""

    label: str
    value: str
    detail: str


def draw_cost(settings: Settings) -> None:
    basis = _tour.begin(settings)
    st.markdown("**Measured in this tour,** with these models, on this connection")
    with st.grid(4, min_column_width=170, gap="small"):
        places = [st.container(border=True, height="stretch").empty() for _ in range(4)]
    st.markdown(
        f"**{MANY:,} messages with each preset,** expected by the price list, with {COMPARED_USAGE.input_tokens:,} "
        f"tokens in and {COMPARED_USAGE.output_tokens} out for each model"
    )
    _draw_presets(basis.config)

    def draw() -> None:
        for place, figure in zip(places, _measured(basis.config), strict=True):
            place.metric(figure.label, figure.value, figure.detail, delta_color="off", delta_arrow="off")

    draw()
    for work in (_tour.readings(basis), _tour.remembered(basis)):
        if not work.over:
            _follow.follow(work, lambda *_: None)
        draw()


def _measured(config: vif.DualLlmConfig) -> tuple[Figure, Figure, Figure, Figure]:
    """What there is by now; a dash stands for what nobody asked for yet."""
    now = _tour.tour()
    turns = [column.turn for group in now.work.values() for column in group.columns if column.turn is not None]
    anew = {turn.message: turn for turn in turns if _tour.is_reading(turn)}
    times = [turn.recognition.latency_ms for turn in anew.values() if turn.recognition]
    read = Figure("LLM #1 reads", number(median(times), "ms"), f"median of {len(times)}") if times else None
    answered = now.turn("answer")
    response = answered.interaction.response if answered and answered.interaction else None
    first = None
    if response is not None and response.first_token_ms is not None:
        detail = f"{_words.seconds(response.latency_ms)} in all, {response.output_tokens:,} tokens"
        first = Figure("LLM #2's first word", _words.seconds(response.first_token_ms), detail)
    return (
        read or Figure("LLM #1 reads", "–", "step 2 measures it"),
        first or Figure("LLM #2's first word", "–", "step 4 measures it"),
        _again(now.turn("remembered"), config),
        _spent(turns),
    )


def _again(turn: Turn | None, config: vif.DualLlmConfig) -> Figure:
    label = "LLM #1, asked again"
    if not config.enable_caching:
        return Figure(label, "–", "remembering is switched off")
    recognition = turn.recognition if turn else None
    if recognition is None or not recognition.cache_hit:
        return Figure(label, "–", "not remembered")
    return Figure(label, number(recognition.latency_ms, "ms"), "from the cache, free")


def _spent(turns: list[Turn]) -> Figure:
    """Of everything this tour asked for, failed attempts too; work that is shown twice counts once."""
    readings = {id(turn.recognition): turn.recognition for turn in turns if turn.recognition}
    attempts: list[Attempt] = [one for recognition in readings.values() for one in recognition.attempts]
    responses = [turn.interaction.response for turn in turns if turn.interaction and turn.interaction.response]
    cost = total_cost([*(one.cost_usd for one in attempts), *(one.cost_usd for one in responses)])
    tokens = sum(one.input_tokens + one.output_tokens for one in attempts)
    tokens += sum(one.input_tokens + one.output_tokens for one in responses)
    return Figure("This tour so far", _words.dollars(cost), f"{tokens:,} tokens")


def _draw_presets(config: vif.DualLlmConfig) -> None:
    with st.grid(len(vif.PRESETS), min_column_width=150, gap="small"):
        for name in vif.PRESETS:
            preset = vif.DualLlmConfig(preset_name=name)
            price = _expected(preset)
            amount = "not known" if price is None else rf"\${MANY * price:,.2f}" if price else "free"
            mark = " :primary-badge[in use]" if name == config.preset_name else ""
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"{_choices.label(name)}{mark}")
                st.subheader(amount, anchor=False)
                st.markdown(f":gray[:small[{_model(preset.llm1)}  \n→ {_model(preset.llm2)}]]")


def _model(reference: vif.ModelRef) -> str:
    return "embedded model" if reference.provider is vif.Provider.EMBEDDED else plain(reference.model)


def _expected(config: vif.DualLlmConfig) -> float | None:
    """US dollars for one message: a reading and an answer, each at the first attempt."""
    return total_cost(cost_usd(model.provider, model.model, COMPARED_USAGE) for model in (config.llm1, config.llm2))


# ── 7: the verdict ──────────────────────────────────────────────────────────────────────────────────────────────────


def draw_verdict(settings: Settings) -> None:
    left, right = _layout.beside("tour_verdict", 2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        st.markdown(":material/groups: **What people say,** blind")
        _draw_people()
    with right, st.container(border=True, height="stretch"):
        st.markdown(":material/straighten: **What is measured,** on labelled messages")
        _draw_measured()


def _draw_people() -> None:
    try:
        judged = _tour_verdict.judged()
    except VifError as error:
        st.caption(f":material/error: {plain(str(error), 200)}")
        return
    if judged is None:
        st.subheader("Nobody has judged yet.", anchor=False)
        st.markdown(
            "In a campaign people see two readings of a message, not knowing whose they are, and say which fits. Until "
            "somebody does, this place stays empty: a verdict is not made up."
        )
        with st.container(horizontal=True):
            st.page_link("campaigns.py", label="Begin a campaign", icon=":material/rate_review:")
            st.page_link("rate.py", label="Rate", icon=":material/thumbs_up_down:")
        return
    sentence, _, basis = judged.found.headline.partition(" (")
    st.subheader(f"“{plain(sentence.removesuffix('.'))}.”", anchor=False)
    if basis:
        st.markdown(plain(basis.removesuffix(".").removesuffix(")")))
    st.caption(f"{plain(judged.found.agreement.words)}  \n{plain(judged.campaign, 80)}")
    st.page_link("verdict.py", label="The whole verdict", icon=":material/gavel:", query_params={"campaign": judged.id})


def _draw_measured() -> None:
    place = st.empty()
    try:
        kept = _tour_verdict.kept_report()
    except VifError as error:
        place.caption(f":material/error: {plain(str(error), 200)}")
        return
    if kept is not None:
        report, at = kept
        with place.container():
            _draw_report(report, f"Evaluated on {moment(at)}")
        return
    work = _tour_verdict.measuring()

    def draw_progress(share: float, _: float | None) -> None:
        place.progress(share, f"{work.run.total} readings, here and now: {share:.0%}")

    if not work.over:
        _follow.follow(work, draw_progress)
    if work.report is None:
        place.caption(f":material/error: {plain(work.why or 'The evaluation did not come to its end', 200)}")
        return
    with place.container():
        remark = " Its kinds of messages are those the embedded model was trained for; Evaluate has a broader one."
        _draw_report(work.report, "Measured on this machine since the server started", remark)


def _draw_report(report: Report, about: str, remark: str = "") -> None:
    sentence, _, interval = plain(_named(report.headline)).partition(r" \(")
    st.subheader(sentence.removesuffix(_DOT) + ".", anchor=False)
    st.markdown(":gray[Mean error of an activation, less is better]")
    with st.grid(2, min_column_width=150, gap="small"):
        for subject in _two(report):
            error, within = subject.metrics["mae"].interval, subject.metrics["in_range"].interval
            st.metric(
                _reader(subject.name),
                number(error.estimate, "activation"),
                f"{number(within.estimate, 'share')} as expected",
                delta_color="off",
                delta_arrow="off",
                help=f"95 % interval {ends(error, 'activation')}. Less is better.",
            )
    sure = f"Difference: {interval.removesuffix(_DOT).removesuffix(_BRACKET)}. " if interval else ""
    st.caption(f"{sure}{about}, with the suite {plain(report.run.suite, 60)}.{remark}")


def _named(headline: str) -> str:
    """The headline with words for what the settings call "offline"."""
    reader = f"{_tour_verdict.READER} reads"
    return headline.replace(
        reader, "the embedded model reads" if not headline.startswith(reader) else "The embedded model reads", 1
    )


def _reader(name: str) -> str:
    return "Embedded model" if name == _tour_verdict.READER else _choices.label(name)


def _two(report: Report) -> list[SubjectReport]:
    """The best model, and the formula."""
    formula = {subject.name for subject in report.run.subjects if subject.formula}
    models = [one for one in report.subjects if one.name not in formula]
    known = [one for one in models if one.metrics["mae"].interval.estimate is not None] or models
    best = min(known, key=lambda one: one.metrics["mae"].interval.estimate or 0.0)
    return [best, *(one for one in report.subjects if one.name in formula)]


# ── 8: where to go from here ────────────────────────────────────────────────────────────────────────────────────────


def draw_end(settings: Settings) -> None:
    st.markdown("Everything you saw was the product itself. It is yours to try.")
    for line in _recap():
        st.markdown(f":green[:material/check:] {line}")
    st.space("small")
    with st.grid(3, min_column_width=232, gap="small"):
        for page, icon, title, text in (
            ("explore.py", ":material/explore:", "Explore", "Send a message of your own, and see every stage of it."),
            ("evaluate.py", ":material/science:", "Evaluate", "Measure how well any model reads, with intervals."),
            (
                "rate.py",
                ":material/thumbs_up_down:",
                "Rate",
                "Judge readings without knowing whose they are: which one fits?",
            ),
        ):
            with st.container(border=True, height="stretch"):
                st.subheader(title, anchor=False)
                st.markdown(text)
                st.page_link(page, label=f"Open {title}", icon=icon)


def _recap() -> list[str]:
    """What this tour showed, as far as it did."""
    now, found = _tour.tour(), []
    turns = [column.turn for group in now.work.values() for column in group.columns if column.turn is not None]
    read = {turn.message for turn in turns if _tour.is_reading(turn)}
    if read:
        found.append(f"**{len(read)} messages** had one shape to the formula, and each its own to LLM #1.")
    drills = [now.turn(what) for what in now.work if what.startswith(_tour.OUTAGE)]
    answered = [turn for turn in drills if turn and turn.interaction and turn.reply]
    if answered:
        times = "once" if len(answered) == 1 else f"{len(answered)} times"
        found.append(f"LLM #1 was broken **{times}**, and the answer came all the same.")
    if turns:
        spent = _spent(turns)
        cost = spent.value.replace("$", r"\$")
        found.append("The whole tour was **free**." if cost == "free" else f"The whole tour cost **{cost}**.")
    return found
