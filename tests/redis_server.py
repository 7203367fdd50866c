"""A real Redis for the tests: a process of its own on a free loopback port, that keeps nothing on disk."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

PROGRAM = "redis-server"


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        arguments = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"Ready to accept connections" in line:
                return
        raise RuntimeError(f"{PROGRAM} ended with status {self._process.wait()}")

    def kill(self) -> None:
        """As when its machine dies."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def ask(self, *words: str) -> bytes:
        """The answer to one command, over a connection of its own."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=10) as connection:
            command = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
            connection.sendall(command.encode())
            answer = connection.makefile("rb")
            first = answer.readline().strip()
            return answer.readline().strip() if first.startswith(b"$") and first != b"$-1" else first[1:]

    def flush(self) -> None:
        self.ask("FLUSHALL")
