from __future__ import annotations

import re

from tests.evaluation.evaluating import a_run
from tests.evaluation.reports import HOSTILE, a_failing_subject, evaluated, hostile, told_apart
from vif.evaluation.markdown import report_markdown
from vif.evaluation.suite import Case


def rows(text: str, first: str) -> list[str]:
    """The cells of the row that begins with this cell."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_headline_comes_first_then_who_meets_how_many_targets() -> None:
    report = evaluated(*told_apart())
    lines = report_markdown(report).splitlines()
    assert lines[0].startswith("## good reads 12 messages with an error of ")
    # Seven targets; stand-ins answer, cost $0.001 and take at most 150 ms.
    assert lines[2] == "- ✅ **good**: 7 of 7 targets met"
    assert lines[3] == "- ✅ **biased**: 7 of 7 targets met"
    assert "formula" not in lines[2] + lines[3]
    assert "12 cases × 3 subjects × 2 repeats; 72 of 72 readings are there" in lines[4]


def test_a_missed_target_is_named_in_words_and_by_a_symbol() -> None:
    text = report_markdown(evaluated(*a_failing_subject()))
    # One of two calls was answered: 50 % is below 95 %; 900 ms is not below 200.
    assert "- ❌ **luna**: " in text
    assert "missed: Schema after retries" in text
    label, target, cell = rows(text, "Added time, P95")
    assert (label, target) == ("Added time, P95", "below 200 ms")
    assert "✗ **missed" in cell


def test_the_formula_is_shown_without_targets() -> None:
    text = report_markdown(evaluated(*told_apart()))
    assert rows(text, "Error")[1] == ""
    assert rows(text, "Schema after retries")[2] == "–"
    assert "**met" not in rows(text, "Added time, P95")[2]


def test_every_pair_is_compared_with_its_interval() -> None:
    text = report_markdown(evaluated(*told_apart()))
    cells = rows(text, "good")
    assert cells[1] == "biased"
    # The bias is .2 and the noise small: |.2| − |.01| of both.
    assert cells[2].startswith("−0.1")
    assert re.fullmatch(r"−0\.1\d\d to −0\.1\d\d", cells[3])
    # 2 of 2^12 sign patterns, three comparisons: 3 × .00049.
    assert cells[4:] == ["p = 0.001", "good errs less"]


def test_the_worst_cases_come_first_with_what_is_wrong() -> None:
    text = report_markdown(evaluated(*a_failing_subject()))
    assert "### Not read as expected: 2 of 2 cases" in text
    assert text.index("| lost |") < text.index("| far |")
    assert rows(text, "lost")[4] == "not read: the provider took too long"
    assert rows(text, "far")[1:] == ["How do I sort a list?", "luna", "0.370", "CD is .82, expected .30 to .60"]


def test_versions_and_the_command_that_makes_the_run_again_are_there() -> None:
    run, results = told_apart()
    text = report_markdown(evaluated(run.model_copy(update={"versions": {"vif": "1.2", "prompt": "abc"}}), results))
    assert "vif 1.2, prompt abc." in text
    assert "vif eval --suite SUITE.csv --formula --model good --model biased --repeats 2" in text
    assert "its cases are in the JSON export" in text


def test_nothing_foreign_becomes_markup_a_link_a_mention_or_a_cell() -> None:
    text = report_markdown(evaluated(*hostile()))
    outside = re.sub(r"(`{3,})sh\n.*?\n\1\n", "", text, flags=re.DOTALL)
    assert not re.search(r"<(?!/?(details|summary)>)", outside)
    assert not re.search(r"://(?!\u2060)|@(?!\u2060)|(?<!#)#(?![#\u2060 ])|(?<!\\)`|(?<![\\!])\[", outside)
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    heads = [len(re.split(r"(?<!\\)\|", line)) for line in outside.splitlines() if line.startswith("|")]
    # Four columns of metrics, six of comparisons (there are none), five of the worst cases.
    assert set(heads) == {4 + 2, 5 + 2}


def test_a_report_of_many_cases_and_long_messages_fits_a_comment() -> None:
    run, results = told_apart(60, 1, message="word " * 4_000)
    text = report_markdown(evaluated(run, results))
    # GitHub takes 65,536 characters.
    assert len(text) < 12_000
    assert f"{'word ' * 16}".rstrip() + "… |" in text


def test_a_run_nobody_read_yet_says_so() -> None:
    text = report_markdown(evaluated(a_run([Case(id="a", message="b")], "luna"), []))
    assert text.startswith("## Not enough evidence: nothing was read yet. So far 0 of 1 readings are there.")
    assert "- ❔ **luna**: 0 of 7 targets met; 7 not known" in text


def test_shown_text_of_hostile_names_is_still_readable() -> None:
    text = report_markdown(evaluated(*hostile()))
    assert "&lt;script&gt;alert\\(1\\)&lt;/script&gt;" in text
    assert "שלום עולם" in HOSTILE[-1]
