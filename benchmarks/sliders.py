"""From a moved slider to the redrawn six-line chart, in Chromium: the oscillation lab and three ways without it.

python benchmarks/sliders.py [--json] [--moves 40] [--alone]

Every page has 18 sliders and one chart of six curves with 401 points each; a slider is moved by its arrow keys.
"changed" is the time until the chart's lines are other ones, "painted" until the frame with them is done. "downstream"
is the time from a slider let go until the parts drawn by the server are other ones: the first of them, and the last.
Dash and Gradio are installed into a temporary environment; without a package index they are left out, with a line.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

import dev

START_LIMIT_S = 90.0
PAUSE_MS = 350
"""Between two moves, so that nothing of one reaches into the next."""

CURVES = """
import math
import plotly.graph_objects as go

BASES = (0.82, 0.72, 0.91, 0.62, 0.78, 0.70)
SECONDS = [4 * i / 400 for i in range(401)]

def figure(values):
    made = go.Figure(layout={"yaxis": {"range": [0, 1]}, "height": 330, "uirevision": 1})
    for index, base in enumerate(BASES):
        frequency, amplitude, phase = values[3 * index : 3 * index + 3]
        made.add_scatter(x=SECONDS, mode="lines", y=[
            min(max(base + amplitude * math.sin(2 * math.pi * frequency * t + phase), 0), 1) for t in SECONDS
        ])
    return made

SLIDERS = [
    (f"{name} {index}", highest, step, first)
    for index in range(6)
    for name, highest, step, first in (
        ("frequency", 3.0, 0.05, 1.0), ("amplitude", 1.0, 0.01, 0.3), ("phase", 6.28, 0.02, 0.0)
    )
]
"""

STREAMLIT = """
import streamlit as st
from curves import SLIDERS, figure

@st.fragment
def page():
    place = st.container()
    values = [st.slider(name, 0.0, highest, first, step) for name, highest, step, first in SLIDERS]
    place.plotly_chart(figure(values), key="curves")

page()
"""

DASH = """
import sys
from dash import Dash, Input, Output, dcc, html
from curves import SLIDERS, figure

app = Dash(__name__)
ids = [f"slider-{number}" for number in range(len(SLIDERS))]
app.layout = html.Div([dcc.Graph(id="curves")] + [
    dcc.Slider(0, highest, step, value=first, id=id_, marks=None, updatemode="drag")
    for id_, (_, highest, step, first) in zip(ids, SLIDERS)
])
app.callback(Output("curves", "figure"), *[Input(id_, "value") for id_ in ids])(lambda *values: figure(values))
app.run(port=int(sys.argv[1]), debug=False)
"""

GRADIO = """
import sys
import gradio as gr
from curves import SLIDERS, figure

with gr.Blocks(analytics_enabled=False) as page:
    plot = gr.Plot(figure([first for *_, first in SLIDERS]))
    sliders = [gr.Slider(0, highest, first, step=step, label=name) for name, highest, step, first in SLIDERS]
    for slider in sliders:
        slider.input(lambda *values: figure(values), sliders, plot, show_progress="hidden", trigger_mode="always_last")
page.launch(server_port=int(sys.argv[1]), quiet=True)
"""

WATCH = """([inLab, lines]) => {
  const host = [...document.querySelectorAll("*")].find(e => e.shadowRoot?.querySelector(".lab"))
  const root = inLab ? host.shadowRoot : document.body
  const signature = () => [...root.querySelectorAll(lines)].map(line => line.getAttribute("d")).join()
  let start = null, before = ""
  document.addEventListener("keydown", () => {
    window.moved = null
    before = signature()
    start = performance.now()
  }, { capture: true })
  new MutationObserver(() => {
    if (start === null) return
    const now = signature()
    if (!now || now === before) return
    const [began, changed] = [start, performance.now()]
    start = null
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => (window.moved = [changed - began, performance.now() - began])
      channel.port2.postMessage(0)
    })
  }).observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ["d"] })
}"""

WATCH_DOWNSTREAM = """() => {
  const host = [...document.querySelectorAll("*")].find(e => e.shadowRoot?.querySelector(".lab"))
  let start = null
  host.shadowRoot.addEventListener("change", () => {
    start = performance.now()
    window.settled = []
  }, { capture: true })
  const main = document.querySelector("[data-testid=stMain]")
  const parts = [...main.querySelectorAll("*")].map(e => e.shadowRoot).filter(root => root && root !== host.shadowRoot)
  const seen = new MutationObserver(() => start !== null && window.settled.push(performance.now() - start))
  for (const part of [main, ...parts]) {
    const attributeFilter = ["d", "transform"]
    seen.observe(part, { subtree: true, childList: true, characterData: true, attributeFilter })
  }
}"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do it: how its server is started, which slider is moved, which lines are watched."""

    name: str
    command: Callable[[int], list[str]]
    slider: Callable[[Page], Locator]
    lines: str
    in_lab: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--moves", type=int, default=40)
    parser.add_argument("--alone", action="store_true", help="the oscillation lab only")
    arguments = parser.parse_args()
    chromium = dev.find_chromium(sys.executable)
    if chromium is None:
        print(dev.no_chromium())
        return
    result: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        ways = _ways(Path(folder), alone=arguments.alone)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for way in ways:
            with _served(way, Path(folder)) as address:
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto(address)
                result[way.name] = _measure(page, way, arguments.moves)
                if way.in_lab:
                    result[way.name] |= _measure_downstream(page, arguments.moves)
                page.close()
        browser.close()
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{'median of milliseconds':<28} {'changed':>8} {'painted':>8} {'p95':>8}")
    for name, row in result.items():
        print(f"{name:<28} {row['changed_ms']:>8.1f} {row['painted_ms']:>8.1f} {row['painted_p95_ms']:>8.1f}")
    for name, row in result.items():
        if "downstream_first_ms" in row:
            print(f"{name}, downstream: {row['downstream_first_ms']:.0f} first, {row['downstream_last_ms']:.0f} last")


