"""Suites: what is read, what is refused and where, and what ships."""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.likeness import alike
from vif.domains import DOMAINS, Domain
from vif.errors import InputError
from vif.evaluation.suite import (
    LONGEST_CELL,
    LONGEST_MESSAGE,
    MOST_CASES,
    SHOWN_FAULTS,
    Case,
    Suite,
    SuiteError,
    parse,
    parse_csv,
    parse_jsonl,
    shipped,
    to_csv,
)
from vif.recognition.prompt import system_prompt

ROOT = Path(__file__).parents[2]
MOST_ALIKE = 0.7
LANGUAGES = {"ar", "de", "en", "es", "fr", "it", "ja", "ko", "pt", "ru", "zh"}


def faults(text: str) -> list[str]:
    """What `parse` says is wrong."""
    with pytest.raises(SuiteError) as caught:
        parse("s", text)
    return [str(fault) for fault in caught.value.faults]


# ── What is read ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_gives_ranges_targets_the_state_before_tags_and_a_note() -> None:
    text = "id,message,cd_min,cd_max,sd,previous_ed,tags,note\nA,Hello,0.1,0.3,0.5,0.9,small talk,a greeting\n"
    assert parse_csv("s", text).cases == (
        Case(
            id="A",
            message="Hello",
            ranges={Domain.CD: (0.1, 0.3)},
            targets={Domain.SD: 0.5},
            previous={Domain.ED: 0.9},
            tags=("small", "talk"),
            note="a greeting",
        ),
    )


def test_a_case_may_expect_nothing_at_all() -> None:
    case = parse("s", "id,message\nA,\n").cases[0]
    assert (case.message, case.ranges, case.targets, case.previous, case.expected) == ("", {}, {}, None, {})


def test_what_is_expected_is_the_target_or_else_the_middle_of_the_range() -> None:
    case = parse("s", "id,message,cd_min,cd_max,sd_min,sd_max,sd\nA,x,0.2,0.4,0.1,0.9,0.8\n").cases[0]
    # (0.2 + 0.4) / 2 = 0.3; of SD, with both, the target counts.
    assert case.expected == {Domain.CD: pytest.approx(0.3), Domain.SD: 0.8}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_byte_order_mark_and_any_line_end_are_fine(mark: str, end: str) -> None:
    text = mark + end.join(["ID, Message ,CD", "A,x,0.5", "B,y,", ""])
    assert [(case.id, case.message, case.expected) for case in parse("s", text).cases] == [
        ("A", "x", {Domain.CD: 0.5}),
        ("B", "y", {}),
    ]


def test_quoted_newlines_commas_and_quotes_belong_to_the_message() -> None:
    suite = parse("s", 'id,message\r\nA,"one\r\ntwo, ""three"""\r\nB,x\r\n')
    assert [case.message for case in suite.cases] == ['one\r\ntwo, "three"', "x"]


def test_columns_come_in_any_order_and_blank_lines_are_passed_over() -> None:
    assert [case.id for case in parse("s", "message,id\n\nx,A\n\n\ny,B\n").cases] == ["A", "B"]


def test_json_lines_have_the_names_of_the_csv_or_nested_values() -> None:
    flat = {"id": "A", "message": "x", "cd_min": 0.1, "cd_max": 0.3, "sd": 0.5, "previous_ed": 0.9, "tags": "a b"}
    nested = {
        "id": "A",
        "message": "x",
        "ranges": {"CD": [0.1, 0.3]},
        "targets": {"SD": 0.5},
        "previous": {"ED": 0.9},
        "tags": ["a", "b"],
    }
    one = parse("s", "\ufeff" + json.dumps(flat) + "\r\n\r\n")
    assert one == parse("s", json.dumps(nested)) == parse_jsonl("s", json.dumps(nested))
    assert one.cases[0].previous == {Domain.ED: 0.9}


def test_a_separator_of_lines_inside_a_json_message_does_not_end_the_line() -> None:
    text = json.dumps({"id": "A", "message": "one\u2028two\x85three\x0bfour"}, ensure_ascii=False)
    assert parse("s", text).cases[0].message == "one\u2028two\x85three\x0bfour"


def test_tags_of_a_suite_are_listed_once_in_order_and_cases_are_found_by_id() -> None:
    suite = parse("s", "id,message,tags\nA,x,b a\nB,y,b\n")
    assert suite.tags == ("a", "b")
    assert suite.by_id["B"].message == "y"


