"""History in a browser: from a message in Explore to its line, its link, its file and its end; and whose it is."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_explore import LIMIT_MS, Watched, chat
from tests.browser.test_operations import to
from tests.conftest import served
from tests.standin import Standin
from vif.interaction import Interaction

MISSING = "This interaction is not here"


@pytest.fixture(scope="module")
def public_dashboard(tmp_path_factory: pytest.TempPathFactory, provider: Standin) -> Iterator[str]:
    """The address of a dashboard that strangers share."""
    access = {"NO_PROXY": "127.0.0.1", "VIF_PUBLIC": "true"}
    for api in ("openai", "anthropic"):
        access[f"{api.upper()}_BASE_URL"] = provider.base_url(api)
        access[f"{api.upper()}_API_KEY"] = "a-key-of-nobody"
    with served(tmp_path_factory.mktemp("public"), environment=access) as address:
        yield address


@contextmanager
def visitor(browser: Browser, address: str, **context: object) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}, **context) as place:  # type: ignore[arg-type]
        place.set_default_timeout(LIMIT_MS)
        watched = Watched(place.new_page())
        watched.page.goto(address)
        expect(chat(watched.page)).to_be_visible(timeout=LIMIT_MS)
        yield watched.page
        # Streamlit itself looks for its server below the page's address first, and does not find it there.
        assert [fault for fault in watched.faults if "404" not in fault] == []
        expect(watched.page.get_by_test_id("stException")).to_have_count(0)


def ask(page: Page, message: str) -> None:
    chat(page).fill(message)
    chat(page).press("Enter")
    expect(page.get_by_test_id("stText").filter(has_text=message)).to_be_visible()
    expect(page.get_by_text("in all").last).to_be_visible()


def search(page: Page, text: str) -> None:
    field = page.get_by_placeholder("Search in messages and replies")
    field.fill(text)
    field.press("Enter")


def address_of_open(page: Page) -> str:
    expect(page.get_by_text("Look closer")).to_be_visible()
    page.wait_for_url("**/history?interaction=*")
    return page.url


def test_a_message_is_found_opened_marked_taken_along_compared_and_deleted(
    browser: Browser, keyed_dashboard: str, standin: Standin, tmp_path: Path
) -> None:
    word = uuid.uuid4().hex
    with visitor(browser, keyed_dashboard, accept_downloads=True) as page:
        ask(page, f"first {word}")
        ask(page, f"second {word}")
        to(page, "History")
        search(page, word)
        expect(page.get_by_text("2 interactions")).to_be_visible()

        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="JSON lines").click()
        download.value.save_as(tmp_path / "history.jsonl")
        taken = [
            Interaction.model_validate_json(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()
        ]
        assert [entry.message for entry in taken] == [f"second {word}", f"first {word}"]
        assert taken[0].reply == standin.reply
        page.keyboard.press("Escape")

        page.get_by_role("button", name=f"first {word}").click()
        link = address_of_open(page)
        expect(page.get_by_text(standin.reply)).to_be_visible()
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        page.get_by_role("button", name="Favourite").click()
        expect(page.get_by_role("button", name="★ Favourite")).to_be_visible()
        page.get_by_role("button", name="History").click()
        expect(page.get_by_text("2 interactions")).to_be_visible()  # what was looked for is still looked for

        boxes = page.get_by_role("checkbox", name="Choose")
        expect(boxes).to_have_count(2)
        for box in boxes.all():
            box.check(force=True)
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_role("heading", name="Two interactions")).to_be_visible()
        expect(page.get_by_text(standin.reply)).to_have_count(2)
        page.get_by_role("button", name="History").click()

        with visitor(browser, keyed_dashboard) as other:  # alone on this machine: the same history in every browser
            other.goto(link)
            expect(other.get_by_test_id("stText").filter(has_text=f"first {word}")).to_be_visible()
            other.get_by_role("button", name="Delete").click()
            other.get_by_role("button", name="Delete it").click()
            expect(other.get_by_role("heading", name="History")).to_be_visible()
            other.goto(link)
            expect(other.get_by_text(MISSING)).to_be_visible()


def test_strangers_never_see_each_others_messages(browser: Browser, public_dashboard: str, standin: Standin) -> None:
    words = [uuid.uuid4().hex for _ in range(2)]
    with visitor(browser, public_dashboard) as first, visitor(browser, public_dashboard) as second:
        for page, word in zip((first, second), words, strict=True):
            ask(page, f"a secret {word}")
            to(page, "History")
        for page, mine, other in ((first, words[0], words[1]), (second, words[1], words[0])):
            expect(page.get_by_text("1 interaction", exact=True)).to_be_visible()
            expect(page.get_by_role("button", name=f"a secret {mine}")).to_be_visible()
            search(page, other)
            expect(page.get_by_text("Nothing is found.")).to_be_visible()
            page.get_by_role("button", name="Clear").click()
        first.get_by_role("button", name=f"a secret {words[0]}").click()
        link = address_of_open(first)
        seen: list[str] = []
        second.on("websocket", lambda socket: socket.on("framereceived", lambda data: seen.append(str(data))))
        second.goto(link)
        expect(second.get_by_text(MISSING)).to_be_visible()
        assert seen, "what came over the socket was listened to"
        assert words[0] not in json.dumps(seen)
        assert standin.reply not in json.dumps(seen)
