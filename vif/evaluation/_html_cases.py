"""The report as a page, case by case: what was asked, what was expected, how everybody read it, what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from vif.evaluation import _html_pictures as pictures
from vif.evaluation._html_pictures import Reader
from vif.evaluation._html_text import foreign, named, reader_name, section
from vif.evaluation.measures import CaseReport, Report
from vif.evaluation.records import Result
from vif.evaluation.shown import not_ok, number

LONGEST_MESSAGE = 600
LONGEST_FAULT = 400
LONGEST_SAID = 300
MOST_FAILING = 400
"""Cases that are shown with what is wrong; beyond them, as beyond `MOST_READ`, the page says how many there are."""

MOST_READ = 200


def cases(report: Report, readers: Sequence[Reader], results: Sequence[Result]) -> Iterator[str]:
    failing = not_ok(report)
    reasons = _reasons(results)
    key = _key(readers)
    if failing:
        shown = [_case(report, readers, case, faulty, reasons) for case, faulty in failing[:MOST_FAILING]]
        words = "All of them" if len(failing) <= MOST_FAILING else f"The worst {MOST_FAILING} of them"
        yield section(
            f"Not read as expected: {len(failing):,} of {len(report.run.cases):,} messages",
            f"{_by_whom(readers, failing)}. {words} are here, the worst first.",
            key + "".join(shown),
        )
    faulty_cases = {case for case, _ in failing}
    # What nobody read yet is neither well nor badly read.
    read = [
        case
        for case in range(len(report.run.cases))
        if case not in faulty_cases and any(subject.cases[case].readings for subject in report.subjects)
    ]
    if read:
        rest = f" Here are {MOST_READ} of them." if len(read) > MOST_READ else ""
        yield section(
            f"Read as expected: {len(read):,} of {len(report.run.cases):,} messages",
            f"By every reader but, perhaps, the Rust formula.{rest}",
            key + "".join(_case(report, readers, case, (), reasons) for case in read[:MOST_READ]),
        )


def _by_whom(readers: Sequence[Reader], failing: Sequence[tuple[int, Sequence[tuple[int, CaseReport]]]]) -> str:
    """ "luna: 3; haiku: 1"."""
    counts = Counter(place for _, faulty in failing for place, _ in faulty)
    return "; ".join(f"{reader_name(readers[place])}: {count:,}" for place, count in sorted(counts.items()))


def _case(
    report: Report,
    readers: Sequence[Reader],
    place: int,
    faulty: Sequence[tuple[int, CaseReport]],
    reasons: Mapping[tuple[str, str], str],
) -> str:
    case = report.run.cases[place]
    reports = [subject.cases[place] for subject in report.subjects]
    tags = f'<span class="soft small">{foreign(" · ".join(case.tags))}</span>' if case.tags else ""
    message = foreign(case.message, LONGEST_MESSAGE) if case.message.strip() else '<i class="soft">empty message</i>'
    faults = "".join(
        _fault(readers[reader], one, reasons.get((one.case_id, report.subjects[reader].name), ""))
        for reader, one in faulty
    )
    wrong = f'<ul class="faults">{faults}</ul>' if faults else ""
    strips = pictures.strips(case, readers, reports)
    return (
        f'<article class="case"><header><h3>{named(case.id)}</h3>{tags}</header>'
        f'<p class="message">{message}</p>{strips}{wrong}</article>'
    )


def _fault(reader: Reader, case: CaseReport, reason: str) -> str:
    error = f' <span class="soft">(error {number(case.error, "activation")})</span>' if case.error is not None else ""
    said = f' <span class="soft">It says: “{foreign(reason, LONGEST_SAID)}”</span>' if reason else ""
    return f"<li>{reader_name(reader)}: {foreign('; '.join(case.faults), LONGEST_FAULT)}{error}{said}</li>"


def _reasons(results: Sequence[Result]) -> Mapping[tuple[str, str], str]:
    """What each subject gave as its reason for a case, the first time it did."""
    found: dict[tuple[str, str], str] = {}
    for result in sorted(results, key=lambda one: one.repeat):
        if result.recognition is not None and result.recognition.reasoning.strip():
            found.setdefault((result.case_id, result.subject), result.recognition.reasoning)
    return found


def _key(readers: Sequence[Reader]) -> str:
    names = "".join(f"<li>{reader_name(reader)}</li>" for reader in readers)
    bar = '<svg class="swatch" viewBox="0 0 16 7" aria-hidden="true"><rect class="bar" width="16" height="7" rx="2"/>'
    return (
        f'<ul class="key"><li>{bar}</svg>expected</li>{names}<li class="soft">from 0 at the left to 1 at the right; '
        "a line shows how far repeated readings lie apart</li></ul>"
    )
