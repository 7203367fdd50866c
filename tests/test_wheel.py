"""The wheel as a stranger has it: in an environment of its own, started from a folder of something else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import dev
from tests.browser.test_explore import LIMIT_MS, Watched, chat
from tests.conftest import free_port, running, without_provider_settings
from tests.nginx_server import for_one, nginx_server

QUESTION = "Is 1001 a prime number?"
STRANGERS = {
    ".streamlit/config.toml": (
        '[server]\naddress = "0.0.0.0"\n[client]\nshowErrorDetails = "full"\n[browser]\ngatherUsageStats = true\n'
        '[theme]\nfont = "Comic Sans MS"\n[theme.light]\nprimaryColor = "#FF0000"\nbackgroundColor = "#00FF00"\n'
    ),
    "app.py": "raise SystemExit('the stranger’s app')\n",
    "pages/__init__.py": "raise SystemExit('the stranger’s pages')\n",
    "platform.py": "raise SystemExit('the stranger’s platform')\n",
}
"""What the folder somebody is in can hold: another Streamlit project with settings of its own."""


ALONE = {"PYTHONPATH": ""}
"""No way back to the checkout."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network by the back end of the lock file."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=dev.ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel, which sees the project's dependencies and not the project."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    # A path in a .pth file adds the packages; .pth files over there, as that of the editable project, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    subprocess.run([*installer(python), "--no-deps", "--no-index", wheel], check=True, capture_output=True)
    return folder / "bin"


def installer(python: Path) -> list[str | Path]:
    """What installs into the environment of `python`: pip, or uv where that has made our own environment."""
    if find_spec("pip"):
        # Ignored: the other environment's packages look installed, the editable project among them.
        return [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--ignore-installed"]
    uv = shutil.which("uv")
    assert uv, "neither pip nor uv is there"
    return [uv, "pip", "install", "-q", "--python", python]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    for name, text in STRANGERS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_wheel_holds_every_file_of_the_dashboard_and_nothing_beside_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    pages = [path for path in (dev.ROOT / "pages").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    wanted = {f"vif_dashboard/{path.relative_to(dev.ROOT)}" for path in pages}
    assert {path.rpartition(".")[2] for path in wanted} >= {"py", "css", "html", "js", "svg"}
    wanted |= {"vif_dashboard/app.py", "vif_dashboard/.streamlit/config.toml"}
    assert {path for path in packed if path.startswith("vif_dashboard/")} == wanted
    assert {path.partition("/")[0] for path in packed} == {"vif", "vif_dashboard", wheel.name[:9] + ".dist-info"}


def test_the_wheel_brings_safe_defaults(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        settings = tomllib.loads(archive.read("vif_dashboard/.streamlit/config.toml").decode())
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["client"]["showErrorDetails"] == "type"


def test_the_command_is_there_and_is_the_wheels_own(programs: Path, elsewhere: Path) -> None:
    code = "import vif, vif.cli_dashboard as d; print(vif.__file__); print(d.server_script())"
    environment = without_provider_settings(os.environ) | ALONE
    shown = subprocess.run(
        [programs / "python", "-P", "-c", code],
        cwd=elsewhere,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert [Path(line).is_relative_to(programs.parent) for line in shown.splitlines()] == [True, True]
    flow = subprocess.run(
        [programs / "vif", "flow"], cwd=elsewhere, env=environment, input="", check=True, capture_output=True, text=True
    )
    assert (flow.stdout, flow.stderr) == ("", "")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light") as place:
        place.set_default_timeout(LIMIT_MS)
        watched = Watched(place.new_page())
        yield watched.page
        assert watched.faults == []


def test_from_another_folder_it_serves_the_dashboard_with_its_own_theme_and_defaults(
    programs: Path, elsewhere: Path, page: Page
) -> None:
    port = free_port()
    command = [str(programs / "vif"), "dashboard", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}", elsewhere, ALONE) as address:
        page.goto(address)
        expect(chat(page)).to_be_visible(timeout=LIMIT_MS)
        chat(page).fill(QUESTION)
        chat(page).press("Enter")
        expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible(timeout=LIMIT_MS)
        expect(page.get_by_test_id("stChatMessage").first).to_contain_text(QUESTION)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="Rate")).to_be_visible()
        look = page.evaluate(
            "(({fontFamily, backgroundColor}) => [fontFamily, backgroundColor])"
            "(getComputedStyle(document.querySelector('[data-testid=stApp]')))"
        )
        assert "Comic" not in look[0]
        assert look[1] == "rgb(255, 255, 255)"
        with urllib.request.urlopen(f"{address}/healthz", timeout=10) as response:  # noqa: S310  # our own address
            assert response.read() == b'{"status":"ok"}'
        with pytest.raises(OSError):  # noqa: PT011  # refused, or no such address: either way nobody is there
            socket.create_connection(("127.0.0.2", port), timeout=10)
        log = (elsewhere / "server.log").read_text()
    assert f"the dashboard will be at http://127.0.0.1:{port}/" in log
    assert "warning" not in log
    assert "usage statistics" not in log


def test_behind_the_documented_nginx_it_works_under_a_path_and_takes_everybody_for_a_guest(
    programs: Path, elsewhere: Path, browser: Browser, nginx: str
) -> None:
    port = free_port()
    command = [str(programs / "vif"), "dashboard", "--port", str(port), "--base-path", "vif"]
    with (
        running(command, f"http://127.0.0.1:{port}/vif", elsewhere, ALONE),
        nginx_server(nginx, elsewhere / "nginx", for_one(), {8501: port}) as front,
        browser.new_context(ignore_https_errors=True) as place,
    ):
        place.set_default_timeout(LIMIT_MS)
        watched = Watched(place.new_page())
        page, address = watched.page, f"https://127.0.0.1:{front.port}"
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.goto(f"{address}/vif")
        expect(chat(page)).to_be_visible(timeout=LIMIT_MS)
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Rate").click()
        expect(page.get_by_text("needs sign-in")).to_be_visible()
        assert page.url == f"{address}/vif/rate"
        assert sockets == [f"wss://127.0.0.1:{front.port}/vif/_stcore/stream"]
        assert page.request.get(page.url).ok  # as when it is opened anew
        assert page.request.get(f"{address}/metrics").status == 404
        assert watched.faults == []
    asked = [line.split()[1] for line in front.asked()]  # nginx writes a line after its answer: all once it has ended
    assert [path for path in asked if not path.startswith("/vif/")] == ["/vif", "/metrics"]
