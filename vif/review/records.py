"""What a review is made of: a campaign, its items, and what raters say of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from vif.boundaries import Boundary
from vif.domains import Domain
from vif.prompt import well_formed

Kind = Literal["reading", "reply"]
"""What is compared: readings of a message (activations and boundaries), or replies to it."""

Choice = Literal["left", "right", "tie", "both_bad"]
"""What a rater says, of sides whose systems they do not know."""

TIE, BOTH_BAD = "tie", "both_bad"
"""In place of a winner's name. No system can be called so."""

Text = Annotated[str, AfterValidator(well_formed)]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Score = Annotated[int, Field(ge=1, le=5)]

MOST_ITEMS = 2_000
LONGEST_COMMENT = 4_000


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Output(_Record):
    """What one system made of a message. `system` is never shown to a rater."""

    system: Annotated[Text, Field(min_length=1, max_length=200)]
    domains: Mapping[Domain, Unit] = Field(default_factory=dict)
    boundaries: tuple[Boundary, ...] = ()
    text: Text = ""


class Item(_Record):
    """Two outputs for one message.

    Attributes:
        id: random: it says nothing of what is in it.
        previous: activations of the message before, if this one followed another.
        gold: for checking raters: the winner's system, "tie" or "both_bad", as experts have it.
        pilot: rated by every rater, and first, whatever `raters_per_item` says.
    """

    id: Annotated[str, Field(min_length=1, max_length=64)] = Field(default_factory=lambda: uuid4().hex)
    message: Annotated[Text, Field(max_length=200_000)]
    previous: Mapping[Domain, Unit] | None = None
    tags: tuple[Text, ...] = ()
    outputs: tuple[Output, Output]
    gold: str | None = None
    pilot: bool = False

    @model_validator(mode="after")
    def _check(self) -> Item:
        names = [output.system for output in self.outputs]
        if names[0] == names[1] or {TIE, BOTH_BAD} & set(names):
            raise ValueError(f"the systems are {names}; they must be two different ones, not {TIE!r} or {BOTH_BAD!r}")
        if self.gold is not None and self.gold not in {*names, TIE, BOTH_BAD}:
            raise ValueError(f"gold is {self.gold!r}; it must be one of {[*names, TIE, BOTH_BAD]}")
        return self


class Scale(_Record):
    """A question answered 1 to 5 for each side; `anchors` say in words what each number means."""

    name: Annotated[Text, Field(min_length=1, max_length=60)]
    question: Annotated[Text, Field(max_length=300)] = ""
    anchors: tuple[Text, Text, Text, Text, Text]


class Rubric(_Record):
    """What raters are asked."""

    question: Annotated[Text, Field(min_length=1, max_length=300)] = "Which reading fits the message better?"
    ties: bool = True
    both_bad: bool = True
    corrections: bool = False
    """Ask for the right activations too."""
    scales: tuple[Scale, ...] = ()
    reasons: tuple[Annotated[Text, Field(min_length=1, max_length=60)], ...] = ()

    @property
    def choices(self) -> tuple[Choice, ...]:
        more: tuple[tuple[Choice, bool], ...] = (("tie", self.ties), ("both_bad", self.both_bad))
        return ("left", "right", *(choice for choice, asked in more if asked))


class Campaign(_Record):
    """Items for raters to judge. Never changed after it is begun, or the ratings would be of something else.

    Attributes:
        raters_per_item: 1 to 20, how many raters each item gets.
        seed: decides, with the rater's id, the order of items and sides.
    """

    id: Annotated[str, Field(min_length=1, max_length=64)] = Field(default_factory=lambda: uuid4().hex)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    created_by: str = ""
    name: Annotated[Text, Field(min_length=1, max_length=200)]
    kind: Kind = "reading"
    instructions: Annotated[Text, Field(max_length=4_000)] = ""
    rubric: Rubric = Rubric()
    items: tuple[Item, ...] = Field(min_length=1, max_length=MOST_ITEMS)
    raters_per_item: int = Field(3, ge=1, le=20)
    seed: int = 0

    @model_validator(mode="after")
    def _check(self) -> Campaign:
        ids = [item.id for item in self.items]
        if len(set(ids)) < len(ids):
            twice = next(id for id in ids if ids.count(id) > 1)
            raise ValueError(f"the item {twice!r} is there twice; each has an id of its own")
        return self

    @property
    def systems(self) -> tuple[str, ...]:
        """In the order they first appear."""
        return tuple(dict.fromkeys(output.system for item in self.items for output in item.outputs))

    def item(self, id: str) -> Item:
        """Raises KeyError when there is none with this id."""
        found = next((item for item in self.items if item.id == id), None)
        if found is None:
            raise KeyError(f"there is no item {id!r} in this campaign")
        return found


class Draft(_Record):
    """An answer that is being written, as far as it goes; left and right are the sides the rater sees.

    Attributes:
        confidence: 1 unsure, 2 fairly sure, 3 sure.
        corrections: activations as the rater would have them.
        scales: by the scale's name, the scores of left and right.
    """

    choice: Choice | None = None
    confidence: Literal[1, 2, 3] | None = None
    corrections: Mapping[Domain, Unit] = Field(default_factory=dict)
    scales: Mapping[str, tuple[Score | None, Score | None]] = Field(default_factory=dict)
    reasons: tuple[Text, ...] = ()
    comment: Annotated[Text, Field(max_length=LONGEST_COMMENT)] = ""


class Answer(Draft):
    """What a rater says of an item."""

    choice: Choice


class Rating(_Record):
    """One rater's judgement of one item; a rater has one of each item, which they may change.

    Attributes:
        rater: a person's id. position: the place in the rater's order, from 0.
        swapped: whether the second output stood on the left.
        answer: None when it was skipped.
        seconds: spent on it while it was open.
        revision: 1, and one more each time it was changed.
    """

    campaign_id: str
    item_id: str
    rater: str
    position: int = Field(ge=0)
    swapped: bool
    answer: Answer | None
    seconds: float = Field(0.0, ge=0)
    revision: int = Field(1, ge=1)
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def key(self) -> tuple[str, str, str]:
        return self.campaign_id, self.item_id, self.rater

    def side(self, item: Item, side: Literal["left", "right"]) -> Output:
        """The output that stood there."""
        first, second = item.outputs
        return second if (side == "left") is self.swapped else first

    def winner(self, item: Item) -> str | None:
        """The system that was judged better, "tie", "both_bad", or None when it was skipped."""
        if self.answer is None:
            return None
        choice = self.answer.choice
        return self.side(item, choice).system if choice in ("left", "right") else choice
