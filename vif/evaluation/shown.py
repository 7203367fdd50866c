"""How reports write what they show: numbers in their unit, verdicts in words, foreign text that stays text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from vif.config import PRESETS
from vif.domains import DEFAULT_AUTONOMY
from vif.evaluation.measures import CaseReport, Metric, Report, Target, Unit
from vif.evaluation.records import Run
from vif.evaluation.suite import SuiteName, shipped
from vif.prompt import well_formed
from vif.statistics.bootstrap import Interval
from vif.statistics.paired import PairedComparison

CHANCE = 0.05
"""A p-value from here on is one that chance can make."""

UNKNOWN = "–"

_SHIPPED: tuple[SuiteName, ...] = ("standard", "broad")

_LONGEST_NAME = 120

# Embeddings, overrides and isolates turn the text around them; the marks that Arabic and Hebrew need do not.
_UNSHOWABLE = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_CONTROLS = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n\r"}


def plain(text: str, longest: int | None = None) -> str:
    """Foreign text that can be shown: control characters as their pictures (␀), nothing that turns text around.

    Of more than `longest` characters the rest is left out: of a name without a word, of a text with its length.
    """
    rest = ""
    if longest is not None and len(text) > longest:
        rest = f" … and {len(text) - longest:,} more characters" if longest > _LONGEST_NAME else "…"
        text = text[:longest].rstrip()
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", well_formed(text)).translate(_CONTROLS) + rest


def one_line(text: str, longest: int | None = None) -> str:
    """The same without line ends."""
    return plain(" ".join(text.split()), longest)


def number(value: float | None, unit: Unit) -> str:
    """A number in its unit: 0.973 of a share is "97.3 %"."""
    if value is None:
        return UNKNOWN
    match unit:
        case "share":
            return f"{100 * value:.1f} %"
        case "ms":
            return f"{value:,.{2 if value < 1 else 1 if value < 10 else 0}f} ms" if value else "0 ms"
        case "tokens":
            return f"{value:,.0f}"
        case "usd":
            return f"${value:.5f}" if value >= 0.00001 else "under $0.00001" if value else "$0"
        case "activation" | "coefficient":
            return signless(f"{value:.3f}")


def ends(interval: Interval, unit: Unit) -> str:
    """ "0.151 to 0.220", "79.6 to 100.0 %"; empty when there is no interval."""
    if interval.low is None or interval.high is None:
        return ""
    low, high = number(interval.low, unit), number(interval.high, unit)
    # The unit once, at the end.
    return f"{low.removesuffix(' %').removesuffix(' ms')} to {high}"


def signed(value: float) -> str:
    """A difference of activations: "+0.031", "−0.031"."""
    return signless(f"{value:+.3f}")


def signless(shown: str) -> str:
    """A real minus sign, and none before nothing."""
    return shown.replace("-", "−") if any(digit in shown for digit in "123456789") else shown.lstrip("+-")


def target_words(target: Target, unit: Unit) -> str:
    """What is asked: "at least 95 %", "below $0.002"."""
    value = target.value
    match unit:
        case "share":
            return f"{target.kind} {100 * value:g} %"
        case "ms":
            return f"{target.kind} {value:,g} ms"
        case "usd":
            return f"{target.kind} ${value:g}"
        case "activation" | "coefficient" | "tokens":
            return f"{target.kind} {value:g}"


def verdict(metric: Metric) -> tuple[str, str]:
    """A symbol and words: ("✓", "met"); two empty texts without a target."""
    if metric.target is None:
        return "", ""
    if metric.met is None:
        return "?", "not known"
    unsure = ", not sure" if metric.sure is False else ""
    return ("✓", f"met{unsure}") if metric.met else ("✗", f"missed{unsure}")


def score(metrics: Iterator[Metric]) -> tuple[int, int]:
    """Targets met, of those there are."""
    targets = [metric for metric in metrics if metric.target is not None]
    return sum(metric.met is True for metric in targets), len(targets)


def better_words(comparison: PairedComparison) -> str:
    """Who errs less, if that can be said: "luna errs less"; names are shown as `one_line` text."""
    between = comparison.difference
    if between.estimate is None or between.low is None or between.high is None:
        return f"not known who errs less: {between.reason or 'there is no interval'}"
    if comparison.p_adjusted >= CHANCE or between.low <= 0 <= between.high:
        return "no difference that chance could not make"
    return f"{one_line(comparison.first if between.estimate < 0 else comparison.second)} errs less"


def p_words(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def not_ok(report: Report) -> list[tuple[int, list[tuple[int, CaseReport]]]]:
    """Places of cases with a fault, each with the places and reports of the subjects that have one, the worst first.

    The Rust formula is the baseline: that it reads every message alike is not a fault worth a page of its own, so a
    case counts when another subject fails at it, or when nobody but the formula was asked.
    """
    formulas = {subject.name for subject in report.run.subjects if subject.formula}
    judged = [place for place, subject in enumerate(report.subjects) if subject.name not in formulas]
    found = []
    for case in range(len(report.run.cases)):
        reports = [(place, report.subjects[place].cases[case]) for place in judged or range(len(report.subjects))]
        if faulty := [(place, one) for place, one in reports if one.faults]:
            found.append((case, faulty))
    return sorted(found, key=lambda one: (-max(_badness(fault) for _, fault in one[1]), one[0]))


def _badness(case: CaseReport) -> float:
    """What was not read at all comes first."""
    return case.error if case.error is not None else 2.0 if not case.readings else 0.0


def command(run: Run) -> str:
    """The command line that makes such a run again, as far as one can."""
    name = next((name for name in _SHIPPED if shipped(name).cases == run.cases), None)
    words = ["vif", "eval", "--suite", name or "SUITE.csv"]
    for subject in run.subjects:
        if subject.formula:
            words.append("--formula")
        else:
            words += ["--preset" if subject.name in PRESETS else "--model", one_line(subject.name)]
    return shlex.join([*words, "--repeats", str(run.repeats)])


def remarks(run: Run) -> list[str]:
    """What `command` leaves open."""
    found = []
    if not any(shipped(name).cases == run.cases for name in _SHIPPED):
        found.append("SUITE.csv stands for the suite of this run; its cases are in the JSON export.")
    if run.autonomy != DEFAULT_AUTONOMY:
        found.append(f"This run had the autonomy {run.autonomy:g}; the command takes {DEFAULT_AUTONOMY:g}.")
    return found
