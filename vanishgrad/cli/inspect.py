"""``vanishgrad inspect``."""

from __future__ import annotations

import click

from vanishgrad.cli.options import HINTS, LAYERS
from vanishgrad.questions.inspect.measure import inspect as inspect_file
from vanishgrad.questions.inspect.report import inspection, to_text
from vanishgrad.weights.recognition import recurrent_layers


@click.command()
@click.argument("weights", metavar="WEIGHTS")
@LAYERS
@HINTS
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
def inspect(weights: str, layers: tuple[str, ...], as_json: bool, **hints: str | None) -> None:
    """Which recurrent layers a file holds."""
    document = inspection(inspect_file(recurrent_layers(weights, **hints), layers))
    click.echo(document.to_json() if as_json else to_text(document), nl=False)
