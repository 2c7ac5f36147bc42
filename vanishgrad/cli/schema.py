"""``vanishgrad schema``."""

from __future__ import annotations

import json

import click

from vanishgrad.questions.schema import BODIES
from vanishgrad.questions.schema import schema as schema_of


@click.command()
@click.argument("command", type=click.Choice(list(BODIES)), default="compare")
def schema(command: str) -> None:
    """The JSON Schema of a report."""
    click.echo(json.dumps(schema_of(command), ensure_ascii=False, indent=1))
