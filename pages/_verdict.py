"""What a campaign came to: the sentence first, then how sure it is, then who said what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from pages import _rate, _review
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED
from vif.errors import InputError
from vif.evaluation.suite import to_csv
from vif.figures.review import (
    describe_preferences,
    describe_strengths,
    preferences_chart,
    strengths_chart,
)
from vif.identity import Person
from vif.review.exported import ratings_csv, verdict_json
from vif.review.findings import Preference, ScaleFinding, Verdict
from vif.review.labels import corrected_suite, label_lines
from vif.review.records import BOTH_BAD, TIE, Campaign, Rating
from vif.review.verdict import verdict
from vif.statistics.bootstrap import Interval
from vif.store.reviews import CampaignRow

_KEPT = "verdict_kept"

_WINNERS = {TIE: "equally good", BOTH_BAD: "both bad"}

TABS = {
    "Preference": ":material/balance:",
    "Agreement": ":material/groups:",
    "Raters": ":material/person_search:",
    "Disputes": ":material/forum:",
    "Corrections": ":material/tune:",
    "Files": ":material/download:",
}


def choose(campaigns: Sequence[CampaignRow]) -> CampaignRow | None:
    """The campaign that is asked about: that of the address, or the one chosen here."""
    if not campaigns:
        st.info(
            "There is nothing to judge by yet: *Campaigns* begins a campaign, *Rate* fills it.", icon=":material/gavel:"
        )
        return None
    ids = [row.id for row in campaigns]
    wanted = st.query_params.get(_rate.PARAMETER)
    row = st.selectbox(
        "Campaign",
        campaigns,
        index=ids.index(wanted) if wanted in ids else 0,
        format_func=lambda row: f"{row.name} ({row.rated} ratings{', closed' if row.closed else ''})",
        label_visibility="collapsed",
    )
    st.query_params[_rate.PARAMETER] = row.id
    return row


def draw(person: Person, row: CampaignRow) -> None:
    """The verdict of a campaign."""
    campaign, ratings = _review.ask(lambda reviews: reviews.outcome(person, row.id))
    found = _verdict(campaign, ratings)
    names = _review.ask(lambda reviews: reviews.names({rating.rater for rating in ratings}))

    sentence, _, basis = found.headline.partition(" (")
    st.header(plain(sentence), anchor=False)
    if basis:
        st.markdown(plain(basis.removesuffix(".").removesuffix(")")))
    if not row.closed:
        st.caption("The campaign is open: raters do not see this page before it is closed.")
    with st.grid(4, min_column_width=150, gap="small"):
        share = min(1.0, found.rated / found.planned) if found.planned else 0.0
        st.metric(
            "Ratings",
            f"{found.rated:,}",
            f"{share:.0%} of {found.planned:,} planned",
            delta_color="off",
            delta_arrow="off",
        )
        st.metric("Raters", len(found.raters), f"{found.items} items", delta_color="off", delta_arrow="off")
        alpha = found.agreement.nominal.value.estimate
        st.metric(
            "Agreement", "–" if alpha is None else f"α {alpha:.2f}", found.agreement.nominal.words, delta_color="off"
        )
        left = found.position.left_share.estimate
        st.metric(
            "Chose the left side",
            "–" if left is None else f"{left:.0%}",
            "sides were drawn by lot" if found.position.p_value >= 0.05 else "more than chance explains",
            delta_color="off",
            delta_arrow="off",
        )
    if not found.rated:
        return
    tabs = st.tabs([f"{icon} {label}" for label, icon in TABS.items()], key="verdict_tab", on_change="rerun")
    draws: tuple[Callable[[], None], ...] = (
        lambda: _draw_preference(found),
        lambda: _draw_agreement(found),
        lambda: _draw_raters(found, names),
        lambda: _draw_disputes(campaign, found, names),
        lambda: _draw_corrections(campaign, found),
        lambda: _draw_files(campaign, ratings, found),
    )
    for tab, draw_tab in zip(tabs, draws, strict=True):
        if tab.open:
            with tab:
                draw_tab()


def _verdict(campaign: Campaign, ratings: tuple[Rating, ...]) -> Verdict:
    """Worked out once for the same ratings: resampling takes a moment."""
    basis = (campaign.id, len(ratings), max((rating.at for rating in ratings), default=None))
    kept: tuple[object, Verdict] | None = st.session_state.get(_KEPT)
    if kept is None or kept[0] != basis:
        kept = (basis, verdict(campaign, ratings))
        st.session_state[_KEPT] = kept
    return kept[1]


def _draw_preference(found: Verdict) -> None:
    rows = [("Everything", preference) for preference in found.preferences]
    tags = [(tag, preference) for tag, each in found.by_tag.items() for preference in each if preference.items]
    shown = [*rows, *tags] if len(found.preferences) == 1 else rows
    st.plotly_chart(
        preferences_chart(shown, palette=THEMED),
        config=CHART_CONFIG,
        key="verdict_preferences",
        alt=describe_preferences(rows),
    )
    st.caption("Share of judgements won, ties and “both bad” counted half; the bar is the 95 % interval by message.")
    if found.strengths is not None:
        st.subheader("Strength of each system", anchor=False)
        st.plotly_chart(
            strengths_chart(found.strengths, palette=THEMED),
            config=CHART_CONFIG,
            key="verdict_strengths",
            alt=describe_strengths(found.strengths),
        )
        if found.strengths.separated:
            st.caption("Some systems were never beaten by others: how far they are ahead is not known, only that.")
    st.dataframe([_preference_row(name, preference) for name, preference in [*rows, *tags]], hide_index=True)
    if found.reasons:
        st.subheader("Why", anchor=False)
        st.dataframe(
            [
                {"better": winner, "reason": reason, "times": count}
                for winner, counts in found.reasons.items()
                for reason, count in counts.items()
            ],
            hide_index=True,
        )


def _preference_row(name: str, preference: Preference) -> dict[str, object]:
    rate = preference.rate
    return {
        "of": name,
        "first": preference.first,
        "against": preference.second,
        "won": _in_percent(rate.share),
        "95 % interval": _ends(rate.share, percent=True),
        "wins": rate.wins,
        "ties": rate.ties - preference.both_bad,
        "both bad": preference.both_bad,
        "losses": rate.losses,
        "messages": preference.items,
        "p": f"{rate.p_value:.3f}",
    }


def _draw_agreement(found: Verdict) -> None:
    agreement = found.agreement
    st.markdown(f"**{plain(agreement.words)}**")
    rows = [("Winner, as names", "α nominal", agreement.nominal.value)]
    if agreement.ordinal is not None:
        rows.append(("Winner, as an order", "α ordinal", agreement.ordinal.value))
    rows.append(("Pairs of raters who said the same", "percent", agreement.percent))
    for scale in found.scales:
        rows += _scale_rows(scale)
    st.dataframe(
        [
            {
                "what": what,
                "measure": measure,
                "value": None if value.estimate is None else round(value.estimate, 3),
                "95 % interval": _ends(value),
                "items": value.n_cases,
                "note": value.reason,
            }
            for what, measure, value in rows
        ],
        hide_index=True,
    )
    st.caption(
        "Krippendorff's alpha is 1 when all agree and 0 when they do so as often as chance would. From 0.8 it is "
        "called reliable, from 0.667 tentative; below that, a verdict of these raters says little."
    )
    for scale in found.scales:
        st.markdown(f"**{plain(scale.name)}** on average")
        st.dataframe(
            [
                {"system": system, "mean": _rounded(mean), "95 % interval": _ends(mean), "items": mean.n_cases}
                for system, mean in scale.means.items()
            ],
            hide_index=True,
        )


def _scale_rows(scale: ScaleFinding) -> list[tuple[str, str, Interval]]:
    rows = [(scale.name, "α interval", scale.alpha.value)]
    if scale.icc is not None:
        rows.append((scale.name, str(scale.icc.form), scale.icc.value))
    return rows


def _draw_raters(found: Verdict, names: Mapping[str, str]) -> None:
    odd = [rater for rater in found.raters if rater.warnings]
    for rater in odd:
        who = plain(names.get(rater.rater, rater.rater))
        st.warning(f"**{who}** {'; '.join(map(plain, rater.warnings))}.", icon=":material/person_alert:")
    if not odd:
        st.markdown("**No rater stands out.** Nobody disagrees with most others, leans to a side, or rushes.")
    st.dataframe(
        [
            {
                "rater": names.get(rater.rater, rater.rater),
                "rated": rater.rated,
                "skipped": rater.skipped,
                "seconds": None if rater.seconds is None else round(rater.seconds, 1),
                "says what most others say": _in_percent(rater.with_others),
                "gold right": _in_percent(rater.gold),
                "left side": _in_percent(rater.position.left_share),
                "prefers": _preferred(found.by_rater.get(rater.rater, ())),
            }
            for rater in found.raters
        ],
        hide_index=True,
    )


def _preferred(preferences: Sequence[Preference]) -> str:
    parts = [f"{one.first} {one.rate.share.estimate:.0%}" for one in preferences if one.rate.share.estimate is not None]
    return ", ".join(parts)


def _draw_disputes(campaign: Campaign, found: Verdict, names: Mapping[str, str]) -> None:
    if not found.disputes:
        st.markdown("**Nobody disagrees.** Items with two or more ratings are all judged alike.")
        return
    st.markdown(f"**{len(found.disputes)} items worth talking about,** the most divided first.")
    for dispute in found.disputes[:20]:
        with st.container(border=True):
            st.text(campaign.item(dispute.item_id).message[:300] or "(empty)")
            votes = [
                f"{plain(names.get(rater, rater))}: **{plain(winner)}**" for rater, winner in dispute.votes.items()
            ]
            st.markdown(" · ".join(votes).replace("both\\_bad", "both bad"))


def _draw_corrections(campaign: Campaign, found: Verdict) -> None:
    if not found.corrections:
        st.markdown("**No corrections.** Raters can give activations of their own when the campaign asks for them.")
        return
    if found.closer is not None and found.closer.difference.estimate is not None:
        gap = found.closer.difference
        nearer = found.closer.first if (gap.estimate or 0.0) < 0 else found.closer.second
        sure = gap.low is not None and gap.high is not None and not gap.low <= 0 <= gap.high
        words = "is nearer to what raters would say" if sure else "may be nearer, but the evidence is not enough"
        st.markdown(f"**{plain(nearer)}** {words}: by {abs(gap.estimate or 0.0):.3f} ({_ends(gap) or gap.reason}).")
    st.dataframe(
        [
            {
                "message": campaign.item(one.item_id).message[:200],
                **{domain.label: round(target, 2) for domain, target in one.targets.items()},
                "raters": one.raters,
                "spread": round(one.spread, 2),
                **{f"error of {system}": round(error, 3) for system, error in one.errors.items()},
            }
            for one in found.corrections
        ],
        hide_index=True,
    )
    try:
        suite = corrected_suite(campaign, found.corrections)
    except InputError as error:
        st.caption(plain(str(error)))
        return
    with st.container(horizontal=True):
        st.download_button(
            "As an evaluation suite",
            lambda: to_csv(suite),
            f"corrections-{campaign.id[:8]}.csv",
            "text/csv",
            icon=":material/rule:",
        )
        st.download_button(
            "As labels to train with",
            lambda: label_lines(campaign, found.corrections),
            f"labels-{campaign.id[:8]}.txt",
            "text/plain",
            icon=":material/model_training:",
        )


def _draw_files(campaign: Campaign, ratings: Sequence[Rating], found: Verdict) -> None:
    st.markdown("**Everything, to take along.** Cells of the CSV are safe in a spreadsheet.")
    with st.container(horizontal=True):
        st.download_button(
            "Ratings, CSV",
            lambda: ratings_csv(campaign, ratings),
            f"ratings-{campaign.id[:8]}.csv",
            "text/csv",
            icon=":material/table:",
        )
        st.download_button(
            "Verdict, JSON",
            lambda: verdict_json(campaign, ratings, found),
            f"verdict-{campaign.id[:8]}.json",
            "application/json",
            icon=":material/data_object:",
        )


def _in_percent(value: Interval) -> str:
    return "–" if value.estimate is None else f"{value.estimate:.0%}"


def _rounded(value: Interval) -> float | None:
    return None if value.estimate is None else round(value.estimate, 2)


def _ends(value: Interval, *, percent: bool = False) -> str:
    if value.low is None or value.high is None:
        return ""
    return f"{value.low:.0%} to {value.high:.0%}" if percent else f"{value.low:.2f} to {value.high:.2f}"
