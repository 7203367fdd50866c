"""Verdict: what a campaign came to."""

from __future__ import annotations

import streamlit as st

from pages import _identity, _review, _verdict
from pages._text import plain
from vif.errors import VifError
from vif.identity import Role

person = _identity.need(Role.VIEWER, "see a verdict")

st.title("Verdict", anchor=False)
campaigns = _review.ask(lambda reviews: reviews.campaigns(person))
row = _verdict.choose(campaigns)
if row is not None:
    try:
        _verdict.draw(person, row)
    except VifError as error:
        st.warning(plain(str(error)), icon=":material/lock:")
