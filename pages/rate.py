"""Rate: one item at a time, blind, with the keyboard."""

from __future__ import annotations

import streamlit as st

from pages import _identity, _rate, _review, _whole
from pages._text import plain
from vif.errors import VifError
from vif.identity import Role

person = _identity.need(Role.RATER, "rate")

if _identity.way() == "single" and not _identity.rater_name():
    _rate.ask_for_name()
    _whole.end()

campaign = _rate.chosen()
if campaign is None:
    _rate.draw_choice(person, _review.ask(lambda reviews: reviews.campaigns(person)))
    _whole.end()
try:
    _rate.draw(person, campaign)
except VifError as error:
    st.warning(plain(str(error)), icon=":material/error:")
    st.button("All campaigns", key="rate_leave", on_click=_rate.choose, args=(None,))
