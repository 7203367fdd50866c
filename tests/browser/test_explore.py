"""The main job in a real browser, with the embedded model, as somebody without a key or a network has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

LIMIT_MS = 120_000
"""Models run on whatever machine the tests run on."""

WRITING_LONG = "Tell me a very long story about a lighthouse, with every detail you can think of."


class Watched:
    """A page, and what it did that it must not do."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("console", lambda message: self._note(message.type == "error", f"console: {message.text}"))
        page.on("pageerror", lambda error: self._note(True, f"error: {error}"))
        page.on("request", lambda request: self._note(_is_foreign(request.url), f"asked {request.url}"))
        page.on("requestfailed", lambda request: self._note(_is_foreign(request.url), f"asked {request.url}"))

    def _note(self, wrong: bool, what: str) -> None:
        if wrong:
            self.faults.append(what)


def _is_foreign(address: str) -> bool:
    return urlsplit(address).scheme in {"http", "https", "ws", "wss"} and urlsplit(address).hostname != "127.0.0.1"


def opened(browser: Browser, address: str, **context: object) -> Iterator[Watched]:
    with browser.new_context(**context) as place:  # type: ignore[arg-type]
        place.set_default_timeout(LIMIT_MS)
        watched = Watched(place.new_page())
        watched.page.goto(address)
        expect(chat(watched.page)).to_be_visible(timeout=LIMIT_MS)
        yield watched
        assert watched.faults == []
        expect(watched.page.get_by_test_id("stException")).to_have_count(0)


@pytest.fixture
def desk(browser: Browser, dashboard: str) -> Iterator[Watched]:
    yield from opened(browser, dashboard, viewport={"width": 1440, "height": 900})


@pytest.fixture
def phone(browser: Browser, dashboard: str) -> Iterator[Watched]:
    yield from opened(browser, dashboard, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)


def chat(page: Page) -> Locator:
    return page.get_by_test_id("stChatInputTextArea")


def charts(page: Page) -> Locator:
    return page.get_by_test_id("stPlotlyChart")


def badge(page: Page, words: str) -> Locator:
    """A badge with these words; the name of its icon stands before them."""
    return page.get_by_text(re.compile(f"{words}$")).first


def send(page: Page, message: str) -> None:
    chat(page).fill(message)
    chat(page).press("Enter")


def wait_for_first_words(page: Page) -> Locator:
    """Until a reply has begun; its place."""
    reply = page.get_by_test_id("stChatMessage").last
    expect(reply).to_have_text(re.compile(r"^(?!.*(answers as soon|is writing …)).{20,}"), timeout=LIMIT_MS)
    return reply


def wait_for_reply(page: Page) -> None:
    """Until the line under the reply says what it took."""
    expect(page.get_by_text(re.compile(r"first word after .* tokens · free · "))).to_be_visible(timeout=LIMIT_MS)


def sideways_overflow(page: Page) -> int:
    pixels: int = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    return pixels


