"""A busy machine may take its time: what is waited for is an event, not a duration."""

from __future__ import annotations

from playwright.sync_api import expect

expect.set_options(timeout=30_000)
