"""Puts the dashboard into the wheel, in a folder laid out like the repository."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "vif_dashboard"
DASHBOARD = ("app.py", "pages", ".streamlit/config.toml")


class DashboardHook(BuildHookInterface[Any]):
    """An editable install runs these files where they are: copies of them would only grow old."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            build_data["force_include"].update({path: f"{FOLDER}/{path}" for path in DASHBOARD})
