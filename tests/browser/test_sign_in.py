"""Sign-in for real: a provider over a socket, a browser, the signed cookie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.oidc import SignIn
from tests.conftest import free_port, served

ROLES = {"VIF_ADMINS": "lena@example.org", "VIF_RATERS": "*@raters.example.org", "NO_PROXY": "127.0.0.1"}


@pytest.fixture(scope="module")
def sign_in() -> Iterator[SignIn]:
    with SignIn() as provider:
        yield provider


@pytest.fixture(scope="module")
def closed_dashboard(tmp_path_factory: pytest.TempPathFactory, sign_in: SignIn) -> Iterator[str]:
    """The address of a dashboard that only people with a role may use."""
    home: Path = tmp_path_factory.mktemp("closed")
    port = free_port()
    (home / "secrets.toml").write_text(sign_in.secrets(f"http://127.0.0.1:{port}"))
    with served(home, environment=ROLES, port=port) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def claims(name: str, email: str, **more: object) -> dict[str, object]:
    return {"sub": email, "name": name, "email": email, **more}


def enter(page: Page, address: str, sign_in: SignIn, who: dict[str, object]) -> None:
    sign_in.claims = who
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/**")


def test_nobody_gets_in_without_signing_in_whatever_the_address(page: Page, closed_dashboard: str) -> None:
    for path in ("", "/compare", "/operations"):
        page.goto(closed_dashboard + path)
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.get_by_test_id("stChatInputTextArea")).to_have_count(0)
        expect(page.get_by_role("link", name="Explore")).to_have_count(0)


def test_somebody_with_a_role_gets_in_and_out_again(page: Page, closed_dashboard: str, sign_in: SignIn) -> None:
    enter(page, closed_dashboard, sign_in, claims("Lena <b>L</b>", "Lena@Example.org"))
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    expect(page.get_by_text("Lena <b>L</b> · admin")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize(
    "who",
    [
        claims("Mallory", "mallory@elsewhere.example"),
        claims("Mallory", "lena@example.org", email_verified=False),
        claims("Mallory", "lena@example.org.elsewhere.example"),
        {"sub": "lena@example.org", "name": "lena@example.org"},
    ],
    ids=["unknown", "unverified", "look-alike", "no address"],
)
def test_somebody_without_a_role_is_told_so_and_sees_nothing(
    page: Page, closed_dashboard: str, sign_in: SignIn, who: dict[str, object]
) -> None:
    enter(page, closed_dashboard, sign_in, who)
    expect(page.get_by_text("has no role here")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page.get_by_test_id("stChatInputTextArea")).to_have_count(0)
