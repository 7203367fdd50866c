"""Plotly figures from plain data, one palette for all of them, and the words that describe them.

Nothing here knows of a page; Plotly is imported when the first figure is made.
"""

from vif.figures.compare import SMALL_RADAR_HEIGHT, agreement_in_words, describe_small_radar, small_radar
from vif.figures.reading import (
    NOTABLE,
    Difference,
    boundary_chart,
    describe_boundaries,
    describe_radar,
    difference_in_words,
    differences,
    radar,
)
from vif.figures.style import BANDS, DARK, FORMULA, LIGHT, READER, Palette, boundary_label

__all__ = [
    "BANDS",
    "DARK",
    "FORMULA",
    "LIGHT",
    "NOTABLE",
    "READER",
    "SMALL_RADAR_HEIGHT",
    "Difference",
    "Palette",
    "agreement_in_words",
    "boundary_chart",
    "boundary_label",
    "describe_boundaries",
    "describe_radar",
    "describe_small_radar",
    "difference_in_words",
    "differences",
    "radar",
    "small_radar",
]
