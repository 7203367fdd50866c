"""Rating: the choice of a campaign, and the item before the rater."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from pages import _identity, _layout, _rate_keys, _review
from pages._text import harmless, plain
from pages._theme import CHART_CONFIG, THEMED, coloured
from vif.domains import DOMAINS, Domain
from vif.errors import VifError
from vif.figures import boundary_label
from vif.figures.review import SIDES, describe_two_readings, two_readings
from vif.identity import Person
from vif.review.blind import Shown, Side
from vif.review.records import LONGEST_COMMENT, Answer, Choice, Draft, Rubric, Scale
from vif.review.service import Task
from vif.store.reviews import CampaignRow

PARAMETER = "campaign"

CHOICES: dict[Choice, tuple[str, str, str]] = {
    "left": ("A is better", "1", ":material/counter_1:"),
    "right": ("B is better", "2", ":material/counter_2:"),
    "tie": ("Equally good", "3", ":material/equal:"),
    "both_bad": ("Both bad", "4", ":material/thumb_down:"),
}
# Label, key, icon.

CONFIDENCE = {1: ("Unsure", "Q"), 2: ("Fairly sure", "W"), 3: ("Sure", "E")}

TOO_SOON_S = 0.4
"""Nobody has read an item by then: what is pressed was meant for the one before."""

_AT, _SINCE, _PROBLEM, _DRAFT, _WAITING = "rate_at", "rate_since", "rate_problem", "rate_draft", "rate_waiting"
QUICK = "rate_quick"


# Which campaign


def chosen() -> str | None:
    """The campaign in the address, so that a link leads to it."""
    return st.query_params.get(PARAMETER)


def choose(id: str | None) -> None:
    """Go to a campaign, or to the list of them. A callback."""
    for key in (_AT, _SINCE, _PROBLEM, _DRAFT):
        st.session_state.pop(key, None)
    if id is None:
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = id


def ask_for_name() -> None:
    """On a server without sign-in a rater says who they are."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title("Who is rating?", anchor=False)
        st.markdown(
            "You will see two readings of one message and say which fits better. You are not told whose they are: "
            "that is what makes your judgement worth something."
        )
        with st.form("rater", border=False):
            st.text_input(
                "Your name",
                key="rate_name",
                max_chars=_identity.LONGEST_NAME,
                placeholder="As it may stand next to your ratings",
                autocomplete="name",
            )
            st.form_submit_button("Begin", type="primary", on_click=_take_name)


def _take_name() -> None:
    st.session_state[_identity.NAME_KEY] = str(st.session_state["rate_name"])


def draw_choice(person: Person, campaigns: Sequence[CampaignRow]) -> None:
    """The campaigns there are, those that take ratings first."""
    st.title("Rate", anchor=False)
    st.markdown("**Two readings or replies, one message: which fits better?** Blind, one item at a time.")
    if not campaigns:
        st.info(
            "There is no campaign yet. Somebody with the role admin begins one in *Campaigns*.",
            icon=":material/rate_review:",
        )
        return
    for row in sorted(campaigns, key=lambda row: row.closed):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container():
                st.markdown(f"**{plain(row.name)}**")
                state = "closed" if row.closed else f"you have rated {row.mine} of up to {row.total}"
                kind = "readings" if row.kind == "reading" else "replies"
                st.caption(f"{row.total} pairs of {kind} · {row.rated} ratings by {row.raters} raters · {state}")
            st.button(
                "Go on" if row.mine else "Begin",
                key=f"rate_{row.id}",
                type="secondary" if row.closed else "primary",
                disabled=row.closed,
                on_click=choose,
                args=(row.id,),
            )
    if _identity.way() == "single":
        st.caption(f"Rating as {plain(person.name)}.")


# The item


