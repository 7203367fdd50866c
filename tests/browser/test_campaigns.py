"""A campaign from its beginning to its verdict, in a real browser, on the embedded model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_rate import LEAD, carried_out
from tests.conftest import served
from vif.identity import Person, Role
from vif.review.blind import order
from vif.review.making import LLM1
from vif.review.records import Answer, Campaign
from vif.review.service import Reviews

MESSAGES = [
    f"How do I sort {number} numbers in {what}?" for number in range(3) for what in ("Python", "Rust", "Go", "C")
]
TEN = MESSAGES[:10]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("campaigns")


@pytest.fixture(scope="module")
def url(home: Path) -> str:
    return f"sqlite:///{home / 'vif.db'}"


@pytest.fixture(scope="module")
def address(home: Path, url: str) -> Iterator[str]:
    with served(home, environment={"VIF_DATABASE_URL": url}) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(accept_downloads=True)
    yield context.new_page()
    context.close()


async def judge_for_llm1(reviews: Reviews, campaign: Campaign, rater: Person) -> None:
    sides = dict(order(campaign, rater.id))
    while task := await reviews.next(rater, campaign.id):
        item = campaign.item(task.shown.item_id)
        first_is_llm1 = item.outputs[0].system == LLM1
        left_is_llm1 = first_is_llm1 is not sides[item.id]
        await reviews.rate(rater, campaign.id, item.id, Answer(choice="left" if left_is_llm1 else "right"), seconds=5)


def test_a_campaign_is_begun_rated_closed_and_judged(page: Page, address: str, url: str) -> None:
    page.goto(f"{address}/campaigns")
    page.get_by_text("Messages of your own").click()
    page.get_by_label("Messages, one a line").fill("\n".join(TEN))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("10 messages.")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Ten questions <b>")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Begin the campaign").click()
    expect(page.get_by_text("Ten questions <b>")).to_be_visible(timeout=60_000)

    row = carried_out(url, lambda reviews: reviews.campaigns(LEAD))[0]
    campaign, _ = carried_out(url, lambda reviews: reviews.outcome(LEAD, row.id))
    assert [item.message for item in campaign.items] == TEN
    for name in ("Anna", "Ben"):
        rater = Person(name.lower(), name, Role.RATER)
        carried_out(url, partial(judge_for_llm1, campaign=campaign, rater=rater))

    page.goto(f"{address}/verdict?campaign={row.id}")
    expect(
        page.get_by_text("People prefer readings of LLM #1 to those of Rust formula 100 % of the time")
    ).to_be_visible()
    expect(page.get_by_text("20 judgements of 10 messages by 2 raters")).to_be_visible()
    page.get_by_role("tab", name="Files").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Ratings, CSV").click()
    assert Path(download.value.path()).read_bytes().count(b"\r\n") == 21

    page.goto(f"{address}/campaigns")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_text("closed", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("No campaign yet.")).to_be_visible()
    assert carried_out(url, lambda reviews: reviews.campaigns(LEAD)) == []
