#!/usr/bin/env python3
"""Set up, run, test and check this project: `python3 dev.py COMMAND [ARGUMENT ...]`, or `make COMMAND`.

This file installs everything else, so it needs nothing but Python's standard library. It also has to *parse* on
Python 3.6: an older interpreter must reach the version check below instead of a SyntaxError.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "set-up.json"
GUARD = VENV / "set-up.lock"
LOCK = ROOT / "requirements.lock"
PYPROJECT = ROOT / "pyproject.toml"
SITE = ROOT / "build" / "site"
MINIMUM = (3, 11)


class DevError(Exception):
    """Something the person at the keyboard has to know, in one line."""


def newer_python(search_path: str) -> "str | None":  # an older Python evaluates this line: hence the quotes
    """The first working `python3.x`, 3.11 or newer, on a search path such as `$PATH`; None without one."""
    for minor in (14, 13, 12, 11, 15, 16, 17, 18, 19):  # released and wheeled first, then the future
        candidate = shutil.which(f"python3.{minor}", path=search_path)
        # A pyenv shim can stand there for a version that is not active: only running it tells.
        if candidate and subprocess.call([candidate, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return candidate
    return None


if sys.version_info < MINIMUM:
    _better = newer_python(os.environ.get("PATH", ""))
    if _better is None:
        sys.exit(f"dev.py: Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}")
    os.execv(_better, [_better, str(Path(__file__).resolve()), *sys.argv[1:]])


# ── Set-up ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def say(text: str) -> None:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


def call(*command: str | Path, timeout_s: float | None = None) -> bool:
    """Run a command in the project's folder; whether it succeeded."""
    try:
        return (
            subprocess.run(command, check=False, cwd=ROOT, stdin=subprocess.DEVNULL, timeout=timeout_s).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        say(str(error))
        return False


def wanted_stamp(root: Path) -> dict[str, str]:
    """What `.venv` depends on: the two files, the Python version and, as scripts hold absolute paths, the folder."""
    return {
        "lock": hashlib.sha256((root / LOCK.name).read_bytes()).hexdigest(),
        "project": hashlib.sha256((root / PYPROJECT.name).read_bytes()).hexdigest(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "folder": str(root),
    }


def read_stamp(path: Path) -> dict[str, str]:
    """The stamp of the last finished set-up; empty when there is none or it cannot be read."""
    try:
        stamp = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def outdated(have: dict[str, str], wanted: dict[str, str]) -> str:
    """What has to be done again: "nothing", "project" (only its own metadata) or "everything"."""
    different = {key for key in wanted if have.get(key) != wanted[key]}
    if not different:
        return "nothing"
    return "project" if different == {"project"} else "everything"


def base_python() -> str:
    """The interpreter outside any virtual environment: `.venv` may be about to be emptied under our feet."""
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    return str(base) if sys.prefix != sys.base_prefix and base.exists() else sys.executable


def can_make_venv() -> bool:
    return subprocess.call([base_python(), "-c", "import ensurepip, venv"], stderr=subprocess.DEVNULL) == 0


def is_root_on_debian() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(*packages: str) -> bool:
    say(f"installing {', '.join(packages)} with apt-get …")
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    quiet = ("-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0")
    # A failing update (one dead mirror of several) need not stop the install.
    call("apt-get", *quiet, "update")
    return call("apt-get", *quiet, "install", "-y", "--no-install-recommends", *packages)


def installers() -> Iterator[tuple[list[str | Path], list[str | Path]]]:
    """The ways to make `.venv` and to install into it, best first; after a `yield`: when that way failed."""
    base = base_python()
    uv = shutil.which("uv")
    if uv:
        make_venv: list[str | Path] = [uv, "venv", "-q", "--allow-existing", "--python", base, VENV]
        yield make_venv, [uv, "pip", "install", "-q", "--python", PYTHON]
        say("uv did not manage it; trying pip, which has a configuration of its own")
    if not can_make_venv():
        package = f"python3.{sys.version_info.minor}-venv"
        # Debian's package is for Debian's Python, not for one built or downloaded beside it.
        can_install = sys.base_prefix == "/usr" and is_root_on_debian()
        if not (can_install and apt_install(package) and can_make_venv()):
            raise DevError(
                f"this Python cannot make a virtual environment (no ensurepip): install {package}, for example with "
                f"`apt install {package}`, or uv, and run this again"
            )
    yield [base, "-m", "venv", VENV], [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check"]


def empty_venv() -> None:
    """Remove everything in `.venv` but the guard that other processes wait on."""
    for entry in VENV.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != GUARD:
            entry.unlink()


def install_project(install: list[str | Path]) -> bool:
    # The build back end is in the lock: isolation would fetch another one.
    return call(*install, "--no-deps", "--no-build-isolation", "-e", ROOT)


def install_everything() -> None:
    say("setting up .venv (only the first time, or when requirements.lock has changed; a minute or two) …")
    for make_venv, install in installers():
        empty_venv()
        if (
            call(*make_venv)
            and call(*install, "--no-deps", "--require-hashes", "-r", LOCK)
            and install_project(install)
        ):
            return
    raise DevError("set-up failed; the lines above say why. The same command starts afresh")


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Let one process at a time change `.venv`; the system releases the guard of a process that dies."""
    import fcntl

    VENV.mkdir(exist_ok=True)
    with GUARD.open("w") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this folder is running; waiting for it …")
            fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def set_up() -> None:
    """Bring `.venv` to what requirements.lock says; nothing to do is decided without a process or a network."""
    wanted = wanted_stamp(ROOT)

    def due() -> str:
        return outdated(read_stamp(STAMP) if PYTHON.exists() else {}, wanted)

    if due() == "nothing":
        return
    with guarded():
        what = due()  # again: the process waited for may have done it
        if what == "nothing":
            return
        started = time.monotonic()
        STAMP.unlink(missing_ok=True)  # an interruption from here on leaves no stamp, so the next start repairs it
        if what == "everything" or not any(install_project(install) for _, install in installers()):
            install_everything()
        finished = STAMP.with_suffix(".new")
        finished.write_text(json.dumps(wanted, indent=1), encoding="utf-8")
        finished.replace(STAMP)
        say(f"set-up finished in {time.monotonic() - started:.0f} s")


# ── Chromium, for the browser tests ─────────────────────────────────────────────────────────────────────────────────


_ASK_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
)


def starts(browser: str) -> bool:
    """Whether a browser is there and its libraries too (`playwright install` brings it without them)."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run([browser, "--version"], check=False, capture_output=True, timeout=60).returncode == 0
    return False


def find_chromium(playwright_python: str | Path = PYTHON) -> str | None:
    """The path of a Chromium that starts, or None: `$CHROMIUM_PATH` alone when set, else the usual places."""
    chosen = os.environ.get("CHROMIUM_PATH")
    if chosen:
        return chosen if starts(chosen) else None
    names = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
    for candidate in ("/usr/bin/chromium", *map(shutil.which, names)):
        if candidate and starts(candidate):
            return candidate
    ask = subprocess.run([playwright_python, "-c", _ASK_PLAYWRIGHT], check=False, capture_output=True, text=True)
    path = ask.stdout.strip()
    return path if path and starts(path) else None


def no_chromium() -> str:
    """What to tell a person when `find_chromium` has found none."""
    chosen = os.environ.get("CHROMIUM_PATH")
    if chosen:
        return f"CHROMIUM_PATH is {chosen!r}, which does not start; correct it, or unset it to use another Chromium"
    return (
        "no Chromium that starts was found; install Debian's `chromium` package, run `.venv/bin/playwright install "
        "chromium` (as root with --with-deps), or set CHROMIUM_PATH"
    )


def get_chromium() -> None:
    """Install Chromium when there is none. Failing is no error here: the tests say what could not run."""
    if find_chromium():
        return
    with guarded():
        if find_chromium() or os.environ.get("CHROMIUM_PATH"):
            return
        as_root = is_root_on_debian()
        if as_root and apt_install("chromium", "fonts-dejavu-core") and find_chromium():
            return
        say("downloading Chromium with playwright …")
        with_libraries = ["--with-deps"] if as_root else []
        call(PYTHON, "-m", "playwright", "install", *with_libraries, "chromium", timeout_s=600)
        if not find_chromium():
            say(no_chromium())


# ── Redis, for the tests of what replicas share ─────────────────────────────────────────────────────────────────────


def find_redis() -> str | None:
    return shutil.which("redis-server")


def no_redis() -> str:
    return "no redis-server was found; install Debian's `redis-server` package, or Redis in any other way"


def get_redis() -> None:
    """Install Redis when there is none and that is possible. Failing is no error here, as for Chromium."""
    if find_redis():
        return
    with guarded():
        if not find_redis() and not (is_root_on_debian() and apt_install("redis-server")):
            say(no_redis())


# ── PostgreSQL, for the tests of the store ──────────────────────────────────────────────────────────────────────────


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs: Debian keeps those of a server away from $PATH."""
    on_path = [Path(found).resolve().parent for found in (shutil.which("initdb"),) if found]
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name.zfill(4))
    for folder in (*on_path, *reversed(versions)):
        if all((folder / program).exists() for program in ("initdb", "postgres")):
            return folder
    return None


def no_postgres() -> str:
    return "no PostgreSQL server was found (initdb, postgres); install Debian's `postgresql` package, or any other way"


def get_postgres() -> None:
    """Install PostgreSQL when there is none and that is possible. Failing is no error here, as for Chromium."""
    if find_postgres():
        return
    with guarded():
        if not find_postgres() and not (is_root_on_debian() and apt_install("postgresql") and find_postgres()):
            say(no_postgres())


# ── nginx, for the tests of several replicas ────────────────────────────────────────────────────────────────────────


def find_nginx() -> str | None:
    """Debian keeps it where only root's $PATH looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def no_nginx() -> str:
    return "no nginx was found; install Debian's `nginx-light` package, or nginx in any other way"


def get_nginx() -> None:
    """Install nginx when there is none and that is possible. Failing is no error here, as for Chromium."""
    if find_nginx():
        return
    with guarded():
        if not find_nginx() and is_root_on_debian():
            with no_services():
                apt_install("nginx-light")
        if not find_nginx():
            say(no_nginx())


@contextlib.contextmanager
def no_services(policy: Path = Path("/usr/sbin/policy-rc.d")) -> Iterator[None]:
    """Packages of Debian start no server of the system while this lasts: the tests start their own."""
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


# ── The lock file ───────────────────────────────────────────────────────────────────────────────────────────────────

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_COMPILE = (
    "uv pip compile pyproject.toml --universal --generate-hashes --extra weights --group dev --python-version 3.11"
    " --no-emit-index-url --no-emit-find-links -o requirements.lock"
)


def _normal(requirement: str) -> str:
    """The normalised project name at the start of a requirement ("" when it starts with none)."""
    name = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", name.group()).lower() if name else ""


def lock_problems(pyproject: str, lock: str) -> list[str]:
    """What is wrong with a lock file, given the text of both files; empty when nothing is. Needs no network."""
    import tomllib

    declared = tomllib.loads(pyproject)
    project = declared["project"]
    groups = [
        declared["build-system"]["requires"],
        project.get("dependencies", []),
        *project.get("optional-dependencies", {}).values(),
        *declared.get("dependency-groups", {}).values(),
    ]
    entries = [entry for entry in re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n?", "", lock)) if entry.strip()]
    problems = [
        f"{requirement!r} of pyproject.toml is not in requirements.lock: run `make lock`"
        for group in groups
        for requirement in group
        if _normal(requirement) not in set(map(_normal, entries))
    ]
    for entry in entries:
        first = entry.splitlines()[0].rstrip(" \\")
        if not re.match(_NAME.pattern + r"==[^\s=]+( ;|$)", first):
            problems.append(f"{first!r} in requirements.lock is not a pin (name==version)")
        elif "--hash=sha256:" not in entry:
            problems.append(f"{first!r} in requirements.lock has no hash")
    problems += [
        f"line {number} of requirements.lock holds an address"
        for number, line in enumerate(lock.splitlines(), start=1)
        if "://" in line
    ]
    return problems


# ── The audit of what is locked ─────────────────────────────────────────────────────────────────────────────────────

OSV_URL = "https://api.osv.dev/v1/query"
AUDIT_LIMIT_S = 28.0
ACCEPTED: "tuple[str, ...]" = ()
"""Advisories that do not concern this project, each with the reason in a comment."""


def audit() -> "tuple[list[str], str]":
    """Known vulnerabilities of what is locked for this Python; and why not all was looked at, or ""."""
    command: list[str | Path] = [
        VENV / "bin" / "pip-audit",
        "--requirement",
        LOCK,
        "--no-deps",
        "--disable-pip",
        "--format",
        "json",
    ]
    command += ["--progress-spinner", "off", "--desc", "off", "--timeout", "5"]
    command += ["--vulnerability-service", "osv", "--osv-url", OSV_URL]
    for advisory in ACCEPTED:
        command += ["--ignore-vuln", advisory]
    try:
        done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=AUDIT_LIMIT_S)
        found = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return [], f"{OSV_URL} took more than {AUDIT_LIMIT_S:.0f} s"
    except (OSError, ValueError, KeyError, TypeError):
        return [], f"{OSV_URL} cannot be asked, or does not answer as it should"
    problems = [
        f"{package['name']} {package['version']} has {flaw['id']}; "
        + (f"fixed in {', '.join(flaw['fix_versions'])}" if flaw["fix_versions"] else "there is no fixed version yet")
        for package in found
        for flaw in package.get("vulns", ())
    ]
    passed_over = [package["name"] for package in found if "skip_reason" in package]
    if not found or passed_over:
        return problems, f"{len(passed_over)} of {len(found)} are not known to {OSV_URL}"
    return problems, ""


# ── Commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


def become(*command: str | Path) -> None:
    """Turn this process into another one, so that signals and the exit status need no forwarding."""
    sys.stdout.flush()
    os.execv(command[0], [str(part) for part in command])


def setup(_arguments: list[str]) -> int:
    """make .venv from requirements.lock and install the project into it"""
    set_up()
    return 0


def run(arguments: list[str]) -> int:
    """start the dashboard; arguments go to `streamlit run`, e.g. --server.port 8600"""
    set_up()
    # Without the flag, the first start on a machine stops and asks for an e-mail address.
    become(PYTHON, "-m", "streamlit", "run", "app.py", "--server.showEmailPrompt=false", *arguments)
    return 0


def test(arguments: list[str]) -> int:
    """run every test, in a real browser too; arguments go to pytest, e.g. -k radar"""
    set_up()
    get_chromium()
    get_redis()
    get_postgres()
    get_nginx()
    # Three at a time: most tests wait for a socket, a database or a browser. Tests of one file stay together.
    become(PYTHON, "-m", "pytest", *(arguments or ["-n", "3", "--dist", "loadfile"]))
    return 0


def coverage(arguments: list[str]) -> int:
    """run every test and print the lines and branches none of them reached"""
    return test(["--cov", "--cov-report=term-missing:skip-covered", *arguments])


def check(_arguments: list[str]) -> int:
    """format, lint, strict types, import contract, lock file, known vulnerabilities; changes nothing"""
    set_up()
    tools: dict[str, tuple[str, ...]] = {
        "format": ("ruff", "format", "--check"),
        "lint": ("ruff", "check"),
        "types": ("mypy",),
        "imports": ("lint-imports", "--no-logo"),
    }
    failed = []
    for name, (tool, *rest) in tools.items():
        say(f"checking {name}")
        if not call(VENV / "bin" / tool, *rest):
            failed.append(name)
    say("checking lock file")
    problems = lock_problems(PYPROJECT.read_text(encoding="utf-8"), LOCK.read_text(encoding="utf-8"))
    for problem in problems:
        say(problem)
    if problems:
        failed.append("lock file")
    say("checking dependencies for known vulnerabilities")
    vulnerable, why_not = audit()
    for problem in vulnerable:
        say(problem)
    if why_not:
        say(f"dependencies were NOT audited: {why_not}")
    if vulnerable:
        failed.append("dependencies")
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def format_code(_arguments: list[str]) -> int:
    """format the code and apply the linter's safe fixes"""
    set_up()
    fixed = call(VENV / "bin" / "ruff", "check", "--fix")
    return 0 if call(VENV / "bin" / "ruff", "format") and fixed else 1


def bench(arguments: list[str]) -> int:
    """run every script of benchmarks/; arguments go to each"""
    set_up()
    scripts = sorted((ROOT / "benchmarks").glob("*.py"))
    failed = []
    for script in scripts:
        say(f"benchmarks/{script.name}")
        if not call(PYTHON, script, *arguments):
            failed.append(script.name)
    if not scripts or failed:
        say(f"failed: {', '.join(failed)}" if failed else "benchmarks/ holds no script")
        return 1
    return 0


def docs(arguments: list[str]) -> int:
    """write what the documentation takes from the code, and build it as a site in build/site"""
    set_up()
    if not call(PYTHON, "-m", "docs.generate") or not call(*site_command(PYTHON, SITE), *arguments):
        return 1
    say(f"the site is at {SITE / 'index.html'}")
    return 0


def site_command(python: "str | Path", target: Path) -> "list[str | Path]":
    """What builds the documentation into `target`; a warning is an error, a reference that leads nowhere too."""
    flags = (
        "--quiet",
        "--fail-on-warning",
        "--keep-going",
        "--nitpicky",
        "--fresh-env",
        "--doctree-dir",
        target / ".doctrees",
    )
    return [python, "-m", "sphinx", *flags, ROOT / "docs", target]


def lock(arguments: list[str]) -> int:
    """write requirements.lock anew from pyproject.toml; arguments go to uv, e.g. --upgrade"""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        uv = shutil.which("uv")
        if uv is None:
            say("getting uv …")
            set_up()
            uv = str(Path(folder) / "bin" / "uv")
            pip = (Path(folder) / "bin" / "python", "-m", "pip")
            if not (call(PYTHON, "-m", "venv", folder) and call(*pip, "install", "-q", "uv")):
                raise DevError("uv could not be installed; it is what writes requirements.lock")
        # The file's first lines name the plain command, whatever was asked for this time.
        os.environ["UV_CUSTOM_COMPILE_COMMAND"] = _COMPILE
        if not call(uv, *_COMPILE.split()[1:], "--quiet", *arguments):
            raise DevError("uv could not write requirements.lock; the lines above say why")
    problems = lock_problems(PYPROJECT.read_text(encoding="utf-8"), LOCK.read_text(encoding="utf-8"))
    for problem in problems:
        say(problem)
    return 1 if problems else 0


COMMANDS = {
    "setup": setup,
    "run": run,
    "test": test,
    "coverage": coverage,
    "check": check,
    "format": format_code,
    "bench": bench,
    "docs": docs,
    "lock": lock,
}


def usage() -> str:
    rows = "\n".join(f"  {name:<9} {function.__doc__}" for name, function in COMMANDS.items())
    return f"""make COMMAND [ARGS="..."], or without make: python3 dev.py COMMAND [...]

{rows}

Every command sets up what it needs and skips what is there already."""


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0
    command = COMMANDS.get(arguments[0])
    if command is None:
        say(f"{arguments[0]!r} is not a command; the commands are {', '.join(COMMANDS)}")
        return 2
    if os.name != "posix":
        say("this needs Linux or macOS; on Windows, use WSL")
        return 1
    os.chdir(ROOT)
    # Ending on SIGTERM through an exception lets subprocess.run end its child too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return command(arguments[1:])
    except DevError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted; run the same command again to go on")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