def test_a_message_is_read_drawn_and_answered(desk: Watched) -> None:
    page = desk.page
    expect(page.get_by_role("heading", name="How is your message read?")).to_be_visible()
    send(page, "How do I implement quicksort?")
    # The formula's reading comes before any model has said a word.
    expect(charts(page).first.get_by_text("Rust formula")).to_be_visible()
    expect(badge(page, "Embedded model")).to_be_visible(timeout=LIMIT_MS)
    expect(charts(page)).to_have_count(2)
    radar, boundaries = charts(page).nth(0), charts(page).nth(1)
    for word in ("Computational", "Scientific", "Cultural", "Experiential", "LLM #1", "Rust formula"):
        expect(radar.get_by_text(word, exact=True)).to_be_visible()
    for word in ("Maintained", "Transitional", "Transcendent"):
        expect(boundaries.get_by_text(word, exact=True)).to_be_visible()
    wait_for_reply(page)
    expect(badge(page, "135M offline model")).to_be_visible()
    expect(page.get_by_text("is reading …")).to_have_count(0)
    expect(page.get_by_text("is writing …")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    expect(page.get_by_role("table")).to_contain_text("Computational")
    expect(page.get_by_role("heading", name="How is your message read?")).to_have_count(0)
    assert len(page.get_by_test_id("stChatMessage").last.inner_text()) > 100


def test_charts_have_names_that_hold_their_numbers(desk: Watched) -> None:
    send(desk.page, "Is 1001 a prime number?")
    wait_for_reply(desk.page)
    for words in (r"Radar of the four domains as LLM #1 reads the message: computational 0\.\d\d", r"How permeable"):
        assert desk.page.get_by_label(re.compile(words)).count() >= 1, words


def test_stopping_keeps_the_partial_reply_and_the_page_goes_on(desk: Watched) -> None:
    page = desk.page
    send(page, WRITING_LONG)
    reply = wait_for_first_words(page)
    page.get_by_test_id("stChatInputStopButton").click()
    expect(reply.get_by_text("Stopped")).to_be_visible()
    kept = reply.inner_text()
    assert len(kept) > 20
    expect(reply.get_by_role("button", name="Ask again")).to_be_visible()

    send(page, "Is 1001 a prime number?")
    wait_for_reply(page)
    expect(page.get_by_text("lighthouse").first).to_be_visible()


def test_an_example_can_be_stopped_where_its_reply_appears(desk: Watched) -> None:
    page = desk.page
    page.get_by_role("button", name="Why do so many cultures").click()
    page.get_by_role("button", name="Stop", exact=True).last.click()
    expect(page.get_by_text("Stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Ask again")).to_be_visible()


def test_a_changed_setting_does_not_interrupt_a_reply(desk: Watched) -> None:
    page = desk.page
    send(page, WRITING_LONG)
    wait_for_first_words(page)
    page.get_by_role("slider").press("ArrowRight")
    wait_for_reply(page)
    expect(page.get_by_text("Stopped")).to_have_count(0)


def test_everything_can_be_done_with_the_keyboard(desk: Watched) -> None:
    page = desk.page
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement?.dataset.testid === 'stChatInputTextArea'"):
            break
    else:
        pytest.fail("60 times Tab did not lead to the field for the message")
    page.keyboard.type("Explain quantum entanglement simply.")
    page.keyboard.press("Enter")
    wait_for_reply(page)
    for _ in range(60):
        page.keyboard.press("Tab")
        if "New conversation" in page.evaluate("() => document.activeElement?.closest('button')?.innerText ?? ''"):
            break
    else:
        pytest.fail("60 times Tab did not lead to “New conversation”")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How is your message read?")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(phone: Watched) -> None:
    page = phone.page
    expect(charts(page)).to_have_count(1)
    assert sideways_overflow(page) <= 0
    send(page, "What does it feel like to understand something deeply?")
    wait_for_reply(page)
    assert sideways_overflow(page) <= 0
    for number in range(2):
        box = charts(page).nth(number).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_on_a_tablet_columns_give_the_radar_room(browser: Browser, dashboard: str) -> None:
    for watched in opened(browser, dashboard, viewport={"width": 820, "height": 1180}, has_touch=True):
        radar = charts(watched.page).locator("g.polar .plotbg").first
        expect(radar).to_be_visible()
        box = radar.bounding_box()
        assert box is not None
        assert box["width"] > 180


def test_after_an_answer_the_reading_is_in_view_not_the_end_of_the_page(desk: Watched) -> None:
    send(desk.page, "How do I implement quicksort?")
    wait_for_reply(desk.page)
    expect(charts(desk.page).first).to_be_in_viewport()


def test_hostile_text_does_nothing(desk: Watched) -> None:
    page = desk.page
    hostile = (
        '$x$ <script>window.broken = 1</script> <img src=x onerror="window.broken = 1"> ![](http://evil.example/x.png)'
    )
    send(page, hostile)
    wait_for_reply(page)
    expect(page.get_by_text(hostile)).to_be_visible()
    assert page.evaluate("() => window.broken") is None
    assert page.locator("img[src^='http://evil']").count() == 0


def test_an_image_from_another_host_would_not_be_fetched(desk: Watched) -> None:
    # The second fence, in case something gets past the first one.
    desk.page.evaluate("() => { const i = new Image(); i.src = 'http://evil.example/x.png'; document.body.append(i) }")
    desk.page.wait_for_function("() => [...document.images].some(i => i.src.includes('evil') && i.complete)")
    refused = [fault for fault in desk.faults if "Content Security Policy" in fault]
    assert refused, desk.faults
    desk.faults.clear()


def test_the_theme_follows_the_system_and_so_do_the_charts(browser: Browser, dashboard: str) -> None:
    strokes = {}
    for scheme in ("light", "dark"):
        for watched in opened(browser, dashboard, color_scheme=scheme):
            line = charts(watched.page).first.locator(".scatterlayer path.js-line").first
            expect(line).to_be_visible()
            strokes[scheme] = line.evaluate("e => getComputedStyle(e).stroke")
    # The formula's colour of each palette: #64748B and #94A3B8.
    assert strokes == {"light": "rgb(100, 116, 139)", "dark": "rgb(148, 163, 184)"}
