"""``vanishgrad certify``."""

from __future__ import annotations

from typing import Any

import click

from vanishgrad.certificates import CertificateVerdict, Certified, CertifyRequest, Outcome
from vanishgrad.certificates import certify as certified
from vanishgrad.certificates import check as checked
from vanishgrad.certificates.formal import ENDING, Formal, FormallyCertified, certify_formally, check_formally
from vanishgrad.certificates.report import CertifyDocument
from vanishgrad.cli.emit import demand_writable
from vanishgrad.cli.options import HINT_NAMES, HINTS
from vanishgrad.curves.processes import blas_threads
from vanishgrad.errors import UsageError
from vanishgrad.reports.files import write_together

FAILED = 3


@click.command(epilog="Exit: 0 proved, or valid; 3 inconclusive, or invalid. An inconclusive proof writes no file.")
@click.argument("source", required=False, metavar="[WEIGHTS|MODEL]")
@click.option(
    "--output", metavar="FILE", help="The certificate; a MODEL's weights and the inputs are written beside it."
)
@click.option(
    "--coq", metavar="FILE.v", help="The certificate as a file that Coq checks, instead of --output; upper bounds only."
)
@click.option(
    "--input-bound", type=click.FloatRange(0), metavar="B", help="Every input with |x_j| ≤ B: gated cells need it."
)
@click.option(
    "--claim",
    type=click.Choice(["upper", "lower"]),
    default="upper",
    show_default=True,
    help="‖∂s_t/∂s_k‖ ≤ C ρ^(t−k) for all inputs, or ≥.",
)
@click.option("--input", metavar="SOURCE", help="A lower bound along this one sequence: white[:STD], zeros or a file.")
@click.option("--steps", type=click.IntRange(1), help="Its length T.  [default: 100, or the file's length]")
@click.option("--start", type=click.IntRange(0), default=0, show_default=True, help="Its k in ∂s_T/∂s_k.")
@click.option("--hidden", type=click.IntRange(1), default=64, show_default=True, help="A MODEL's hidden size n.")
@click.option("--input-size", type=click.IntRange(1), help="A MODEL's input size d.  [default: n]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of every random stream.")
@click.option("--layer", metavar="NAME", help="The layer of a file that holds several.")
@HINTS
@click.option(
    "--check",
    "certificate",
    metavar="CERT",
    help="Check a certificate (one of --output, or FILE.v), against its weights or WEIGHTS.",
)
@click.option("--json", "as_json", is_flag=True, help="The checker's verdict as JSON.")
def certify(
    source: str | None, output: str | None, coq: str | None, certificate: str | None, as_json: bool, **options: Any
) -> int:
    """A certificate about all input sequences, and its checker."""
    options["hints"] = {name: options.pop(name) for name in HINT_NAMES}
    if certificate is not None:
        return _check(certificate, source, as_json, options)
    if as_json:
        raise UsageError("expected --json with --check, got a proof, whose JSON is --output; try leaving it out")
    target = output or coq
    if source is None or target is None or (output and coq):
        raise UsageError(
            "expected WEIGHTS or a MODEL with --output FILE or --coq FILE.v, or --check CERT; try --output cert.json"
        )
    demand_writable(target, ())
    request = CertifyRequest(source, target, **options)
    with blas_threads(state_size=0, jobs=1):
        result = certified(request) if output else certify_formally(request)
    write_together(result.files.items())
    click.echo(_told(result, list(result.files)), nl=False)
    return 0 if result.files else FAILED


def _check(certificate: str, weights: str | None, as_json: bool, options: dict[str, Any]) -> int:
    if certificate.endswith(ENDING):
        found = check_formally(certificate, weights, options["layer"], options["hints"])
    else:
        found = checked(certificate, weights)
    if as_json:
        click.echo(CertifyDocument.of(found, certificate=certificate).to_json(), nl=False)
    else:
        click.echo("\n".join([f"{found.verdict.value}: {found.reason}", *(f"  shown: {each}" for each in found.shown)]))
    return 0 if found.verdict is CertificateVerdict.VALID else FAILED


def _told(result: Certified | FormallyCertified, files: list[str]) -> str:
    outcome = result.outcome
    lines = [f"  {each.method}: {each.C:.4g} · {each.rho:.6g}^lag" for each in outcome.attempts]
    if not files:
        return "\n".join([f"inconclusive: {outcome.reason}", *lines]) + "\n"
    return "\n".join([f"{_proved(outcome)}", *lines, f"written: {', '.join(files)}"]) + "\n"


def _proved(outcome: Outcome | Formal) -> str:
    if isinstance(outcome, Formal):
        return outcome.reason
    return f"{outcome.reason}: {outcome.certificate.statement}" if outcome.certificate else outcome.reason
