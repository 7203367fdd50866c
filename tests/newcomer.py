"""What somebody does who has never seen this project: clone it, follow the README, follow the documentation.

python3 tests/newcomer.py              a clone in an empty folder, with an empty home; the dashboard answers one message
                                       in a real browser; then every example of the documentation runs
python3 tests/newcomer.py --all        the second of README's commands as it stands: every test
python3 tests/newcomer.py --keep       leave the folder where it is

Needs what README asks for and no more. Exit status 1 at the first step that fails.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("PATH", "LANG", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PYENV_VERSION")
KEPT_PREFIXES = ("PIP_", "UV_", "HTTP_", "HTTPS_", "http_", "https_", "NO_PROXY", "no_proxy")
START_LIMIT_S = 900

ASK = """
import os, sys
import dev
from playwright.sync_api import expect, sync_playwright
from tests.conftest import CHROMIUM_ARGUMENTS
with sync_playwright() as playwright:
    chromium = dev.find_chromium(sys.executable)
    browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
    page = browser.new_page()
    page.goto(sys.argv[1])
    chat = page.get_by_test_id("stChatInputTextArea")
    expect(chat).to_be_enabled(timeout=60_000)
    chat.fill("Why do leaves turn red in autumn?")
    chat.press("Enter")
    expect(page.get_by_text("reads 0.").first).to_be_visible(timeout=120_000)
    expect(page.get_by_text("tokens").first).to_be_visible(timeout=120_000)
    print(page.get_by_text("reads 0.").first.inner_text())
    browser.close()
"""


def commands_of(readme: str) -> list[str]:
    """README's first block of commands, a line each, without comments. Raises ValueError when there are not two."""
    block = re.search(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    commands = [line.split("#")[0].strip() for line in block[1].splitlines()] if block else []
    if len(commands) != 2:
        raise ValueError(
            f"README's first block of commands is {commands}; there must be two, the dashboard and the tests"
        )
    return commands


def clean_environment(home: Path) -> dict[str, str]:
    """Nothing of this user but how this machine reaches the network."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
    return kept | {"HOME": str(home)}


def step(what: str, command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run one command. Raises CalledProcessError when it fails."""
    print(f"── {what}", flush=True)
    began = time.monotonic()
    subprocess.run(command, check=True, cwd=folder, env=environment, stdin=subprocess.DEVNULL)
    print(f"── {what}: {time.monotonic() - began:.0f} s", flush=True)


@contextmanager
def started(command: list[str], port: int, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The dashboard's address once it answers there. Raises RuntimeError when it ends before, or never does."""
    address = f"http://127.0.0.1:{port}"
    print(f"── the dashboard: {shlex.join(command)}", flush=True)
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        while not _answers(address):
            if process.poll() is not None:
                raise RuntimeError(f"the dashboard ended with status {process.returncode}")
            if time.monotonic() - began > START_LIMIT_S:
                raise RuntimeError(f"the dashboard did not answer in {START_LIMIT_S} s")
            time.sleep(0.5)
        print(f"── the dashboard answers after {time.monotonic() - began:.0f} s, its set-up included", flush=True)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as response:  # noqa: S310  # our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="run every test")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="newcomer-"))
    home, clone = folder / "home", folder / "vif"
    home.mkdir()
    environment = clean_environment(home)
    try:
        step("a fresh clone", ["git", "clone", "--quiet", str(ROOT), str(clone)], folder, environment)
        run, test = (shlex.split(command) for command in commands_of((clone / "README.md").read_text(encoding="utf-8")))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        flags = f"ARGS=--server.port {port} --server.headless true"
        with started([*run, flags], port, clone, environment) as address:
            python = str(clone / ".venv" / "bin" / "python")
            # Chromium comes with the tests' set-up.
            step("a browser for this script", [python, "-c", "import dev; dev.get_chromium()"], clone, environment)
            step("one message", [python, "-c", ASK, address], clone, environment)
        step("tests", test if options.all else [*test, "ARGS=tests/docs tests/examples"], clone, environment)
    except (subprocess.CalledProcessError, RuntimeError, ValueError) as error:
        print(f"── a newcomer is stopped here: {error}", file=sys.stderr)
        return 1
    finally:
        if options.keep:
            print(f"── everything is in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("── a newcomer comes through")
    return 0


if __name__ == "__main__":
    sys.exit(main())
