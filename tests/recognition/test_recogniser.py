from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.fakes import FakeModel, Said, wire_text
from vif.boundaries import BOUNDARY_NAMES, DEFAULT_BOUNDARIES, Boundary
from vif.errors import InvalidJsonError
from vif.llm.protocol import Provider, Usage
from vif.recognition.embedded import EmbeddedReading
from vif.recognition.glosses import Gloss
from vif.recognition.prompt import system_prompt, user_turn
from vif.recognition.recogniser import GLOSS_SHOWN, ChatRecogniser, EmbeddedRecogniser, Question
from vif.recognition.schema import output_schema

# ── Questions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_six_boundaries_are_asked_about_whatever_was_given() -> None:
    swinging = Boundary("SD-ED", frequency=2.0)
    six = Question("", boundaries=(swinging, Boundary("Alone"))).six_boundaries
    assert [boundary.name for boundary in six] == list(BOUNDARY_NAMES)
    assert six[4] is swinging
    assert six[0] == Boundary("CD-SD")


def test_the_key_tells_apart_whatever_changes_the_answer() -> None:
    questions = [
        Question("one"),
        Question("two"),
        Question("one", {"CD": 0.5}),
        Question("one", {"CD": 0.6}),
        Question("one", boundaries=(Boundary("CD-SD", frequency=2.0),)),
        Question("one", oscillation=True),
    ]
    assert len({question.key for question in questions}) == len(questions)


def test_the_key_is_the_same_for_the_same_question() -> None:
    one, other = Question("one", {"CD": 0.5, "SD": 0.1}), Question("one", {"SD": 0.1, "CD": 0.5})
    assert one.key == other.key
    assert Question("one", {}).key == Question("one").key


# ── A chat model as recogniser ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("oscillation", [False, True])
async def test_the_request_has_the_fixed_part_the_schema_and_one_turn(oscillation: bool) -> None:
    chat = FakeModel("not JSON")
    question = Question("Why?", {"CD": 0.5}, DEFAULT_BOUNDARIES, oscillation)
    with pytest.raises(InvalidJsonError):
        await ChatRecogniser(chat).read(question, "it was prose", 3.5)
    (request,) = chat.requests
    assert request.system == system_prompt(oscillation)
    assert request.output_schema is output_schema(oscillation)
    (turn,) = request.turns
    assert (turn.role, turn.text) == ("user", user_turn("Why?", {"CD": 0.5}, "it was prose"))
    assert request.timeout_s == 3.5


async def test_the_answer_comes_with_its_tokens_and_its_text() -> None:
    read = await ChatRecogniser(FakeModel(Said((wire_text(),), usage=Usage(11, 7)))).read(Question("Why?"), None, 1.0)
    assert (read.usage, read.raw_text) == (Usage(11, 7), wire_text())
    assert read.answer.domains["CD"] == 0.25


async def test_the_oscillation_of_the_question_is_kept() -> None:
    question = Question("Why?", boundaries=(Boundary("CD-ED", frequency=2.0, amplitude=0.5, phase=1.0),))
    read = await ChatRecogniser(FakeModel(wire_text())).read(question, None, 1.0)
    assert read.answer.boundaries[2] == Boundary("CD-ED", 0.25, "Maintained", 2.0, 0.5, 1.0)


async def test_a_chat_recogniser_is_its_model() -> None:
    chat = FakeModel(provider=Provider.LOCAL, model="llama")
    recogniser = ChatRecogniser(chat)
    assert (recogniser.provider, recogniser.model, recogniser.attempts) == (Provider.LOCAL, "llama", None)
    await recogniser.aclose()
    assert chat.closed == 1


# ── The embedded recogniser ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Reader:
    """Stands where `EmbeddedReader` does."""

    kinds: tuple[tuple[str, float], ...]
    gloss: Gloss | None

    async def read(self, message: str) -> EmbeddedReading:
        return EmbeddedReading({"CD": 0.9, "SD": 0.4, "CuD": 0.1, "ED": 0.0}, self.kinds, self.gloss)


def embedded(
    *kinds: tuple[str, float], model: FakeModel | None = None, gloss: Gloss | None = None
) -> EmbeddedRecogniser:
    model = model or FakeModel(provider=Provider.EMBEDDED, model="Small")
    return EmbeddedRecogniser(model, _Reader(kinds, gloss))  # type: ignore[arg-type]


async def test_the_embedded_reading_has_the_permeabilities_of_its_activations() -> None:
    swinging = Question("Why?", boundaries=(Boundary("CD-SD", 0.1, "x", 2.0, 0.5, 1.0),))
    read = await embedded(("code", 0.8)).read(swinging, None, 1.0)
    assert read.answer.domains == {"CD": 0.9, "SD": 0.4, "CuD": 0.1, "ED": 0.0}
    # √(0.9·0.4) = 0.6, a hair above it in binary; √(0.9·0) = 0
    assert read.answer.boundaries[0].permeability == pytest.approx(0.6)
    assert read.answer.boundaries[0].frequency == 2.0
    assert read.answer.boundaries[2] == Boundary("CD-ED", 0.0, "Maintained")


async def test_the_embedded_reading_names_the_likeliest_kinds() -> None:
    read = await embedded(("code", 0.7), ("physics", 0.2), ("history", 0.09)).read(Question("Why?"), None, 1.0)
    assert read.answer.reasoning == "To the embedded model this reads like code and physics."
    assert read.answer.patterns == ("70% like code", "20% like physics")


async def test_the_embedded_reading_says_how_another_language_was_read() -> None:
    german = Gloss("German", "My loop ends never")
    read = await embedded(("code", 0.7), gloss=german).read(Question("Meine Schleife endet nie"), None, 1.0)
    assert read.answer.reasoning == (
        "The message is German; word for word it is read as «My loop ends never». "
        "To the embedded model this reads like code."
    )


async def test_of_a_long_gloss_only_the_beginning_is_quoted() -> None:
    read = await embedded(gloss=Gloss("German", "x" * (GLOSS_SHOWN + 1))).read(Question("?"), None, 1.0)
    assert f"«{'x' * GLOSS_SHOWN}…»" in read.answer.reasoning


async def test_the_embedded_reading_admits_that_nothing_is_likely() -> None:
    read = await embedded(("code", 0.05)).read(Question("Why?"), None, 1.0)
    assert read.answer.patterns == ()
    assert read.answer.reasoning.startswith("Nothing in the message points")


async def test_the_embedded_recogniser_is_asked_once_and_closes_its_model() -> None:
    model = FakeModel(provider=Provider.EMBEDDED, model="Small")
    recogniser = embedded(model=model)
    assert (recogniser.provider, recogniser.model, recogniser.attempts) == (Provider.EMBEDDED, "Small", 1)
    await recogniser.aclose()
    assert model.closed == 1
