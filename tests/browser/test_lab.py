"""The oscillation lab in a real browser: what follows the finger is drawn there, the rest comes from the server."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import dev
from tests.browser.lab_page import DOMAINS, MESSAGE
from tests.browser.test_explore import LIMIT_MS, Watched, chat, send, sideways_overflow
from tests.browser.test_explore import opened as opened_dashboard
from tests.conftest import served
from tests.standin import Standin
from tests.wire.plans import Ending, say
from vif.boundaries import DEFAULT_BOUNDARIES, dissolve, resonance
from vif.figures import SEEN, describe_qualities, describe_resonance
from vif.flow import Reading, shape
from vif.oscillation import HIGHEST_PHASE, STARTING_POINTS, Oscillation, from_text, permeability_at, swinging, to_text
from vif.qualities import Qualities

PAGE = Path(__file__).with_name("lab_page.py")
WAVE = dev.ROOT / "pages" / "lab" / "wave.js"
BOUNDARIES = dissolve(DEFAULT_BOUNDARIES, DOMAINS)
BASES = [boundary.permeability for boundary in BOUNDARIES]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that shows the lab alone."""
    quiet = {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}  # the page stands outside the dashboard's configuration
    with served(tmp_path_factory.mktemp("lab"), PAGE, quiet) as address:
        yield address


def opened(browser: Browser, address: str, **context: object) -> Iterator[Page]:
    with browser.new_context(**context) as place:  # type: ignore[arg-type]
        place.set_default_timeout(LIMIT_MS)
        watched = Watched(place.new_page())
        watched.page.goto(address)
        expect(slider(watched.page, "Frequency")).to_be_visible()
        expect(downstream(watched.page)).to_be_visible()
        yield watched.page
        assert watched.faults == []
        expect(watched.page.get_by_test_id("stException")).to_have_count(0)


@pytest.fixture
def desk(browser: Browser, address: str) -> Iterator[Page]:
    yield from opened(browser, address, viewport={"width": 1280, "height": 900})


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    yield from opened(browser, address, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)


@pytest.fixture
def calm(browser: Browser, address: str) -> Iterator[Page]:
    """Somebody who wants little motion."""
    yield from opened(browser, address, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")


def slider(page: Page, quantity: str) -> Locator:
    return page.get_by_role("slider", name=f"{quantity} of")


def downstream(page: Page) -> Locator:
    return page.get_by_test_id("stTable")


def choose(page: Page, label: str) -> None:
    page.locator(".chip", has_text=label).click()


def drawn(page: Page, boundary: str) -> list[tuple[float, float]]:
    """The points of a curve as seconds and permeability, back from pixels by the axes' labels."""
    path = page.locator(f"[data-boundary={boundary}] path").first.get_attribute("d")
    ticks = {t.text_content(): t for t in page.locator(".curves text.tick").all()}
    (bottom, top), (left, right) = (
        [float(ticks[name].get_attribute(axis) or "") for name in names]
        for axis, names in (("y", ("0.0", "1.0")), ("x", ("0 s", "4 s")))
    )
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)", path or "")
    return [((float(x) - left) / (right - left) * 4, (float(y) - bottom + 4) / (top - bottom)) for x, y in points]


