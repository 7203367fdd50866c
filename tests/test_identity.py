from __future__ import annotations

import pytest

from vif.config import unknown_variables
from vif.errors import ConfigError, ForbiddenError
from vif.identity import Admission, Person, Role, require


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (None, set()),
        (Role.VIEWER, {Role.VIEWER}),
        (Role.RATER, {Role.VIEWER, Role.RATER}),
        (Role.ADMIN, {Role.VIEWER, Role.RATER, Role.ADMIN}),
    ],
)
def test_each_role_may_do_what_those_before_it_may(role: Role | None, may: set[Role]) -> None:
    person = Person("a", "Anna", role)
    for wanted in Role:
        if wanted in may:
            require(person, wanted, "do it")
        else:
            with pytest.raises(ForbiddenError, match=f"'Anna' may not do it: that needs the role {wanted}, and they"):
                require(person, wanted, "do it")


@pytest.mark.parametrize(
    ("email", "role"),
    [
        ("lena@example.org", Role.ADMIN),
        ("  LENA@Example.ORG ", Role.ADMIN),
        ("ben@example.org", Role.RATER),
        ("ben@sub.example.org", None),
        ("lena@example.org.evil.example", None),
        ("v@x.example", Role.VIEWER),
        ("vv@x.example", None),
        ("", None),
        ("*@example.org", Role.RATER),
    ],
)
def test_the_highest_role_given_to_an_address_counts(email: str, role: Role | None) -> None:
    admission = Admission(
        admins="lena@example.org", raters="*@example.org, LENA@example.org", viewers="[vw]@x.example,v@x.example"
    )
    assert admission.role_of(email) is role


def test_without_lists_nobody_has_a_role_and_a_star_lets_everybody_in() -> None:
    assert Admission().role_of("lena@example.org") is None
    assert Admission(viewers="*").role_of("anybody@anywhere.example") is Role.VIEWER
    assert Admission(viewers="*").role_of("") is None


def test_lists_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIF_ADMINS", "lena@example.org")
    monkeypatch.setenv("VIF_PUBLIC", "true")
    assert (Admission().role_of("lena@example.org"), Admission().public) == (Role.ADMIN, True)
    assert unknown_variables() == []


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"VIF_RATERS is 'lena'; 'lena' is no email address; write name@host, \*@host"
    ):
        Admission(raters="lena")
    with pytest.raises(ConfigError, match="VIF_PUBLIC is 'perhaps'"):
        Admission(public="perhaps")
