"""The tour as it is given: with the keyboard alone, on a projector, nothing to scroll."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from pages._tour import OWN_KEY
from pages._tour_script import STEPS
from tests.standin import REPLY, Standin

SCROLLS = """() => {
  const page = document.querySelector("[data-testid=stMain]")
  return page.scrollHeight - page.clientHeight
}"""
DONE = (
    "Three messages, one shape",
    "Experiential",
    "comes forward first",
    REPLY,
    "First word after",
    "from the cache, free",
    "Mean error of an activation",
    "The whole tour cost",
)
"""What each step shows when it is complete."""


def is_at(page: Page, step: int) -> None:
    expect(page.get_by_role("heading", name=STEPS[step - 1].title, level=1)).to_be_visible()
    expect(page).to_have_url(re.compile(rf"[?&]step={step}(&|$)"))


def test_the_whole_tour_is_given_with_the_keyboard_and_nothing_has_to_be_scrolled(
    browser: Browser, keyed_dashboard: str, standin: Standin
) -> None:
    faults: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{keyed_dashboard}/tour?step=1&present=1")
        expect(page.get_by_test_id("stSidebar").get_by_text("Preset", exact=True)).not_to_be_in_viewport()
        for number, words in enumerate(DONE, 1):
            if number > 1:
                page.keyboard.press(("ArrowRight", "PageDown", " ")[number % 3])
            is_at(page, number)
            expect(page.locator(".st-key-tour_stage").get_by_text(words).first).to_be_attached()
            expect(page.get_by_test_id("stPlotlyChart")).to_have_count({1: 3, 2: 3, 5: 1}.get(number, 0))
            page.wait_for_function(f"({SCROLLS})() <= 0")
            expect(page.get_by_test_id("stException")).to_have_count(0)

        page.keyboard.press("ArrowRight")  # nowhere to go
        bar = page.get_by_role("navigation", name="Steps of the tour").element_handle()
        page.keyboard.press("n")
        expect(page.get_by_text(STEPS[-1].notes)).to_be_visible()
        page.keyboard.press("n")
        expect(page.get_by_text(STEPS[-1].notes)).to_have_count(0)
        assert bar.evaluate("bar => bar.isConnected")  # a bar that is mounted anew misses keys meanwhile
        asked = len(standin.requests)
        for _ in range(3):  # quickly, one after the other
            page.keyboard.press("PageUp")
        is_at(page, 5)
        page.keyboard.press("ArrowLeft")
        is_at(page, 4)
        expect(page.get_by_text(REPLY)).to_be_visible()
        assert len(standin.requests) == asked  # going back asks nobody

        page.get_by_role("navigation").get_by_role("button", name="Problem").click()
        is_at(page, 1)
        own = page.locator(f".st-key-{OWN_KEY} input")
        own.press_sequentially("n or p")  # no keys of the tour while somebody types
        own.press("ArrowLeft")
        own.press("Enter")
        expect(page.get_by_text("n or p", exact=True)).to_be_visible()
        own.blur()
        page.keyboard.press("p")
        expect(page.get_by_test_id("stSidebar").get_by_text("Preset", exact=True)).to_be_in_viewport()
        is_at(page, 1)
    assert faults == []
