"""Somebody in a hurry: many interactions with stops, page switches and new conversations in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_explore import WRITING_LONG, Watched, chat, opened, send, wait_for_first_words, wait_for_reply

ROUNDS = 20


@pytest.fixture
def desk(browser: Browser, dashboard: str) -> Iterator[Watched]:
    yield from opened(browser, dashboard, viewport={"width": 1440, "height": 900})


def threads_of(address: str) -> int:
    """Threads of the dashboard's process, found by the port on its command line; 0 where there is no /proc."""
    port = f"--server.port\0{urlsplit(address).port}\0"
    for process in Path("/proc").glob("[0-9]*"):
        if port in (process / "cmdline").read_text(errors="replace"):
            return len(list((process / "task").iterdir()))
    return 0


def stop(page: Page) -> None:
    wait_for_first_words(page)
    page.get_by_test_id("stChatInputStopButton").or_(page.get_by_role("button", name="Stop")).first.click()
    expect(page.get_by_text("Stopped").last).to_be_visible()


def switch(page: Page) -> None:
    page.get_by_role("link", name="Compare").click()
    expect(page).to_have_url(re.compile(r"/compare(\?|$)"))
    page.get_by_role("link", name="Explore").click()
    expect(chat(page)).to_be_visible()


def start_over(page: Page) -> None:
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("heading", name="How is your message read?")).to_be_visible()


def hurry(page: Page) -> None:
    """Nothing is waited for: the next message comes at once."""


def test_twenty_quick_interactions_leave_nothing_behind(desk: Watched, dashboard: str) -> None:
    page = desk.page
    interruptions = (stop, switch, start_over, hurry)
    before = 0
    for number in range(ROUNDS):
        send(page, f"{WRITING_LONG} Number {number}.")
        interruption = interruptions[number % len(interruptions)]
        if interruption is start_over:
            # Sent and clicked in one moment, the message would be the new conversation's first one.
            expect(page.get_by_text(f"Number {number}.").first).to_be_visible()
        interruption(page)
        if number == len(interruptions):
            before = threads_of(dashboard)
    page.reload()
    expect(chat(page)).to_be_visible()
    send(page, "Hello")
    wait_for_reply(page)
    assert threads_of(dashboard) <= before + 4, "a thread was left behind by one of the rounds"


def test_a_stop_in_the_first_moment_leaves_the_page_whole(desk: Watched) -> None:
    page = desk.page
    for number in range(3):
        send(page, f"{WRITING_LONG} Number {number}.")
        page.get_by_test_id("stChatInputStopButton").click()
        expect(page.get_by_text("Stopped").last).to_be_visible()
        expect(chat(page)).to_be_enabled()
