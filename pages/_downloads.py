"""What can be taken along: the interaction as JSON, its figures as pages of their own and as pictures."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import streamlit as st

from pages._turn import Turn
from vif import figures
from vif.interaction import Interaction

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHORT = 8
"""Characters of an interaction's id in a file name."""

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")


def draw(turn: Turn) -> None:
    """The downloads of a turn that came to its end, folded; nothing for another one."""
    interaction = turn.interaction
    if interaction is None:
        return
    # Not a popover: Plotly saves a picture through a click outside of it, which would close it half way.
    folded = st.expander(
        "Download and copy", icon=":material/download:", key=f"download_{turn.number}", on_change="rerun"
    )
    if folded.open:
        with folded:
            _draw_open(turn, interaction)


def file_name(interaction: Interaction, what: str, extension: str = "") -> str:
    """`vif-<short id>-<what>.<extension>`, of characters that any system takes."""
    parts = ["vif", _UNFIT.sub("", interaction.id)[:SHORT], _UNFIT.sub("-", what.lower())]
    name = "-".join(part for part in parts if part)
    return f"{name}.{extension}" if extension else name


def exported_figures(interaction: Interaction) -> Mapping[str, Callable[[], Figure]]:
    """The figures that can be taken along, by name, in colours that do not depend on the page."""
    formula = interaction.formula
    read = interaction.recognition.source != "formula"
    domains, boundaries = (interaction.domains, interaction.boundaries) if read else (None, None)
    first_token = interaction.response.first_token_ms if interaction.response else None
    parts = figures.time_parts(interaction.timings_ms, first_token)
    found: dict[str, Callable[[], Figure]] = {
        "Radar": lambda: figures.radar(formula.domains.model_dump(), domains),
        "Boundaries": lambda: figures.boundary_chart(formula.boundaries, boundaries),
        "Volume": lambda: figures.volume(
            interaction.domains, interaction.boundaries, reader=figures.READER if read else figures.FORMULA
        ),
    }
    if parts:
        found["Time"] = lambda: figures.time_chart(parts)
    return found


def as_page(interaction: Interaction, what: str) -> str:
    """One figure as an HTML page that needs nothing else: Plotly is in it, foreign text is escaped."""
    chart = exported_figures(interaction)[what]().to_html(
        full_html=False, include_plotlyjs=True, config=_config(interaction, what)
    )
    title = html.escape(f"{what} – VIF")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n"
        "<style>body { font-family: sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; "
        "color: #1b2130; background: #fff } p { white-space: pre-wrap; overflow-wrap: anywhere }</style>\n"
        f"</head>\n<body>\n<h1>{html.escape(what)}</h1>\n<p>{html.escape(interaction.message)}</p>\n"
        f"{chart}\n</body>\n</html>\n"
    )


def _draw_open(turn: Turn, interaction: Interaction) -> None:
    st.download_button(
        "Everything as JSON",
        lambda: interaction.model_dump_json(indent=2),
        file_name=file_name(interaction, "interaction", "json"),
        mime="application/json",
        key=f"json_{turn.number}",
        on_click="ignore",
        icon=":material/data_object:",
        width="stretch",
    )
    st.caption("To copy it, use the button in the corner.")
    st.code(interaction.model_dump_json(indent=2), language=None, height=140)
    available = exported_figures(interaction)
    what = st.segmented_control(
        "Figure", list(available), key=f"figure_{turn.number}", default=next(iter(available)), required=True
    )
    if what not in available:
        return
    st.download_button(
        f"{what} as HTML",
        lambda: as_page(interaction, what),
        file_name=file_name(interaction, what, "html"),
        mime="text/html",
        key=f"html_{turn.number}_{what}",
        on_click="ignore",
        icon=":material/code:",
        width="stretch",
    )
    st.caption("As PNG: the camera in the corner of the figure.")
    st.plotly_chart(
        available[what](),
        theme=None,
        config=_config(interaction, what),
        key=f"export_{turn.number}_{what}",
        alt=f"The figure as it is saved: {what}",
    )


def _config(interaction: Interaction, what: str) -> dict[str, object]:
    """Plotly's own button saves the picture, in the browser."""
    return {
        "displayModeBar": True,
        "displaylogo": False,
        "scrollZoom": False,
        "doubleClick": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": file_name(interaction, what), "scale": 3},
    }