def draw(person: Person, campaign: str) -> None:
    """The item the rater is at; or that there is none left."""
    name, rubric, instructions = _review.ask(lambda reviews: reviews.rubric(person, campaign))
    task = _task(person, campaign, st.session_state.get(_AT))
    if task is None:
        _draw_end(name)
        return
    item = task.shown.item_id
    if st.session_state.get(_SINCE, ("",))[0] != item:
        st.session_state[_SINCE] = (item, time.monotonic())
        st.session_state[_DRAFT] = task.draft
        _fill_in(item, task.draft, rubric)
    draft: Draft = st.session_state[_DRAFT]

    _draw_head(name, rubric, instructions, task)
    if problem := st.session_state.pop(_PROBLEM, None):
        st.warning(plain(problem), icon=":material/error:")
    if st.session_state.pop(_WAITING, False):
        st.toast("Choose first, then save.", icon=":material/touch_app:")
    with st.container(border=True, key="rate_message", height="content" if len(task.shown.message) < 1_500 else 320):
        st.caption("The message")
        st.text(task.shown.message or "(empty)")
    if task.shown.previous:
        before = ", ".join(f"{domain.label.lower()} {task.shown.previous.get(domain, 0.0):.2f}" for domain in DOMAINS)
        st.caption(f"It follows a message that was read as {before}.")
    if task.shown.left.text or task.shown.right.text:
        _draw_replies(task.shown)
    else:
        _draw_readings(task.shown)
    act = _Act(person, campaign, item, rubric)
    _draw_choices(draft, rubric, act)
    _draw_more(item, rubric, act)
    _rate_keys.draw()


def _task(person: Person, campaign: str, at: str | None) -> Task | None:
    if at is None:
        return _review.ask(lambda reviews: reviews.next(person, campaign))
    return _review.ask(lambda reviews: reviews.again(person, campaign, at))


class _Act:
    """What a rater does to the item before them. Its methods are callbacks; each says at once what it is about."""

    def __init__(self, person: Person, campaign: str, item: str, rubric: Rubric) -> None:
        self._person, self._campaign, self._item, self._rubric = person, campaign, item, rubric

    def choose(self, choice: Choice) -> None:
        if not self._is_read():
            return
        self._put(self._draft().model_copy(update={"choice": choice}))
        # Two keys pressed quickly come together, in no certain order.
        if st.session_state.get(QUICK) or st.session_state.pop(_WAITING, False):
            self.save()

    def sure(self, confidence: int) -> None:
        if self._is_read():
            self._put(self._draft().model_copy(update={"confidence": confidence}))

    def note(self) -> None:
        """Something else was changed."""
        if self._is_current():
            self._put(self._draft())

    def save(self) -> None:
        if not self._is_read():
            return
        draft = self._draft()
        if draft.choice is None:
            st.session_state[_WAITING] = True
        else:
            self._rate(Answer(**dict(draft)))

    def skip(self) -> None:
        if self._is_read():
            self._rate(None)

    def back(self) -> None:
        trail = self._trail()
        places = trail[: trail.index(self._item)] if self._item in trail else trail
        if places:
            _go_to(places[-1])

    def _is_current(self) -> bool:
        """False for the second of two quick clicks: the item is done with, and its answer kept."""
        return bool(st.session_state.get(_SINCE, ("",))[0] == self._item)

    def _is_read(self) -> bool:
        return self._is_current() and time.monotonic() - st.session_state[_SINCE][1] > TOO_SOON_S

    def _trail(self) -> tuple[str, ...]:
        return _review.ask(lambda reviews: reviews.trail(self._person, self._campaign))

    def _draft(self) -> Draft:
        draft: Draft = st.session_state[_DRAFT]
        return draft.model_copy(update=_filled_in(self._item, self._rubric))

    def _put(self, draft: Draft) -> None:
        st.session_state[_DRAFT] = draft
        try:
            _review.ask(lambda reviews: reviews.draft(self._person, self._campaign, self._item, draft))
        except VifError as error:
            st.session_state[_PROBLEM] = str(error)

    def _rate(self, answer: Answer | None) -> None:
        _, since = st.session_state[_SINCE]
        seconds = time.monotonic() - since
        try:
            trail = self._trail()
            _review.ask(lambda reviews: reviews.rate(self._person, self._campaign, self._item, answer, seconds=seconds))
        except VifError as error:
            st.session_state[_PROBLEM] = str(error)
            return
        # Who went back goes forward again over what they have rated.
        after = trail[trail.index(self._item) + 1 :] if self._item in trail else ()
        _go_to(after[0] if after else None)


