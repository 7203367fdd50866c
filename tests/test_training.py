"""The labels, the stored hidden states and the training of the embedded recogniser's head."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.likeness import alike
from training import judging, train_head
from vif.llm.embedded import EmbeddedModel
from vif.recognition.embedded import normalised, shipped_head

SIMILAR = 0.85
"""Texts at least this alike, by difflib's ratio, would be paraphrases of each other."""


@pytest.fixture(scope="module")
def labels() -> list[train_head.Label]:
    return train_head.read_labels()


def _judging_messages() -> list[str]:
    with train_head.CASES.open(encoding="utf-8", newline="") as file:
        cases = [row["message"] for row in csv.DictReader(file)]
    with train_head.PARALLEL.open(encoding="utf-8", newline="") as file:
        parallel = [message for row in csv.DictReader(file) for message in row.values()]
    return [normalised(message).lower() for message in [*cases, *parallel] if message]


def test_no_label_is_a_message_the_head_is_judged_with(labels: list[train_head.Label]) -> None:
    texts = [normalised(label.message).lower() for label in labels]
    judging = _judging_messages()
    assert not set(texts) & set(judging)
    assert list(alike([message for message in judging if len(message) > 12], texts, SIMILAR)) == []


def test_every_label_is_there_once_and_every_kind_often_enough_for_each_fold(labels: list[train_head.Label]) -> None:
    texts = [normalised(label.message) for label in labels]
    assert len(set(texts)) == len(texts)
    kinds = [label.kind for label in labels]
    assert min(kinds.count(kind) for kind in set(kinds)) >= 2 * train_head.FOLDS


async def test_training_reproduces_the_shipped_head(labels: list[train_head.Label]) -> None:
    model = EmbeddedModel()
    known = train_head.stored_states(model.weights_fingerprint)
    states = np.array([known[train_head.digest(label.message)] for label in labels])
    head = train_head.fit(labels, states, model.weights_fingerprint)
    assert train_head.difference(head, shipped_head(), states) <= train_head.CHECK_TOLERANCE
    error = await train_head.stored_states_error(labels, states, model, every=200)
    assert error <= train_head.STATES_TOLERANCE


def test_the_check_notices_another_head(labels: list[train_head.Label]) -> None:
    shipped = shipped_head()
    known = train_head.stored_states(shipped.weights_fingerprint)
    states = np.array([known[train_head.digest(label.message)] for label in labels])
    turned = [train_head.Label(label.kind, label.activations[::-1], label.message) for label in labels]
    other = train_head.fit(turned, states, shipped.weights_fingerprint)
    assert train_head.difference(other, shipped, states) > 0.1
    fewer = train_head.fit(labels[:600], states[:600], shipped.weights_fingerprint)
    assert train_head.difference(fewer, shipped, states) == float("inf")


def test_on_labels_never_seen_the_error_stays_small_and_the_sureness_honest(labels: list[train_head.Label]) -> None:
    known = train_head.stored_states(shipped_head().weights_fingerprint)
    states = np.array([known[train_head.digest(label.message)] for label in labels])
    found = train_head.cross_validated(labels, states)
    assert np.abs(found.activations - np.array([label.activations for label in labels])).mean() < 0.045
    right = np.mean([kind == label.kind for kind, label in zip(found.first_kinds, labels, strict=True)])
    assert right > 0.7
    assert abs(found.sureness.mean() - right) < 0.03


def test_a_line_that_is_no_label_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("# a comment\n\n## greetings\n.15 .15 .50 .50 | Hello\n.15 .15 .50 | Bye\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"labels\.txt line 5 is '\.15 \.15 \.50 \| Bye'"):
        train_head.read_labels(path)


def test_a_label_has_its_kind_its_activations_and_its_message(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("## greetings\n.15 .20 .50 .55 | Hello | you\n", encoding="utf-8")
    assert train_head.read_labels(path) == [train_head.Label("greetings", (0.15, 0.2, 0.5, 0.55), "Hello | you")]


def test_the_area_under_the_curve_is_the_share_of_pairs_in_order() -> None:
    # Pairs: .9>.5, .9>.2, .5=.5 counts half, .5>.2: 3.5 of 4.
    assert judging.area_under_roc(np.array([0.9, 0.5]), np.array([0.5, 0.2])) == 0.875


def test_a_kind_belongs_to_the_domain_that_is_strongest_in_its_mean_targets() -> None:
    kinds = np.array(["sums", "sums", "grief"])
    targets = np.array([[0.9, 0.2, 0.1, 0.1], [0.2, 0.4, 0.1, 0.1], [0.1, 0.2, 0.5, 0.9]])
    found = np.array([[0.8, 0.0, 0.0, 0.1], [0.1, 0.0, 0.0, 0.3], [0.2, 0.0, 0.0, 0.2]])
    # «sums» is computational (means .55, .3, .1, .1): .8 is above the .2 of «grief», .1 is not, so 1 of 2 pairs.
    # «grief» is experiential: .2 is above .1 but not above .3, again 1 of 2. No kind is scientific or cultural.
    assert judging.separations(kinds, targets, found) == {"CD": 0.5, "ED": 0.5}


def test_a_kind_is_pure_when_one_domain_leads_the_second_by_a_fifth() -> None:
    kinds = np.array(["sums", "sums", "grief", "ethics"])
    targets = np.array([[0.9, 0.2, 0.1, 0.1], [0.2, 0.4, 0.1, 0.1], [0.1, 0.2, 0.7, 0.9], [0.4, 0.4, 0.8, 0.7]])
    # Leads: «sums» .55 - .3 = .25, «grief» .9 - .7 = .2, «ethics» .8 - .7 = .1.
    assert judging.in_pure_kinds(kinds, targets).tolist() == [True, True, True, False]


def test_rounding_states_twice_changes_nothing_more() -> None:
    states = np.array([[1.0 / 3.0, -24.7, 1e-3]])
    once = train_head.rounded(states)
    assert np.array_equal(train_head.rounded(once.astype(np.float64)), once)
    assert np.abs(once / states - 1).max() <= 2**-7
