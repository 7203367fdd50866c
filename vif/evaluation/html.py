"""A report as a page to hand on: one file, without a script, with nothing from elsewhere, for screens and paper."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape

from vif.evaluation import _html_pictures as pictures
from vif.evaluation._html_cases import cases
from vif.evaluation._html_pictures import Reader
from vif.evaluation._html_style import style_sheet
from vif.evaluation._html_text import foreign, listed, named, reader_name, section, table, text
from vif.evaluation.measures import METRICS, Metric, MetricName, Report, SubjectReport, Unit
from vif.evaluation.records import Result
from vif.evaluation.shown import (
    UNKNOWN,
    better_words,
    command,
    ends,
    number,
    p_words,
    remarks,
    score,
    signed,
    target_words,
    verdict,
)
from vif.evaluation.targets import MEASURES, TARGETS

OF_A_TAG: tuple[MetricName, ...] = ("mae", "in_range")


def report_html(report: Report, results: Sequence[Result] = ()) -> str:
    """The page. With the run's `results`, failing cases also show what the model gave as its reason.

    The browser is told to load and to run nothing at all, and only this style sheet is let in.
    """
    style = style_sheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    readers = pictures.readers_of(report)
    body = "\n".join(filter(None, _parts(report, readers, results)))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(f'Evaluation: {report.run.suite}')}</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _parts(report: Report, readers: Sequence[Reader], results: Sequence[Result]) -> Iterator[str]:
    yield pictures.definitions()
    yield _head(report, readers)
    yield "<main>"
    yield _targets(report, readers)
    yield _comparisons(report, readers)
    yield _offers(report, readers)
    yield _tags(report, readers)
    yield from cases(report, readers, results)
    yield _others(report, readers)
    yield _origin(report)
    yield "</main>"


# ── What it comes to ────────────────────────────────────────────────────────────────────────────────────────────────


def _head(report: Report, readers: Sequence[Reader]) -> str:
    run = report.run
    facts = {
        "messages": f"{len(run.cases):,}",
        "readers" if len(run.subjects) != 1 else "reader": f"{len(run.subjects):,}",
        "readings of each": f"{run.repeats:,}",
        "readings there are" if report.done < run.total else "readings": f"{report.done:,}",
    }
    shown = "".join(f"<li><b>{value}</b>{name}</li>" for name, value in facts.items())
    notice = ""
    if report.done < run.total:
        notice = (
            f'<p class="notice"><b>Not finished.</b> {report.done:,} of {run.total:,} readings are there; '
            "everything below may still change.</p>"
        )
    return (
        f'<header>\n<p class="eyebrow">How well messages are read · suite {named(run.suite)} · '
        f"{run.created_at.day} {run.created_at:%B %Y}</p>\n<h1>{foreign(report.headline)}</h1>\n{notice}"
        f'{_scores(report, readers)}\n<ul class="facts">{shown}</ul>\n</header>'
    )


def _scores(report: Report, readers: Sequence[Reader]) -> str:
    cards: list[str] = []
    for reader, subject in zip(readers, report.subjects, strict=True):
        if reader.formula:
            continue
        met, of = score(iter(subject.metrics.values()))
        missed = [MEASURES[name].label for name in subject.missed]
        left = of - met - len(missed)
        detail = [f"Missed: {', '.join(missed)}." if missed else "", f"{left} not known yet." if left else ""]
        kind, symbol = ("bad", "✗") if missed else ("soft", "?") if left else ("good", "✓")
        unsure = sum(metric.met is True and metric.sure is False for metric in subject.metrics.values())
        if unsure:
            detail.append(f"{unsure} of those met not for sure: more messages would tell.")
        cards.append(
            f"<li><h3>{reader_name(reader)}</h3><p class='verdict {kind}'>{symbol} {met} of {of} targets met</p>"
            f"<p class='soft small'>{' '.join(filter(None, detail))}</p></li>"
        )
    return f'<ul class="scores">{"".join(cards)}</ul>' if cards else ""


def _targets(report: Report, readers: Sequence[Reader]) -> str:
    judged = [place for place, reader in enumerate(readers) if not reader.formula]
    if not judged:
        return ""
    shown = [readers[place] for place in judged]
    rows = [_metric_row(name, [report.subjects[place] for place in judged], shown) for name in TARGETS]
    return section(
        "Targets",
        "What the design asks of every reader but the Rust formula. Below each value: where the truth lies with 95 % "
        "confidence, judged by case. “Not sure” means that this interval reaches past the target, which is the "
        "upright line; the thick bar is where it is met.",
        table(["Metric", "Target", *map(reader_name, shown)], rows),
    )


def _others(report: Report, readers: Sequence[Reader]) -> str:
    if not readers:
        return ""
    names = [name for name in METRICS if name not in TARGETS]
    return section(
        "Everything else that was measured",
        "There is no target for these; they explain the others.",
        table(["Metric", *map(reader_name, readers)], [_metric_row(name, report.subjects, readers) for name in names]),
    )


def _metric_row(name: MetricName, subjects: Sequence[SubjectReport], readers: Sequence[Reader]) -> str:
    measure, target = MEASURES[name], TARGETS.get(name)
    metrics = [subject.metrics.get(name) for subject in subjects]
    most = _scale(name, metrics)
    aim = f'<td class="asked" data-of="Target">{target_words(target, measure.unit)}</td>' if target else ""
    cells = "".join(
        f'<td data-of="{escape(reader.name)}">{_metric(metric, reader, most)}</td>'
        for reader, metric in zip(readers, metrics, strict=True)
    )
    question = f'<p class="soft small">{text(measure.question)}</p>'
    return f'<tr><th scope="row">{measure.label}{question}</th>{aim}{cells}</tr>'


def _metric(metric: Metric | None, reader: Reader, most: float) -> str:
    if metric is None or metric.interval.estimate is None:
        # Of the formula most metrics mean nothing; to say so in every row would only be noise.
        why = metric.interval.reason if metric and not reader.formula else ""
        return f'{UNKNOWN}<div class="soft small">{foreign(why)}</div>' if why else UNKNOWN
    unit = MEASURES[metric.name].unit
    return (
        f"<b>{number(metric.interval.estimate, unit)}</b>{_ends(metric, unit)}"
        f"{pictures.meter(metric, reader, most)}{_verdict(metric)}"
    )


def _ends(metric: Metric, unit: Unit) -> str:
    between = ends(metric.interval, unit)
    return f'<div class="soft small">{between}</div>' if between else ""


def _verdict(metric: Metric) -> str:
    symbol, words = verdict(metric)
    if not words:
        return ""
    met, unsure = words.partition(",")[0], metric.sure is False
    doubt = ' <span class="soft small">not sure</span>' if unsure else ""
    return f'<span class="verdict {"good" if metric.met else "bad"}">{symbol} {met}</span>{doubt}'


def _scale(name: MetricName, metrics: Sequence[Metric | None]) -> float:
    """How far the meters of a metric reach: all of a share; twice the target or all there is of anything else."""
    if MEASURES[name].unit == "share":
        return 1.0
    target = TARGETS.get(name)
    intervals = [metric.interval for metric in metrics if metric is not None and metric.target is not None]
    reach = [interval.high if interval.high is not None else interval.estimate or 0.0 for interval in intervals]
    return max([2 * target.value if target else 1.0, *reach])


# ── Who is better ───────────────────────────────────────────────────────────────────────────────────────────────────


def _comparisons(report: Report, readers: Sequence[Reader]) -> str:
    if not report.comparisons:
        return ""
    by_name = {subject.name: reader for reader, subject in zip(readers, report.subjects, strict=True)}
    known = [one.difference for one in report.comparisons]
    reach = [abs(end) for one in known for end in (one.low, one.high, one.estimate) if end is not None]
    most = max([0.05, *reach])
    rows = []
    for one in report.comparisons:
        between = one.difference
        figures = UNKNOWN if between.estimate is None else f"<b>{signed(between.estimate)}</b>"
        if between.low is not None and between.high is not None:
            figures += f'<div class="soft small">{signed(between.low)} to {signed(between.high)}</div>'
            figures += f'<div class="soft small">{p_words(one.p_adjusted)}</div>'
        pair = " against ".join(
            reader_name(by_name[name]) if name in by_name else named(name) for name in (one.first, one.second)
        )
        rows.append(
            f'<tr><th scope="row">{pair}</th><td data-of="Difference of the error">{figures}</td>'
            f"<td>{pictures.forest(between, most)}</td><td><b>{foreign(better_words(one))}</b></td></tr>"
        )
    return section(
        "Against each other",
        "The error of the first less that of the second, on the same messages. Left of the line the first errs less, "
        "right of it the second. The p-values are corrected for the number of pairs (Holm).",
        table(["Who", "Difference of the error", "Interval around 0", "In words"], rows),
    )


def _offers(report: Report, readers: Sequence[Reader]) -> str:
    picture = pictures.offers(report, readers)
    if not picture:
        return ""
    front = [reader.name for reader, one in zip(readers, report.subjects, strict=True) if one.name in report.front]
    best = f" No other reader beats {listed(front)} in error, time and price together." if front else ""
    return section(
        "Error, time and price",
        f"The best corner is at the bottom left; the vertical lines are 95 % intervals.{best}",
        picture,
    )


def _tags(report: Report, readers: Sequence[Reader]) -> str:
    tags = list(dict.fromkeys(tag for subject in report.subjects for tag in subject.by_tag))
    if not tags:
        return ""
    rows = []
    for tag in tags:
        cells = "".join(
            f'<td data-of="{escape(reader.name)}">{_of_tag(subject, tag)}</td>'
            for reader, subject in zip(readers, report.subjects, strict=True)
        )
        count = sum(tag in case.tags for case in report.run.cases)
        rows.append(
            f'<tr><th scope="row">{named(tag)}</th><td class="asked" data-of="Messages">{count:,}</td>{cells}</tr>'
        )
    return section(
        "By tag",
        "The error with its interval, and how many activations lie where they are expected.",
        table(["Tag", "Messages", *map(reader_name, readers)], rows),
    )


def _of_tag(subject: SubjectReport, tag: str) -> str:
    metrics = subject.by_tag.get(tag, {})
    error, inside = (metrics.get(name) for name in OF_A_TAG)
    if error is None or error.interval.estimate is None:
        return UNKNOWN
    between = ends(error.interval, "activation")
    shown = f"<b>{number(error.interval.estimate, 'activation')}</b>"
    shown += f'<div class="soft small">{between}</div>' if between else ""
    if inside is not None and inside.interval.estimate is not None:
        shown += f'<div class="soft small">{number(inside.interval.estimate, "share")} as expected</div>'
    return shown


# ── Where it comes from ─────────────────────────────────────────────────────────────────────────────────────────────


def _origin(report: Report) -> str:
    run = report.run
    facts = {"run": run.id, "begun": f"{run.created_at:%Y-%m-%d %H:%M} UTC", "autonomy": f"{run.autonomy:g}"}
    settings = {
        subject.name: ", ".join(f"{name} {value}" for name, value in subject.settings.items() if value is not None)
        for subject in run.subjects
    }
    listed = "".join(
        f"<dt>{foreign(name, 80)}</dt><dd>{foreign(value, 1_000)}</dd>"
        for name, value in (
            *facts.items(),
            *run.versions.items(),
            *((one, said) for one, said in settings.items() if said),
        )
    )
    notes = "".join(f'<p class="soft small">{text(remark)}</p>' for remark in remarks(run))
    return section(
        "Where it comes from, and how to make it again",
        "The same versions, prompt and settings give a run that can be compared with this one.",
        f"<pre>{text(command(run))}</pre>{notes}<dl>{listed}</dl>",
    )