# ── What is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("A,x,0.1,", "cd_min and cd_max go together; one of them is empty"),
        ("A,x,,0.3", "cd_min and cd_max go together; one of them is empty"),
        ("A,x,0.3,0.1", "cd_min is 0.3, above cd_max, 0.1"),
        ("A,x,-0.1,0.1", "cd_min is '-0.1'; it must be a number from 0 to 1"),
        ("A,x,0.1,1.1", "cd_max is '1.1'; it must be a number from 0 to 1"),
        ("A,x,0.1,nan", "cd_max is 'nan'; it must be a number from 0 to 1"),
        ("A,x,0.1,inf", "cd_max is 'inf'; it must be a number from 0 to 1"),
        ('A,x,0.1,"0,3"', "cd_max is '0,3'; it must be a number from 0 to 1"),
        ("A,x,0.1,high", "cd_max is 'high'; it must be a number from 0 to 1"),
        ("A,x,0.1,0.3,0.5", "more cells than columns"),
        (",x,0.1,0.3", "id: string should have at least 1 character"),
        ("good,x,0.1,0.3", "the id 'good' is the one of row 2 too"),
        ("A,\ud800,0.1,0.3", "message"),
        (f"A,{'x' * (LONGEST_MESSAGE + 1)},,", "message: string should have at most 200000 characters"),
        (f"{'i' * 101},x,,", "id: string should have at most 100 characters"),
    ],
)
def test_each_kind_of_fault_names_its_row_and_what_would_be_right(cells: str, why: str) -> None:
    said = faults(f"id,message,cd_min,cd_max\ngood,x,0.1,0.3\n{cells}\n")
    assert len(said) == 1
    assert said[0].startswith("row 3: ")
    assert why in said[0]


@pytest.mark.parametrize(
    ("text", "row"), [("id,message\nA,x\nB,{}\n", 3), ("id,message{}\nA,x\n", 1)], ids=["in a row", "in the heading"]
)
def test_a_cell_beyond_all_bounds_is_a_fault_of_its_row(text: str, row: int) -> None:
    assert faults(text.format("x" * (LONGEST_CELL + 1)))[0].startswith(f"row {row}: not CSV")


def test_a_message_as_long_as_allowed_is_read() -> None:
    assert len(parse("s", f"id,message\nA,{'x' * LONGEST_MESSAGE}\n").cases[0].message) == LONGEST_MESSAGE


def test_a_cell_of_a_megabyte_is_a_fault_of_its_row_and_not_the_end_of_the_program() -> None:
    assert faults(f"id,message\nA,{'x' * 1_000_000}\n")[0].startswith("row 2: ")
    (quoted,) = faults(f"id,message,cd\nA,hello,{'9' * 1_000_000}\n")
    assert quoted.startswith("row 2: cd is '999")
    assert len(quoted) < 150  # the fault quotes its beginning


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{not json", "not JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"id": "A", "message": "x", "mood": 1}', "'mood' is not known"),
        ('{"id": "A"}', "message: field required"),
        ('{"id": null, "message": "x"}', "id: string should have at least 1 character"),
        ('{"message": "x"}', "id: string should have at least 1 character"),
        ('{"id": "A", "message": 5}', "message: input should be a valid string"),
        ('{"id": "A", "message": "x", "ranges": {"XD": [0, 1]}}', "ranges"),
        ('{"id": "A", "message": "x", "ranges": {"CD": [0.5]}}', "ranges.CD"),
        ('{"id": "A", "message": "x", "ranges": {"CD": [0.5, 0.1]}}', "cd_min is 0.5, above cd_max, 0.1"),
        ('{"id": "A", "message": "x", "targets": {"CD": 7}}', "targets.CD"),
        ('{"id": "A", "message": "x", "cd": NaN}', "cd is nan"),
        ('{"id": "A", "message": "x", "cd": true}', "cd is True"),
        ('{"id": "A", "message": "x", "ranges": [1]}', "ranges"),
        ('{"id": "A", "message": "x", "tags": 3}', "tags"),
    ],
)
def test_each_kind_of_fault_in_json_names_its_line(line: str, why: str) -> None:
    said = faults('{"id": "good", "message": "x"}\n\n' + line)
    assert len(said) == 1
    assert said[0].startswith("row 3: ")
    assert why in said[0]


