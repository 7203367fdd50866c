from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from vif.domains import Domain
from vif.errors import ForbiddenError, InputError
from vif.identity import Person, Role
from vif.review.records import Answer, Campaign, Draft, Item, Output, Rubric, Scale
from vif.review.service import Reviews, Task
from vif.store import Store

LEAD = Person("lead", "Lena", Role.ADMIN)
ANNA, BEN, CARL = (Person(name.lower(), name, Role.RATER) for name in ("Anna", "Ben", "Carl"))
VISITOR = Person("visitor", "Vera", Role.VIEWER)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    yield store
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reviews(store: Store, clock: Clock) -> Reviews:
    return Reviews(store, clock=clock)


def campaign(items: int = 4, *, raters: int = 2, pilots: int = 0, rubric: Rubric | None = None) -> Campaign:
    made = tuple(
        Item(
            message=f"message {number}",
            outputs=(
                Output(system="llm1", domains={Domain.CD: 0.9}),
                Output(system="formula", domains={Domain.CD: 0.4}),
            ),
            pilot=number < pilots,
        )
        for number in range(items)
    )
    return Campaign(name="Reader or formula?", items=made, raters_per_item=raters, rubric=rubric or Rubric(), seed=7)


async def rate_all(reviews: Reviews, rater: Person, id: str, choice: str = "left") -> list[Task]:
    seen: list[Task] = []
    while task := await reviews.next(rater, id):
        seen.append(task)
        await reviews.rate(rater, id, task.shown.item_id, Answer.model_validate({"choice": choice}))
    return seen


async def test_a_rater_is_given_every_item_once_in_an_order_of_their_own(reviews: Reviews) -> None:
    begun = await reviews.create(LEAD, campaign(8, raters=2))
    first, second = await rate_all(reviews, ANNA, begun.id), await rate_all(reviews, BEN, begun.id)
    ids = [[task.shown.item_id for task in tasks] for tasks in (first, second)]
    assert sorted(ids[0]) == sorted(ids[1]) == sorted(item.id for item in begun.items)
    assert ids[0] != ids[1]
    assert [(task.done, task.left) for task in first] == [(done, 8 - done) for done in range(8)]
    # Of two ratings per item none is left.
    assert await reviews.next(CARL, begun.id) is None


async def test_what_a_rater_gets_names_no_system_and_the_winner_is_found_again(reviews: Reviews) -> None:
    begun = await reviews.create(LEAD, campaign(10, raters=1))
    for task in await rate_all(reviews, ANNA, begun.id):
        assert "llm1" not in repr(task)
        assert "formula" not in repr(task)
    await reviews.close(LEAD, begun.id)
    found, ratings = await reviews.outcome(VISITOR, begun.id)
    # Always "left": each system stood there five times of ten.
    assert Counter(rating.winner(found.item(rating.item_id)) for rating in ratings) == {"llm1": 5, "formula": 5}
    for rating in ratings:
        item = found.item(rating.item_id)
        assert rating.side(item, "left").system == rating.winner(item) != rating.side(item, "right").system


async def test_saying_it_twice_is_one_vote_and_changing_it_is_a_revision(reviews: Reviews) -> None:
    begun = await reviews.create(LEAD, campaign(2))
    task = await reviews.next(ANNA, begun.id)
    assert task
    id = task.shown.item_id
    one = await reviews.rate(ANNA, begun.id, id, Answer(choice="left"), seconds=4)
    again = await reviews.rate(ANNA, begun.id, id, Answer(choice="left"), seconds=9)
    assert (again, again.revision, again.seconds) == (one, 1, 4)
    changed = await reviews.rate(ANNA, begun.id, id, Answer(choice="right"), seconds=2)
    assert (changed.revision, changed.seconds, changed.swapped) == (2, 6, one.swapped)
    _, ratings = await reviews.outcome(LEAD, begun.id)
    assert ratings == (changed,)


