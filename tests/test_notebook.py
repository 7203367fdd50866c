"""Cards and short reprs. How they look was looked at; here is what must stay true."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.review.test_verdict import campaign, item, rating
from vif.api import formula_reading
from vif.boundaries import Boundary, dissolve
from vif.errors import Reason
from vif.evaluation.metrics import evaluate
from vif.evaluation.plan import make_run
from vif.evaluation.records import Result
from vif.evaluation.suite import Case, Suite
from vif.figures.style import DARK, LIGHT, Palette
from vif.flow import DevelopmentalStage, Reading
from vif.interaction import Interaction, MessageReading, Recognition, Response
from vif.notebook import ACCENT_SHARE, ACCENTS, LONGEST_TEXT, Card, Group, Meter, Radar, Shown, card_html, radar_svg
from vif.review.verdict import verdict

ATTACK = "</div><script>alert(1)</script><img src=x onerror=alert(2)> \"'$x$ \u202egnp.exe\x1b[2J"
ACTIVATIONS = {"CD": 0.95, "SD": 0.3, "CuD": 0.1, "ED": 0.2}


def interaction(message: str = "How do I implement quicksort?", **changes: object) -> Interaction:
    formula = formula_reading(0.55)
    given = {
        "message": message,
        "mode": "dual",
        "autonomy": 0.55,
        "domains": ACTIVATIONS,
        "boundaries": dissolve(formula.boundaries, ACTIVATIONS),
        "formula": formula,
        "interfaces": (),
        "qualities": (),
        "developmental_stage": DevelopmentalStage.RECOGNITION,
        "prompt": "the secret prompt",
        "reply": "Split, sort, join.",
        "recognition": Recognition(source="llm1", provider="openai", model="gpt-6-luna", reasoning="It asks for code."),
        "response": Response(provider="openai", model="gpt-6.1-sol", system="the secret system"),
    }
    return Interaction.model_validate(given | changes)


def reading(found: Interaction) -> MessageReading:
    kept = {name: getattr(found, name) for name in MessageReading.model_fields}
    return MessageReading.model_validate(kept)


def report_and_results(name: str = "formula") -> tuple[Shown, Shown, Shown]:
    case = Case(id=ATTACK[:100], message="m", targets={})
    run = make_run(Suite(name, (case,)), ["formula"])
    result = Result(case_id=case.id, subject="formula", repeat=0, error=ATTACK)
    return evaluate(run, [result]), run, result


def shown() -> list[Shown]:
    found = interaction()
    return [
        found,
        found.reading,
        found.formula,
        found.recognition,
        found.boundaries[0],
        reading(found),
        *report_and_results(),
        verdict(campaign([item("a")]), [rating("a", "anna", "left")]),
    ]


class Seen(HTMLParser):
    """Which elements a page has, whether they are closed in order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] != "style":
            self.text += data


@pytest.mark.parametrize("value", shown(), ids=lambda value: type(value).__name__)
def test_a_card_is_one_whole_element_that_needs_nothing_from_elsewhere(value: Shown) -> None:
    html = value._repr_html_()
    seen = Seen(html)
    assert seen.open == []
    assert set(seen.elements) <= {"div", "style", "span", "bdi", "svg", "title", "desc"} | {
        "g",
        "circle",
        "path",
        "polygon",
        "rect",
        "text",
    }
    assert not any(name.startswith("on") or name in {"href", "src", "id", "style"} for name in seen.attributes)
    assert "http" not in html
    assert "url(" not in html
    assert "@import" not in html
    assert len(html) < 16_000


@pytest.mark.parametrize("value", shown(), ids=lambda value: type(value).__name__)
def test_a_repr_is_one_short_line_that_names_its_class(value: Shown) -> None:
    assert repr(value).startswith(f"<{type(value).__name__} ")
    assert str(value) == repr(value)
    assert len(repr(value)) < 450
    assert repr(value).isprintable()


def test_the_repr_of_an_interaction_says_what_was_read_by_whom() -> None:
    assert repr(interaction()) == (
        "<Interaction 'How do I implement quicksort?': CD 0.95, SD 0.30, CuD 0.10, ED 0.20 by llm1; "
        "reply of 18 characters, 0 ms>"
    )


