"""What `import vif` brings along, seen in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import dev

# Each takes from 0.1 to 1.1 s to import, and most interactions need one of them at most.
HEAVY = (
    "aiohttp",
    "alembic",
    "anthropic",
    "genai_prices",
    "httpx2",
    "numpy",
    "openai",
    "opentelemetry",
    "pandas",
    "plotly",
    "prometheus_client",
    "redis",
    "sklearn",
    "sqlalchemy",
    "streamlit",
    "structlog",
    "xllamacpp",
)


def modules_after(statement: str) -> set[str]:
    """The top-level modules a fresh interpreter has loaded after a statement."""
    code = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=dev.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return modules_after("import vif")


@pytest.mark.parametrize("module", HEAVY)
def test_importing_vif_does_not_load(module: str, loaded: set[str]) -> None:
    assert "vif" in loaded
    assert module not in loaded


def test_the_view_of_loaded_modules_would_show_a_heavy_one() -> None:
    assert "numpy" in modules_after("import numpy")