async def test_a_draft_survives_until_it_is_rated_and_the_way_back_shows_what_was_said(reviews: Reviews) -> None:
    begun = await reviews.create(LEAD, campaign(3))
    task = await reviews.next(ANNA, begun.id)
    assert task
    await reviews.draft(ANNA, begun.id, task.shown.item_id, Draft(comment="half a thought"))
    same = await reviews.next(ANNA, begun.id)
    assert same
    assert (same.shown, same.draft, same.rated) == (task.shown, Draft(comment="half a thought"), False)
    answer = Answer(choice="tie", confidence=2, comment="a whole one")
    await reviews.rate(ANNA, begun.id, task.shown.item_id, answer)
    assert await reviews.trail(ANNA, begun.id) == (task.shown.item_id,)
    back = await reviews.again(ANNA, begun.id, task.shown.item_id)
    assert (back.draft, back.rated) == (Draft(**dict(answer)), True)
    following = await reviews.next(ANNA, begun.id)
    assert following
    assert following.shown.item_id != task.shown.item_id


async def test_the_trail_is_in_the_order_of_the_ratings(reviews: Reviews, clock: Clock) -> None:
    begun = await reviews.create(LEAD, campaign(3))
    seen = []
    while task := await reviews.next(ANNA, begun.id):
        clock.now += timedelta(seconds=5)
        await reviews.rate(ANNA, begun.id, task.shown.item_id, None)
        seen.append(task.shown.item_id)
    clock.now += timedelta(seconds=5)
    await reviews.rate(ANNA, begun.id, seen[0], Answer(choice="left"))
    assert await reviews.trail(ANNA, begun.id) == (seen[1], seen[2], seen[0])


async def test_an_item_somebody_left_open_is_given_to_another_after_half_an_hour(
    reviews: Reviews, clock: Clock
) -> None:
    begun = await reviews.create(LEAD, campaign(1, raters=1))
    assert await reviews.next(ANNA, begun.id)
    assert await reviews.next(BEN, begun.id) is None
    clock.now += timedelta(minutes=31)
    taken = await reviews.next(BEN, begun.id)
    assert taken
    await reviews.rate(BEN, begun.id, taken.shown.item_id, Answer(choice="left"))
    # Who had it open may still say it: what was thought about is not thrown away.
    await reviews.rate(ANNA, begun.id, taken.shown.item_id, Answer(choice="right"))
    assert len((await reviews.outcome(LEAD, begun.id))[1]) == 2


async def test_a_pilot_comes_first_and_for_everybody(reviews: Reviews) -> None:
    begun = await reviews.create(LEAD, campaign(5, raters=1, pilots=2))
    pilots = {item.id for item in begun.items if item.pilot}
    first, second = await rate_all(reviews, ANNA, begun.id), await rate_all(reviews, BEN, begun.id)
    assert {task.shown.item_id for task in first[:2]} == pilots
    assert len(first) == 5
    assert {task.shown.item_id for task in second} == pilots


async def test_fifty_raters_at_once_lose_nothing_and_overfill_no_item(reviews: Reviews, database_url: str) -> None:
    """Five replicas, each a store with an event loop and threads of its own, and ten raters at each."""
    begun = await reviews.create(LEAD, campaign(20, raters=5))

    def replica(number: int) -> int:
        store = Store(database_url)
        raters = [Person(f"r{number}-{rater}", "Somebody", Role.RATER) for rater in range(10)]

        async def rate() -> int:
            service = Reviews(store)
            return sum(map(len, await asyncio.gather(*(rate_all(service, rater, begun.id) for rater in raters))))

        try:
            return asyncio.run(rate())
        finally:
            store.close()

    rated = await asyncio.gather(*(asyncio.to_thread(replica, number) for number in range(5)))
    _, ratings = await reviews.outcome(LEAD, begun.id)
    assert len({rating.key for rating in ratings}) == len(ratings) == sum(rated) == 100
    assert set(Counter(rating.item_id for rating in ratings).values()) == {5}


async def test_a_closed_campaign_gives_nothing_and_takes_nothing(reviews: Reviews) -> None:
    begun = await reviews.create(LEAD, campaign(2))
    task = await reviews.next(ANNA, begun.id)
    assert task
    await reviews.close(LEAD, begun.id)
    assert await reviews.next(ANNA, begun.id) is None
    with pytest.raises(ForbiddenError, match="is closed: it takes no more ratings"):
        await reviews.rate(ANNA, begun.id, task.shown.item_id, Answer(choice="left"))
    await reviews.close(LEAD, begun.id, closed=False)
    await reviews.rate(ANNA, begun.id, task.shown.item_id, Answer(choice="left"))


