"""``vanishgrad inspect``."""

from __future__ import annotations

from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import echo, terminal
from vanishgrad.cli.options import JSON, LANG, request_options
from vanishgrad.models.options import HINT_NAMES, ModelOptions
from vanishgrad.questions.inspect.measure import inspect as inspect_file
from vanishgrad.questions.inspect.report import inspection, to_text
from vanishgrad.weights.recognition import recurrent_layers


@click.command(cls=GroupedCommand)
@click.argument("weights", metavar="WEIGHTS")
@request_options(ModelOptions, only=("layer", *HINT_NAMES))
@JSON
@LANG
def inspect(weights: str, layer: tuple[str, ...], format_: str | None, **hints: Any) -> None:
    """Which recurrent layers a file holds."""
    echo(
        inspection(inspect_file(recurrent_layers(weights, **hints), layer)),
        format_,
        lambda document: to_text(document, terminal()),
    )