def _go_to(item: str | None) -> None:
    """An item of the trail, or the next one that is new."""
    st.session_state[_AT] = item
    for key in (_SINCE, _DRAFT):
        st.session_state.pop(key, None)


def _draw_head(name: str, rubric: Rubric, instructions: str, task: Task) -> None:
    total = task.done + task.left - (1 if task.rated else 0)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{plain(name)} · {task.done} of {total} done")
        with st.popover("Help", icon=":material/keyboard:", type="tertiary"):
            _draw_help(rubric, instructions)
    st.progress(min(1.0, task.done / total) if total else 1.0)
    st.header(plain(rubric.question), anchor=False)


def _draw_help(rubric: Rubric, instructions: str) -> None:
    if instructions:
        st.markdown(harmless(instructions))
    keys = [f"`{CHOICES[choice][1]}` {CHOICES[choice][0]}" for choice in rubric.choices]
    keys += [f"`{key}` {label}" for label, key in CONFIDENCE.values()]
    keys += ["`N` save, next", "`U` back", "`S` skip", "`M` comment, `Esc` out of it"]
    st.markdown("  \n".join(keys))
    st.caption("Every choice is kept at once: you can leave and come back.")


def _draw_readings(item: Shown) -> None:
    left, middle, right = _layout.beside(
        "readings", [1, 1.5, 1], gap="medium", vertical_alignment="center", middle_last=True
    )
    with left:
        _draw_values(SIDES[0], item.left)
    with middle:
        st.plotly_chart(
            two_readings(item.left.domains, item.right.domains, palette=THEMED),
            config=CHART_CONFIG,
            key="rate_radar",
            alt=describe_two_readings(item.left.domains, item.right.domains),
        )
    with right:
        _draw_values(SIDES[1], item.right)
    if item.left.boundaries or item.right.boundaries:
        with st.expander("Boundaries between the domains", icon=":material/hub:"):
            st.dataframe(_boundaries(item), hide_index=True)


def _draw_values(name: str, side: Side) -> None:
    st.subheader(name, anchor=False)
    for domain in DOMAINS:
        value = side.domains.get(domain, 0.0)
        st.progress(value, f"{coloured(domain)} {value:.2f}")


def _boundaries(item: Shown) -> dict[str, list[object]]:
    sides = [{boundary.name: boundary for boundary in side.boundaries} for side in (item.left, item.right)]
    names = list(dict.fromkeys(name for side in sides for name in side))
    table: dict[str, list[object]] = {"boundary": [boundary_label(name) for name in names]}
    for label, side in zip(SIDES, sides, strict=True):
        table[f"{label} permeability"] = [side[name].permeability if name in side else None for name in names]
        table[f"{label} status"] = [side[name].status if name in side else None for name in names]
    return table


def _draw_replies(item: Shown) -> None:
    for column, name, side in zip(st.columns(2, gap="medium"), SIDES, (item.left, item.right), strict=True):
        with column:
            st.subheader(name, anchor=False)
            with st.container(border=True, height=420):
                st.markdown(harmless(side.text))


def _draw_choices(draft: Draft, rubric: Rubric, act: _Act) -> None:
    with st.container(horizontal=True, horizontal_alignment="center", key="rate_choices"):
        for choice in rubric.choices:
            label, key, icon = CHOICES[choice]
            st.button(
                label,
                key=f"rate_choice_{choice}",
                icon=icon,
                shortcut=key,
                type="primary" if draft.choice == choice else "secondary",
                on_click=act.choose,
                args=(choice,),
            )
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        for value, (label, key) in CONFIDENCE.items():
            st.button(
                label,
                key=f"rate_sure_{value}",
                shortcut=key,
                type="primary" if draft.confidence == value else "tertiary",
                on_click=act.sure,
                args=(value,),
            )
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center", key="rate_steps"):
        st.button("Back", key="rate_back", icon=":material/undo:", shortcut="U", type="tertiary", on_click=act.back)
        st.button(
            "Skip", key="rate_skip", icon=":material/skip_next:", shortcut="S", type="tertiary", on_click=act.skip
        )
        st.button(
            "Save, next",
            key="rate_next",
            icon=":material/arrow_forward:",
            shortcut="N",
            on_click=act.save,
        )
        st.toggle("Go on after choosing", key=QUICK, help="A choice saves the item and shows the next; U goes back.")


