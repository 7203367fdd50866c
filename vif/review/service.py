"""Carries out a review: campaigns are begun, items given to raters, ratings kept, each action only for who may do it.

    reviews = Reviews(store)
    task = await reviews.next(rater, campaign_id)           # blind: nothing of it names a system
    await reviews.rate(rater, campaign_id, task.shown.item_id, Answer(choice="left"))

What is awaited is committed. Saying the same twice changes nothing, so a double click or a rerun cannot vote twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from vif.errors import ForbiddenError, InputError
from vif.identity import Person, Role, require
from vif.review.blind import Shown, order, shown
from vif.review.records import Answer, Campaign, Draft, Rating, Rubric
from vif.store import Store, people
from vif.store import reviews as tables
from vif.store.bodies import read_body
from vif.store.reviews import CampaignRow, Given, Key, Offer

LEFT_AFTER = timedelta(minutes=30)
"""An item that was opened and not rated for so long may be given to another rater."""

LONGEST_S = 3_600.0
KEPT_CAMPAIGNS = 16


@dataclass(frozen=True, slots=True)
class Task:
    """What a rater has before them.

    Attributes:
        shown: the item, blind.
        draft: what they have said of it so far.
        rated: whether they rated it before, and now look at it again.
        done: items they have rated or skipped; left: those that still need them, this one included.
    """

    shown: Shown
    draft: Draft
    rated: bool
    done: int
    left: int


class Reviews:
    """Reviews in a store. Every method raises StoreError when the database fails, ForbiddenError for who may not."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store, self._clock = store, clock
        self._campaigns: dict[str, Campaign] = {}

    async def create(self, person: Person, campaign: Campaign) -> Campaign:
        """Begin a campaign. Raises InputError when there is one with its id."""
        require(person, Role.ADMIN, "begin a campaign")
        campaign = campaign.model_copy(update={"created_by": person.id})
        row: dict[str, str | int | bool | datetime] = {
            "id": campaign.id,
            "created_at": campaign.created_at,
            "created_by": campaign.created_by,
            "name": campaign.name.replace("\0", "\N{REPLACEMENT CHARACTER}"),  # PostgreSQL's text has no NUL
            "kind": campaign.kind,
            "total": len(campaign.items),
            "closed": False,
            "body": campaign.model_dump_json(),
        }
        if not await self._store.write(partial(tables.put_campaign, row=row)):
            raise InputError(f"there is a campaign with the id {campaign.id!r} already; a new one needs another")
        return campaign

    async def campaigns(self, person: Person) -> list[CampaignRow]:
        """The newest first."""
        require(person, Role.VIEWER, "see campaigns")
        return await self._store.read(partial(tables.list_campaigns, rater=person.id))

    async def rubric(self, person: Person, id: str) -> tuple[str, Rubric, str]:
        """What raters are told of a campaign: its name, its rubric, its instructions."""
        require(person, Role.VIEWER, "see campaigns")
        campaign = await self._campaign(id)
        return campaign.name, campaign.rubric, campaign.instructions

    async def close(self, person: Person, id: str, *, closed: bool = True) -> None:
        """Take no more ratings, or take them again. Raises InputError when there is no such campaign."""
        require(person, Role.ADMIN, "close a campaign")
        if not await self._store.write(partial(tables.set_closed, id=id, closed=closed)):
            raise _no_campaign(id)

    async def delete(self, person: Person, id: str) -> bool:
        """Delete a campaign with all its ratings for good. False when there was none."""
        require(person, Role.ADMIN, "delete a campaign")
        self._campaigns.pop(id, None)
        return await self._store.erase(partial(tables.remove_campaign, id=id))

    async def next(self, person: Person, id: str) -> Task | None:
        """The item the rater is at, or the next that needs them; None when there is none, or the campaign is closed."""
        require(person, Role.RATER, "rate")
        campaign = await self._campaign(id)
        now, offers = self._clock(), _offers(campaign, person.id)
        stale = now - LEFT_AFTER

        def work(connection: Connection) -> tuple[Given | None, int, int]:
            if tables.is_closed(connection, id) is not False:
                return None, 0, 0
            found = tables.give(connection, id, person.id, offers, now=now, stale=stale)
            done = sum(row.state != "open" for row in tables.given(connection, id, person.id))
            return found, done, tables.open_for(connection, id, person.id, offers, stale)

        found, done, left = await self._store.write(work)
        return None if found is None else _task(campaign, found, done, left)

    async def again(self, person: Person, id: str, item_id: str) -> Task:
        """An item the rater was given before, to look at or change. Raises InputError for any other."""
        require(person, Role.RATER, "rate")
        campaign = await self._campaign(id)
        offers, stale = _offers(campaign, person.id), self._clock() - LEFT_AFTER

        def work(connection: Connection) -> tuple[list[Given], int]:
            return tables.given(connection, id, person.id), tables.open_for(connection, id, person.id, offers, stale)

        given, left = await self._store.read(work)
        found = next((row for row in given if row.item_id == item_id), None)
        if found is None:
            raise _not_given(item_id)
        return _task(campaign, found, sum(row.state != "open" for row in given), left)

    async def trail(self, person: Person, id: str) -> tuple[str, ...]:
        """Items the rater has rated or skipped, the one they were at last at the end."""
        require(person, Role.RATER, "rate")
        given = await self._store.read(partial(tables.given, campaign=id, rater=person.id))
        ratings = [read_body(Rating, row.body, "rating") for row in given if row.body is not None]
        return tuple(rating.item_id for rating in sorted(ratings, key=lambda rating: (rating.at, rating.position)))

    async def draft(self, person: Person, id: str, item_id: str, draft: Draft) -> None:
        """Keep what was said of an item so far. Raises InputError when it was not given to this rater."""
        require(person, Role.RATER, "rate")
        key = Key(id, item_id, person.id)
        if not await self._store.write(partial(tables.put_draft, key=key, draft=draft.model_dump_json())):
            raise _not_given(item_id)

    async def rate(
        self, person: Person, id: str, item_id: str, answer: Answer | None, *, seconds: float = 0.0
    ) -> Rating:
        """Rate an item, or skip it with None; one that was rated before is changed. The same answer changes nothing.

        Raises InputError when the item was not given to this rater or the answer does not fit the rubric,
        ForbiddenError when the campaign is closed.
        """
        require(person, Role.RATER, "rate")
        campaign = await self._campaign(id)
        if answer is not None:
            _check(answer, campaign.rubric)
        now = self._clock()

        def work(connection: Connection) -> Rating:
            if tables.is_closed(connection, id) is not False:
                raise ForbiddenError(f"the campaign {campaign.name!r} is closed: it takes no more ratings")
            found = next((row for row in tables.given(connection, id, person.id) if row.item_id == item_id), None)
            if found is None:
                raise _not_given(item_id)
            before = None if found.body is None else read_body(Rating, found.body, "rating")
            if before is not None and before.answer == answer:
                return before
            rating = Rating(
                campaign_id=id,
                item_id=item_id,
                rater=person.id,
                position=found.position,
                swapped=found.swapped,
                answer=answer,
                seconds=min(max(seconds, 0.0), LONGEST_S) + (before.seconds if before else 0.0),
                revision=before.revision + 1 if before else 1,
                at=now,
            )
            state: tables.State = "skipped" if answer is None else "rated"
            tables.put_rating(connection, Key(id, item_id, person.id), state, rating.model_dump_json())
            return rating

        return await self._store.write(work)

    async def outcome(self, person: Person, id: str) -> tuple[Campaign, tuple[Rating, ...]]:
        """A campaign, systems named, with its ratings. While it is open only for admins: who rates must stay blind."""
        require(person, Role.VIEWER, "see a verdict")
        campaign = await self._campaign(id)
        if not await self._store.read(partial(tables.is_closed, id=id)):
            require(person, Role.ADMIN, "see what an open campaign comes to, which would end its raters' blindness")
        bodies = await self._store.read(partial(tables.get_ratings, campaign=id))
        return campaign, tuple(read_body(Rating, body, f"rating of the campaign {id!r}") for body in bodies)

    async def names(self, ids: set[str]) -> Mapping[str, str]:
        """Names of people by id; those nobody knows are missing."""
        return await self._store.read(partial(people.names_of, ids=ids))

    async def _campaign(self, id: str) -> Campaign:
        if id not in self._campaigns:
            body = await self._store.read(partial(tables.get_campaign, id=id))
            if body is None:
                raise _no_campaign(id)
            while len(self._campaigns) >= KEPT_CAMPAIGNS:
                self._campaigns.pop(next(iter(self._campaigns)))
            self._campaigns[id] = read_body(Campaign, body, f"campaign {id!r}")
        return self._campaigns[id]


