"""``vanishgrad verify``."""

from __future__ import annotations

import click

from vanishgrad.questions.verify.measure import DEFAULT_MODELS, VerifyRequest
from vanishgrad.questions.verify.measure import verify as verify_models
from vanishgrad.questions.verify.report import to_text, verification

FAILED = 3


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL|WEIGHTS]...")
@click.option("--hidden", type=click.IntRange(1, 64), default=12, show_default=True, help="Hidden size n.")
@click.option("--steps", type=click.IntRange(1, 200), default=20, show_default=True, help="Length T.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
def verify(models: tuple[str, ...], hidden: int, steps: int, seed: int, as_json: bool) -> int:
    """Is the arithmetic right? Complex step, definition, sum rules."""
    result = verify_models(VerifyRequest(models or DEFAULT_MODELS, hidden, steps, seed))
    document = verification(result)
    click.echo(document.to_json() if as_json else to_text(document), nl=False)
    return 0 if result.passed else FAILED
