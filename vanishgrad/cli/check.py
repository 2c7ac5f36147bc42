"""``vanishgrad check``."""

from __future__ import annotations

from typing import Any

import click

from vanishgrad.cli.options import HINTS, LAYERS, RUN
from vanishgrad.errors import UsageError
from vanishgrad.questions.analyze import AnalyzeRequest, analysis
from vanishgrad.questions.analyze import analyze as analyze_layers
from vanishgrad.questions.check import CheckRequest, judged, to_text
from vanishgrad.questions.documents import read_models
from vanishgrad.reports.documents.reading import is_report
from vanishgrad.reports.documents.report import ModelsDocument

FAILED = 3


@click.command()
@click.argument("weights", metavar="WEIGHTS|REPORT|-")
@click.option("--horizon", type=click.IntRange(1), required=True, help="Steps that the gradient must reach.")
@click.option("--max-rate", type=float, help="Largest |rate| in nats per step.")
@click.option("--curve", default="state", show_default=True, help="The curve to judge.")
@LAYERS
@click.option("--embedding", metavar="NAME", help="A matrix of the same file through which token ids go.")
@click.option("--stack", metavar="A,B", help="Layers in the order in which they drive one another.")
@RUN
@HINTS
@click.option("--partial", "is_partial", is_flag=True, help="Pass although some recurrent layers cannot be read.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
def check(
    weights: str,
    horizon: int,
    max_rate: float | None,
    curve: str,
    stack: str | None,
    is_partial: bool,
    as_json: bool,
    threshold: float,
    **options: Any,
) -> int:
    """Exit 3 unless the gradient reaches far enough: for CI."""
    if not 0 < threshold < 1:
        raise UsageError(f"expected --threshold between 0 and 1, got {threshold:g}; try --threshold 1e-3")
    options |= {"threshold": threshold, "curves": (curve,)}
    report = read_models(weights) if is_report(weights) else _analyzed(weights, horizon, stack, options)
    request = CheckRequest(report=weights, curve=curve, horizon=horizon, threshold=threshold, max_rate=max_rate)
    document = judged(report, request, is_partial)
    click.echo(document.to_json() if as_json else to_text(document), nl=False)
    return 0 if document.passed else FAILED


def _analyzed(weights: str, horizon: int, stack: str | None, options: dict[str, Any]) -> ModelsDocument:
    """Return the report of a checkpoint over twice the horizon, unless --steps or a file says otherwise."""
    if (
        options["steps"] is None
        and options["lengths"] is None
        and options["input"].partition(":")[0] in ("white", "zeros")
    ):
        options["steps"] = 2 * horizon
    order = tuple(stack.split(",")) if stack else ()
    return analysis(analyze_layers(AnalyzeRequest(weights=(weights,), stack=order, **options)))
