"""What a load test found, as data, JSON and a table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from vif.config import DualLlmConfig
from vif.load.runner import LoadPlan, Measured, PipelineMeasured
from vif.percentiles import Percentiles

if TYPE_CHECKING:
    from rich.table import Table


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True)


class BareReport(_Report):
    """The same prompts through the bare SDKs, and the pipeline against them.

    `throughput_ratio` above 1: the pipeline carries out more per second. `added_ms` is the difference of the medians.
    """

    failures: int
    failure_reasons: dict[str, int]
    throughput_per_s: float
    total_ms: Percentiles | None
    throughput_ratio: float
    added_ms: float


class LoadReport(_Report):
    """A load test. `failures` reached the user; `llm1_ms` is the whole ladder; shares are of `requests`, 0 to 1."""

    preset: str | None
    llm1: str
    llm2: str
    requests: int
    concurrency: int
    repeat_share: float
    seed: int
    failures: int
    failure_reasons: dict[str, int]
    seconds: float
    throughput_per_s: float
    total_ms: Percentiles | None
    llm1_ms: Percentiles | None
    first_token_ms: Percentiles | None
    sources: dict[str, float]
    fallback_reasons: dict[str, int]
    llm1_calls: int
    cost_usd: float | None
    bare: BareReport | None = None


def load_report(
    config: DualLlmConfig, plan: LoadPlan, pipeline: PipelineMeasured, bare: Measured | None = None
) -> LoadReport:
    total = Percentiles.of(pipeline.total_ms)
    return LoadReport(
        preset=config.preset_name,
        llm1=str(config.llm1),
        llm2=str(config.llm2),
        requests=plan.requests,
        concurrency=plan.concurrency,
        repeat_share=plan.repeat_share,
        seed=plan.seed,
        failures=pipeline.failures.total(),
        failure_reasons=dict(pipeline.failures),
        seconds=round(pipeline.seconds, 3),
        throughput_per_s=round(_rate(pipeline), 2),
        total_ms=total,
        llm1_ms=Percentiles.of(pipeline.llm1_ms),
        first_token_ms=Percentiles.of(pipeline.first_token_ms),
        sources={source: round(count / plan.requests, 4) for source, count in pipeline.sources.most_common()},
        fallback_reasons=dict(pipeline.fallbacks.most_common()),
        llm1_calls=pipeline.llm1_calls,
        cost_usd=pipeline.cost_usd,
        bare=_against(pipeline, total, bare) if bare and bare.total_ms else None,
    )


def load_table(report: LoadReport) -> Table:
    """The report for a terminal, one figure to a line."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{report.requests} messages, {report.concurrency} at once", show_header=False)
    table.add_column("what", style="bold", no_wrap=True)
    table.add_column("value", overflow="fold")
    rows = [
        ("models", f"{report.llm1}, then {report.llm2}"),
        ("failures that reached the user", _counts(report.failures, report.failure_reasons)),
        ("throughput", f"{report.throughput_per_s:.1f} interactions/s"),
        ("total, p50 / p95 / p99", _times(report.total_ms)),
        ("LLM #1, p50 / p95 / p99", _times(report.llm1_ms)),
        ("first token, p50 / p95 / p99", _times(report.first_token_ms)),
        ("read by", ", ".join(f"{source} {share:.1%}" for source, share in report.sources.items()) or "-"),
        ("fallbacks", _counts(sum(report.fallback_reasons.values()), report.fallback_reasons)),
        ("calls to LLM #1", str(report.llm1_calls)),
        ("cost", "not known" if report.cost_usd is None else f"${report.cost_usd:.5f}"),
    ]
    if bare := report.bare:
        rows += [
            ("bare SDKs: throughput", f"{bare.throughput_per_s:.1f} interactions/s"),
            ("bare SDKs: p50 / p95 / p99", _times(bare.total_ms)),
            ("bare SDKs: failures", _counts(bare.failures, bare.failure_reasons)),
            ("against them", f"{bare.throughput_ratio:.2f} × the throughput, {bare.added_ms:+.1f} ms in the median"),
        ]
    for name, value in rows:
        table.add_row(name, Text(value))  # not markup: the names of models are not ours
    return table


def _against(pipeline: PipelineMeasured, total: Percentiles | None, bare: Measured) -> BareReport:
    its_total = Percentiles.of(bare.total_ms)
    return BareReport(
        failures=bare.failures.total(),
        failure_reasons=dict(bare.failures),
        throughput_per_s=round(_rate(bare), 2),
        total_ms=its_total,
        throughput_ratio=round(_rate(pipeline) / _rate(bare), 3),
        added_ms=round(total.p50 - its_total.p50, 3) if total and its_total else 0.0,
    )


def _rate(measured: Measured) -> float:
    return len(measured.total_ms) / measured.seconds if measured.seconds else 0.0


def _times(times: Percentiles | None) -> str:
    return f"{times.p50:.0f} / {times.p95:.0f} / {times.p99:.0f} ms" if times else "-"


def _counts(total: int, counted: dict[str, int]) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in Counter(counted).most_common())
    return f"{total} ({reasons})" if reasons else str(total)
