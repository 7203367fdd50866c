"""What goes wrong with an open store. That it cannot be opened at all is a `ConfigError`."""

from __future__ import annotations

from vif.errors import VifError


class StoreError(VifError):
    """Something could not be written or read. An interaction never fails because of it."""
