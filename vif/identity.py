"""Who acts, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vif.errors import ForbiddenError


class Role(StrEnum):
    """From least to most; each may do what those before it may."""

    VIEWER = "viewer"
    RATER = "rater"
    ADMIN = "admin"

    def covers(self, wanted: Role) -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(wanted)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the dashboard or behind a script.

    Attributes:
        id: up to 128 characters, the same whenever they come back; nothing secret.
        name: what others see. role: None for somebody who may do nothing.
    """

    id: str
    name: str
    role: Role | None


def require(person: Person, role: Role, action: str) -> None:
    """Raise ForbiddenError unless `person` has the role; `action` completes "may not …"."""
    if person.role is not None and person.role.covers(role):
        return
    has = f"the role {person.role}" if person.role else "no role"
    raise ForbiddenError(f"{person.name!r} may not {action}: that needs the role {role}, and they have {has}")
