"""Plotly figures from plain data, one palette for all of them, and the words that describe them.

Nothing here knows of a page; Plotly is imported when the first figure is made.
"""

from vif.figures.compare import SMALL_RADAR_HEIGHT, agreement_in_words, describe_small_radar, small_radar
from vif.figures.evaluation import (
    Offer,
    Strip,
    against,
    describe_against,
    describe_offers,
    describe_strips,
    offers_chart,
    strips,
)
from vif.figures.operations import cost_timeline, describe_cost, describe_latency, latency_timeline
from vif.figures.oscillation import SEEN, Move, describe_qualities, describe_resonance, moves
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
from vif.figures.stages import (
    TimePart,
    describe_quality_radar,
    describe_time,
    duration_in_words,
    quality_radar,
    time_chart,
    time_parts,
)
from vif.figures.style import BANDS, DARK, FORMULA, LIGHT, READER, Palette, boundary_label
from vif.figures.turns import TurnReading, describe_turns, turns_chart
from vif.figures.volume import describe_volume, volume

__all__ = [
    "BANDS",
    "DARK",
    "FORMULA",
    "LIGHT",
    "NOTABLE",
    "READER",
    "SEEN",
    "SMALL_RADAR_HEIGHT",
    "Difference",
    "Move",
    "Offer",
    "Palette",
    "Strip",
    "TimePart",
    "TurnReading",
    "against",
    "agreement_in_words",
    "boundary_chart",
    "boundary_label",
    "cost_timeline",
    "describe_against",
    "describe_boundaries",
    "describe_cost",
    "describe_latency",
    "describe_offers",
    "describe_qualities",
    "describe_quality_radar",
    "describe_radar",
    "describe_resonance",
    "describe_small_radar",
    "describe_strips",
    "describe_time",
    "describe_turns",
    "describe_volume",
    "difference_in_words",
    "differences",
    "duration_in_words",
    "latency_timeline",
    "moves",
    "offers_chart",
    "quality_radar",
    "radar",
    "small_radar",
    "strips",
    "time_chart",
    "time_parts",
    "turns_chart",
    "volume",
]
