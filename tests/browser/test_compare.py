"""The Compare page in a real browser, with the embedded model."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.browser.test_explore import LIMIT_MS, charts, opened, sideways_overflow
from tests.standin import Standin
from tests.wire.plans import Ending, say

PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"


def test_a_comparison_and_an_autonomy_series_from_end_to_end(browser: Browser, dashboard: str) -> None:
    for watched in opened(browser, dashboard, viewport={"width": 1440, "height": 900}):
        page = watched.page
        page.get_by_role("link", name="Compare").click()
        expect(page.get_by_role("heading", name="Compare")).to_be_visible()
        expect(charts(page)).to_have_count(3)

        page.get_by_role("button", name="Try it").first.click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_text(re.compile("first word after"))).to_have_count(2, timeout=LIMIT_MS)
        expect(page.get_by_role("progressbar")).to_have_count(0)
        expect(charts(page)).to_have_count(2)
        expect(page.get_by_text("They differ most on")).to_be_visible()
        expect(page.get_by_role("table")).to_contain_text("Embedded model")
        expect(page).to_have_url(re.compile(r"compare_message=How\+do\+I.*compare_columns=Offline"))

        page.get_by_text("Autonomy values", exact=True).click()
        page.get_by_text("Readings only", exact=True).click()
        page.get_by_role("button", name="Compare", exact=False).last.click()
        expect(page.get_by_text("All of them read the message alike.")).to_be_visible(timeout=LIMIT_MS)
        expect(charts(page)).to_have_count(3)
        expect(page.get_by_text(re.compile("first word after"))).to_have_count(0)


def test_on_a_phone_replies_are_in_tabs_and_nothing_is_wider_than_the_screen(browser: Browser, dashboard: str) -> None:
    size = {"width": 390, "height": 844}
    for watched in opened(browser, dashboard, viewport=size, is_mobile=True, has_touch=True, user_agent=PHONE):
        page = watched.page
        page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_role("link", name="Compare").click()
        expect(charts(page)).to_have_count(3)
        assert sideways_overflow(page) <= 0
        page.get_by_role("button", name="Try it").first.click()
        expect(page.get_by_role("tab")).to_have_count(2, timeout=LIMIT_MS)
        expect(page.get_by_role("progressbar")).to_have_count(0, timeout=LIMIT_MS)
        assert sideways_overflow(page) <= 0


def test_stop_keeps_what_every_column_has_and_hangs_up(
    browser: Browser, keyed_dashboard: str, standin: Standin
) -> None:
    standin.plan(
        "anthropic", say("A whole thought."), *(say("Half a thought, and then", ending=Ending.STALL) for _ in range(2))
    )
    for watched in opened(browser, keyed_dashboard, viewport={"width": 1440, "height": 900}):
        page = watched.page
        page.get_by_role("link", name="Compare").click()
        expect(page.get_by_role("heading", name="Compare")).to_be_visible()
        page.get_by_text("Autonomy values", exact=True).click()
        message = page.get_by_role("textbox", name="Message", exact=True)
        compare = page.get_by_test_id("stBaseButton-primaryFormSubmit")
        message.fill("What is a thought?")
        compare.click()
        stop = page.locator(".st-key-compare_stop button")
        whole, half = page.get_by_text("A whole thought."), page.get_by_text("Half a thought")
        expect(whole).to_have_count(1)
        expect(half).to_have_count(2)
        expect(page.get_by_role("progressbar")).to_be_visible()

        stop.click()
        expect(stop).to_have_count(0)
        expect(page.get_by_role("progressbar")).to_have_count(0)
        # Of each column that was cut short: on its card, in the table and under its reply.
        expect(page.get_by_text(re.compile("Stopped$"))).to_have_count(6)
        expect(page.get_by_text("is writing …")).to_have_count(0)
        expect(half).to_have_count(2)
        expect(whole).to_have_count(1)
        asked = [request for request in standin.requests if request.api == "anthropic"]
        assert len(asked) == 3
        assert sum(request.gone.wait(10) for request in asked[1:]) == 2, "a provider still has our request"

        message.fill("And now?")
        compare.click()
        expect(page.get_by_text(standin.reply)).to_have_count(3)
        expect(half).to_have_count(0)
        expect(page.get_by_text(re.compile("Stopped$"))).to_have_count(0)
