"""The palette in the browser's hands, and how charts are shown.

Streamlit puts `theme.chartCategoricalColors` of the theme in use in the place of these colours. So a chart follows a
change of theme at once, and the server need not know which one is on.
"""

from __future__ import annotations

from vif.domains import DOMAINS, Domain
from vif.figures import Palette

THEMED = Palette(
    llm1="#000001",
    formula="#000002",
    domains={domain: f"#00000{number}" for number, domain in enumerate(DOMAINS, 3)},
    text=None,
    background=None,
)

CHART_CONFIG: dict[str, object] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}

NAMES = {Domain.CD: "blue", Domain.SD: "green", Domain.CUD: "orange", Domain.ED: "violet"}
"""The theme's word for each domain's colour, for Markdown."""

ICONS = {
    Domain.CD: ":material/code_blocks:",
    Domain.SD: ":material/science:",
    Domain.CUD: ":material/theater_comedy:",
    Domain.ED: ":material/favorite:",
}


def coloured(domain: Domain, text: str | None = None) -> str:
    """Markdown that shows a domain's name, or another text, in its colour."""
    return f":{NAMES[domain]}[{text or domain.label}]"
