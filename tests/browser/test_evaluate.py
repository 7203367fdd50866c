"""The Evaluate page in a real browser: a click, a link, a refusal, and a run that outlives its page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_explore import LIMIT_MS, Watched, opened, sideways_overflow
from tests.conftest import served
from tests.evaluation.readers import Habit, Readers

SIZE = {"width": 1440, "height": 1000}
FINISHED = 8


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    """One model that reads too high, and one that is right on average."""
    with Readers({"claude-haiku-4-5": Habit(0.2, 0.02), "claude-haiku-5-5": Habit(0.0, 0.03)}) as found:
        yield found


@pytest.fixture(scope="module")
def measured_dashboard(tmp_path_factory: pytest.TempPathFactory, readers: Readers) -> Iterator[str]:
    access = {"NO_PROXY": "127.0.0.1"}
    for api in ("openai", "anthropic"):
        access[f"{api.upper()}_BASE_URL"] = readers.base_url(api)
        access[f"{api.upper()}_API_KEY"] = "a-key-of-nobody"
    with served(tmp_path_factory.mktemp("measured"), environment=access) as address:
        yield address


def to_evaluate(page: Page) -> None:
    page.get_by_role("link", name="Evaluate").click()
    expect(page.get_by_role("heading", name="Evaluate")).to_be_visible()


def choose_repeats(page: Page, repeats: int) -> None:
    page.get_by_text("Part of the suite, repeats, budget").click()
    box = page.get_by_role("spinbutton", name="Repeats")
    box.fill(str(repeats))
    box.press("Enter")


def start(page: Page) -> None:
    page.locator(".st-key-evaluate_start button").click()
    expect(page).to_have_url(re.compile(r"run=[0-9a-f]{32}"))


def reloaded(watched: Watched) -> Page:
    """The page, loaded anew at its own address: Streamlit first asks for its server below that, and then above."""
    before = len(watched.faults)
    watched.page.reload()
    expect(watched.page.get_by_role("link", name="Evaluate")).to_be_visible()
    watched.faults[before:] = [fault for fault in watched.faults[before:] if "404 (Not Found)" not in fault]
    return watched.page


def headline(page: Page) -> str:
    found = page.get_by_role("heading", level=2)
    expect(found).to_be_visible(timeout=LIMIT_MS)
    return found.inner_text()


def test_one_click_tells_who_reads_better_and_its_link_leads_back(browser: Browser, dashboard: str) -> None:
    for watched in opened(browser, dashboard, viewport=SIZE):
        page = watched.page
        to_evaluate(page)
        expect(page.get_by_text("What you will find out")).to_be_visible()
        expect(page.get_by_text("It will cost nothing")).to_be_visible()
        # The usual 75 readings of the embedded model take a minute while other tests are at work.
        choose_repeats(page, 2)
        expect(page.get_by_text(re.compile(r"60 readings.*30 calls of a model"))).to_be_visible()
        start(page)
        expect(page.get_by_role("progressbar")).to_be_visible()
        said = headline(page)
        assert said.startswith("offline reads 15 messages")
        assert "less than the Rust formula" in said

        reloaded(watched)
        assert headline(page) == said
        page.get_by_role("tab", name="Cases").click()
        matrix = page.get_by_test_id("stDataFrame")
        expect(matrix).to_be_visible()
        expect(page.get_by_text("Filled: as expected, hollow: not.")).to_be_visible()
        matrix.click(position={"x": 18, "y": 55})
        expect(page.get_by_text("Write a sorting algorithm").last).to_be_visible()
        expect(page.get_by_text("How it was read")).to_be_visible()
        expect(page.locator(".js-plotly-plot")).to_have_count(2)

        page.get_by_role("button", name="Evaluations").click()
        expect(page.get_by_text("Earlier evaluations")).to_be_visible()


def test_a_suite_with_bad_rows_is_refused_and_nothing_is_lost(browser: Browser, dashboard: str) -> None:
    for watched in opened(browser, dashboard, viewport=SIZE):
        page = watched.page
        to_evaluate(page)
        page.get_by_role("radio", name="Upload").click()
        start_button = page.locator(".st-key-evaluate_start button")
        expect(start_button).to_be_disabled()
        chooser = page.locator("input[type=file]")
        bad = b"id,message,cd_min,cd_max\na,Hello,0.9,0.1\nb,Bye,0.1,0.2\nc,Well,0.1,\n"
        chooser.set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": bad})
        expect(page.get_by_text("2 rows are wrong. Nothing was read.")).to_be_visible()
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        expect(start_button).to_be_disabled()

        page.get_by_role("radio", name="Standard").click()
        expect(start_button).to_be_enabled()
        page.get_by_role("radio", name="Upload").click()
        expect(page.get_by_text("2 rows are wrong. Nothing was read.")).to_be_visible()


def test_a_run_outlives_its_page_is_cancelled_taken_up_again_and_tells_two_models_apart(
    browser: Browser, measured_dashboard: str, readers: Readers
) -> None:
    readers.reset()
    for watched in opened(browser, measured_dashboard, viewport=SIZE):
        page = watched.page
        to_evaluate(page)
        box = page.get_by_role("combobox", name="Who reads")
        page.get_by_test_id("stMultiSelect").get_by_role("button", name="Clear all").click()
        for model in ("anthropic:claude-haiku-4-5", "anthropic:claude-haiku-5-5"):
            box.fill(model)
            box.press("Enter")
            expect(page.get_by_test_id("stMultiSelect").first).to_contain_text(model)
        box.press("Escape")
        expect(page.get_by_text(re.compile(r"150 readings.*150 calls of a model"))).to_be_visible()
        readers.hold_after(FINISHED)
        start(page)
        assert readers.held.wait(LIMIT_MS / 1000)

        reloaded(watched)
        expect(page.get_by_text(f"{FINISHED} of 150 readings")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="End it now").click()
        expect(page.get_by_text(re.compile(rf"unfinished.*{FINISHED} of 150 readings are there"))).to_be_visible(
            timeout=LIMIT_MS
        )

        readers.hold_after(None)
        asked = len(readers.requests)
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", name="anthropic:claude-haiku-5-5 reads 15 messages")).to_be_visible(
            timeout=LIMIT_MS
        )
        expect(page.get_by_text("unfinished")).to_have_count(0)
        assert len(readers.requests) == asked + 150 - FINISHED
        page.get_by_role("tab", name="Reader against reader").click()
        expect(page.get_by_role("heading", name="anthropic:claude-haiku-5-5 errs less")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(
    browser: Browser, measured_dashboard: str, readers: Readers
) -> None:
    readers.reset()
    size = {"width": 390, "height": 844}
    for watched in opened(browser, measured_dashboard, viewport=size, is_mobile=True, has_touch=True):
        page = watched.page
        page.get_by_test_id("stExpandSidebarButton").click()
        to_evaluate(page)
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
        assert sideways_overflow(page) <= 0
        choose_repeats(page, 1)
        start(page)
        headline(page)
        for name in ("Cases", "Reader against reader", "Quality, speed, price"):
            page.get_by_role("tab", name=name).click()
            expect(page.locator(".js-plotly-plot").first).to_be_visible()
            assert sideways_overflow(page) <= 0