async def test_what_somebody_has_no_role_for_is_refused_when_called_directly(reviews: Reviews) -> None:
    begun = await reviews.create(LEAD, campaign(1))
    nobody = Person("x", "Nobody", None)
    refused = [
        (reviews.create(ANNA, campaign()), "'Anna' may not begin a campaign: that needs the role admin"),
        (reviews.close(ANNA, begun.id), "may not close a campaign"),
        (reviews.delete(ANNA, begun.id), "may not delete a campaign"),
        (reviews.outcome(ANNA, begun.id), "would end its raters' blindness"),
        (reviews.next(VISITOR, begun.id), "'Vera' may not rate: that needs the role rater, and they have the role"),
        (reviews.again(VISITOR, begun.id, "i"), "may not rate"),
        (reviews.trail(VISITOR, begun.id), "may not rate"),
        (reviews.draft(VISITOR, begun.id, "i", Draft()), "may not rate"),
        (reviews.rate(VISITOR, begun.id, "i", None), "may not rate"),
        (reviews.campaigns(nobody), "'Nobody' may not see campaigns: .* they have no role"),
        (reviews.rubric(nobody, begun.id), "may not see campaigns"),
    ]
    for call, said in refused:
        with pytest.raises(ForbiddenError, match=said):
            await call
    assert len(await reviews.campaigns(VISITOR)) == 1


async def test_an_answer_that_does_not_fit_the_rubric_is_refused(reviews: Reviews) -> None:
    scale = Scale(name="nuance", anchors=("none", "little", "some", "much", "all of it"))
    rubric = Rubric(both_bad=False, scales=(scale,), reasons=("misses the point",))
    wrong = [
        (Answer(choice="both_bad"), "the choice 'both_bad' is not offered here; choose left, right, tie"),
        (Answer(choice="left", scales={"depth": (1, 2)}), "the scale 'depth' is not in the rubric"),
        (Answer(choice="left", reasons=("too blue",)), "the reason 'too blue' is not in the rubric"),
        (Answer(choice="left", corrections={Domain.CD: 0.5}), "corrections are not asked for"),
    ]

    begun = await reviews.create(LEAD, campaign(1, rubric=rubric))
    task = await reviews.next(ANNA, begun.id)
    assert task
    for answer, said in wrong:
        with pytest.raises(InputError, match=said):
            await reviews.rate(ANNA, begun.id, task.shown.item_id, answer)
    full = Answer(choice="left", confidence=3, scales={"nuance": (5, None)}, reasons=("misses the point",))
    await reviews.rate(ANNA, begun.id, task.shown.item_id, full)


async def test_items_that_were_not_given_and_campaigns_that_are_not_there_are_refused(reviews: Reviews) -> None:
    begun = await reviews.create(LEAD, campaign(1))
    item = begun.items[0].id
    for call in (
        reviews.rate(ANNA, begun.id, item, Answer(choice="left")),
        reviews.draft(ANNA, begun.id, item, Draft()),
        reviews.again(ANNA, begun.id, item),
    ):
        with pytest.raises(InputError, match="was not given to this rater"):
            await call
    for missing in (reviews.next(ANNA, "none"), reviews.close(LEAD, "none"), reviews.outcome(LEAD, "none")):
        with pytest.raises(InputError, match="there is no campaign 'none'"):
            await missing
    with pytest.raises(InputError, match="there is a campaign with the id"):
        await reviews.create(LEAD, begun)


async def test_the_list_of_campaigns_says_how_far_each_is_and_a_deleted_one_is_gone(reviews: Reviews) -> None:
    begun = await reviews.create(LEAD, campaign(3, raters=2))
    await rate_all(reviews, ANNA, begun.id)
    task = await reviews.next(BEN, begun.id)
    assert task
    await reviews.rate(BEN, begun.id, task.shown.item_id, None)
    row = (await reviews.campaigns(ANNA))[0]
    assert (row.id, row.name, row.total, row.closed) == (begun.id, "Reader or formula?", 3, False)
    assert (row.rated, row.raters, row.mine) == (3, 1, 3)
    assert await reviews.delete(LEAD, begun.id)
    assert not await reviews.delete(LEAD, begun.id)
    assert await reviews.campaigns(ANNA) == []
    with pytest.raises(InputError, match="there is no campaign"):
        await reviews.next(ANNA, begun.id)
