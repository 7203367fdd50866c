"""A reverse proxy that shows one server under one path, and tells it what the documented nginx one tells it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HEAD_END = b"\r\n\r\n"


class ReverseProxy:
    """Serves `prefix` (such as "/vif/") from a server on this machine; every other path is not found.

    One request per connection, unless it becomes a web socket: then bytes go both ways until one side has had enough.
    """

    def __init__(self, upstream_port: int, prefix: str) -> None:
        self._upstream_port = upstream_port
        self._prefix = prefix
        self.asked: list[str] = []
        """Paths asked for, upgrades of the protocol in front: `websocket /vif/_stcore/stream`."""

    @contextmanager
    def serving(self) -> Iterator[int]:
        """The port it listens on, while the block lasts."""
        loop = asyncio.new_event_loop()
        # Its loop belongs to a thread: Playwright's counts as running in the one of the tests.
        thread = threading.Thread(target=loop.run_forever, name="reverse proxy")
        thread.start()
        try:
            starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
            server = asyncio.run_coroutine_threadsafe(starting, loop).result()
            port: int = server.sockets[0].getsockname()[1]
            yield port
            asyncio.run_coroutine_threadsafe(_ended(server), loop).result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(_HEAD_END)
            request, *lines = head.removesuffix(_HEAD_END).decode("latin-1").split("\r\n")
            path = request.split(" ")[1]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            upgrade = headers.get("upgrade", "")
            self.asked.append(f"{upgrade} {path}".strip())
            if path.startswith(self._prefix):
                await self._forward(request, headers, reader, writer)
            else:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async def _forward(
        self, request: str, headers: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        headers |= {"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "http"}
        if "upgrade" not in headers:
            headers["connection"] = "close"
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        lines = [request, *(f"{name}: {value}" for name, value in headers.items())]
        to_server.write("\r\n".join(lines).encode("latin-1") + _HEAD_END)
        try:
            ways = {asyncio.ensure_future(_pump(reader, to_server)), asyncio.ensure_future(_pump(from_server, writer))}
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            to_server.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while block := await source.read(65_536):
        target.write(block)
        await target.drain()


async def _ended(server: asyncio.Server) -> None:
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
