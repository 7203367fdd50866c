"""Rating in a real browser: with the keyboard alone, blind, and never twice."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import served
from vif.domains import Domain
from vif.identity import Person, Role
from vif.review.making import READING_RUBRIC
from vif.review.records import Campaign, Item, Output, Rating
from vif.review.service import Reviews
from vif.store import Store

T = TypeVar("T")

LEAD = Person("lead", "Lena", Role.ADMIN)
SYSTEMS = ("system-aleph", "system-beth")
ITEMS = 30


def made(name: str, items: int = ITEMS) -> Campaign:
    return Campaign(
        name=name,
        rubric=READING_RUBRIC,
        items=tuple(
            Item(
                message=f"Message number {number}, <b>bold</b> and $x$",
                outputs=(
                    Output(system=SYSTEMS[0], domains=dict.fromkeys(Domain, 0.9)),
                    Output(system=SYSTEMS[1], domains=dict.fromkeys(Domain, 0.2 + number / 100)),
                ),
            )
            for number in range(items)
        ),
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'vif.db'}"


@pytest.fixture(scope="module")
def rating_dashboard(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("rating")
    with served(home, environment={"VIF_DATABASE_URL": url}) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def carried_out(url: str, work: Callable[[Reviews], Coroutine[object, object, T]]) -> T:
    """The result of `work` on the dashboard's database. In a thread, as Playwright's loop is running in this one."""

    def in_thread() -> T:
        store = Store(url)
        try:
            return asyncio.run(work(Reviews(store)))
        finally:
            store.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(in_thread).result()


def begun(url: str, campaign: Campaign) -> Campaign:
    return carried_out(url, lambda reviews: reviews.create(LEAD, campaign))


def kept(url: str, id: str) -> tuple[Rating, ...]:
    return carried_out(url, lambda reviews: reviews.outcome(LEAD, id))[1]


def enter(page: Page, address: str, campaign: Campaign, name: str) -> None:
    page.goto(f"{address}/rate?campaign={campaign.id}")
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"0 of {len(campaign.items)} done")).to_be_visible()


def press_until(page: Page, key: str, seen: str) -> None:
    """A key pressed in an item's first moment is ignored, as meant for the one before: press it until it counts."""
    found = page.locator(seen)
    for _ in range(100):
        page.keyboard.press(key)
        try:
            found.wait_for(timeout=400)
        except Exception:  # noqa: BLE001, S112  # Playwright's timeout; the last one fails below
            continue
        return
    expect(found).to_be_visible()


def test_thirty_items_with_the_keyboard_alone(page: Page, rating_dashboard: str, url: str) -> None:
    campaign = begun(url, made("Thirty"))
    enter(page, rating_dashboard, campaign, "Anna")
    for number in range(1, ITEMS + 1):
        choice, key = (("left", "1"), ("right", "2"), ("tie", "3"), ("both_bad", "4"))[number % 4]
        press_until(page, key, f".st-key-rate_choice_{choice} button[kind=primary]")
        page.keyboard.press("n")
        if number < ITEMS:
            expect(page.get_by_text(f"{number} of {ITEMS} done")).to_be_visible()
    expect(page.get_by_text("That was all")).to_be_visible()
    ratings = kept(url, campaign.id)
    assert {rating.item_id for rating in ratings} == {item.id for item in campaign.items}
    assert len(ratings) == ITEMS
    choices = Counter(rating.answer.choice for rating in ratings if rating.answer)
    assert choices == {"right": 8, "tie": 8, "both_bad": 7, "left": 7}
    assert sum(rating.swapped for rating in ratings) == ITEMS / 2


def test_nothing_in_the_page_or_on_the_network_tells_which_side_is_which(
    page: Page, rating_dashboard: str, url: str
) -> None:
    received: list[bytes] = []

    def listen(payload: str | bytes) -> None:
        received.append(payload if isinstance(payload, bytes) else payload.encode())

    page.on("websocket", lambda socket: socket.on("framereceived", listen))
    page.on("response", lambda response: received.append(response.url.encode()))
    campaign = begun(url, made("Blind", 3))
    enter(page, rating_dashboard, campaign, "Ben")
    for number, (choice, key) in enumerate((("left", "1"), ("right", "2")), 1):  # not the one that is still drawn
        press_until(page, key, f".st-key-rate_choice_{choice} button[kind=primary]")
        page.keyboard.press("n")
        expect(page.get_by_text(f"{number} of 3 done")).to_be_visible()
    everything = b"".join(received)
    assert b"Message number" in everything  # it is the traffic of this page
    for system in SYSTEMS:
        assert system.encode() not in everything
        assert system not in page.content()
    assert re.search(rb"swapped", everything) is None


