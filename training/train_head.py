"""Train the head of the embedded recogniser from `labels.txt`, and say how good it is.

python training/train_head.py                    train, write vif/data/embedded_head.npz, report
python training/train_head.py --check            train and compare with the shipped head; exit status 1 if it differs
python training/train_head.py --cases FILE.csv   judge with other cases than tests/data/cases.csv
python training/train_head.py --judge            judge the shipped head with the sets written for judging alone
python training/train_head.py --curve            draw the learning curve, docs/images/learning-curve.svg
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vif.domains import DOMAINS
from vif.llm.embedded import EmbeddedModel
from vif.recognition.embedded import (
    NORMALISATION,
    EmbeddedReader,
    Head,
    directions,
    pieces,
    shipped_head,
)

HERE = Path(__file__).resolve().parent
LABELS = HERE / "labels.txt"
PARALLEL = HERE / "parallel.csv"
CASES = HERE.parent / "tests" / "data" / "cases.csv"
STATES = HERE / "states.npz"
HEAD = HERE.parent / "vif" / "data" / "embedded_head.npz"

SHRINKAGE = 0.5
"""How far the kinds' common covariance is drawn to a multiple of the identity. Chosen by cross-validation on labels:
with .35, .5, .65 the error is .041, .041, .042, on kinds never seen .132, .132, .133."""

CALIBRATION = 0.11
"""Factor of the logits that makes probabilities honest: on labels never seen, the kind said to be 74 % sure is right
in 72 % of the messages. Chosen by cross-validation."""

PARTS = 2
"""A state is two means, over the text and over the question behind it; each has a direction of its own."""

KIND_GROUPS = 12
"""Kinds are left out in this many groups, to see how kinds never seen are read."""

STORED_BITS = 4
"""Last bits of a stored half-precision number that are dropped: seven significant bits remain."""

FOLDS = 5
CHECK_TOLERANCE = 0.002
"""The largest difference of any label's activation that counts as the same head: other processors round differently."""

STATES_TOLERANCE = 0.05
"""How far computed states may be from stored ones, relative to their length, on another processor."""

Matrix = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Label:
    """One labelled message; `activations` in the order of DOMAINS."""

    kind: str
    activations: tuple[float, ...]
    message: str


@dataclass(frozen=True)
class Report:
    """How good a head is. Errors are absolute differences of activations; `in_range` is out of `judged`."""

    labels: int
    kinds: int
    error: float
    within_tenth: float
    unseen_kind_error: float
    right_kind: float
    said_sure: float
    in_range: int
    judged: int
    misses: tuple[str, ...]
    languages: dict[str, float]
    trivial_edits: float

    def lines(self) -> list[str]:
        languages = ", ".join(f"{name} {value:.3f}" for name, value in self.languages.items())
        return [
            f"labels                          {self.labels} in {self.kinds} kinds",
            f"cross-validated error (MAE)     {self.error:.4f}, within 0.1: {self.within_tenth:.3f} ({FOLDS} folds)",
            f"kind said first                 right in {self.right_kind:.3f}, said to be {self.said_sure:.3f} sure",
            f"error on kinds never seen       {self.unseen_kind_error:.4f} ({KIND_GROUPS} groups left out in turn)",
            f"cases in range                  {self.in_range} of {self.judged}"
            + "".join(f"; {m}" for m in self.misses),
            f"difference from English         {languages}",
            f"largest mean effect of an edit  {self.trivial_edits:.4f}",
        ]


def read_labels(path: Path = LABELS) -> list[Label]:
    """The labels of a file. Raises ValueError naming the line that is not one."""
    labels: list[Label] = []
    kind = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("## "):
            kind = line[3:].strip()
        elif line and not line.startswith("#"):
            match = re.fullmatch(r"(\.\d\d) (\.\d\d) (\.\d\d) (\.\d\d) \| (.*\S)", line)
            if not (match and kind):
                raise ValueError(f"{path.name} line {number} is {line!r}; it must be like '.95 .40 .15 .25 | message'")
            labels.append(Label(kind, tuple(float(match[index]) for index in range(1, 5)), match[5]))
    return labels


async def states_of(model: EmbeddedModel, messages: Sequence[str]) -> Matrix:
    """Hidden states of each message, computed now: the mean over its windows; shape (messages, width)."""
    parts = [[piece.text for piece in pieces(message)] for message in messages]
    rows = await model.embed([text for texts in parts for text in texts])
    ends = np.cumsum([len(texts) for texts in parts])
    return np.array([block.mean(axis=0) for block in np.split(rows, ends[:-1])])


