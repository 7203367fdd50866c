"""Campaigns: what is to be judged, by how many, and by which questions."""

from __future__ import annotations

import streamlit as st

from pages import _campaign, _identity, _review, _sidebar
from vif.identity import Role

person = _identity.need(Role.ADMIN, "begin a campaign")
settings = _sidebar.sidebar()

st.title("Campaigns", anchor=False)
st.markdown("**What should people judge?** Choose messages, what is compared, and what raters are asked.")
campaigns = _review.ask(lambda reviews: reviews.campaigns(person))
_campaign.draw_all(person, campaigns)
with st.expander("A new campaign", icon=":material/add:", expanded=not campaigns):
    _campaign.draw_new(person, settings)