def test_a_comment_is_written_with_the_keyboard_and_the_way_back_shows_it(
    page: Page, rating_dashboard: str, url: str
) -> None:
    campaign = begun(url, made("Comments", 3))
    enter(page, rating_dashboard, campaign, "Carl")
    first = page.get_by_text(re.compile("Message number")).inner_text()
    press_until(page, "1", ".st-key-rate_choice_left button[kind=primary]")
    page.keyboard.press("m")
    expect(page.get_by_label("Comment")).to_be_focused()
    page.keyboard.type("sure? 1 2 3 n s u")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Comment")).not_to_be_focused()
    page.keyboard.press("e")
    expect(page.locator(".st-key-rate_sure_3 button[kind=primary]")).to_be_visible()
    # Nothing is saved yet, and nothing is lost: somebody else's evening, another browser.
    page.goto(f"{rating_dashboard}/rate?campaign={campaign.id}")
    page.get_by_label("Your name").fill("carl")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Comment")).to_have_value("sure? 1 2 3 n s u")
    page.keyboard.press("n")
    expect(page.get_by_text("1 of 3 done")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text(first)).to_be_visible()
    # The other item's comment stands beside it for a moment.
    expect(page.get_by_label("Comment").first).to_have_value("sure? 1 2 3 n s u")
    expect(page.get_by_label("Comment")).to_have_count(1)
    press_until(page, "2", ".st-key-rate_choice_right button[kind=primary]")
    page.keyboard.press("n")
    expect(page.get_by_text(first)).to_have_count(0)
    (rating,) = kept(url, campaign.id)
    assert rating.answer is not None
    assert (rating.answer.choice, rating.answer.confidence, rating.revision) == ("right", 3, 2)
    assert rating.answer.comment == "sure? 1 2 3 n s u"


def test_keys_pressed_twice_at_once_are_one_vote(page: Page, rating_dashboard: str, url: str) -> None:
    campaign = begun(url, made("Twice", 4))
    enter(page, rating_dashboard, campaign, "Dora")
    page.get_by_text("Go on after choosing").click()
    page.locator(".st-key-rate_choice_left button").dblclick(delay=5)
    expect(page.get_by_text("1 of 4 done")).to_be_visible()
    press_until(page, "e", ".st-key-rate_sure_3 button[kind=primary]")
    page.keyboard.press("2")
    expect(page.get_by_text("2 of 4 done")).to_be_visible()
    ratings = kept(url, campaign.id)
    assert sorted(rating.answer.choice for rating in ratings if rating.answer) == ["left", "right"]


def test_a_skipped_item_is_done_and_a_closed_campaign_says_so(page: Page, rating_dashboard: str, url: str) -> None:
    campaign = begun(url, made("Skipped", 2))
    enter(page, rating_dashboard, campaign, "Emil")
    press_until(page, "e", ".st-key-rate_sure_3 button[kind=primary]")
    page.keyboard.press("s")
    expect(page.get_by_text("1 of 2 done")).to_be_visible()
    (rating,) = kept(url, campaign.id)
    assert rating.answer is None
    carried_out(url, lambda reviews: reviews.close(LEAD, campaign.id))
    press_until(page, "q", "text=That was all")
    expect(page.get_by_text("That was all")).to_be_visible()


def test_a_guest_of_a_public_server_is_refused_and_given_nothing(
    page: Page, tmp_path_factory: pytest.TempPathFactory, url: str
) -> None:
    campaign = begun(url, made("Not for guests", 2))
    home = tmp_path_factory.mktemp("public")
    with served(home, environment={"VIF_DATABASE_URL": url, "VIF_PUBLIC": "true"}) as address:
        for path in (f"rate?campaign={campaign.id}", "campaigns"):
            page.goto(f"{address}/{path}")
            expect(page.get_by_text("'A guest' may not")).to_be_visible()
            expect(page.get_by_role("button", name="Begin the campaign")).to_have_count(0)
            expect(page.get_by_text("Which reading fits")).to_have_count(0)
    assert carried_out(url, lambda reviews: reviews.campaigns(LEAD))[0].rated == 0
