"""Two replicas behind the documented nginx, with one PostgreSQL, one Redis and sign-in; one of them dies."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_explore import LIMIT_MS, chat
from tests.browser.test_history import ask
from tests.browser.test_operations import to
from tests.postgres_server import PostgresServer
from tests.replicas.deployment import Deployment, deployment
from tests.replicas.kept import kept_questions
from tests.replicas.load import load
from tests.standin import Standin
from tests.wire.plans import Latency

AFTER_S = 2.0
"""How long after a kill something may begin that ends in a fault."""


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, nginx: str, postgres_server: PostgresServer, redis_server: object
) -> Iterator[Deployment]:
    """The deployment of docs/deployment.md; every test leaves both replicas alive."""
    with Standin(llm2=Latency.parse("100")) as provider, postgres_server.database() as url:
        access = {f"{api.upper()}_BASE_URL": provider.base_url(api) for api in ("openai", "anthropic")}
        access |= {"OPENAI_API_KEY": "a-key-of-nobody", "ANTHROPIC_API_KEY": "a-key-of-nobody"}
        with deployment(tmp_path_factory.mktemp("replicas"), nginx, url, access) as everything:
            yield everything
    for replica in everything.replicas.values():
        assert "Traceback" not in (log := replica.log.read_text(errors="replace")), log[-8000:]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 900}) as place:
        place.set_default_timeout(LIMIT_MS)
        yield place.new_page()


def replica_of(page: Page) -> str:
    """Where nginx says the page's web socket is."""
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "vif_replica"]
    assert cookie["path"] == "/vif/"
    assert cookie["secure"]
    assert cookie["httpOnly"]
    return cookie["value"]


def test_under_load_a_replica_that_dies_costs_no_confirmed_interaction_and_no_fault_but_its_own(
    running: Deployment,
) -> None:
    events = [
        (1.5, "killed", lambda met: running.replicas[met.where["before"][0]].kill()),
        (2.5, "back", lambda met: running.replicas[met.where["before"][0]].restart()),
    ]
    # In a thread: an open Playwright leaves no other loop to this one.
    with ThreadPoolExecutor(1) as thread:
        met = thread.submit(lambda: asyncio.run(load(running, visitors=4, seconds=4.5, events=events))).result()

    dead, killed, faults = met.where["before"][0], met.events["killed"], met.faults()
    there = {visitor for visitor, name in enumerate(met.where["before"]) if name == dead}
    assert {fault.visitor for fault in faults} == there
    assert [fault for fault in faults if fault.at < killed or fault.at - fault.took_s > killed + AFTER_S] == []
    # Each of them is at the other one now, though the first is back, and was answered there.
    assert dead not in met.where["after"]
    recovery = met.recovery_s("killed")
    assert recovery.keys() == there
    assert max(recovery.values()) < math.inf

    kept = kept_questions(running.database_url)
    assert met.confirmed, "nobody was answered"
    assert met.confirmed.keys() - kept.keys() == set()
    owners = {visitor: {kept[words] for words, who in met.confirmed.items() if who == visitor} for visitor in range(4)}
    assert [len(found) for found in owners.values()] == [1] * 4, "each has one history, wherever it was written"
    assert len(set.union(*owners.values())) == 4


def test_whose_replica_is_killed_comes_back_at_the_other_one_with_their_history(
    running: Deployment, page: Page
) -> None:
    running.sign_in.claims = {"sub": "lena", "name": "Lena", "email": "lena@example.org"}
    page.goto(f"{running.address}/")
    page.get_by_role("button", name="Sign in").click()
    expect(chat(page)).to_be_visible()
    assert page.url == f"{running.address}/"
    ask(page, "Who keeps this?")

    first = replica_of(page)
    with page.expect_websocket(lambda socket: "/vif/_stcore/stream" in socket.url):
        running.replicas[first].kill()
    # By itself: nobody loads the page again. What was drawn stays; that the conversation was in the memory of a replica
    # that is gone is only seen in that the next message begins a new one.
    expect(page.get_by_test_id("stText").filter(has_text="Who keeps this?")).to_be_visible()
    chat(page).fill("And who answers now?")
    chat(page).press("Enter")
    expect(page.get_by_test_id("stText").filter(has_text="And who answers now?")).to_be_visible()
    expect(page.get_by_test_id("stChatInputStopButton")).to_have_count(0)
    expect(page.get_by_text("in all").last).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert (second := replica_of(page)) != first

    to(page, "History")
    expect(page.get_by_role("button", name="Who keeps this?")).to_be_visible()
    expect(page.get_by_role("button", name="And who answers now?")).to_be_visible()

    running.replicas[first].restart()
    to(page, "Explore")
    expect(page.get_by_test_id("stText").filter(has_text="And who answers now?")).to_be_visible()
    assert replica_of(page) == second, "who was moved stays, though the first one is back"
    assert [line for line in running.nginx.asked() if not re.match(r"\d+ /vif/", line)] == []