def stored_states(fingerprint: str) -> dict[str, Matrix]:
    """States by text, as `store_states` kept them; none when they belong to other weights or another normalisation."""
    if not STATES.is_file():
        return {}
    with np.load(STATES, allow_pickle=False) as file:
        if str(file["made_for"]) != _made_for(fingerprint):
            return {}
        return dict(zip(file["digests"].tolist(), file["states"].astype(np.float64), strict=True))


def store_states(labels: Sequence[Label], states: Matrix, fingerprint: str) -> None:
    """Keep the states of these labels, in half precision, so that training need not compute them again."""
    digests = np.array([digest(label.message) for label in labels])
    np.savez_compressed(STATES, made_for=np.array(_made_for(fingerprint)), digests=digests, states=rounded(states))


def rounded(states: Matrix) -> NDArray[np.float16]:
    """States as they are stored; what is rounded already stays as it is."""
    bits = states.astype(np.float16).view(np.uint16).astype(np.uint32) + (1 << (STORED_BITS - 1))
    return (bits >> STORED_BITS << STORED_BITS).astype(np.uint16).view(np.float16)


def digest(message: str) -> str:
    """Names the text the model reads for this message."""
    return hashlib.sha256("\n".join(piece.text for piece in pieces(message)).encode()).hexdigest()[:16]


def _made_for(fingerprint: str) -> str:
    return f"{fingerprint}, normalisation {NORMALISATION}"


async def label_states(labels: Sequence[Label], model: EmbeddedModel, *, fresh: bool = False) -> Matrix:
    """States of all labels; those not stored yet are computed and stored."""
    known = {} if fresh else stored_states(model.weights_fingerprint)
    missing = [label for label in labels if digest(label.message) not in known]
    if missing:
        computed = rounded(await states_of(model, [label.message for label in missing]))
        known |= {digest(label.message): row for label, row in zip(missing, computed, strict=True)}
    states = np.array([known[digest(label.message)] for label in labels], dtype=np.float64)
    if missing:
        store_states(labels, states, model.weights_fingerprint)
    return states


async def stored_states_error(labels: Sequence[Label], states: Matrix, model: EmbeddedModel, every: int = 25) -> float:
    """How far every 25th label's stored states are from what the model computes now, relative to their length."""
    computed = await states_of(model, [label.message for label in labels[::every]])
    return float((np.linalg.norm(computed - states[::every], axis=1) / np.linalg.norm(computed, axis=1)).max())


