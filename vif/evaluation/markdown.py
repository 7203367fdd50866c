"""A report as Markdown, short enough for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vif.evaluation.measures import METRICS, Metric, Report
from vif.evaluation.shown import (
    UNKNOWN,
    better_words,
    command,
    ends,
    not_ok,
    number,
    one_line,
    p_words,
    remarks,
    score,
    signed,
    target_words,
    verdict,
)
from vif.evaluation.targets import MEASURES, TARGETS

WORST_CASES = 5
LONGEST_MESSAGE = 80
LONGEST_FAULT = 240
LONGEST_NAME = 80
MOST_SUBJECTS = 8
MOST_COMPARISONS = 15

_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")


def report_markdown(report: Report) -> str:
    """The headline, what is met and missed, who is better, the worst cases and how to make the run again.

    GitHub's Markdown. Foreign text stays text: no link, picture, mention or reference comes of it.
    """
    return "\n\n".join(filter(None, (_head(report), *_parts(report)))) + "\n"


def _parts(report: Report) -> Iterator[str]:
    yield _metrics(report)
    yield _comparisons(report)
    yield _worst(report)
    yield _versions(report)


def _head(report: Report) -> str:
    run = report.run
    formulas = {subject.name for subject in run.subjects if subject.formula}
    lines = [f"## {_text(report.headline)}", ""]
    for subject in report.subjects:
        if subject.name in formulas:
            continue
        met, of = score(iter(subject.metrics.values()))
        missed = ", ".join(MEASURES[name].label for name in subject.missed)
        open_ = of - met - len(subject.missed)
        words = "; ".join(filter(None, (f"missed: {missed}" if missed else "", f"{open_} not known" if open_ else "")))
        symbol = "❌" if missed else "❔" if open_ else "✅"
        lines.append(f"- {symbol} **{_name(subject.name)}**: {met} of {of} targets met{'; ' + words if words else ''}")
    lines.append(
        f"- Suite **{_name(run.suite)}**: {len(run.cases):,} cases × {len(run.subjects)} subjects × {run.repeats} "
        f"repeats; {report.done:,} of {run.total:,} readings are there"
    )
    return "\n".join(lines)


def _metrics(report: Report) -> str:
    shown = report.subjects[:MOST_SUBJECTS]
    if not shown:
        return ""
    rows = [["Metric", "Target", *(_name(subject.name) for subject in shown)]]
    # Those with a target first, as they decide.
    for name in sorted(METRICS, key=lambda name: name not in TARGETS):
        target, unit = TARGETS.get(name), MEASURES[name].unit
        rows.append(
            [
                MEASURES[name].label,
                target_words(target, unit) if target else "",
                *(_cell(subject.metrics.get(name)) for subject in shown),
            ]
        )
    rest = len(report.subjects) - len(shown)
    more = f"\n\n{rest} more subjects are in the full report." if rest else ""
    return f"### Metrics\n\n{_table(rows)}\n\nIn brackets: 95 % intervals, by case.{more}"


def _cell(metric: Metric | None) -> str:
    if metric is None or metric.interval.estimate is None:
        return f"{UNKNOWN} (? not known)" if metric and metric.target else UNKNOWN
    unit = MEASURES[metric.name].unit
    value = number(metric.interval.estimate, unit)
    between = f" ({ends(metric.interval, unit)})" if ends(metric.interval, unit) else ""
    symbol, words = verdict(metric)
    return f"{value}{between}{f' {symbol} **{words}**' if words else ''}"


def _comparisons(report: Report) -> str:
    if not report.comparisons:
        return ""
    rows = [["Error of", "less that of", "Difference", "95 % interval", "Chance", "In words"]]
    for one in report.comparisons[:MOST_COMPARISONS]:
        between = one.difference
        known = between.low is not None and between.high is not None
        rows.append(
            [
                _name(one.first),
                _name(one.second),
                signed(between.estimate) if between.estimate is not None else UNKNOWN,
                f"{signed(between.low)} to {signed(between.high)}"
                if between.low is not None and between.high is not None
                else UNKNOWN,
                p_words(one.p_adjusted) if known else UNKNOWN,
                _text(better_words(one)),
            ]
        )
    rest = len(report.comparisons) - MOST_COMPARISONS
    more = f"\n\n{rest} more pairs are in the full report." if rest > 0 else ""
    return f"### Against each other, on the same cases\n\n{_table(rows)}{more}"


def _worst(report: Report) -> str:
    failing = not_ok(report)
    if not failing:
        return ""
    rows = [["Case", "Message", "Subject", "Error", "What is wrong"]]
    for case, faulty in failing[:WORST_CASES]:
        given = report.run.cases[case]
        # One line per case: the subject that is furthest off.
        place, worst = max(faulty, key=lambda one: one[1].error if one[1].error is not None else 2.0)
        more = f" (and {len(faulty) - 1} more)" if len(faulty) > 1 else ""
        rows.append(
            [
                _name(given.id),
                _text(given.message, LONGEST_MESSAGE) or "*empty*",
                _name(report.subjects[place].name) + more,
                number(worst.error, "activation"),
                _text("; ".join(worst.faults), LONGEST_FAULT),
            ]
        )
    few = f", the worst {WORST_CASES}" if len(failing) > WORST_CASES else ""
    return f"### Not read as expected: {len(failing):,} of {len(report.run.cases):,} cases{few}\n\n{_table(rows)}"


def _versions(report: Report) -> str:
    run = report.run
    versions = ", ".join(f"{_text(name)} {_text(value)}" for name, value in run.versions.items())
    lines = [
        "<details><summary>Versions, and how to make this run again</summary>",
        "",
        f"Run {_name(run.id)}, begun {run.created_at:%Y-%m-%d %H:%M} UTC, autonomy {run.autonomy:g}.",
        f"{versions or 'No versions are recorded'}.",
        "",
        _block(command(run)),
        "",
        *remarks(run),
        "",
        "</details>",
    ]
    return "\n".join(lines)


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])


def _block(code: str) -> str:
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{code}\n{fence}"


def _name(text: str) -> str:
    return _text(text, LONGEST_NAME)


def _text(text: str, longest: int | None = None) -> str:
    """On one line and inert: what GitHub would make a link, a mention or a reference of is broken by a word joiner."""
    joined = re.sub(r"(@|#|://|\bwww\.|\bGH-)", lambda found: f"{found[0]}\N{WORD JOINER}", one_line(text, longest))
    marked = _MARKS.sub(r"\\\1", joined)
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
