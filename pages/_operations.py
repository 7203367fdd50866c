"""What happened in the last quarter of an hour, while one looks on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

import vif
from pages import _circuits, _clock, _drill, _identity, _layout, _runtime, _words
from pages._sidebar import Settings
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED
from vif import figures
from vif.flow import Mode
from vif.identity import Role
from vif.percentiles import Percentiles
from vif.telemetry.live import Failure, Live, Snapshot

EVERY_S = 3
SCOPES = {"session": "This session", "server": "This server"}


def choose_scope() -> str:
    """Ask whose figures are wanted; those of everybody are for admins."""
    role = _identity.person().role
    if role is None or not role.covers(Role.ADMIN):
        return "session"
    return str(
        st.segmented_control(
            "Whose figures",
            list(SCOPES),
            key="operations_scope",
            bind="query-params",
            default="session",
            required=True,
            format_func=SCOPES.__getitem__,
            label_visibility="collapsed",
        )
    )


def draw(settings: Settings, scope: str) -> None:
    """The figures of this session or of the whole server, anew every few seconds."""
    _draw(scope, settings.config, settings.access, settings.mode)


@st.fragment(run_every=EVERY_S)
def _draw(scope: str, config: vif.DualLlmConfig | None, access: vif.Access, mode: Mode) -> None:
    snapshot = _live(scope).snapshot()
    _draw_circuits(config, access, mode)
    if not (snapshot.interactions or snapshot.running):
        st.info(
            "Nothing happened in the last 15 minutes. Ask something in Explore, or start a fault drill: "
            "then this page fills itself.",
            icon=":material/monitor_heart:",
        )
        return
    _draw_metrics(snapshot)
    zone = _clock.zone()
    left, right = _layout.beside("latency", [1.6, 1])
    with left:
        st.markdown("**How long reading took, and who read**")
        st.plotly_chart(
            figures.latency_timeline(snapshot.history, palette=THEMED, zone=zone),
            config=CHART_CONFIG,
            key="operations_latency",
            alt=figures.describe_latency(snapshot.history),
        )
    with right:
        st.markdown("**What it cost, added up**")
        st.plotly_chart(
            figures.cost_timeline(snapshot.history, palette=THEMED, zone=zone),
            config=CHART_CONFIG,
            key="operations_cost",
            alt=figures.describe_cost(snapshot.history),
        )
    _draw_fallbacks(snapshot)
    _draw_failures(snapshot.failures, zone)


def _live(scope: str) -> Live:
    """A drill has figures of its own."""
    drill = _drill.current()
    board = drill.board if drill else _runtime.live()
    return board.process if scope == "server" else board.of(_runtime.session_id())


def _draw_circuits(config: vif.DualLlmConfig | None, access: vif.Access, mode: Mode) -> None:
    found = _circuits.circuits(config, access, mode) if config else ()
    if found:
        st.markdown("Circuits &nbsp; " + " &nbsp;·&nbsp; ".join(_circuits.in_words(circuit) for circuit in found))
    else:
        st.caption("No circuits: everything runs on this machine.")


def _draw_metrics(snapshot: Snapshot) -> None:
    with st.grid(4, min_column_width=150, gap="small"):
        st.metric(
            "Interactions",
            snapshot.interactions,
            f"{snapshot.running} under way" if snapshot.running else None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Finished in the last 15 minutes. Stopped by their user: "
            f"{snapshot.stopped}. Without an answer: {snapshot.unanswered}.",
        )
        st.metric(
            "Answered",
            _percent(1 - snapshot.unanswered / snapshot.interactions if snapshot.interactions else None),
            border=True,
            height="stretch",
            help="Of the finished ones. LLM #1 cannot lower this: when it fails, somebody else reads.",
        )
        st.metric(
            "Fallbacks",
            _percent(snapshot.fallback_rate),
            border=True,
            height="stretch",
            help="Readings that did not come from where they should have come from.",
        )
        st.metric(
            "From the cache", _percent(snapshot.hit_rate), border=True, help="Readings nobody had to be asked for."
        )
        _metric("Reading", snapshot.recognise, "Until LLM #1, or who stood in for it, had read the message.")
        _metric("First word", snapshot.first_token, "From asking LLM #2 to its first word.")
        _metric("Whole interaction", snapshot.total, "From the message to the end of the answer.")
        st.metric(
            "Spent",
            _words.dollars(snapshot.cost_usd) if snapshot.cost_usd else "$0",
            border=True,
            height="stretch",
            help="Both models, failed requests included."
            + (f" Of {snapshot.unpriced} the price is not known." if snapshot.unpriced else ""),
        )


def _metric(label: str, found: Percentiles | None, meaning: str) -> None:
    st.metric(
        label,
        _words.seconds(found.p50) if found else "–",
        f"p95 {_words.seconds(found.p95)}" if found else None,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=f"{meaning} Median, and what 95 of 100 stay below."
        + (f" 99 of 100: {_words.seconds(found.p99)}." if found else ""),
    )


def _draw_fallbacks(snapshot: Snapshot) -> None:
    if not snapshot.fallbacks:
        return
    parts = [
        f":orange-badge[{plain(reason).replace(chr(92) + '_', ' ')} {count}]"
        for reason, count in sorted(snapshot.fallbacks.items(), key=lambda item: -item[1])
    ]
    st.markdown(f"**Why somebody else read** &nbsp; {' '.join(parts)}")


def _draw_failures(failures: Sequence[Failure], zone: tzinfo) -> None:
    if not failures:
        st.caption(":material/check_circle: No request failed.")
        return
    st.markdown("**Last failures**")
    rows = [
        {
            "Time": datetime.fromtimestamp(one.at, zone).strftime("%H:%M:%S"),
            "Role": one.role,
            "Model": one.model,
            "Reason": one.reason.replace("_", " "),
            "What it said": one.error,
        }
        for one in failures
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="operations_failures", height="content")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
