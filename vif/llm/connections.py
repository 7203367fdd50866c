"""HTTP for the SDKs: connections over aiohttp, in one pool per event loop that all clients of this process share.

The SDKs speak httpx2; its own pool costs them half of their throughput when many calls are under way. Whoever has to go
through a proxy of the environment still goes through httpx2, which knows every kind of proxy.

Import this module inside functions: it needs aiohttp and httpx2.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache

import aiohttp
import httpx2
from multidict import CIMultiDict
from yarl import URL

CONNECT_TIMEOUT_S = 5.0
"""For the TCP and TLS handshakes only; `Request.timeout_s` bounds the whole call."""

IDLE_S = 300.0
"""How long a connection is kept for the next call: longer than people think between two messages."""

MOST_CONNECTIONS_PER_HOST = 1_000


@cache
def ssl_context() -> ssl.SSLContext:
    """The one SSL context of this process; building one costs more than a request."""
    return httpx2.create_ssl_context()


class HttpClient(httpx2.AsyncClient):
    """An HTTP client for an SDK, made and closed in a running event loop. Reading is bounded by the call's deadline."""

    def __init__(self) -> None:
        super().__init__(
            verify=ssl_context(),
            timeout=httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S),
            limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=IDLE_S),
            follow_redirects=True,
        )

    def _init_transport(self, *_: object, **__: object) -> httpx2.AsyncBaseTransport:
        # Not `transport=…` in the constructor: that would make httpx2 ignore the proxies of the environment.
        return AiohttpTransport()


@dataclass(slots=True)
class _Pool:
    session: aiohttp.ClientSession
    users: int = 0


_pools: dict[asyncio.AbstractEventLoop, _Pool] = {}


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Carries requests over the pool of the event loop it is made in; the pool closes with its last transport."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        for ended in [loop for loop in list(_pools) if loop.is_closed()]:
            _pools.pop(ended, None)
        self._pool: _Pool | None = _pools.get(self._loop) or _Pool(_session())
        _pools[self._loop] = self._pool
        self._pool.users += 1

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._pool is None:
            raise RuntimeError("the connections of this client are closed")
        body = await request.aread()
        timeout = request.extensions.get("timeout", {})
        with _told_as_httpx2(request):
            response = await self._pool.session.request(
                request.method,
                _target(str(request.url)),
                # Not the headers themselves: reading httpx2's one by one takes longer than anything else here.
                headers=CIMultiDict(
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
                ),
                data=body or None,
                allow_redirects=False,  # httpx2 follows them
                timeout=_timeouts(timeout.get("connect"), timeout.get("read")),
            )
        return httpx2.Response(
            response.status, headers=response.raw_headers, stream=_Body(response, request), request=request
        )

    async def aclose(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        pool.users -= 1
        if pool.users == 0:
            if _pools.get(self._loop) is pool:
                del _pools[self._loop]
            await pool.session.close()


class _Body(httpx2.AsyncByteStream):
    """What a response says, as it comes; closing it early hangs up."""

    def __init__(self, response: aiohttp.ClientResponse, request: httpx2.Request) -> None:
        self._response, self._request = response, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _told_as_httpx2(self._request):
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        ssl=ssl_context(), limit=0, limit_per_host=MOST_CONNECTIONS_PER_HOST, keepalive_timeout=IDLE_S
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),  # shared by clients that are nothing to each other
        auto_decompress=False,  # httpx2 does it
        timeout=_timeouts(CONNECT_TIMEOUT_S, None),
    )


@lru_cache(maxsize=64)
def _target(url: str) -> URL:
    """The URL as httpx2 wrote it, without user and password: httpx2 has made a header of them."""
    return URL(url, encoded=True).with_user(None)


@lru_cache(maxsize=64)
def _timeouts(connect_s: float | None, read_s: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=connect_s, sock_read=read_s)


@contextmanager
def _told_as_httpx2(request: httpx2.Request) -> Iterator[None]:
    """What goes wrong, as the exception the SDKs expect of httpx2. From the special to the general."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx2.ConnectTimeout(str(error), request=request) from error
    except aiohttp.ServerTimeoutError as error:
        raise httpx2.ReadTimeout(str(error), request=request) from error
    except aiohttp.ClientConnectorError as error:  # names, routes, refusals, certificates
        raise httpx2.ConnectError(str(error), request=request) from error
    except aiohttp.InvalidURL as error:
        raise httpx2.UnsupportedProtocol(str(error), request=request) from error
    except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError) as error:
        raise httpx2.RemoteProtocolError(str(error), request=request) from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx2.ReadError(str(error), request=request) from error
