"""The fault drill and the live figures in a browser, offline: what somebody at a demo sees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_explore import LIMIT_MS, Watched, chat

QUESTION = "Is 1001 a prime number?"


@pytest.fixture
def page(browser: Browser, dashboard: str) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as place:
        place.set_default_timeout(LIMIT_MS)
        watched = Watched(place.new_page())
        watched.page.goto(dashboard)
        expect(chat(watched.page)).to_be_visible(timeout=LIMIT_MS)
        yield watched.page
        assert watched.faults == []
        expect(watched.page.get_by_test_id("stException")).to_have_count(0)


def to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()


def test_a_drill_from_its_start_to_the_figures_it_leaves(page: Page) -> None:
    to(page, "Operations")
    expect(page.get_by_text("Nothing happened in the last 15 minutes")).to_be_visible()
    page.get_by_role("radio", name="Fault drill").click()
    page.get_by_role("radio", name="401").click()
    page.get_by_role("button", name="Start this drill").click()
    expect(page.get_by_text("LLM #1: 401.")).to_be_visible()
    page.get_by_role("button", name="Send six messages").click()
    expect(page.get_by_text("6 of 6 messages were answered")).to_be_visible(timeout=LIMIT_MS)
    expect(page.get_by_text("its circuit opened at message 6")).to_be_visible()

    to(page, "Explore")
    expect(page.get_by_text("LLM #1: 401.")).to_be_visible()
    chat(page).fill(QUESTION)
    chat(page).press("Enter")
    expect(page.get_by_text("is given a rest, so the formula's values are shown")).to_be_visible(timeout=LIMIT_MS)

    to(page, "Operations")
    page.get_by_role("radio", name="Live").click()
    expect(page.get_by_text("Last failures")).to_be_visible()
    expect(page.get_by_test_id("stMetric").filter(has_text="Fallbacks")).to_contain_text("100%")

    page.get_by_role("button", name="End the drill").click()
    expect(page.get_by_text("Only in this session.")).to_have_count(0)
    expect(page.get_by_text("Nothing happened in the last 15 minutes")).to_be_visible()


def test_the_figures_follow_what_happens(page: Page) -> None:
    chat(page).fill(QUESTION)
    chat(page).press("Enter")
    expect(page.get_by_text("in all")).to_be_visible(timeout=LIMIT_MS)
    to(page, "Operations")
    expect(page.get_by_test_id("stMetric").filter(has_text="Interactions")).to_contain_text("1")
    expect(page.get_by_test_id("stMetric").filter(has_text="Answered")).to_contain_text("100%")
    expect(page.get_by_text("No request failed.")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
