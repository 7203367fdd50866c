"""From a suite and the names of those who are to read it to a `Run`, and what that will cost.

run = make_run(shipped("standard"), ["balanced", "anthropic:claude-haiku-5-5", "formula"], repeats=5)
estimated_cost(run).usd
config_of(run, run.subjects[0])        # to connect with; keys are not in it
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any

from vif import __version__
from vif.catalogue import EMBEDDED_MODEL, cost_usd
from vif.config import PRESETS, DualLlmConfig, ModelRef
from vif.domains import DEFAULT_AUTONOMY, check_autonomy
from vif.errors import ConfigError, InputError
from vif.evaluation.batch import PRICE_FACTOR
from vif.evaluation.records import Run, Subject
from vif.evaluation.suite import Fault, Suite, SuiteError, parse
from vif.llm.budget import CHARACTERS_PER_TOKEN, USUAL_OUTPUT_TOKENS
from vif.llm.protocol import Provider, Usage
from vif.recognition.prompt import system_prompt, user_turn
from vif.recognition.schema import output_schema

FORMULA = "formula"
LONGEST_NAME = 200

_SETTINGS = (
    "preset_name",
    "llm1_provider",
    "llm1_model",
    "llm1_timeout_ms",
    "llm1_deadline_ms",
    "llm1_max_retries",
    "llm1_oscillation",
    "llm1_secondary",
    "llm1_embedded",
    "llm1_hedging",
)
"""All that decides how a message is read. Each is recorded, so that no environment can change a run taken up again."""

_NEVER_OPENS = 1_000
"""`breaker_failures` at its highest: a model left alone for half a minute would not be measured."""

_PACKAGES: Mapping[Provider, str] = {
    Provider.OPENAI: "openai",
    Provider.OPENROUTER: "openai",
    Provider.LOCAL: "openai",
    Provider.ANTHROPIC: "anthropic",
    Provider.EMBEDDED: "xllamacpp",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What calls will cost, in US dollars, as far as prices are known; `unpriced` subjects are not in it."""

    usd: float
    unpriced: tuple[str, ...] = ()


def make_run(suite: Suite, names: Sequence[str], *, repeats: int = 1, autonomy: float = DEFAULT_AUTONOMY) -> Run:
    """A run of a suite. `names` are presets, models written "provider:model", or "formula".

    Raises InputError for a name that is none of these or is there twice, repeats outside 1 to 100, autonomy outside 0
    to 1; ConfigError when settings cannot work.
    """
    if not names:
        raise InputError("nobody is named to read the suite; name a preset, a model as provider:model, or 'formula'")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"{twice!r} is named twice; it reads the suite once, as often as the repeats say")
    if not 1 <= repeats <= 100:
        raise InputError(f"repeats is {repeats}; it must be from 1 to 100")
    subjects = tuple(subject_of(name) for name in names)
    return Run(
        suite=suite.name,
        cases=suite.cases,
        subjects=subjects,
        repeats=repeats,
        autonomy=check_autonomy(autonomy),
        versions=versions_of(subjects),
    )


def subject_of(name: str) -> Subject:
    """The subject a name stands for, with everything that decides how it reads. InputError when it stands for none."""
    if name == FORMULA:
        return Subject(name=name, formula=True)
    if len(name) > LONGEST_NAME:
        raise InputError(f"the name {name[:40]!r}… has {len(name)} characters; at most {LONGEST_NAME} can be kept")
    try:
        if name in PRESETS:
            config = DualLlmConfig(preset_name=name)
        else:
            model = ModelRef.parse(name)
            config = DualLlmConfig(
                preset_name=None,
                llm1_provider=model.provider,
                llm1_model=model.model,
                llm1_secondary=None,
                llm1_embedded=False,
                llm1_hedging=False,
            )
    except ConfigError:
        raise
    except ValueError:
        raise InputError(
            f"{name!r} cannot read a suite; name a preset ({', '.join(PRESETS)}), a model as provider:model "
            f"with provider one of {', '.join(Provider)}, or 'formula'"
        ) from None
    return Subject(name=name, settings=config.model_dump(mode="json", include=set(_SETTINGS)))


def config_of(run: Run, subject: Subject) -> DualLlmConfig:
    """The settings to connect a subject with: nothing remembered, nobody left alone, no LLM #2 but LLM #1 itself."""
    return _config(subject, run.autonomy)