def fit(labels: Sequence[Label], states: Matrix, fingerprint: str) -> Head:
    """A head trained on these labels. Deterministic: same labels and states, same head."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    kinds = np.array([label.kind for label in labels])
    targets = np.array([label.activations for label in labels])
    centre = states.mean(axis=0)
    # On a busy machine the threads of the linear algebra library wait for each other far longer than they work.
    with threadpool_limits(1):
        analysis = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE)
        analysis.fit(directions(states, centre, PARTS), kinds)
    return Head(
        centre=centre,
        weights=CALIBRATION * analysis.coef_,
        bias=CALIBRATION * analysis.intercept_,
        activations=np.array([targets[kinds == kind].mean(axis=0) for kind in analysis.classes_]),
        kinds=tuple(str(kind) for kind in analysis.classes_),
        weights_fingerprint=fingerprint,
        parts=PARTS,
    )


def predicted(head: Head, states: Matrix) -> Matrix:
    """Activations, shape (messages, 4)."""
    return head.activations_of(head.probabilities(states))


@dataclass(frozen=True)
class Unseen:
    """What heads say about labels they were not trained on: activations (n, 4), first kinds, their probability (n,)."""

    activations: Matrix
    first_kinds: NDArray[np.str_]
    sureness: Matrix


def unseen(labels: Sequence[Label], states: Matrix, folds: Iterable[tuple[Indices, Indices]]) -> Unseen:
    """Each fold is the labels a head is trained on and those it is asked about; together all are asked about once."""
    activations = np.zeros((len(labels), len(DOMAINS)))
    first_kinds = np.array([label.kind for label in labels])
    sureness = np.zeros(len(labels))
    for train, test in folds:
        head = fit([labels[int(index)] for index in train], states[train], "")
        probabilities = head.probabilities(states[test])
        activations[test] = head.activations_of(probabilities)
        first_kinds[test] = np.array(head.kinds)[probabilities.argmax(axis=1)]
        sureness[test] = probabilities.max(axis=1)
    return Unseen(activations, first_kinds, sureness)


def cross_validated(labels: Sequence[Label], states: Matrix) -> Unseen:
    """Every kind spread evenly over the folds."""
    from sklearn.model_selection import StratifiedKFold

    kinds = [label.kind for label in labels]
    return unseen(labels, states, StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(states, kinds))


def each_kind_unseen(labels: Sequence[Label], states: Matrix) -> Unseen:
    """Every kind asked of a head that has seen no label of it, nor of a twelfth of the kinds, chosen at random."""
    kinds = np.array([label.kind for label in labels])
    shuffled = np.random.default_rng(0).permutation(sorted(set(kinds)))
    groups = [np.isin(kinds, shuffled[start::KIND_GROUPS]) for start in range(min(KIND_GROUPS, len(shuffled)))]
    return unseen(labels, states, ((np.flatnonzero(~group), np.flatnonzero(group)) for group in groups))


def edited(message: str) -> list[str]:
    """Copies of a message with the same meaning: capitals, white space, full stop."""
    return [message.upper(), f"  {message} ", message + ".", message.replace(" ", "  ") + "\n", message.lower()]


async def judge(labels: Sequence[Label], states: Matrix, head: Head, model: EmbeddedModel, cases: Path) -> Report:
    """Everything the report says about `head`."""
    targets = np.array([label.activations for label in labels])
    held_out = cross_validated(labels, states)
    errors = np.abs(held_out.activations - targets)
    unseen_errors = np.abs(each_kind_unseen(labels, states).activations - targets)
    reader = EmbeddedReader(model, head)
    in_range, judged, misses = await judge_cases(reader, cases)
    with PARALLEL.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    readings = {name: await _activations(reader, [row[name] for row in rows]) for name in rows[0]}
    plain = readings["english"]
    edits = [
        await _activations(reader, column) for column in zip(*(edited(row["english"]) for row in rows), strict=True)
    ]
    return Report(
        labels=len(labels),
        kinds=len(head.kinds),
        error=float(errors.mean()),
        within_tenth=float((errors <= 0.1).mean()),
        unseen_kind_error=float(unseen_errors.mean()),
        right_kind=float(
            np.mean([kind == label.kind for kind, label in zip(held_out.first_kinds, labels, strict=True)])
        ),
        said_sure=float(held_out.sureness.mean()),
        in_range=in_range,
        judged=judged,
        misses=misses,
        languages={name: float(np.abs(found - plain).mean()) for name, found in readings.items() if name != "english"},
        trivial_edits=max(float(np.abs(found - plain).mean()) for found in edits),
    )


async def judge_cases(reader: EmbeddedReader, cases: Path) -> tuple[int, int, tuple[str, ...]]:
    """How many of the cases' activations are in their range, of how many, and which are not."""
    with cases.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    misses = []
    for row, reading in zip(rows, await reader.read_many([row["message"] for row in rows]), strict=True):
        for domain, value in reading.activations.items():
            low, high = float(row[f"{domain.lower()}_min"]), float(row[f"{domain.lower()}_max"])
            if not low <= value <= high:
                misses.append(f"{row['id']} {domain} is {value:.3f}, not {low} to {high}")
    judged = len(rows) * len(DOMAINS)
    return judged - len(misses), judged, tuple(misses)


def difference(head: Head, other: Head, states: Matrix) -> float:
    """The largest difference of any activation between two heads; infinite when they do not have the same kinds."""
    if head.kinds != other.kinds or head.weights_fingerprint != other.weights_fingerprint:
        return float("inf")
    return float(np.abs(predicted(head, states) - predicted(other, states)).max())


async def _activations(reader: EmbeddedReader, messages: Sequence[str]) -> Matrix:
    return np.array([list(reading.activations.values()) for reading in await reader.read_many(messages)])


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the shipped head instead of writing it")
    parser.add_argument("--fresh", action="store_true", help="compute all hidden states again")
    parser.add_argument("--judge", action="store_true", help="judge the shipped head with the judging sets")
    parser.add_argument("--curve", action="store_true", help="draw the learning curve")
    parser.add_argument("--cases", type=Path, default=CASES, help="cases to judge with (never used for fitting)")
    options = parser.parse_args()
    model = EmbeddedModel()
    if options.judge:
        from judging import judged  # type: ignore[import-not-found]  # beside this script

        print("\n".join(await judged(EmbeddedReader(model))))
        return 0
    labels = read_labels()
    states = await label_states(labels, model, fresh=options.fresh)
    if options.curve:
        from curve import draw  # type: ignore[import-not-found]  # beside this script

        print("\n".join(draw(labels, states)))
        return 0
    head = fit(labels, states, model.weights_fingerprint)
    if options.check:
        found = difference(head, shipped_head(), states)
        drift = await stored_states_error(labels, states, model)
        print(f"largest difference from the shipped head {found:.6f} (allowed {CHECK_TOLERANCE})")
        print(f"largest relative error of stored states  {drift:.6f} (allowed {STATES_TOLERANCE})")
        return 0 if found <= CHECK_TOLERANCE and drift <= STATES_TOLERANCE else 1
    HEAD.write_bytes(head.to_bytes())
    print("\n".join((await judge(labels, states, head, model, options.cases)).lines()))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
