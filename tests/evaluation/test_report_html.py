from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

import numpy as np

from tests.evaluation.evaluating import a_run, cases_with_targets, formula_reading, four, reading, stand_in
from tests.evaluation.reports import HOSTILE, a_failing_subject, evaluated, hostile, told_apart
from vif.domains import Domain
from vif.evaluation.html import report_html
from vif.evaluation.records import Run, Subject
from vif.evaluation.suite import Case

VOID = {"meta", "br", "hr", "img", "input", "link"}
EMPTY_SVG = {"path", "rect", "circle", "use", "polyline", "line"}
KNOWN = VOID | EMPTY_SVG | {
    *("html", "head", "title", "style", "body", "header", "main", "section", "article", "div", "span", "p", "b", "i"),
    *("h1", "h2", "h3", "ul", "li", "dl", "dt", "dd", "pre", "bdi", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "defs", "g", "text"),
}  # fmt: skip


@dataclass
class Page(HTMLParser):
    """What a browser would find: elements with their attributes, text, and whether tags are closed in order."""

    source: str
    open: list[str] = field(default_factory=list)
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    headings: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert self.open == [], "tags are left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"{tag} has an attribute twice"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3"):
            self.headings.append((tag, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} is closed out of order"

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.words.append(data)
        if any(tag in ("h1", "h2", "h3") for tag in self.open):
            tag, said = self.headings[-1]
            self.headings[-1] = (tag, said + data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]


def test_the_page_is_valid_and_nothing_in_it_comes_from_elsewhere_or_runs() -> None:
    for make in (told_apart, a_failing_subject, hostile):
        run, results = make()
        source = report_html(evaluated(run, results), results)
        page = Page(source)
        assert {tag for tag, _ in page.elements} <= KNOWN
        for tag, attributes in page.elements:
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")], tag
            assert attributes.get("href", "#").startswith("#")
        assert "url(" not in page.source.partition("<body>")[0]
        assert "@import" not in source
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert {attributes["href"][1:] for attributes in page.all("use")} <= set(ids)


def test_the_browser_is_told_to_load_nothing_and_lets_in_this_style_sheet_only() -> None:
    source = report_html(evaluated(*told_apart()))
    style = re.search("<style>(.*?)</style>", source, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    (policy,) = Page(source).all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_the_headline_comes_first_then_scores_targets_comparisons_picture_tags_and_cases() -> None:
    page = Page(report_html(evaluated(*told_apart())))
    assert page.headings[0][0] == "h1"
    assert page.headings[0][1].startswith("good reads 12 messages with an error of ")
    assert [said for tag, said in page.headings if tag == "h2"] == [
        "Targets",
        "Against each other",
        "Error, time and price",
        "By tag",
        "Not read as expected: 12 of 12 messages",
        "Everything else that was measured",
        "Where it comes from, and how to make it again",
    ]
    assert [said for tag, said in page.headings if tag == "h3"][:2] == ["good", "biased"]
    assert "✓ 7 of 7 targets met" in page.text


def test_missed_targets_are_said_in_words_and_with_a_symbol_not_only_in_colour() -> None:
    page = Page(report_html(evaluated(*a_failing_subject())))
    assert "✗ missed" in page.text
    assert re.search(r"Missed: Schema after retries, .*Added time, P95\.", page.text)
    assert "at least 95 %" in page.text
    assert "below 200 ms" in page.text


def test_every_case_has_four_strips_that_say_in_words_what_they_show() -> None:
    run, results = told_apart(5, 2)
    page = Page(report_html(evaluated(run, results)))
    strips = [one["aria-label"] for one in page.all("svg", role="img")][-20:]
    assert [label.split(":")[0] for label in strips[:4]] == ["Computational", "Scientific", "Cultural", "Experiential"]
    assert all(re.search(r"expected 0\.\d\d, formula 0\.\d\d, good \d\.\d\d, biased \d\.\d\d$", one) for one in strips)
    assert len(page.all("svg", role="img")) == 20 + 1
    assert all("role" in one or one.get("aria-hidden") == "true" for one in page.all("svg"))


def test_a_strip_draws_the_expected_range_and_the_mean_where_they_are() -> None:
    case = Case(id="a", message="b", ranges={Domain.CD: (0.25, 0.5)})
    results = [reading("a", four(value, 0, 0, 0), repeat=place) for place, value in enumerate((0.3, 0.7))]
    source = report_html(evaluated(a_run([case], repeats=2), results))
    strip = source[source.index("<title>Computational") : source.index("<title>Scientific")]
    # The strip is 200 wide: the range from 50, 50 wide; the mean of .3 and .7 at 100, the line from 60 to 140.
    assert '<rect class="bar" x="50"' in strip
    assert 'width="50"' in strip
    assert '<use href="#m0" x="100"' in strip
    assert "M60 28.5H140" in strip


def test_failing_cases_stand_there_with_message_faults_and_what_the_model_said_the_worst_first() -> None:
    run, results = a_failing_subject()
    assert results[0].recognition is not None
    said = results[0].recognition.model_copy(update={"reasoning": "it is about lists"})
    page = Page(report_html(evaluated(run, results), [results[0].model_copy(update={"recognition": said}), results[1]]))
    assert "Not read as expected: 2 of 2 messages" in page.text
    assert page.text.index("Thanks!") < page.text.index("How do I sort a list?")
    assert "not read: the provider took too long" in page.text
    assert "CD is .82, expected .30 to .60" in page.text
    assert "It says: “ it is about lists ”" in page.text


def test_foreign_text_is_shown_as_text_and_isolated_from_what_stands_around_it() -> None:
    run, results = hostile()
    source = report_html(evaluated(run, results), results)
    page = Page(source)
    for text in HOSTILE:
        words = re.sub("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ".", " ".join(text.split(" ")))
        pattern = re.escape(" ".join(words.split())).replace(r"\.", ".")
        assert re.search(pattern, page.text), text
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)
    assert "␀" in page.text
    assert Counter(tag for tag, _ in page.elements)["bdi"] > 3 * len(HOSTILE)


def test_both_themes_paper_and_phones_are_thought_of() -> None:
    source = report_html(evaluated(*told_apart()))
    assert "prefers-color-scheme:dark" in source
    assert "@media print" in source
    assert "@media screen and (max-width:" in source
    assert Page(source).all("meta", name="viewport")


def test_versions_settings_and_the_command_are_there() -> None:
    run, results = told_apart()
    subjects = (run.subjects[0], Subject(name="good", settings={"llm1_model": "x-1"}), run.subjects[2])
    run = run.model_copy(update={"versions": {"vif": "1.2", "prompt": "abc"}, "subjects": subjects})
    text = Page(report_html(evaluated(run, results))).text
    assert "vif eval --suite SUITE.csv --formula --model good --model biased --repeats 2" in text
    assert "prompt abc" in text
    assert "llm1_model x-1" in text
    assert run.id in text


def test_a_run_nobody_read_and_one_of_the_formula_alone_have_a_page_too() -> None:
    case = Case(id="a", message="b", targets=four(0.1, 0.2, 0.3, 0.4))
    page = Page(report_html(evaluated(a_run([case], "luna"), [])))
    assert "Not finished. 0 of 1 readings are there" in page.text
    assert "? 0 of 7 targets met" in page.text
    alone = Page(report_html(evaluated(a_run([case], "formula"), [formula_reading("a")])))
    assert "nobody but the Rust formula was asked" in alone.text
    assert "Targets" not in [said for _, said in alone.headings]


def test_a_page_of_a_large_run_is_still_light() -> None:
    rng = np.random.default_rng(3)
    cases = [
        case.model_copy(
            update={"message": f"{case.id} " + "a message of a usual length " * 5, "tags": (f"t{place % 9}",)}
        )
        for place, case in enumerate(cases_with_targets(187, rng))
    ]
    run: Run = a_run(cases, "luna", "haiku", "nova", repeats=3)
    results = [one for name in ("luna", "haiku", "nova") for one in stand_in(name, cases, rng, noise=0.2, repeats=3)]
    source = report_html(evaluated(run, results), results)
    assert len(source.encode()) < 1_500_000
    assert source.count('class="case"') == 187
