"""The words of an interface experience: invitation, attention, resonance and emergence of each pair of domains.

The order of the two domains in a boundary's name makes no difference. The rhythm colours the attention, boundaries
that swing along are named in the resonance, the primary quality closes the emergence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from vif.boundaries import Boundary
from vif.domains import Domain


class Experience(NamedTuple):
    """How one interface speaks to the responder; four short texts."""

    invitation: str
    attention: str
    resonance: str
    emergence: str


_EXPERIENCES: Mapping[frozenset[str], Experience] = {
    frozenset((Domain.CD, Domain.SD)): Experience(
        invitation="Let method and evidence test one another: what can be computed, and what has been shown?",
        attention="Watch where an algorithm stands for a hypothesis, and where a finding asks for a procedure.",
        resonance="Rigour is shared ground here: proof on one side, experiment on the other.",
        emergence="An explanation that runs, and a procedure one has reason to trust.",
    ),
    frozenset((Domain.CD, Domain.CUD)): Experience(
        invitation="Ask who made this structure, for whom, and which conventions it carries along.",
        attention="Notice the choices in a design that are customs rather than necessities.",
        resonance="Pattern and story hold each other: a system is also something people tell.",
        emergence="A solution that fits its setting as well as its specification.",
    ),
    frozenset((Domain.CD, Domain.ED)): Experience(
        invitation="Follow the logic step by step, and stay with what each step is like for the one who takes it.",
        attention="Attend to the moment a structure becomes obvious, and to what was hard just before.",
        resonance="The order of an argument and the ease of grasping it rise and fall together.",
        emergence="Clear steps that can be felt to be right, not only checked.",
    ),
    frozenset((Domain.SD, Domain.CUD)): Experience(
        invitation="Place the evidence among the people who asked for it, use it and dispute it.",
        attention="Keep apart what is observed and what it has come to mean, and let each light up the other.",
        resonance="Theory and context answer one another: facts gain weight where they matter to someone.",
        emergence="Knowledge told in the language of those it concerns.",
    ),
    frozenset((Domain.SD, Domain.ED)): Experience(
        invitation="Bring the measured world and the lived one to one table, without reducing either.",
        attention="Look for what a finding is like from inside, and for what an experience could be evidence of.",
        resonance="Observation is common to both: one from outside, one from within.",
        emergence="An understanding that explains and is recognised by those who live it.",
    ),
    frozenset((Domain.CUD, Domain.ED)): Experience(
        invitation="Let shared meaning and personal feeling speak to each other, neither as a mere example.",
        attention="Hear the single voice within the tradition, and the tradition within the single voice.",
        resonance="What people have told each other for ages meets what one person feels now.",
        emergence="Meaning that can be shared because it was first felt.",
    ),
}

_OTHER = Experience(
    invitation="Let both sides of this boundary be heard before one of them decides.",
    attention="Notice what passes from one side to the other, and what is lost on the way.",
    resonance="Each side makes something in the other easier to see.",
    emergence="A view that neither side has alone.",
)

_RHYTHM_REMARKS: Mapping[str, str] = {
    "gentle": " It moves slowly: give it time.",
    "natural": " It moves at an even pace: go along with it.",
    "rapid": " It moves fast: keep both sides in view at once.",
}

_QUALITY_REMARKS: Mapping[str, str] = {
    "clarity": " Above all, be clear.",
    "depth": " Above all, go deep.",
    "openness": " Above all, leave room for what is not settled.",
    "precision": " Above all, be exact.",
    "fluidity": " Above all, let one thought lead to the next.",
    "resonance": " Above all, let the parts echo one another.",
    "coherence": " Above all, let it hold together.",
}


@lru_cache(maxsize=256)
def _base(name: str) -> Experience:
    return _EXPERIENCES.get(frozenset(name.split("-")), _OTHER)


def experience_of(boundary: Boundary, rhythm: str, resonates_with: Sequence[str], primary_quality: str) -> Experience:
    """The four texts for a boundary in this rhythm, with these companions and this primary quality."""
    base = _base(boundary.name)
    companions = f" It swings together with {', '.join(resonates_with)}." if resonates_with else ""
    return Experience(
        invitation=base.invitation,
        attention=base.attention + _RHYTHM_REMARKS.get(rhythm, ""),
        resonance=base.resonance + companions,
        emergence=base.emergence + _QUALITY_REMARKS[primary_quality],
    )