def at_once(run: Run, subject: Subject, concurrency: int) -> int:
    """How many messages a subject may be reading at the same time.

    One for a model of this process: more would wait for each other, and their latency would be that of the queue.
    """
    return 1 if not subject.formula and config_of(run, subject).llm1_provider is Provider.EMBEDDED else concurrency


def estimated_cost(run: Run, batched: Collection[str] = ()) -> Estimate:
    """What the whole run will cost when every call succeeds at the first attempt; the `batched` subjects in batches."""
    costs = {subject.name: call_costs_usd(run, subject, batched=subject.name in batched) for subject in run.subjects}
    known = sum(sum(each.values()) for each in costs.values() if each is not None)
    return Estimate(run.repeats * known, tuple(name for name, each in costs.items() if each is None))


def call_costs_usd(run: Run, subject: Subject, *, batched: bool = False) -> Mapping[str, float] | None:
    """An estimate for one call of each case, by its id; None when the price of the primary model is not known.

    Four bytes of prompt and schema are taken for a token, and 300 tokens for the answer.
    """
    if subject.formula:
        return {case.id: 0.0 for case in run.cases}
    config = config_of(run, subject)
    model, swings = config.llm1, config.llm1_oscillation
    fixed = len(system_prompt(swings).encode()) + len(_schema_text(swings).encode())
    costs: dict[str, float] = {}
    for case in run.cases:
        previous = {domain.value: activation for domain, activation in (case.previous or {}).items()}
        prompt = user_turn(case.message, previous, None)
        tokens = (fixed + len(prompt.encode())) // CHARACTERS_PER_TOKEN
        cost = cost_usd(model.provider, model.model, Usage(tokens, USUAL_OUTPUT_TOKENS))
        if cost is None:
            return None
        costs[case.id] = cost * PRICE_FACTOR if batched else cost
    return costs


def check_resumable(run: Run) -> None:
    """Raise InputError when this version would read with another prompt than the run began with."""
    now = prompt_digest()
    if (then := run.versions.get("prompt", now)) != now:
        raise InputError(
            f"the run {run.id} was begun with the prompt {then}, and this version has {now}: results of both could not "
            "be compared; begin a new run"
        )


def versions_of(subjects: Sequence[Subject]) -> dict[str, str]:
    """Of vif, Python, the prompt, the embedded recogniser's head and the SDKs that the subjects need."""
    found = {"vif": __version__, "python": platform.python_version(), "prompt": prompt_digest()}
    configs = [_config(subject, DEFAULT_AUTONOMY) for subject in subjects if not subject.formula]
    readers = {reader.provider for config in configs for reader in config.recognisers}
    if Provider.EMBEDDED in readers:
        head = files("vif").joinpath("data/embedded_head.npz").read_bytes()
        found["embedded_head"] = hashlib.sha256(head).hexdigest()[:16]
    for package in sorted({_PACKAGES[provider] for provider in readers}):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


@cache
def prompt_digest() -> str:
    """16 hexadecimal digits that change whenever something changes that LLM #1 is told, apart from the message."""
    fixed = [(system_prompt(swings), _schema_text(swings)) for swings in (False, True)]
    turn = user_turn("message", {"CD": 0.5}, "complaint")
    return hashlib.sha256(json.dumps([fixed, turn]).encode()).hexdigest()[:16]


def read_suite(name: str, content: bytes) -> Suite:
    """A suite from the bytes of a file. Raises SuiteError, also for another encoding than UTF-8."""
    try:
        return parse(name, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        why = f"byte {column} of the line is {content[error.start]:#04x}, which is not UTF-8; save the file as UTF-8"
        raise SuiteError([Fault(before.count(b"\n") + 1, why)]) from None


def _schema_text(oscillation: bool) -> str:
    return json.dumps(output_schema(oscillation).schema)


def _config(subject: Subject, autonomy: float) -> DualLlmConfig:
    settings: dict[str, Any] = {name: subject.settings[name] for name in _SETTINGS if name in subject.settings}
    provider = settings.setdefault("llm1_provider", Provider.EMBEDDED)
    return DualLlmConfig(
        **settings,
        # As nobody answers, a second provider would only ask for a key or for its weights.
        llm2_provider=provider,
        llm2_model=settings.setdefault("llm1_model", EMBEDDED_MODEL),
        llm2_secondary=None,
        fallback_to_formula=True,
        enable_caching=False,
        breaker_failures=_NEVER_OPENS,
        autonomy=autonomy,
    )
