"""The report of an evaluation on a terminal: the headline, every metric of every subject, who is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vif.evaluation.measures import METRICS, Metric, Report, SubjectReport
from vif.evaluation.shown import better_words, ends, number, one_line, p_words, signed, target_words, verdict
from vif.evaluation.targets import MEASURES, TARGETS

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from vif.statistics.paired import PairedComparison

UNSURE = "~"
_LABELS_WIDTH, _CELL_WIDTH = 40, 20


def print_report(report: Report) -> None:
    """On stdout, as wide as the terminal is."""
    from rich.console import Console

    console = Console(highlight=False)
    for part in report_parts(report, console.width):
        console.print(part)


def report_parts(report: Report, width: int) -> Iterator[RenderableType]:
    """What to print, one after the other; beside each other as many subjects as `width` columns can show."""
    from rich.text import Text

    yield Text(one_line(report.headline) + "\n", style="bold")
    beside = max(1, (width - _LABELS_WIDTH) // _CELL_WIDTH)
    for first in range(0, len(report.subjects), beside):
        yield _table(report.subjects[first : first + beside])
        yield ""
    if any(metric.sure is False for subject in report.subjects for metric in subject.metrics.values()):
        yield Text(f"{UNSURE} the 95 % interval reaches past the target: more cases would tell\n", style="dim")
    for comparison in report.comparisons:
        yield Text(_comparison_words(comparison))


def missed_words(report: Report) -> str:
    """Which subject missed which target, in one line; empty when none did."""
    return "; ".join(
        f"{name}: {', '.join(MEASURES[metric].label for metric in metrics)}" for name, metrics in report.missed.items()
    )


def _table(subjects: Sequence[SubjectReport]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("metric", no_wrap=True)
    table.add_column("target", no_wrap=True, justify="right")
    for subject in subjects:
        table.add_column(Text(one_line(subject.name)), overflow="fold", width=_CELL_WIDTH - 2)
    for name in METRICS:
        measure, target = MEASURES[name], TARGETS.get(name)
        asked = target_words(target, measure.unit) if target else ""
        # A column of a table has no room for the words.
        asked = asked.replace("at least", "≥").replace("below", "<")
        table.add_row(measure.label, asked, *(_cell(subject.metrics[name]) for subject in subjects))
    return table


def _cell(metric: Metric) -> Text:
    from rich.text import Text

    shown = number(metric.interval.estimate, MEASURES[metric.name].unit)
    if metric.met is None:
        return Text(shown)
    symbol, words = verdict(metric)
    words = words.replace(", not sure", f" {UNSURE}")
    return Text.assemble(shown, " ", (f"{symbol} {words}", "green" if metric.met else "red"))


def _comparison_words(comparison: PairedComparison) -> str:
    between = comparison.difference
    pair = f"{one_line(comparison.first)} against {one_line(comparison.second)}: {better_words(comparison)}"
    if between.estimate is None or not ends(between, "activation"):
        return pair
    where = f"{signed(between.estimate)} ({ends(between, 'activation')})"
    return f"{pair} (error {where}, {p_words(comparison.p_adjusted)})"
