"""``vanishgrad check``."""

from __future__ import annotations

from typing import Any

import click

from vanishgrad.cli.emit import echo
from vanishgrad.cli.options import JSON, counts, request_options
from vanishgrad.questions.analyze import AnalyzeRequest, reports
from vanishgrad.questions.check import CheckRequest, judgement, to_text

FAILED = 3


@click.command()
@click.argument("weights", metavar="WEIGHTS|MODEL|REPORT|-")
@click.option("--horizon", type=counts("horizon"), required=True, help="Steps that the gradient must reach.")
@click.option("--max-rate", type=float, help="Largest |rate| in nats per step.")
@click.option("--curve", default="state", show_default=True, help="The curve to judge.")
@request_options(AnalyzeRequest)
@click.option("--partial", "is_partial", is_flag=True, help="Pass although some recurrent layers cannot be read.")
@JSON
def check(
    weights: str,
    horizon: int,
    max_rate: float | None,
    curve: str,
    is_partial: bool,
    format_: str | None,
    **options: Any,
) -> int:
    """Exit 3 unless the gradient reaches far enough: for CI."""
    request = AnalyzeRequest(weights=(weights,), curves=(curve,), **options)
    (report,) = reports(request, over=2 * horizon, read=("threshold", "curves"))
    check_request = CheckRequest(
        report=weights, curve=curve, horizon=horizon, threshold=request.threshold, max_rate=max_rate
    )
    document = judgement(report, check_request, is_partial)
    echo(document, format_, to_text)
    return 0 if document.passed else FAILED
