"""``vanishgrad verify``."""

from __future__ import annotations

from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import echo
from vanishgrad.cli.options import JSON, LANG, OWN_CELL, request_options
from vanishgrad.questions.verify.measure import DEFAULT_MODELS, DEFAULT_STEPS, VerifyRequest
from vanishgrad.questions.verify.measure import verify as verify_models
from vanishgrad.questions.verify.report import to_text, verification

FAILED = 3


@click.command(cls=GroupedCommand, epilog=OWN_CELL)
@click.argument("models", nargs=-1, metavar="[MODEL|WEIGHTS]...")
@request_options(VerifyRequest, steps=f"Length T.  [default: {DEFAULT_STEPS}, or the file's length]")
@JSON
@LANG
def verify(models: tuple[str, ...], format_: str | None, **options: Any) -> int:
    """Is the arithmetic right? Complex step, definition, sum rules."""
    result = verify_models(VerifyRequest(models=models or DEFAULT_MODELS, **options))
    document = verification(result)
    echo(document, format_, to_text)
    return 0 if result.passed else FAILED
