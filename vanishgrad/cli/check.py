"""``vanishgrad check``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import put, stdout_language
from vanishgrad.cli.options import JSON, LANG, counts, request_options
from vanishgrad.errors import UsageError
from vanishgrad.models.options import option_names
from vanishgrad.questions.analyze import AnalyzeRequest
from vanishgrad.questions.check.check import check as checked
from vanishgrad.questions.check.formats import FORMATS, append_summary
from vanishgrad.questions.check.judge import CheckRequest
from vanishgrad.questions.check.settings import settings
from vanishgrad.reports.documents.reading import is_report

FAILED = 3


def _from_settings(context: click.Context, option: click.Parameter, path: str | None) -> str | None:
    """Take what a file of settings says as the defaults of the other options."""
    by_key = {
        each.opts[0].lstrip("-").replace("-", "_"): each
        for each in context.command.params
        if isinstance(each, click.Option) and each is not option and each.opts != ["--json"]
    }
    limits = settings(path, by_key)
    context.default_map = {
        str(by_key[key].name): values if by_key[key].multiple else ",".join(values) for key, values in limits.items()
    }
    return path


def _horizons(
    context: click.Context, option: click.Parameter, values: Sequence[str]
) -> tuple[int | None, dict[str, int]]:
    """Return the horizon of all layers and those of single ones, from N and LAYER=N."""
    every, own = None, dict[str, int]()
    for value in values:
        layer, _, steps = value.rpartition("=")
        number: int = counts("horizon")(steps, option, context)
        if not layer and "=" in value:
            raise UsageError(f"expected --horizon N or LAYER=N, got {value!r}; try --horizon encoder.1=50")
        if layer:
            own[layer] = number
        else:
            every = number
    return every, own


def _of_a_run_in_settings() -> list[str]:
    """Return the options of a run that a file of settings says and nobody typed: a report has been run."""
    context, in_settings = click.get_current_context(), click.core.ParameterSource.DEFAULT_MAP
    return [
        name
        for name in option_names(AnalyzeRequest)
        if name != "threshold" and context.get_parameter_source(name) is in_settings
    ]


@click.command(cls=GroupedCommand)
@click.argument("weights", metavar="WEIGHTS|MODEL|REPORT|-")
@click.option(
    "--horizon",
    multiple=True,
    callback=_horizons,
    metavar="N|LAYER=N",
    help="Steps that the gradient must reach; repeatable.  [default: the baseline's]",
)
@click.option("--max-rate", type=float, help="Largest |rate| in nats per step.")
@click.option("--curve", default="state", show_default=True, help="The curve to judge.")
@click.option("--baseline", metavar="REPORT", help="A report made before: no layer may fall behind its horizon there.")
@request_options(AnalyzeRequest)
@click.option(
    "--partial",
    "is_partial",
    is_flag=True,
    help="Pass although some layers cannot be read, or only the baseline has them.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMATS)),
    help="github: annotations, and a table in the job's summary.  [default: text]",
)
@JSON
@LANG
@click.option(
    "--config",
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_from_settings,
    help="TOML whose [tool.vanishgrad.check] has these options.  [default: ./pyproject.toml]",
)
def check(
    weights: str,
    horizon: tuple[int | None, dict[str, int]],
    max_rate: float | None,
    curve: str,
    baseline: str | None,
    is_partial: bool,
    format_: str | None,
    **options: Any,
) -> int:
    """Exit 3 unless the gradient reaches far enough: for CI."""
    if is_report(weights):
        options |= {name: getattr(AnalyzeRequest, name) for name in _of_a_run_in_settings()}
    request = AnalyzeRequest(weights=(weights,), curves=(curve,), **options)
    every, own = horizon
    asked = CheckRequest(
        report=weights, curve=curve, horizon=every, horizons=own, threshold=request.threshold, max_rate=max_rate,
        baseline=baseline,
    )  # fmt: skip
    document = checked(request, asked, is_partial)
    kind = format_ or "text"
    with stdout_language(kind):
        put(FORMATS[kind](document), kind)
    if kind == "github":
        append_summary(document)
    return 0 if document.passed else FAILED