def _draw_more(item: str, rubric: Rubric, act: _Act) -> None:
    """What may be said besides: reasons, scales, corrections, a comment."""
    for scale in rubric.scales:
        _draw_scale(item, scale, act)
    if rubric.reasons:
        st.pills("Because", rubric.reasons, key=_key(item, "reasons"), selection_mode="multi", on_change=act.note)
    if rubric.corrections:
        with st.expander("How would you read it?", icon=":material/tune:"):
            st.toggle("Give my own activations", key=_key(item, "correct"), on_change=act.note)
            if st.session_state.get(_key(item, "correct")):
                for column, domain in zip(st.columns(len(DOMAINS)), DOMAINS, strict=True):
                    column.slider(domain.label, 0.0, 1.0, step=0.05, key=_key(item, domain.value), on_change=act.note)
    st.text_area(
        "Comment",
        key=_key(item, "comment"),
        max_chars=LONGEST_COMMENT,
        height=68,
        placeholder="Anything the choice does not say",
        on_change=act.note,
    )


def _draw_scale(item: str, scale: Scale, act: _Act) -> None:
    st.markdown(f"**{plain(scale.name)}** {plain(scale.question)}")
    for column, name in zip(st.columns(2, gap="medium"), SIDES, strict=True):
        column.segmented_control(
            f"{scale.name}, {name}",
            range(1, 6),
            key=_key(item, f"{scale.name} {name}"),
            format_func=lambda score: f"{score} {scale.anchors[score - 1]}",
            label_visibility="collapsed",
            on_change=act.note,
        )


def _key(item: str, what: str) -> str:
    return f"rate {what} {item}"


def _fill_in(item: str, draft: Draft, rubric: Rubric) -> None:
    """Put a draft into the widgets of its item."""
    state = st.session_state
    state[_key(item, "comment")] = draft.comment
    state[_key(item, "reasons")] = [reason for reason in draft.reasons if reason in rubric.reasons]
    state[_key(item, "correct")] = bool(draft.corrections)
    for domain in DOMAINS:
        state[_key(item, domain.value)] = draft.corrections.get(domain, 0.5)
    for scale in rubric.scales:
        scores = draft.scales.get(scale.name, (None, None))
        for name, score in zip(SIDES, scores, strict=True):
            state[_key(item, f"{scale.name} {name}")] = score


def _filled_in(item: str, rubric: Rubric) -> dict[str, object]:
    """What the widgets of an item say."""
    state = st.session_state
    corrections: dict[Domain, float] = {}
    if rubric.corrections and state.get(_key(item, "correct")):
        corrections = {domain: float(state.get(_key(item, domain.value), 0.5)) for domain in DOMAINS}
    scales = {}
    for scale in rubric.scales:
        scores = tuple(state.get(_key(item, f"{scale.name} {name}")) for name in SIDES)
        if any(score is not None for score in scores):
            scales[scale.name] = scores
    return {
        "comment": str(state.get(_key(item, "comment")) or ""),
        "reasons": tuple(state.get(_key(item, "reasons")) or ()),
        "corrections": corrections,
        "scales": scales,
    }


def _draw_end(name: str) -> None:
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title("That was all", anchor=False)
        st.markdown(f"There is nothing left for you in **{plain(name)}**. Thank you.")
        st.button("All campaigns", key="rate_leave", on_click=choose, args=(None,), type="primary")