def _ways(folder: Path, *, alone: bool) -> list[Way]:
    (folder / "curves.py").write_text(CURVES)
    (folder / "fragment.py").write_text(STREAMLIT)
    streamlit = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "--server.headless",
        "true",
        "--server.fileWatcherType",
        "none",
    ]
    plotly_lines = ".js-plotly-plot path.js-line"

    def streamlit_page(script: Path) -> Callable[[int], list[str]]:
        return lambda port: [*streamlit, "--server.port", str(port), str(script)]

    ways = [
        Way(
            "oscillation lab",
            streamlit_page(dev.ROOT / "tests" / "browser" / "lab_page.py"),
            lambda page: page.get_by_role("slider", name="Frequency of"),
            ".curve path",
            in_lab=True,
        ),
        Way(
            "Streamlit, fragment",
            streamlit_page(folder / "fragment.py"),
            lambda page: page.get_by_role("slider").first,
            plotly_lines,
        ),
    ]
    if alone:
        return ways[:1]
    python = _competitors(folder)
    if python is None:
        return ways
    for name, text, slider in (
        ("Dash", DASH, lambda page: page.get_by_role("slider").first),
        ("Gradio", GRADIO, lambda page: page.locator("input[type=range]").first),
    ):
        script = folder / f"{name.lower()}_page.py"
        script.write_text(text)
        ways.append(Way(name, lambda port, script=script: [python, str(script), str(port)], slider, plotly_lines))  # type: ignore[misc]
    return ways


def _competitors(folder: Path) -> str | None:
    """The Python of an environment with Dash and Gradio."""
    place = folder / "competitors"
    venv.create(place, with_pip=True)
    python = str(place / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "dash", "gradio", "plotly"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"Dash and Gradio are left out: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return python


@contextmanager
def _served(way: Way, folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"
    with log.open("wb") as output:
        # From the repository's root: that is where its theme is found.
        server = subprocess.Popen(
            way.command(port), cwd=dev.ROOT, env=_environment(folder), stdout=output, stderr=output
        )
    try:
        address = f"http://127.0.0.1:{port}"
        give_up_at = time.monotonic() + START_LIMIT_S
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > give_up_at:
                raise SystemExit(f"{way.name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{dev.ROOT}{os.pathsep}{folder}", "GRADIO_ANALYTICS_ENABLED": "False"}


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:  # noqa: S310  # our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _measure(page: Page, way: Way, moves: int) -> dict[str, float]:
    slider = way.slider(page)
    slider.wait_for(timeout=START_LIMIT_S * 1000)
    page.wait_for_timeout(3000)
    page.evaluate(WATCH, [way.in_lab, way.lines])
    slider.focus()
    times: list[tuple[float, float]] = []
    for number in range(moves + 3):
        page.keyboard.press("ArrowRight" if number % 20 < 10 else "ArrowLeft")
        page.wait_for_function("() => window.moved")
        if number >= 3:  # the first ones warm up
            times.append(page.evaluate("() => window.moved"))
        page.wait_for_timeout(PAUSE_MS)
    painted = sorted(painted for _, painted in times)
    return {
        "changed_ms": round(statistics.median(changed for changed, _ in times), 1),
        "painted_ms": round(statistics.median(painted), 1),
        "painted_p95_ms": round(painted[int(0.95 * len(painted))], 1),
    }


def _measure_downstream(page: Page, moves: int) -> dict[str, float]:
    slider = page.get_by_role("slider", name="Frequency of")
    slider.scroll_into_view_if_needed()
    page.evaluate(WATCH_DOWNSTREAM)
    box = slider.bounding_box()
    assert box is not None
    first, last = [], []
    for number in range(moves + 3):
        # From one side of 1.5 Hz to the other: rhythm, resonance and qualities all become others.
        here, there = (0.35, 0.75) if number % 2 else (0.75, 0.35)
        page.mouse.move(box["x"] + here * box["width"], box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + there * box["width"], box["y"] + box["height"] / 2, steps=4)
        page.mouse.up()
        page.wait_for_function("() => window.settled?.length")
        page.wait_for_timeout(900)
        if number >= 3:
            seen: list[float] = page.evaluate("() => window.settled")
            first.append(seen[0])
            last.append(seen[-1])
    return {
        "downstream_first_ms": round(statistics.median(first), 1),
        "downstream_last_ms": round(statistics.median(last), 1),
    }


if __name__ == "__main__":
    main()