def _offers(campaign: Campaign, rater: str) -> list[Offer]:
    pilots = {item.id for item in campaign.items if item.pilot}
    return [
        Offer(place.item_id, position, place.swapped, None if place.item_id in pilots else campaign.raters_per_item)
        for position, place in enumerate(order(campaign, rater))
    ]


def _task(campaign: Campaign, given: Given, done: int, left: int) -> Task:
    said: Draft | None = None
    if given.draft is not None:
        said = read_body(Draft, given.draft, "draft")
    elif given.body is not None:
        answer = read_body(Rating, given.body, "rating").answer
        said = answer and Draft(**dict(answer))
    item = campaign.item(given.item_id)
    return Task(shown(item, given.position, given.swapped), said or Draft(), given.state == "rated", done, left)


def _check(answer: Answer, rubric: Rubric) -> None:
    if answer.choice not in rubric.choices:
        raise InputError(f"the choice {answer.choice!r} is not offered here; choose {', '.join(rubric.choices)}")
    scales = {scale.name for scale in rubric.scales}
    if unknown := set(answer.scales) - scales:
        raise InputError(f"the scale {min(unknown)!r} is not in the rubric, which has {sorted(scales)}")
    if unknown := set(answer.reasons) - set(rubric.reasons):
        raise InputError(f"the reason {min(unknown)!r} is not in the rubric, which has {sorted(rubric.reasons)}")
    if answer.corrections and not rubric.corrections:
        raise InputError("corrections are not asked for in this campaign")


def _no_campaign(id: str) -> InputError:
    return InputError(f"there is no campaign {id!r}; it may have been deleted")


def _not_given(item_id: str) -> InputError:
    return InputError(f"the item {item_id!r} was not given to this rater; ask for the next one")