def test_a_row_is_counted_as_an_editor_counts_the_lines_of_the_file() -> None:
    # The quoted message of the first case spans lines 2 to 4, so the second case stands on line 5.
    assert faults('id,message,cd\nA,"one\ntwo\nthree",0.5\nB,x,2\n') == [
        "row 5: cd is '2'; it must be a number from 0 to 1"
    ]


def test_every_bad_row_is_named_and_of_many_the_first_in_the_message() -> None:
    rows = "\n".join(f"{number},x,9" for number in range(SHOWN_FAULTS + 5))
    with pytest.raises(SuiteError) as caught:
        parse("s", f"id,message,cd\n{rows}\n")
    assert [fault.row for fault in caught.value.faults] == list(range(2, SHOWN_FAULTS + 7))
    assert str(caught.value).count("row ") == SHOWN_FAULTS
    assert str(caught.value).endswith("and 5 more")
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the column 'id' is missing"),
        ("id,note\nA,x\n", "the column 'message' is missing"),
        ("id,message,mood\nA,x,1\n", "the column 'mood' is not known"),
        ("id,message,cd,cd\nA,x,0.1,0.9\n", "the column 'cd' is there twice"),
        ("id,message\n", "there are no cases"),
    ],
)
def test_a_heading_that_cannot_be_used_is_a_fault_of_row_1(text: str, why: str) -> None:
    said = faults(text)
    assert len(said) == 1
    assert said[0].startswith(f"row 1: {why}")


def test_more_cases_than_can_be_run_are_refused() -> None:
    rows = "\n".join(f"{number},x" for number in range(MOST_CASES + 1))
    assert faults(f"id,message\n{rows}\n") == [
        f"row {MOST_CASES + 1}: there are 10,001 cases; at most 10,000 can be run"
    ]


# ── There and back ──────────────────────────────────────────────────────────────────────────────────────────────────

