"""The dashboard's server: the pages of `pages/main.py`, and whatever else is asked over HTTP.

Started by `streamlit run app.py`, `python app.py` or `uvicorn app:app`.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

HERE = Path(__file__).resolve().parent

# `pages` is imported from the repository's root, from wherever the server was started.
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from pages._gate import Gate, may_see_metrics  # noqa: E402  # found only now

HEADERS = {
    # A reply is foreign text: whatever it manages to smuggle in, the browser fetches nothing from another host.
    b"content-security-policy": (
        b"img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
        b"frame-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}


class SafeHeaders:
    """Adds `HEADERS` to every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS.items()]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


async def healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def metrics_page(request: Request) -> Response:
    if not may_see_metrics(request.scope):
        return PlainTextResponse("only this machine may read this, or who sends VIF_METRICS_TOKEN\n", 403)
    from vif.telemetry.metrics import CONTENT_TYPE, metrics

    return Response(metrics().exposition(), media_type=CONTENT_TYPE)


app = st.App(
    HERE / "pages" / "main.py",
    routes=[Route("/healthz", healthz), Route("/metrics", metrics_page)],
    middleware=[Middleware(SafeHeaders), Middleware(Gate)],
)

if __name__ == "__main__":
    app.run()
