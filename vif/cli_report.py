"""The report of an evaluation on a terminal: the headline, every metric of every subject, who is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vif.cli_common import printable
from vif.evaluation.measures import METRICS, Metric, MetricName, Report, SubjectReport, Target, Unit
from vif.evaluation.targets import MEASURES, TARGETS

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from vif.statistics.paired import PairedComparison

UNSURE = "~"
_LABELS_WIDTH, _CELL_WIDTH = 40, 20
_CHANCE = 0.05


def print_report(report: Report) -> None:
    """On stdout, as wide as the terminal is."""
    from rich.console import Console

    console = Console(highlight=False)
    for part in report_parts(report, console.width):
        console.print(part)


def report_parts(report: Report, width: int) -> Iterator[RenderableType]:
    """What to print, one after the other; beside each other as many subjects as `width` columns can show."""
    from rich.text import Text

    yield Text(printable(report.headline) + "\n", style="bold")
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


def number_words(value: float | None, unit: Unit) -> str:
    """A number in its unit: 0.973 of a share is "97.3 %"."""
    if value is None:
        return "–"
    match unit:
        case "share":
            return f"{100 * value:.1f} %"
        case "ms":
            return f"{value:,.0f} ms"
        case "tokens":
            return f"{value:,.0f}"
        case "usd":
            return f"${value:.6f}"
        case "activation" | "coefficient":
            return f"{value:.3f}"


def _table(subjects: Sequence[SubjectReport]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("metric", no_wrap=True)
    table.add_column("target", no_wrap=True, justify="right")
    for subject in subjects:
        table.add_column(Text(printable(subject.name)), overflow="fold", width=_CELL_WIDTH - 2)
    for name in METRICS:
        target = TARGETS.get(name)
        table.add_row(
            MEASURES[name].label,
            _target_words(target, name) if target else "",
            *(_cell(subject.metrics[name]) for subject in subjects),
        )
    return table


def _cell(metric: Metric) -> Text:
    from rich.text import Text

    shown = number_words(metric.interval.estimate, MEASURES[metric.name].unit)
    if metric.met is None:
        return Text(shown)
    words, style = ("✓ met", "green") if metric.met else ("✗ missed", "red")
    unsure = f" {UNSURE}" if metric.sure is False else ""
    return Text.assemble(shown, " ", (words + unsure, style))


def _target_words(target: Target, name: MetricName) -> str:
    sign = "≥" if target.kind == "at least" else "<"
    value, unit = target.value, MEASURES[name].unit
    match unit:
        case "share":
            return f"{sign} {100 * value:g} %"
        case "ms":
            return f"{sign} {value:g} ms"
        case "usd":
            return f"{sign} ${value:g}"
        case "activation" | "coefficient" | "tokens":
            return f"{sign} {value:g}"


def _comparison_words(comparison: PairedComparison) -> str:
    between = comparison.difference
    pair = f"{printable(comparison.first)} against {printable(comparison.second)}"
    if between.estimate is None or between.low is None or between.high is None:
        return f"{pair}: not known who errs less; {between.reason}"
    figures = (
        f"error {between.estimate:+.3f} ({between.low:+.3f} to {between.high:+.3f}), p = {comparison.p_adjusted:.2g}"
    )
    if comparison.p_adjusted >= _CHANCE or between.low <= 0 <= between.high:
        return f"{pair}: no difference that chance could not make ({figures})"
    better = comparison.first if between.estimate < 0 else comparison.second
    return f"{pair}: {printable(better)} errs less ({figures})"