units = st.floats(0, 1)
ranges = st.tuples(units, units).map(lambda ends: (min(ends), max(ends)))
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8).filter(
    lambda word: bool(word.split())
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@st.composite
def cases(draw: st.DrawFn, ident: str) -> Case:
    return Case(
        id=ident,
        message=draw(texts),
        ranges=draw(st.dictionaries(st.sampled_from(DOMAINS), ranges)),
        targets=draw(st.dictionaries(st.sampled_from(DOMAINS), units)),
        previous=draw(st.none() | st.dictionaries(st.sampled_from(DOMAINS), units, min_size=1)),
        tags=tuple(draw(st.lists(words, max_size=3))),
        note=draw(texts),
    )


@st.composite
def suites(draw: st.DrawFn) -> Suite:
    names = draw(st.lists(words, min_size=1, max_size=4, unique=True))
    return Suite("s", tuple(draw(cases(name)) for name in names))


@given(suites())
@example(Suite("s", (Case(id="A", message="one\rtwo", note="\r"),)))
@example(Suite("s", (Case(id="\ufeffA", message="\ufeff{"),)))
def test_a_suite_written_as_csv_is_the_same_suite_when_read(suite: Suite) -> None:
    assert parse_csv("s", to_csv(suite)) == suite


@given(suites())
def test_a_suite_written_as_json_lines_is_the_same_suite_when_read(suite: Suite) -> None:
    lines = (case.model_dump_json() for case in suite.cases)
    assert parse("s", "\n".join(lines)) == suite


@given(texts)
def test_any_text_is_a_suite_or_a_suite_error(text: str) -> None:
    with suppress(SuiteError):
        assert parse("s", text).cases


# ── What ships ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_standard_suite_is_the_15_cases_of_the_design() -> None:
    rows = list(csv.DictReader((ROOT / "tests/data/cases.csv").read_text("utf-8").splitlines()))
    standard = shipped("standard")
    assert len(standard.cases) == 15
    assert [(case.id, case.message, case.note) for case in standard.cases] == [
        (row["id"], row["message"], row["note"]) for row in rows
    ]
    for case, row in zip(standard.cases, rows, strict=True):
        for domain in DOMAINS:
            name = domain.value.lower()
            assert case.ranges[domain] == (float(row[f"{name}_min"]), float(row[f"{name}_max"]))


def test_the_broad_suite_gives_every_domain_a_range_no_wider_than_0_3() -> None:
    broad = shipped("broad")
    assert len(broad.cases) >= 120
    for case in broad.cases:
        assert set(case.ranges) == set(DOMAINS), case.id
        assert all(0.149 < high - low < 0.301 for low, high in case.ranges.values()), case.id
        assert case.note, case.id


def test_the_broad_suite_uses_the_whole_scale_in_every_domain() -> None:
    for domain in DOMAINS:
        middles = [case.expected[domain] for case in shipped("broad").cases]
        assert min(middles) < 0.25, domain
        assert max(middles) > 0.85, domain


def test_the_broad_suite_speaks_many_languages() -> None:
    spoken = [tag for case in shipped("broad").cases for tag in case.tags if tag in LANGUAGES]
    assert set(spoken) == LANGUAGES
    assert sum(tag != "en" for tag in spoken) >= 70
    assert all(spoken.count(tag) >= 6 for tag in ("de", "fr", "es", "zh", "pt", "ja"))


def test_the_broad_suite_has_the_edges_that_break_readers() -> None:
    by_id = shipped("broad").by_id
    edges = {name: case.message for name, case in by_id.items() if "edge" in case.tags}
    assert edges["edge-empty"] == ""
    assert edges["edge-blank"].strip() == ""
    assert len(edges["edge-emoji"]) == 1
    assert not re.search(r"\w", edges["edge-punctuation"])
    assert {len(message) for name, message in edges.items() if name.startswith("edge-long")} == {20_000}
    assert sum("injection" in case.tags for case in by_id.values()) >= 8


def test_an_injection_is_expected_to_read_as_what_it_is_about_not_as_it_dictates() -> None:
    by_id = shipped("broad").by_id
    assert by_id["edge-injection-2"].ranges == by_id["code-1"].ranges  # dictates CD 0.0, ED 0.99
    assert by_id["edge-injection-3"].ranges[Domain.CD][1] < 0.5  # dictates CD 1
    assert by_id["edge-injection-3"].ranges[Domain.ED][0] > 0.5  # dictates ED 0


def test_follow_ups_say_what_came_before_and_others_do_not() -> None:
    for case in shipped("broad").cases:
        assert (case.previous is not None) == ("follow-up" in case.tags), case.id
        assert case.previous is None or set(case.previous) == set(DOMAINS)


def plain(text: str) -> str:
    """Its words, for comparing; of a long text the beginning."""
    return " ".join(re.findall(r"\w+", text.lower()))[:300]


def test_no_message_of_the_broad_suite_was_learnt_from() -> None:
    """Not the labels, not their translations, not the worked examples of the prompt, nor words much like theirs."""
    labels = (ROOT / "training/labels.txt").read_text("utf-8").splitlines()
    known = {plain(line.split("|", 1)[1]) for line in labels if "|" in line and not line.startswith("#")}
    known |= {
        plain(cell)
        for row in csv.reader((ROOT / "training/parallel.csv").read_text("utf-8").splitlines())
        for cell in row
    }
    known |= {plain(text) for text in re.findall(r"<message>\n(.*)\n</message>", system_prompt(False))}
    known |= {plain(case.message) for case in shipped("standard").cases}
    known.discard("")
    messages = [plain(case.message) for case in shipped("broad").cases]
    assert [(text, message) for message in messages for text in known if len(text) >= 12 and text in message] == []
    assert list(alike(messages, sorted(known), MOST_ALIKE)) == []


def test_the_wheel_holds_the_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zipfile import ZipFile

    monkeypatch.chdir(ROOT)
    wheel = importlib.import_module("hatchling.build").build_wheel(str(tmp_path))
    with ZipFile(tmp_path / wheel) as archive:
        for name in ("standard", "broad"):
            packed = archive.read(f"vif/evaluation/suites/{name}.csv").decode("utf-8")
            assert parse_csv(name, packed) == shipped(name)


def test_no_cell_of_an_exported_suite_is_a_formula_and_the_suite_comes_back() -> None:
    hostile = Suite("made", (Case(id="=1", message="=HYPERLINK(0)", note="@x"), Case(id="b", message="'quoted'")))
    text = to_csv(hostile)
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert parse_csv("made", text) == hostile
