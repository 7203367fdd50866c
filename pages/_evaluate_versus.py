"""Readers against each other: activation by activation, by quality, time and price, and by tag."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages import _evaluate_cases, _layout
from pages._evaluate_words import colours_of, names_of
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED
from vif import figures
from vif.evaluation.measures import METRICS, MetricName, Report
from vif.evaluation.shown import better_words, ends, number, p_words, signed
from vif.evaluation.targets import MEASURES
from vif.statistics.paired import PairedComparison


def draw_against(report: Report) -> None:
    """Two readers that are chosen here, then every pair."""
    names = names_of(report.run)
    strips = _evaluate_cases.strips_of(report)
    if len(names) < 2:
        st.info("With one reader there is nobody to compare it with.", icon=":material/group:")
        return
    with st.container(horizontal=True):
        first = st.selectbox("Reader", list(names), key="evaluate_first", format_func=names.__getitem__)
        formulas = [subject.name for subject in report.run.subjects if subject.formula]
        others = sorted((name for name in names if name != first), key=lambda name: name not in formulas)
        second = st.selectbox("Against", others, key=f"evaluate_second_{first}", format_func=names.__getitem__)
    left, right = _layout.beside("versus", [1.5, 1], vertical_alignment="center")
    with left:
        st.plotly_chart(
            figures.against(strips, names[first], names[second], palette=THEMED),
            config=CHART_CONFIG,
            key="evaluate_against",
            alt=figures.describe_against(strips, names[first], names[second]),
        )
    with right:
        pair = next((one for one in report.comparisons if {one.first, one.second} == {first, second}), None)
        if pair is not None:
            st.subheader(_verdict(pair, names), anchor=False)
            st.markdown(_difference(pair, names))
        st.caption(plain(figures.describe_against(strips, names[first], names[second])))
        st.caption("Each marker is an activation of a case. On the line both read the same.")
    if len(report.comparisons) > 1:
        st.markdown("**Every pair**")
        rows = [
            {
                "Readers": f"{plain(names[one.first], 40)} − {plain(names[one.second], 40)}",
                "Difference of errors": _estimate(one),
                "By chance?": _chance(one),
                "Verdict": _verdict(one, names),
            }
            for one in report.comparisons
        ]
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt="Every pair of readers, tested")
    st.caption("Tested on the error of the same cases (sign-flip test), corrected for the number of pairs (Holm).")


def draw_offers(report: Report) -> None:
    """Quality, time and price in one picture."""
    names = names_of(report.run)
    offers = [
        figures.Offer(names[subject.name], error, latency, metrics["cost"].interval.estimate, subject.name in front)
        for front in [set(report.front)]
        for subject in report.subjects
        for metrics in [subject.metrics]
        if (error := metrics["mae"].interval.estimate) is not None
        if (latency := metrics["latency_p95"].interval.estimate) is not None
    ]
    if not offers:
        st.info("Nobody has been measured in quality and time yet.", icon=":material/speed:")
        return
    best = [plain(names[name], 40) for name in report.front]
    if best:
        st.markdown(f"Beaten by nobody in quality, time and price together: **{', '.join(best)}**.")
    st.plotly_chart(
        figures.offers_chart(offers, palette=THEMED, colours=colours_of(report.run)),
        config=CHART_CONFIG,
        key="evaluate_offers",
        alt=figures.describe_offers(offers),
    )
    rows = [
        {
            "Reader": f"**{plain(offer.name, 60)}**",
            "Error": number(offer.error, "activation"),
            "P95": number(offer.latency_ms, "ms"),
            "A call": number(offer.cost_usd, "usd").replace("$", r"\$") if offer.cost_usd is not None else "not known",
            "Not beaten": ":green[:material/check:] yes" if offer.on_front else "no",
        }
        for offer in sorted(offers, key=lambda offer: offer.error)
    ]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=figures.describe_offers(offers))
    st.caption("The larger a marker, the dearer a call. Bold and joined by dots: those that nobody beats in all three.")


def draw_tags(report: Report) -> None:
    """One measure by tag, each reader a column."""
    names = names_of(report.run)
    tags = sorted({tag for subject in report.subjects for tag in subject.by_tag})
    if not tags:
        st.info("The cases of this suite have no tags.", icon=":material/sell:")
        return
    chosen: MetricName = st.selectbox(
        "Measure", METRICS, key="evaluate_tag_measure", index=METRICS.index("mae"), format_func=_label
    )
    measure = MEASURES[chosen]
    st.caption(measure.question)
    sizes = {tag: sum(tag in case.tags for case in report.run.cases) for tag in tags}
    rows = []
    for tag in tags:
        row = {"Tag": f"**{plain(tag, 40)}**", "Cases": f"{sizes[tag]:,}"}
        for subject in report.subjects:
            interval = subject.by_tag[tag][chosen].interval
            shown = number(interval.estimate, measure.unit)
            between = ends(interval, measure.unit)
            row[plain(names[subject.name], 60)] = (f"{shown} :small[:gray[{between}]]" if between else shown).replace(
                "$", r"\$"
            )
        rows.append(row)
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=f"{measure.label} by tag")
    st.caption("Small: the 95 % interval; below six cases there is none.")


def _label(name: MetricName) -> str:
    return MEASURES[name].label


def _verdict(pair: PairedComparison, names: Mapping[str, str]) -> str:
    """Who errs less, as Markdown."""
    words = better_words(pair)
    for one in (pair.first, pair.second):
        if words == f"{one} errs less":
            return f"{plain(names[one], 40)} errs less"
    return plain(words[0].upper() + words[1:])


def _estimate(pair: PairedComparison) -> str:
    between = pair.difference
    if between.estimate is None:
        return "–"
    shown = f"**{signed(between.estimate)}**"
    if between.low is not None and between.high is not None:
        shown += f" :small[:gray[{signed(between.low)} to {signed(between.high)}]]"
    return shown


def _chance(pair: PairedComparison) -> str:
    return p_words(pair.p_adjusted).replace("<", r"\<")


def _difference(pair: PairedComparison, names: Mapping[str, str]) -> str:
    return (
        f"Error of {plain(names[pair.first], 40)} less that of {plain(names[pair.second], 40)}: {_estimate(pair)}, "
        f"{_chance(pair)}, on {pair.difference.n_cases:,} cases."
    )
