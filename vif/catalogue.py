"""Which models there are: provider, role, price and how long they live.

Shutdown dates stand in the sources of the providers' SDKs; prices come from `genai-prices`, offline. A model that is
not listed here can be used all the same: it has no lifecycle, and a price when `genai-prices` knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from vif.llm.protocol import Provider, Usage

if TYPE_CHECKING:
    from genai_prices.types import TieredPrices

Role = Literal["LLM #1", "LLM #2"]
Lifecycle = Literal["current", "retiring", "retired"]

EMBEDDED_MODEL = "SmolLM2-135M-Instruct"

COMPARED_USAGE = Usage(input_tokens=1200, output_tokens=300)
"""The call that prices are compared by."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model.

    Attributes:
        roles: what it is meant for; empty for a model that is only listed because it is gone.
        ends: the day the provider shuts it down, when announced.
        successor: what to use instead, when it is gone or going.
        recogniser_effort: the reasoning effort to ask for as LLM #1, where the provider has one.
    """

    provider: Provider
    model: str
    roles: tuple[Role, ...] = ()
    ends: date | None = None
    successor: str | None = None
    recogniser_effort: str | None = None

    def lifecycle(self, today: date) -> Lifecycle:
        """ "retired" from the day it ends, "retiring" before."""
        if self.ends is None:
            return "current"
        return "retired" if today >= self.ends else "retiring"


_BOTH: tuple[Role, ...] = ("LLM #1", "LLM #2")
_READS: tuple[Role, ...] = ("LLM #1",)
_ANSWERS: tuple[Role, ...] = ("LLM #2",)

_O, _A, _R = Provider.OPENAI, Provider.ANTHROPIC, Provider.OPENROUTER

CATALOGUE: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(Provider.EMBEDDED, EMBEDDED_MODEL, _BOTH),
    CatalogueEntry(_O, "gpt-6-luna", _BOTH, recogniser_effort="none"),
    CatalogueEntry(_O, "gpt-6.1-terra", _ANSWERS),
    CatalogueEntry(_O, "gpt-6.1-sol", _ANSWERS),
    CatalogueEntry(_O, "gpt-5.6-luna", _BOTH, recogniser_effort="none"),
    CatalogueEntry(_O, "gpt-5.4", _ANSWERS),
    CatalogueEntry(_A, "claude-haiku-5-5", _BOTH),
    CatalogueEntry(_A, "claude-haiku-4-5", _READS),
    CatalogueEntry(_A, "claude-sonnet-5-5", _ANSWERS),
    CatalogueEntry(_A, "claude-sonnet-4-6", _ANSWERS),
    CatalogueEntry(_A, "claude-opus-5-5", _ANSWERS),
    CatalogueEntry(_R, "openai/gpt-6-luna", _BOTH),
    CatalogueEntry(_R, "anthropic/claude-sonnet-5.5", _ANSWERS),
    CatalogueEntry(_O, "gpt-5.4-nano", _READS, date(2027, 4, 1), "gpt-6-luna", "none"),
    CatalogueEntry(_O, "gpt-4o-mini", _READS, date(2027, 1, 14), "gpt-6-luna"),
    CatalogueEntry(_O, "gpt-4o", _ANSWERS, date(2027, 1, 14), "gpt-6-luna"),
    CatalogueEntry(_O, "gpt-4.1", _ANSWERS, date(2027, 1, 14), "gpt-6-luna"),
    CatalogueEntry(_O, "gpt-4.1-mini", _READS, date(2027, 1, 14), "gpt-6-luna"),
    CatalogueEntry(_A, "claude-sonnet-4-5", _ANSWERS, date(2026, 11, 30), "claude-sonnet-5-5"),
    CatalogueEntry(_O, "gpt-3.5-turbo", (), date(2026, 10, 23), "gpt-6-luna"),
    CatalogueEntry(_A, "claude-3-haiku-20240307", (), date(2026, 4, 20), "claude-haiku-5-5"),
    CatalogueEntry(_A, "claude-3-5-haiku-20241022", (), date(2026, 2, 19), "claude-haiku-5-5"),
    CatalogueEntry(_A, "claude-3-5-sonnet-20241022", (), date(2025, 10, 28), "claude-sonnet-5-5"),
    CatalogueEntry(_A, "claude-sonnet-4-20250514", (), date(2026, 6, 15), "claude-sonnet-5-5"),
)

_ALIASES = {
    "claude-3-haiku": "claude-3-haiku-20240307",
    "claude-3-5-haiku": "claude-3-5-haiku-20241022",
    "claude-3-5-haiku-latest": "claude-3-5-haiku-20241022",
    "claude-3-5-sonnet": "claude-3-5-sonnet-20241022",
    "claude-3-5-sonnet-latest": "claude-3-5-sonnet-20241022",
    "claude-sonnet-4-0": "claude-sonnet-4-20250514",
    "gpt-3.5-turbo-0125": "gpt-3.5-turbo",
    "gpt-4o-mini-2024-07-18": "gpt-4o-mini",
    "gpt-4o-2024-08-06": "gpt-4o",
    "gpt-4o-2024-11-20": "gpt-4o",
}

_BY_NAME = {entry.model: entry for entry in CATALOGUE}


def find(model: str) -> CatalogueEntry | None:
    """The entry of a model, also by its dated or undated name."""
    return _BY_NAME.get(_ALIASES.get(model, model))


def lifecycle_warning(model: str, today: date) -> str | None:
    """One clear sentence when the model is gone or going, naming its successor."""
    entry = find(model)
    if entry is None or entry.ends is None:
        return None
    instead = f"; use {entry.successor} instead" if entry.successor else ""
    if entry.lifecycle(today) == "retired":
        return f"{model} was shut down on {entry.ends.isoformat()}: calls to it fail{instead}"
    return f"{model} will be shut down on {entry.ends.isoformat()}{instead}"


def cost_usd(provider: Provider, model: str, usage: Usage) -> float | None:
    """The price of a call in US dollars; None when it is not known. What runs on this machine costs nothing."""
    if provider in (Provider.EMBEDDED, Provider.LOCAL):
        return 0.0
    rates = _rates(provider, model)
    fresh = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
    if rates is None or fresh < 0:
        return _looked_up(provider, model, usage)
    counts = (fresh, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens)
    per_million = (rate.at(usage.input_tokens) for rate in rates)
    return float(sum((count * price for count, price in zip(counts, per_million, strict=True)), Decimal(0)) / 1_000_000)


class _Rate(NamedTuple):
    """Dollars per million tokens. The last of `steps` whose number of input tokens is exceeded holds for all tokens."""

    base: Decimal
    steps: tuple[tuple[int, Decimal], ...] = ()

    def at(self, input_tokens: int) -> Decimal:
        return next((price for above, price in reversed(self.steps) if input_tokens > above), self.base)


@lru_cache(maxsize=256)
def _rates(provider: Provider, model: str) -> tuple[_Rate, _Rate, _Rate, _Rate] | None:
    """For tokens of fresh, read, written and put out; None for a model that is not known or priced in another way.

    Looking a price up anew takes a tenth of a millisecond, and every message asks for several.
    """
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    try:
        found = calc_price(PricedUsage(), model_ref=model, provider_id=provider.value)
    except (LookupError, ValueError):
        return None
    if isinstance(found.model.prices, list) or found.total_price:  # by the hour or by the request
        return None
    prices = found.model_price
    fresh, output = _rate(prices.input_mtok), _rate(prices.output_mtok)
    if fresh is None or output is None:
        return None
    return fresh, _rate(prices.cache_read_mtok) or fresh, _rate(prices.cache_write_mtok) or fresh, output


def _rate(price: Decimal | TieredPrices | None) -> _Rate | None:
    if price is None or isinstance(price, Decimal):
        return None if price is None else _Rate(price)
    return _Rate(price.base, tuple((tier.start, tier.price) for tier in price.tiers))


def _looked_up(provider: Provider, model: str, usage: Usage) -> float | None:
    # Lazily: the price tables take half a second to import, and nothing needs them before the first answer.
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    priced = PricedUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens or None,
        cache_write_tokens=usage.cache_write_tokens or None,
    )
    try:
        return float(calc_price(priced, model_ref=model, provider_id=provider.value).total_price)
    except (LookupError, ValueError):
        return None
