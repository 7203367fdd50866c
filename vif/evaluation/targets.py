"""What is measured of a reader, in words for people, and what the design asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vif.evaluation.measures import Measure, MetricName, Target

MEASURES: Mapping[MetricName, Measure] = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            Measure(
                "schema_first",
                "Schema at first attempt",
                "How often did the first request to the subject's first model bring an answer that meets the contract? "
                "A time-out or a lost connection counts as no; a request that a faster model overtook is not counted.",
                "share",
                "more",
            ),
            Measure(
                "schema_after",
                "Schema after retries",
                "How often did the subject's first model itself, after all its attempts, give an answer that meets "
                "the contract? A reading by a second model or by the formula counts as no.",
                "share",
                "more",
            ),
            Measure(
                "range",
                "Values in their ranges",
                "Of all numbers in the raw answers of the first model, rejected answers included: how many are where "
                "the contract allows them (activations, permeabilities and amplitudes 0 to 1, frequencies 0 to 3, "
                "phases 0 to 2π)? Missing numbers are the schema's matter.",
                "share",
                "more",
            ),
            Measure(
                "permeability",
                "Permeabilities near √(a·b)",
                "How many permeabilities, as the model gave them and before any correction, are within 15 % of √(a·b) "
                "of the activations it gave?",
                "share",
                "more",
            ),
            Measure(
                "status",
                "Status fits the permeability",
                "How many statuses, before any correction, belong to the permeability the model gave with them "
                "(Maintained up to .6, Transitional up to .8, Transcendent above)?",
                "share",
                "more",
            ),
            Measure(
                "in_range",
                "Activations as expected",
                "How many activations lie inside the range that the case expects?",
                "share",
                "more",
            ),
            Measure(
                "mae",
                "Error",
                "How far are activations from what is expected (the target, or the middle of the range), on average?",
                "activation",
                "less",
            ),
            Measure(
                "formula_correlation",
                "Correlation with the formula",
                "Do readings follow the Rust formula? For one autonomy the formula says the same of every message, so "
                "this is Pearson's correlation over all pairs of case and domain: whether the subject, on the whole, "
                "ranks the domains as the formula does.",
                "coefficient",
                "neither",
            ),
            Measure(
                "discrimination",
                "Discrimination",
                "Does the reading change with the message at all? The standard deviation between messages, without "
                "the part that repeats show to be chance, averaged over domains; 0 for a reader blind to the message.",
                "activation",
                "more",
            ),
            Measure(
                "sd",
                "Spread over repeats",
                "How much does the reading of the same message vary? The standard deviation over repeats, pooled over "
                "cases, averaged over domains.",
                "activation",
                "less",
            ),
            Measure(
                "dominant_agreement",
                "Same dominant domain",
                "How many repeats have the strongest domain that most repeats of the message have?",
                "share",
                "more",
            ),
            Measure(
                "icc",
                "Reliability, ICC(1)",
                "How much of the variance comes from the message and not from chance? The intraclass correlation of a "
                "single reading, one-way: ICC(1) of McGraw & Wong, ICC(1,1) of Shrout & Fleiss; averaged over domains.",
                "coefficient",
                "more",
            ),
            Measure(
                "continuity",
                "Continuity",
                "How many readings of follow-ups keep every domain within .3 of the reading before? A larger move "
                "does not count against the subject where the case itself expects one in that direction.",
                "share",
                "more",
            ),
            Measure(
                "latency_p50",
                "Added time, P50",
                "How long until the reading is there, in the middle case? Retries and fallbacks are in it, because a "
                "user waits for them too; remembered readings are not, because nobody was asked, nor those of a batch, "
                "because nobody waited.",
                "ms",
                "less",
            ),
            Measure(
                "latency_p95",
                "Added time, P95",
                "How long until the reading is there, 95 times in 100? Retries and fallbacks are in it, because a "
                "user waits for them too; remembered readings are not, because nobody was asked, nor those of a batch, "
                "because nobody waited.",
                "ms",
                "less",
            ),
            Measure(
                "tokens",
                "Tokens per call",
                "How many tokens does a reading take, read and written, all its attempts together?",
                "tokens",
                "less",
            ),
            Measure("cost", "Cost per call", "What does a reading cost, all its attempts together?", "usd", "less"),
            Measure(
                "fallbacks",
                "Fallbacks",
                "How often did the reading come from another model than the first, from the formula, or not at all?",
                "share",
                "less",
            ),
            Measure(
                "retries", "Retries", "How often was one model asked more than once for a reading?", "share", "less"
            ),
        )
    }
)
"""Of every metric, in the order they are shown."""

TARGETS: Mapping[MetricName, Target] = MappingProxyType(
    {
        "schema_after": Target("at least", 0.95),
        "range": Target("at least", 0.98),
        "permeability": Target("at least", 0.90),
        "status": Target("at least", 0.95),
        "sd": Target("below", 0.1),
        "latency_p95": Target("below", 200.0),
        "cost": Target("below", 0.002),
    }
)
"""The design's, for every subject but the Rust formula."""
