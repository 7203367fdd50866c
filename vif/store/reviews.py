"""Campaigns and ratings in the database: statements over one connection. Bodies are not looked into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Connection, Row, Select, Update, case, delete, func, or_, select, update

from vif.store.inserting import insert_into
from vif.store.tables import review_campaigns, review_ratings

State = Literal["open", "skipped", "rated"]


class CampaignRow(NamedTuple):
    """One line of a list of campaigns. `rated` counts ratings of all raters, `mine` those of who asks."""

    id: str
    created_at: datetime
    name: str
    kind: str
    total: int
    closed: bool
    rated: int
    raters: int
    mine: int


class Given(NamedTuple):
    """An item that was given to a rater. `draft` and `body` are JSON, or None."""

    item_id: str
    position: int
    swapped: bool
    state: State
    opened_at: datetime
    draft: str | None
    body: str | None


class Key(NamedTuple):
    """What a campaign has at most one rating of."""

    campaign_id: str
    item_id: str
    rater: str


class Offer(NamedTuple):
    """An item as a rater may get it: its place in their order, and how many raters it is for; None for everybody."""

    item_id: str
    position: int
    swapped: bool
    raters: int | None


def put_campaign(connection: Connection, row: Mapping[str, str | int | bool | datetime]) -> bool:
    """Store a campaign. False, and nothing is changed, when there is one with its id."""
    # A count of inserted rows is not known to every driver.
    statement = insert_into(connection, review_campaigns).on_conflict_do_nothing().returning(review_campaigns.c.id)
    return connection.scalar(statement, dict(row)) is not None


def get_campaign(connection: Connection, id: str) -> str | None:
    """Its body; None when there is no such campaign."""
    body: str | None = connection.scalar(select(review_campaigns.c.body).where(review_campaigns.c.id == id))
    return body


def is_closed(connection: Connection, id: str) -> bool | None:
    """None when there is no such campaign."""
    closed: bool | None = connection.scalar(select(review_campaigns.c.closed).where(review_campaigns.c.id == id))
    return closed


def list_campaigns(connection: Connection, rater: str) -> list[CampaignRow]:
    """The newest first."""
    campaigns, ratings = review_campaigns.c, review_ratings.c
    rated = ratings.state == "rated"
    query = (
        select(
            campaigns.id,
            campaigns.created_at,
            campaigns.name,
            campaigns.kind,
            campaigns.total,
            campaigns.closed,
            func.count(case((rated, 1))),
            func.count(case((rated, ratings.rater)).distinct()),
            func.count(case((rated & (ratings.rater == rater), 1))),
        )
        .select_from(review_campaigns.outerjoin(review_ratings, ratings.campaign_id == campaigns.id))
        .group_by(*(campaigns[name] for name in ("id", "created_at", "name", "kind", "total", "closed")))
        .order_by(campaigns.created_at.desc(), campaigns.id.desc())
    )
    return [CampaignRow(*row) for row in connection.execute(query)]


def set_closed(connection: Connection, id: str, closed: bool) -> bool:
    """False when there is no such campaign."""
    return (
        connection.execute(update(review_campaigns).where(review_campaigns.c.id == id).values(closed=closed)).rowcount
        > 0
    )


def remove_campaign(connection: Connection, id: str) -> bool:
    """Delete a campaign with its ratings. False when there is no such campaign."""
    return connection.execute(delete(review_campaigns).where(review_campaigns.c.id == id)).rowcount > 0


def give(
    connection: Connection, campaign: str, rater: str, offers: Sequence[Offer], *, now: datetime, stale: datetime
) -> Given | None:
    """The item the rater is at, or the first of `offers` that still needs them; None when none does.

    An item that another rater has had open since before `stale` counts as left. Raters of one campaign take turns, so
    that no two of them take the last place of an item.
    """
    connection.execute(select(review_campaigns.c.id).where(review_campaigns.c.id == campaign).with_for_update())
    table = review_ratings.c
    mine = {row.item_id: row for row in given(connection, campaign, rater)}
    under_way = [row for row in mine.values() if row.state == "open"]
    if under_way:
        return min(under_way, key=lambda row: row.position)
    taken = _taken(connection, campaign, stale)
    for offer in offers:
        if offer.item_id in mine or (offer.raters is not None and taken.get(offer.item_id, 0) >= offer.raters):
            continue
        row = Given(offer.item_id, offer.position, offer.swapped, "open", now, None, None)
        values = {"campaign_id": campaign, "rater": rater, **row._asdict()}
        connection.execute(insert_into(connection, review_ratings).on_conflict_do_nothing(), values)
        # Two windows of one rater: both get what the first of them was given.
        found = connection.execute(
            _select().where(table.campaign_id == campaign, table.rater == rater, table.item_id == offer.item_id)
        )
        return _given(found.one())
    return None


def open_for(connection: Connection, campaign: str, rater: str, offers: Sequence[Offer], stale: datetime) -> int:
    """How many of `offers` the rater could still be given, the one they are at included."""
    state = {row.item_id: row.state for row in given(connection, campaign, rater)}
    taken = _taken(connection, campaign, stale)
    return sum(
        state[offer.item_id] == "open"
        if offer.item_id in state
        else offer.raters is None or taken.get(offer.item_id, 0) < offer.raters
        for offer in offers
    )


def given(connection: Connection, campaign: str, rater: str) -> list[Given]:
    """All items a rater was given, in their order."""
    table = review_ratings.c
    query = _select().where(table.campaign_id == campaign, table.rater == rater).order_by(table.position)
    return [_given(row) for row in connection.execute(query)]


def put_draft(connection: Connection, key: Key, draft: str) -> bool:
    """Keep a draft. False when the item was not given to this rater."""
    return connection.execute(_update(key).values(draft=draft)).rowcount > 0


def put_rating(connection: Connection, key: Key, state: State, body: str) -> bool:
    """Keep a rating; its draft is done with. False when the item was not given to this rater."""
    return connection.execute(_update(key).values(state=state, body=body, draft=None)).rowcount > 0


def get_ratings(connection: Connection, campaign: str) -> Sequence[str]:
    """The bodies of all ratings of a campaign, skipped items included."""
    table = review_ratings.c
    query = select(table.body).where(table.campaign_id == campaign, table.body.is_not(None))
    return [body for body in connection.scalars(query.order_by(table.rater, table.position)) if body is not None]


def _taken(connection: Connection, campaign: str, stale: datetime) -> dict[str, int]:
    table = review_ratings.c
    counts = or_(table.state == "rated", (table.state == "open") & (table.opened_at > stale))
    query = (
        select(table.item_id, func.count().label("taken"))
        .where(table.campaign_id == campaign, counts)
        .group_by(table.item_id)
    )
    return {row.item_id: row.taken for row in connection.execute(query)}


def _select() -> Select[tuple[str, int, bool, State, datetime, str | None, str | None]]:
    table = review_ratings.c
    return select(table.item_id, table.position, table.swapped, table.state, table.opened_at, table.draft, table.body)


def _given(row: Row[tuple[str, int, bool, State, datetime, str | None, str | None]]) -> Given:
    return Given(**row._mapping)


def _update(key: Key) -> Update:
    table = review_ratings.c
    return update(review_ratings).where(
        table.campaign_id == key.campaign_id, table.item_id == key.item_id, table.rater == key.rater
    )