def test_the_repr_of_a_boundary_is_short_and_tells_of_an_unusual_oscillation() -> None:
    assert repr(Boundary("CD-SD", 0.534, "Maintained")) == "<Boundary CD-SD 0.53 Maintained>"
    assert repr(Boundary("CD-SD", 0.5, "Maintained", 2.0)) == (
        "<Boundary CD-SD 0.50 Maintained, 2 Hz, amplitude 0.1, phase 0>"
    )


def test_what_strangers_wrote_stays_text_on_every_card() -> None:
    hostile = interaction(
        ATTACK,
        reply=ATTACK,
        recognition=Recognition(source="llm1", model=ATTACK, reasoning=ATTACK, patterns=(ATTACK,)),
        response=Response(provider="p", model=ATTACK, error=ATTACK),
        boundaries=(Boundary(ATTACK, 0.5, ATTACK),),
    )
    for value in (hostile, hostile.recognition, hostile.reading, hostile.boundaries[0], *report_and_results(ATTACK)):
        html, line = value._repr_html_(), repr(value)
        assert not {"script", "img"} & set(Seen(html).elements)
        assert not any(sign in html + line for sign in ("\u202e", "\x1b"))
        assert line.isprintable()
    # Notebooks leave the dollar signs of such elements alone, where `$…$` would become a formula.
    assert hostile._repr_html_().startswith('<div class="vif-card tex2jax_ignore mathjax_ignore">')


def test_prompts_are_on_no_card_and_a_long_reply_is_cut() -> None:
    found = interaction(reply="word " * 1_000)
    assert "secret" not in found._repr_html_() + repr(found)
    assert "word " * (LONGEST_TEXT // 5 - 1) in Seen(found._repr_html_()).text
    assert "word " * (LONGEST_TEXT // 5 + 1) not in Seen(found._repr_html_()).text


def test_the_radar_draws_both_readings_where_they_belong_and_says_so_in_words() -> None:
    svg = radar_svg(Radar({"CD": 0.5, "SD": 0.5, "CuD": 0.5, "ED": 0.5}, {"CD": 1.0, "SD": 0.0, "CuD": 0.5, "ED": 7.0}))
    # Around (169, 102) with radius 74: up by all of it, not at all, down by half of it, left by no more than all of it.
    assert 'points="169,28 169,102 169,139 95,102"' in svg
    assert 'points="169,65 206,102 169,139 132,102"' in svg
    assert "<title>Radar of the four domains as LLM #1 and the Rust formula read them</title>" in svg
    assert "<desc>computational 1.00 (0.50), scientific 0.00 (0.50), cultural 0.50 (0.50)," in svg
    assert 'role="img"' in svg


def test_when_the_formula_stood_in_the_card_says_why_and_draws_no_llm1() -> None:
    recognition = Recognition(source="formula", fallback_reason=Reason.TIMEOUT)
    seen = Seen(interaction(recognition=recognition)._repr_html_())
    assert "Read by the Rust formula, because LLM #1 failed: timeout." in seen.text
    assert "Radar of the four domains as the Rust formula reads them" in seen.text
    assert seen.elements.count("polygon") == 1


def test_a_failure_of_llm2_is_on_the_card_with_the_reading() -> None:
    html = interaction(reply="", response=Response(provider="p", model="m", error="the key is wrong"))._repr_html_()
    assert "LLM #2 failed: the key is wrong" in html
    assert "answered by" not in html
    assert html.count("<polygon") == 2


def test_a_number_that_is_none_does_not_break_the_drawing() -> None:
    html = card_html(Card("x", groups=[Group("y", [Meter("z", float("nan"), "?", ends=(float("-inf"), 2.0))])]))
    assert 'width="0"' in html
    assert 'd="M0 7H100' in html
    assert "nan" not in html.replace("<style>", "").split("</style>")[1]
    assert Reading({}, ())._repr_html_().count("<polygon") == 1


def _luminance(colour: tuple[float, ...]) -> float:
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _rgb(colour: str | None) -> tuple[float, ...]:
    assert colour
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("accent", ACCENTS)
def test_each_colour_can_be_read_on_light_and_on_dark_pages(accent: str, palette: Palette) -> None:
    text, page = _rgb(palette.text), _rgb(palette.background)
    pairs = zip(_rgb(ACCENTS[accent]), text, strict=True)
    mixed = tuple(ACCENT_SHARE * one + (1 - ACCENT_SHARE) * other for one, other in pairs)
    lighter, darker = sorted((_luminance(mixed), _luminance(page)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