def link(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("osc", [""])[0]


def has_link(page: Page, text: str) -> None:
    page.wait_for_function("text => new URL(location).searchParams.get('osc') === text", arg=text)


def test_the_browsers_formula_is_that_of_the_library(chromium: str, browser: Browser) -> None:
    dice = random.Random(7)
    edges = [(base, Oscillation(3.0, 1.0, HIGHEST_PHASE), t) for base in (0.0, 1.0) for t in (0.0, 4.0)]
    cases = edges + [
        (
            dice.random(),
            Oscillation(dice.uniform(0, 3), dice.random(), dice.uniform(0, HIGHEST_PHASE)),
            dice.uniform(0, 4),
        )
        for _ in range(2000)
    ]
    page = browser.new_page()
    found = page.evaluate(
        """async ([source, cases]) => {
            const wave = await import("data:text/javascript," + encodeURIComponent(source))
            return cases.map(([base, settings, seconds]) => wave.permeabilityAt(base, settings, seconds))
        }""",
        [WAVE.read_text(), [(base, (o.frequency, o.amplitude, o.phase), t) for base, o, t in cases]],
    )
    page.close()
    assert len(found) == len(cases)
    for value, case in zip(found, cases, strict=True):
        assert value == pytest.approx(permeability_at(*case), abs=1e-12)


def test_a_curve_is_drawn_as_the_library_has_it(desk: Page) -> None:
    desk.get_by_role("button", name="One fast edge").click()
    for name, base, oscillation in zip(
        [b.name for b in BOUNDARIES], BASES, STARTING_POINTS["One fast edge"], strict=True
    ):
        points = drawn(desk, name)
        assert len(points) == 401
        assert points[0][0] == pytest.approx(0, abs=0.01)
        assert points[-1][0] == pytest.approx(4, abs=0.01)
        for number, (_, permeability) in enumerate(points):
            # pixels are drawn with one decimal, and 1.0 is 300 of them high
            assert permeability == pytest.approx(permeability_at(base, oscillation, number / 100), abs=0.001)


def test_a_slider_redraws_its_curve_at_once_and_the_server_hears_of_it_once(desk: Page) -> None:
    sent: list[str] = []
    before = drawn(desk, "CD-SD")
    others = drawn(desk, "CD-ED")
    expect(desk.get_by_text("Nothing yet")).to_be_visible()
    desk.evaluate(
        "() => { const send = WebSocket.prototype.send; window.sent = 0;"
        " WebSocket.prototype.send = function (data) { window.sent += 1; return send.call(this, data) } }"
    )
    box = slider(desk, "Frequency").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    desk.mouse.move(box["x"] + box["width"] / 3, y)
    desk.mouse.down()
    desk.mouse.move(box["x"] + box["width"] * 0.8, y, steps=12)
    assert drawn(desk, "CD-SD") != before
    assert drawn(desk, "CD-ED") == others
    sent.append(str(desk.evaluate("() => window.sent")))
    desk.mouse.up()
    expect(desk.get_by_text("rhythm none → rapid").first).to_be_hidden()  # amplitude 0.1 is no movement
    expect(desk.get_by_text("Nothing yet")).to_have_count(0)
    assert link(desk) != ""
    assert desk.evaluate("() => window.sent") <= int(sent[0]) + 1, "one message when the finger is lifted"


def test_what_is_shown_downstream_is_what_the_library_computes(desk: Page) -> None:
    choose(desk, "Computational – Experiential")
    slider(desk, "Amplitude").fill("0.4")
    slider(desk, "Frequency").fill("2.5")
    text = "1-0.1-0_1-0.1-0_2.5-0.4-0_1-0.1-0_1-0.1-0_1-0.1-0"
    has_link(desk, text)
    after = shape(MESSAGE, Reading(DOMAINS, swinging(BOUNDARIES, from_text(text))))
    rows = downstream(desk).locator("tbody tr")
    for number, interface in enumerate(after.interfaces):
        row = rows.nth(number)
        expect(row).to_contain_text(interface.boundary.replace("-", "–"))
        expect(row).to_contain_text(f"{interface.priority:.2f}")
        expect(row).to_contain_text(interface.rhythm)
        expect(row).to_contain_text(interface.primary_quality)


def test_the_matrices_show_the_numbers_of_the_library_and_follow_the_sliders(desk: Page) -> None:
    resonances = desk.get_by_role("table", name="Who swings with whom")
    qualities = desk.get_by_role("table", name="Qualities of each boundary")
    expect(resonances.locator("td.together")).to_have_count(30)
    expect(qualities.locator("td.changed")).to_have_count(0)
    desk.get_by_role("button", name="One fast edge").click()
    # The fast one swings alone: 5 · 4 cells are left.
    expect(resonances.locator("td.together")).to_have_count(20)
    before, after = (
        shape(MESSAGE, Reading(DOMAINS, boundaries))
        for boundaries in (BOUNDARIES, swinging(BOUNDARIES, STARTING_POINTS["One fast edge"]))
    )
    for one, row in zip(after.reading.boundaries, resonances.locator("tbody tr").all(), strict=True):
        assert row.get_by_role("rowheader").inner_text() == one.name.replace("-", "–")
        shown = [cell.inner_text() for cell in row.locator("td").all()]
        assert shown == [
            "" if one is other else f"{resonance(one, other).strength:.2f}" for other in after.reading.boundaries
        ]
    for index, (name, row) in enumerate(zip(Qualities._fields, qualities.locator("tbody tr").all(), strict=True)):
        assert row.get_by_role("rowheader").inner_text() == name
        for old, new, cell in zip(before.raw_qualities, after.raw_qualities, row.locator("td").all(), strict=True):
            was, now = old[index], new[index]
            value = f"{'▲ ' if now > was else '▼ '}{now:.2f}" if abs(now - was) >= SEEN else f"{now:.2f}"
            assert cell.locator(".now").inner_text() == value
            assert cell.locator(".was").inner_text() == (f"{was:.2f} →" if abs(now - was) >= SEEN else "")
    expect(resonances).to_have_accessible_description(describe_resonance(after.reading.boundaries))
    expect(qualities).to_have_accessible_description(describe_qualities(before, after))


def test_arrow_keys_move_a_slider(desk: Page) -> None:
    before = drawn(desk, "CD-SD")
    frequency = slider(desk, "Frequency")
    frequency.focus()
    for _ in range(4):
        desk.keyboard.press("ArrowRight")
    expect(frequency).to_have_value("1.2")
    expect(frequency).to_have_attribute("aria-valuetext", "1.20 Hz")
    assert drawn(desk, "CD-SD") != before
    has_link(desk, "1.2-0.1-0_" + "_".join(["1-0.1-0"] * 5))


def test_every_slider_is_named_and_stays_in_its_range(desk: Page) -> None:
    choose(desk, "Cultural – Experiential")
    for quantity, highest in (("Frequency", 3.0), ("Amplitude", 1.0), ("Phase", 2 * math.pi)):
        expect(desk.get_by_text(quantity, exact=True)).to_be_visible()
        place = slider(desk, quantity)
        expect(place).to_have_accessible_name(f"{quantity} of Cultural – Experiential")
        place.press("End")
        assert highest - 0.02 <= float(place.input_value()) <= highest
    desk.wait_for_function("() => new URL(location).searchParams.has('osc')")
    assert from_text(link(desk))[5].frequency == 3.0


def test_boundaries_can_be_chosen_with_the_keyboard(desk: Page) -> None:
    desk.locator(".chip input").first.focus()
    desk.keyboard.press("ArrowDown")
    expect(slider(desk, "Phase")).to_have_accessible_name("Phase of Computational – Cultural")


def test_play_moves_the_cursor_and_the_picture_and_pause_keeps_them(desk: Page) -> None:
    desk.get_by_role("button", name="In phase").click()
    value = desk.locator(".net text.value").first
    assert value.text_content() == f"{BASES[0]:.2f}"
    desk.get_by_role("button", name="Play").click()
    desk.wait_for_function(
        "() => { const host = [...document.querySelectorAll('*')].find(e => e.shadowRoot?.querySelector('.lab'));"
        " return Number(host.shadowRoot.querySelector('.cursor').value) > 0.2 }"
    )
    desk.get_by_role("button", name="Pause").click()
    cursor = desk.get_by_role("slider", name="Time")
    seconds = float(cursor.input_value())
    assert 0.2 < seconds < 4
    expected = permeability_at(BASES[0], Oscillation(1.0, 0.3), seconds)
    # the cursor's slider shows two decimals of the time
    assert float(value.text_content() or "") == pytest.approx(expected, abs=0.02)
    expect(desk.get_by_role("button", name="Play")).to_be_visible()
    assert float(cursor.input_value()) == seconds


def test_the_cursor_can_be_moved_by_hand(desk: Page) -> None:
    desk.get_by_role("button", name="In phase").click()
    desk.get_by_role("slider", name="Time").fill("0.25")
    shown = [text.text_content() for text in desk.locator(".net text.value").all()]
    assert shown == [f"{min(base + 0.3, 1.0):.2f}" for base in BASES]


def test_with_reduced_motion_play_shows_still_pictures_and_ends(calm: Page) -> None:
    seen = calm.evaluate(
        """() => new Promise(resolve => {
            const host = [...document.querySelectorAll("*")].find(e => e.shadowRoot?.querySelector(".lab"))
            const cursor = host.shadowRoot.querySelector(".cursor"), play = host.shadowRoot.querySelector(".play")
            const seen = new Set()
            play.click()
            const look = () => {
                seen.add(cursor.value)
                play.getAttribute("aria-pressed") === "true" ? requestAnimationFrame(look) : resolve([...seen])
            }
            look()
        })"""
    )
    assert set(seen) <= {"0", "0.5", "1", "1.5", "2", "2.5", "3", "3.5", "4"}
    assert "4" in seen


def test_settings_survive_a_reload_through_the_link(desk: Page) -> None:
    desk.get_by_role("button", name="Spread out").click()
    text = to_text(STARTING_POINTS["Spread out"])
    has_link(desk, text)
    curve = drawn(desk, "SD-ED")
    desk.reload()
    expect(desk.get_by_role("button", name="Spread out")).to_have_attribute("aria-pressed", "true")
    assert link(desk) == text
    for (_, now), (_, was) in zip(drawn(desk, "SD-ED"), curve, strict=True):
        assert now == pytest.approx(was, abs=0.001)


def test_reset_moves_the_sliders_back(desk: Page) -> None:
    desk.get_by_role("button", name="One fast edge").click()
    has_link(desk, to_text(STARTING_POINTS["One fast edge"]))
    expect(slider(desk, "Frequency")).to_have_value("0.6")
    desk.get_by_role("button", name="Reset").click()
    expect(slider(desk, "Frequency")).to_have_value("1")
    expect(desk.get_by_text("stays as it is, word for word")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_page(phone: Page) -> None:
    phone.get_by_role("button", name="One fast edge").tap()
    expect(phone.get_by_text("lines differ")).to_be_visible()
    assert sideways_overflow(phone) <= 0
    for name in ("curves", "net", "boundaries", "sliders", "resonances", "qualities"):
        box = phone.locator(f".{name}").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_stop_keeps_what_the_other_answer_has_and_hangs_up(
    browser: Browser, keyed_dashboard: str, standin: Standin
) -> None:
    for watched in opened_dashboard(browser, keyed_dashboard, viewport={"width": 1280, "height": 900}):
        page = watched.page
        send(page, "What is a thought?")
        expect(page.get_by_text(standin.reply)).to_be_visible()
        page.get_by_role("tab", name="Oscillation").click()
        page.get_by_role("button", name="One fast edge").click()
        expect(page.get_by_text("lines differ")).to_be_visible()
        again = page.get_by_role("button", name="Answer again with these settings")
        stop = page.locator(".st-key-lab_stop button")

        standin.plan("anthropic", say("Half a thought, and then", ending=Ending.STALL))
        again.click()
        half = page.get_by_text("Half a thought")
        expect(half).to_be_visible()
        expect(again).to_be_disabled()
        stop.click()
        expect(again).to_be_enabled()
        expect(stop).to_be_disabled()
        expect(page.get_by_text(re.compile("Stopped$"))).to_have_count(1)
        expect(half).to_be_visible()
        assert standin.requests[-1].gone.wait(10), "the provider still has our request"

        # It can be asked again, in the place of the half one.
        again.click()
        expect(page.get_by_text(standin.reply)).to_have_count(3)
        expect(half).to_have_count(0)
        expect(page.get_by_text(re.compile("Stopped$"))).to_have_count(0)
        expect(chat(page)).to_be_enabled()
