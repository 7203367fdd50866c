"""Who may speak with the server at all: before any page, session or cookie.

A browser does what any page it shows tells it to. So a web socket is for pages of this server only, and a server that
only this machine reaches answers to this machine's names only: a foreign name can lead here too (DNS rebinding).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

from vif.errors import ConfigError

if TYPE_CHECKING:
    from vif.identity import Admission

FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
"""Headers by which a proxy tells for whom it asks. No page can make a browser send one with a web socket."""

_HEALTH = ("/healthz", "/_stcore/health")


class Gate:
    """Refuses what `refusal` refuses: web sockets with status 403, other requests with 421."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = refusal(scope) if scope["type"] in ("http", "websocket") else None
        if why is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse(f"{why}\n", 421)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": ""})


def refusal(scope: Scope) -> str | None:
    """Why a request is not answered, in a line; None when it is."""
    headers = headers_of(scope)
    host = headers.get("host", "")
    if only_this_machine() and not is_forwarded(headers) and not scope["path"].endswith(_HEALTH):
        if not _is_near(scope):
            return "this server answers only its own machine; its owner can say VIF_PUBLIC=true"
        if host and not _is_own_name(host):
            return "this server has another name; behind a proxy that sends no X-Forwarded-For, say VIF_PUBLIC=true"
    if scope["type"] == "websocket" and not is_own_origin(headers.get("origin"), host):
        return "a page of another origin asked"
    return None


def may_see_metrics(scope: Scope) -> bool:
    """Whoever asks from this machine and not through a proxy, and whoever has the token."""
    headers = headers_of(scope)
    token = _admission().metrics_token
    if token is not None and token.get_secret_value():
        given = headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token.get_secret_value()}".encode())
    return _is_near(scope) and not is_forwarded(headers)


def only_this_machine() -> bool:
    """Whether the server is meant for this machine alone."""
    return is_loopback(config.get_option("server.address")) and not _admission().public


def is_own_origin(origin: str | None, host: str) -> bool:
    """Whether the page that asks came from here. Without an origin it is no page that asks."""
    if origin is None or not config.get_option("server.enableCORS"):
        return True
    if origin in {allowed.strip() for allowed in config.get_option("server.corsAllowedOrigins")}:
        return True
    asking = urlsplit(origin)
    return bool(asking.netloc) and (asking.netloc.lower() == host.lower() or asking.hostname == _server_name())


def is_forwarded(headers: Mapping[str, str]) -> bool:
    return any(name in headers for name in FORWARDED)


def is_loopback(address: str | None) -> bool:
    if address == "localhost":
        return True
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False


def headers_of(scope: Scope) -> dict[str, str]:
    """By their names in small letters; of several with one name the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _is_near(scope: Scope) -> bool:
    client = scope.get("client")
    return client is None or is_loopback(client[0])  # None: a socket in the file system


def _is_own_name(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    # Where its owner has listed names, Streamlit compares them.
    return is_loopback(name) or name.endswith(".localhost") or name == _server_name() or _names_are_listed()


def _names_are_listed() -> bool:
    return bool(config.get_option("server.allowedHosts"))


def _server_name() -> str | None:
    """What browsers call this server, if its owner has said so."""
    if not config.is_manually_set("browser.serverAddress"):
        return None
    return str(config.get_option("browser.serverAddress")).lower()


@cache
def _admission() -> Admission:
    from vif.identity import Admission  # slow to import, and not needed before the first request

    try:
        return Admission()
    except ConfigError:
        return Admission.model_construct()  # the strictest; the pages say what is wrong
