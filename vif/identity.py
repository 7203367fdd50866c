"""Who acts, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from vif.errors import ConfigError, ForbiddenError


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


class Admission(BaseSettings):
    """Which role somebody has who signed in, by their email address; nobody else has one.

    Each is a list separated by commas; `*@example.org` stands for everybody there, `*` for everybody who can sign in.
    """

    model_config = SettingsConfigDict(
        env_prefix="VIF_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    admins: str = Field("", description="who may do everything")
    raters: str = Field("", description="who may rate")
    viewers: str = Field("", description="who may use the dashboard")
    public: bool = Field(False, description="strangers reach this server: without sign-in, each sees only their own")
    metrics_token: SecretStr | None = Field(
        None, description="who sends it as a bearer token may read /metrics; without one only this machine may"
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            name = f"VIF_{str(fault['loc'][0]).upper()}"
            raise ConfigError(f"{name} is {fault['input']!r}; {fault['msg'].removeprefix('Value error, ')}") from None

    @field_validator("admins", "raters", "viewers")
    @classmethod
    def _check(cls, listed: str) -> str:
        for pattern in _patterns(listed):
            if pattern != "*" and "@" not in pattern:
                raise ValueError(f"{pattern!r} is no email address; write name@host, *@host or *")
        return listed

    def role_of(self, email: str) -> Role | None:
        """The highest role an address was given."""
        address = email.strip().casefold()
        lists = ((Role.ADMIN, self.admins), (Role.RATER, self.raters), (Role.VIEWER, self.viewers))
        for role, listed in lists:
            if address and any(fnmatchcase(address, pattern) for pattern in _patterns(listed)):
                return role
        return None


def _patterns(listed: str) -> list[str]:
    # Brackets mean something to fnmatch and nothing here.
    return [part.strip().casefold().replace("[", "[[]") for part in listed.split(",") if part.strip()]
