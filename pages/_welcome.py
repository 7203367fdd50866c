"""The opening screen: what this is, what to try, and the problem it solves."""

from __future__ import annotations

import streamlit as st

import vif
from pages import _conversation, _layout
from pages._theme import CHART_CONFIG, ICONS, THEMED, coloured
from vif import figures
from vif.domains import Domain

EXAMPLES: tuple[tuple[Domain, str], ...] = (
    (Domain.CD, "How do I implement quicksort?"),
    (Domain.SD, "Explain quantum entanglement simply."),
    (Domain.CUD, "Why do so many cultures tell a story of a great flood?"),
    (Domain.ED, "What does it feel like to understand something deeply?"),
    (Domain.CD, "Is 1001 a prime number?"),
    (Domain.ED, "I still want to call my grandmother, a year after she died."),
)
"""Messages that are read very differently, with the domain that leads."""


def draw_welcome(autonomy: float, *, ready: bool) -> None:
    """`ready`: whether a message can be sent."""
    words, figure = _layout.beside("welcome", [1.15, 1], vertical_alignment="center")
    with words:
        st.title("How is your message read?", anchor=False)
        domains = ", ".join(coloured(domain, domain.label.lower()) for domain in vif.DOMAINS)
        st.markdown(
            f"One language model reads it in four domains: {domains}. A second one answers in that light. "
            "You see both, next to a formula that reads every message the same."
        )
        st.space("small")
        st.caption("Write a message below, or try one of these")
        with st.container(gap="xsmall"):
            for number, (domain, text) in enumerate(EXAMPLES):
                st.button(
                    f"{coloured(domain, ICONS[domain])} {text}",
                    key=f"example_{number}",
                    on_click=_conversation.ask,
                    args=(text,),
                    disabled=not ready,
                    wrap=True,
                )
        st.page_link("tour.py", label="Or take the tour: five minutes", icon=":material/tour:")
    with figure:
        formula = vif.formula_reading(autonomy).domains.model_dump()
        st.plotly_chart(
            figures.radar(formula, palette=THEMED),
            config=CHART_CONFIG,
            key="radar_welcome",
            alt=figures.describe_radar(formula),
        )
        st.caption(
            f"Without a reader every message has this shape: weight × autonomy ({autonomy:.2f}), whatever it says.",
            text_alignment="center",
        )
