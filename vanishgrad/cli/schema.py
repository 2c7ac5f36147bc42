"""``vanishgrad schema``."""

from __future__ import annotations

import json

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import put
from vanishgrad.questions.documents import SCHEMAS, schema_of


@click.command(cls=GroupedCommand)
@click.argument("name", metavar="[COMMAND|certificate]", type=click.Choice(list(SCHEMAS)), default="compare")
def schema(name: str) -> None:
    """The JSON Schema of a report, or of a certificate."""
    put(json.dumps(schema_of(name), ensure_ascii=False, indent=1) + "\n", "json")
