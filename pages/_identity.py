"""Who is at this browser, and what they may do here.

Three ways, decided by how the server runs:
    signed   sign-in is configured (`[auth]` in the secrets): roles by email address; nobody without one gets in
    single   only this machine reaches the server: whoever sits there may do everything, under a name of their choice
    guest    strangers may reach it, and nobody signs in: each sees their own session only, and nobody rates
"""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from typing import Literal

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from pages import _runtime, _whole
from pages._gate import FORWARDED, is_loopback
from pages._text import plain
from vif.errors import VifError
from vif.identity import Admission, Person, Role, require
from vif.store.people import UserRow, put_user

_log = logging.getLogger(__name__)

Way = Literal["signed", "single", "guest"]

NAME_KEY = "rater_name"
LONGEST_NAME = 60
_KNOWN_KEY = "known_person"


def way() -> Way:
    """How people are told apart on this server."""
    if _sign_in_is_configured():
        return "signed"
    return "guest" if _strangers_reach_it() else "single"


def person() -> Person:
    """Who is at this browser."""
    found = way()
    if found == "guest":
        return Person(_runtime.session_id(), "A guest", Role.VIEWER)
    if found == "single":
        name = rater_name()
        return Person(f"local:{_digest(name.casefold())}" if name else "local", name or "You", Role.ADMIN)
    if not st.user.is_logged_in:
        return Person("", "Somebody who has not signed in", None)
    email = str(st.user.get("email") or "")
    trusted = email if st.user.get("email_verified", True) is not False else ""
    subject = _digest("\0".join((str(st.user.get("iss", "")), str(st.user.get("sub") or email))))
    return Person(f"oidc:{subject}", str(st.user.get("name") or email or "Somebody"), admission().role_of(trusted))


def owner() -> str | None:
    """Whose history is seen: None for everybody's, which only who is alone on this machine sees."""
    return None if way() == "single" else (person().id or _runtime.session_id())


def rater_name() -> str:
    """The name somebody gave themselves on a server without sign-in."""
    return " ".join(str(st.session_state.get(NAME_KEY, "")).split())[:LONGEST_NAME]


def need(role: Role, action: str) -> Person:
    """Who is here, when they have the role; otherwise the page says why not, and ends."""
    found = person()
    try:
        require(found, role, action)
    except VifError as error:
        _draw_refusal(str(error), found)
        _whole.end()
    _remember(found)
    return found


def admit() -> None:
    """Let nobody in who has no role: before any page, and before anything is kept."""
    found = person()
    if way() == "signed" and found.id:
        _runtime.act_as(found.id)
    _runtime.count(_visitor(found))
    if found.role is None:
        st.navigation([st.Page(_draw_door, title="Sign in")], position="hidden").run()
        _whole.end()


def draw_who() -> None:
    """In the sidebar: who is signed in, and the way out."""
    if way() != "signed":
        return
    found = person()
    with st.sidebar.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{plain(found.name)} · {found.role or 'no role'}")
        st.button("Sign out", key="sign_out", type="tertiary", icon=":material/logout:", on_click=st.logout)


@st.cache_resource(show_spinner=False)
def admission() -> Admission:
    """Roles of this server. Raises ConfigError."""
    return Admission()


def _visitor(found: Person) -> _runtime.Visitor:
    """Administrators are not limited. A guest is counted by the address too: a page loaded anew is a new session."""
    if found.role is Role.ADMIN:
        return _runtime.Visitor()
    if way() == "signed":
        return _runtime.Visitor((found.id,), stranger=admission().public)
    return _runtime.Visitor((found.id, f"address:{_digest(network_of(_address()))}"), stranger=True)


def _address() -> str:
    """Where a browser is. The server believes a proxy's word on it only if it knows the proxy (FORWARDED_ALLOW_IPS)."""
    return st.context.ip_address or ""


def network_of(address: str) -> str:
    """What one household has of addresses: an IPv4 address, or the 64 leading bits of an IPv6 one."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if found.version == 6:
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return str(found)


def _draw_door() -> None:
    found = person()
    if found.id:
        _draw_refusal(f"{found.name!r} has no role here", found)
        st.button("Sign out", key="sign_out", on_click=st.logout)
        return
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title("See how a language model reads a message", anchor=False)
        st.markdown("This dashboard is for people its owner has let in. Sign in to go on.")
        for name in _providers():
            label = f"Sign in with {plain(name.capitalize())}" if name else "Sign in"
            if st.button(label, key=f"sign_in_{name}", type="primary", icon=":material/login:"):
                st.login(name or None)


def _draw_refusal(why: str, found: Person) -> None:
    st.title("Not for you yet", anchor=False)
    st.warning(plain(why), icon=":material/lock:")
    if way() == "signed":
        email = plain(str(st.user.get("email") or "your address"))
        st.markdown(f"Ask the owner of this server to give **{email}** a role.")
    elif way() == "guest" and found.role is Role.VIEWER:
        st.markdown("On a server that strangers reach, this needs sign-in; its owner can switch that on.")


def _remember(found: Person) -> None:
    """Keep who was here, once a session, so that verdicts can name their raters."""
    if way() == "guest" or st.session_state.get(_KNOWN_KEY) == found:
        return
    email = str(st.user.get("email") or "") or None if way() == "signed" else None
    now = datetime.now(UTC)
    row = UserRow(found.id, found.name, email, found.role, now, now)
    _runtime.event_loop().submit(_keep(row))
    st.session_state[_KNOWN_KEY] = found


async def _keep(row: UserRow) -> None:
    try:
        store = await _runtime.store().store()
        await store.write(partial(put_user, row=row))
    except VifError as error:
        _log.warning("who was here could not be kept: %s", error)


def _sign_in_is_configured() -> bool:
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False


def _providers() -> list[str]:
    """Names of sign-in providers; an empty one for the only one."""
    auth = st.secrets["auth"]
    named = [name for name, value in auth.items() if hasattr(value, "keys")]
    return named or [""]


def _strangers_reach_it() -> bool:
    if admission().public or not is_loopback(st.get_option("server.address")):
        return True
    headers = st.context.headers
    return any(name in headers for name in FORWARDED)


@lru_cache(10_000)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
