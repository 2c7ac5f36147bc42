"""``vanishgrad schema``."""

from __future__ import annotations

import json

import click

from vanishgrad.questions.documents import DOCUMENTS, document_of


@click.command()
@click.argument("command", type=click.Choice(list(DOCUMENTS)), default="compare")
def schema(command: str) -> None:
    """The JSON Schema of a report."""
    click.echo(json.dumps(document_of(command).schema(), ensure_ascii=False, indent=1))
