"""`vif dashboard`: the dashboard's server, from whatever folder one is in."""

from __future__ import annotations

import os
import re
import sys
from ipaddress import ip_address
from pathlib import Path

import click

import vif
from vif.errors import ConfigError

LOOPBACK = "127.0.0.1"
PORT = 8501

_PATH_PART = re.compile(r"(?!\.+$)[A-Za-z0-9._~-]+")


@click.command()
@click.option("--host", default=LOOPBACK, show_default=True, metavar="ADDRESS", help="0.0.0.0 lets other machines in")
@click.option("--port", type=click.IntRange(1, 65_535), default=PORT, show_default=True)
@click.option(
    "--base-path", default="", metavar="PATH", help="where a reverse proxy shows it, as in https://host/PATH/"
)
def dashboard(host: str, port: int, base_path: str) -> None:
    """Start the dashboard; only this machine reaches it."""
    path = checked_path(base_path)
    if not host.strip():
        raise click.UsageError("--host is empty, which would mean every address; write 0.0.0.0 when that is meant")
    command = server_command(server_script(), host, port, path)
    if not is_loopback(host):
        click.echo(f"vif: warning: {public_notice(host)}", err=True)
    click.echo(f"vif: the dashboard will be at {address(host, port, path)}; Ctrl+C ends it", err=True)
    # Turning into the server, signals and the exit status need no forwarding.
    os.execv(command[0], command)


def server_script() -> Path:
    """`app.py`: in a folder of its own where a wheel was installed, beside the package in a checkout.

    Raises ConfigError where there is neither.
    """
    beside = Path(vif.__file__).resolve().parents[1]
    for script in (beside / "vif_dashboard" / "app.py", beside / "app.py"):
        if script.exists():
            return script
    raise ConfigError(f"{str(beside)!r} holds no dashboard; install the wheel, or run from a checkout")


def server_command(script: Path, host: str, port: int, path: str) -> list[str]:
    """What runs the server. Theme and safe defaults come from the configuration beside the script."""
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.baseUrlPath": path,
        "server.showEmailPrompt": "false",
        # What is installed changes only by an update, of which half could be running then.
        "server.fileWatcherType": "none",
        # The server's own welcome asks another host for this machine's public address.
        "logger.hideWelcomeMessage": "true",
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    # -P: modules are not looked for in the folder one happens to be in.
    return [sys.executable, "-P", "-m", "streamlit", "run", str(script), *given]


def checked_path(given: str) -> str:
    """A path without slashes around it; "" for none. Raises click.UsageError for what no address has."""
    path = given.strip("/")
    if path and not all(_PATH_PART.fullmatch(part) for part in path.split("/")):
        raise click.UsageError(
            f"--base-path is {given!r}; write names of letters, digits, '-', '_', '.' or '~', as in team/vif"
        )
    return path


def address(host: str, port: int, path: str) -> str:
    """What to type into a browser on this machine."""
    reachable = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104  # shown, not bound
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}/{f'{path}/' if path else ''}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def public_notice(host: str) -> str:
    return (
        f"other machines can reach {host}, and whoever asks spends your keys. Without sign-in everybody is a guest; "
        "with it VIF_ADMINS, VIF_RATERS and VIF_VIEWERS give roles. Behind a proxy set VIF_PUBLIC=true"
    )
