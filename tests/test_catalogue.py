from __future__ import annotations

from datetime import date

import pytest
from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from vif.catalogue import CATALOGUE, COMPARED_USAGE, CatalogueEntry, cost_usd, find, lifecycle_warning
from vif.config import PRESETS, DualLlmConfig
from vif.llm.protocol import Provider, Usage

TODAY = date(2026, 11, 22)


def test_no_model_is_listed_twice() -> None:
    assert len({entry.model for entry in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("gpt-6-luna", "gpt-6-luna"),
        ("claude-3-haiku", "claude-3-haiku-20240307"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
    ],
)
def test_a_model_is_found_by_all_its_names(name: str, model: str) -> None:
    entry = find(name)
    assert entry is not None
    assert entry.model == model


def test_an_unknown_model_has_no_entry_and_no_warning() -> None:
    assert find("gpt-99") is None
    assert lifecycle_warning("gpt-99", TODAY) is None


def test_the_lifecycle_turns_on_the_day_the_model_ends() -> None:
    entry = find("gpt-4o-mini")
    assert entry is not None
    assert entry.lifecycle(date(2027, 1, 13)) == "retiring"
    assert entry.lifecycle(date(2027, 1, 14)) == "retired"
    current = find("gpt-6-luna")
    assert current is not None
    assert current.lifecycle(date(2099, 1, 1)) == "current"


def test_a_retired_model_is_a_warning_that_names_its_successor() -> None:
    assert (
        lifecycle_warning("gpt-3.5-turbo", TODAY)
        == "gpt-3.5-turbo was shut down on 2026-10-23: calls to it fail; use gpt-6-luna instead"
    )


def test_a_retiring_model_is_a_warning_with_its_date() -> None:
    assert (
        lifecycle_warning("gpt-4o-mini", TODAY) == "gpt-4o-mini will be shut down on 2027-01-14; use gpt-6-luna instead"
    )


def test_a_current_model_needs_no_warning() -> None:
    assert lifecycle_warning("claude-haiku-5-5", TODAY) is None


@pytest.mark.parametrize("model", ["gpt-3.5-turbo", "claude-3-haiku", "claude-3-5-sonnet"])
def test_the_models_of_the_design_of_2025_are_listed_as_retired(model: str) -> None:
    entry = find(model)
    assert entry is not None
    assert entry.lifecycle(TODAY) == "retired"


def test_whatever_ends_has_a_current_successor_of_the_same_provider() -> None:
    for entry in CATALOGUE:
        if entry.ends is not None:
            successor = find(entry.successor or "")
            assert successor is not None, entry.model
            assert (successor.provider, successor.lifecycle(TODAY)) == (entry.provider, "current"), entry.model


def test_whatever_is_gone_has_no_role_left() -> None:
    assert {entry.model for entry in CATALOGUE if entry.lifecycle(TODAY) == "retired"} == {
        entry.model for entry in CATALOGUE if not entry.roles
    }


@pytest.mark.parametrize("name", PRESETS)
def test_presets_use_living_models_in_their_role(name: str) -> None:
    config = DualLlmConfig.preset(name)
    for references, role in ((config.recognisers, "LLM #1"), (config.responders, "LLM #2")):
        for reference in references:
            entry = find(reference.model)
            assert entry is not None, reference
            assert (entry.provider, entry.lifecycle(TODAY)) == (reference.provider, "current"), reference
            assert role in entry.roles, reference


# ── Prices ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("provider", "model", "usd"),
    [
        (Provider.OPENAI, "gpt-6-luna", 0.00027),
        (Provider.ANTHROPIC, "claude-haiku-5-5", 0.00027),
        (Provider.ANTHROPIC, "claude-sonnet-5-5", 0.0054),
        (Provider.OPENAI, "gpt-6.1-terra", 0.0027),
    ],
)
def test_a_call_is_priced_as_the_provider_charges_it(provider: Provider, model: str, usd: float) -> None:
    assert cost_usd(provider, model, COMPARED_USAGE) == pytest.approx(usd)


def test_a_call_without_tokens_costs_nothing() -> None:
    assert cost_usd(Provider.OPENAI, "gpt-6-luna", Usage()) == 0.0


def test_cached_input_is_cheaper() -> None:
    plain = cost_usd(Provider.ANTHROPIC, "claude-haiku-5-5", Usage(1200, 300))
    cached = cost_usd(Provider.ANTHROPIC, "claude-haiku-5-5", Usage(1200, 300, cache_read_tokens=1000))
    assert plain is not None
    assert cached is not None
    assert cached < plain


@pytest.mark.parametrize("provider", [Provider.LOCAL, Provider.EMBEDDED])
def test_what_runs_on_this_machine_costs_nothing(provider: Provider) -> None:
    assert cost_usd(provider, "anything", Usage(10**9, 10**9)) == 0.0


def test_an_unknown_model_has_no_price_rather_than_none_to_pay() -> None:
    assert cost_usd(Provider.OPENAI, "gpt-99", COMPARED_USAGE) is None


def test_impossible_token_counts_have_no_price() -> None:
    # More tokens read from the cache than there were: genai-prices refuses.
    assert cost_usd(Provider.ANTHROPIC, "claude-haiku-5-5", Usage(10, 1, cache_read_tokens=20)) is None


@pytest.mark.parametrize("entry", [entry for entry in CATALOGUE if entry.provider is not Provider.EMBEDDED])
@pytest.mark.parametrize("input_tokens", [0, 1_200, 100_000, 100_001, 200_001, 272_000, 272_001, 1_000_000])
@pytest.mark.parametrize(("read", "written"), [(0, 0), (0.5, 0), (0, 0.25), (0.5, 0.5)])
def test_a_price_worked_out_from_rates_is_exactly_the_one_in_the_tables(
    entry: CatalogueEntry, input_tokens: int, read: float, written: float
) -> None:
    cached = (int(input_tokens * read), int(input_tokens * written))
    used = PricedUsage(
        input_tokens=input_tokens,
        output_tokens=317,
        cache_read_tokens=cached[0] or None,
        cache_write_tokens=cached[1] or None,
    )
    listed = calc_price(used, model_ref=entry.model, provider_id=entry.provider.value).total_price
    assert cost_usd(entry.provider, entry.model, Usage(input_tokens, 317, *cached)) == float(listed)
