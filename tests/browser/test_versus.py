"""“Two answers” in a real browser, with a stand-in for the cloud models."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.browser.test_explore import chat, opened, send
from tests.standin import Standin
from tests.wire.plans import Ending, say


def test_stop_both_keeps_what_both_answers_have_and_hangs_up(
    browser: Browser, keyed_dashboard: str, standin: Standin
) -> None:
    for watched in opened(browser, keyed_dashboard, viewport={"width": 1280, "height": 900}):
        page = watched.page
        send(page, "What is a thought?")
        expect(page.get_by_text(standin.reply)).to_be_visible()
        page.get_by_role("tab", name="Two answers").click()
        ask = page.get_by_role("button", name=re.compile("Answer from both readings|Ask both again"))
        stop = page.locator(".st-key-versus_stop button")
        expect(stop).to_be_disabled()

        standin.plan("anthropic", *(say("Half a thought, and then", ending=Ending.STALL) for _ in range(2)))
        ask.click()
        half = page.get_by_text("Half a thought")
        expect(half).to_have_count(2)
        expect(ask).to_be_disabled()
        stop.click()
        expect(ask).to_be_enabled()
        expect(stop).to_be_disabled()
        expect(page.get_by_text(re.compile("Stopped$"))).to_have_count(2)
        expect(half).to_have_count(2)
        assert all(request.gone.wait(10) for request in standin.requests[-2:]), "a provider still has our request"

        # Both can be asked again, in the place of the half ones.
        ask.click()
        expect(page.get_by_text(standin.reply)).to_have_count(3)
        expect(half).to_have_count(0)
        expect(page.get_by_text(re.compile("Stopped$"))).to_have_count(0)
        expect(chat(page)).to_be_enabled()
