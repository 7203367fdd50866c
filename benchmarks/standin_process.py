"""The provider stand-in in a process of its own: it must not share the CPU time that is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vif.config import Access

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class StandinProcess:
    """Where it is, and what it used."""

    pid: int
    access: Access

    def cpu_s(self) -> float:
        """CPU time so far; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def standin_process(*arguments: str) -> Iterator[StandinProcess]:
    """`arguments` are those of `python -m tests.standin`."""
    command = [sys.executable, "-m", "tests.standin", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            urls = dict(server.stdout.readline().strip().split("=", 1) for _ in range(2))
            yield StandinProcess(
                server.pid,
                Access(
                    OPENAI_API_KEY="standin",
                    ANTHROPIC_API_KEY="standin",
                    OPENAI_BASE_URL=urls["OPENAI_BASE_URL"],
                    ANTHROPIC_BASE_URL=urls["ANTHROPIC_BASE_URL"],
                    VIF_GGUF_PATH=None,
                ),
            )
        finally:
            server.terminate()
