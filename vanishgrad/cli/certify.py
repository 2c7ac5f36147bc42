"""``vanishgrad certify``."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

import click

from vanishgrad.certificates import CertificateVerdict, Certified, CertifyRequest, Outcome, ProverVerdict
from vanishgrad.certificates import certify as certified
from vanishgrad.certificates import check as checked
from vanishgrad.certificates.formal import ENDING, Formal, FormallyCertified, certify_formally, check_formally
from vanishgrad.certificates.report import CertifyDocument
from vanishgrad.certificates.source import beside
from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import demand_writable, put, report_format
from vanishgrad.cli.options import JSON, counts, request_options
from vanishgrad.curves.processes import blas_threads
from vanishgrad.errors import UsageError
from vanishgrad.models.options import HINT_NAMES
from vanishgrad.reports.files import write_together
from vanishgrad.weights.hints import flag

FAILED = 3
BESIDE = ("weights.npz", "inputs.npy")
"""Endings of what stands beside a certificate."""


@click.command(
    cls=GroupedCommand,
    epilog="Exit: 0 proved, or valid; 3 refuted, inconclusive or invalid. "
    "A refutation is written as a certificate too.",
)
@click.argument("source", required=False, metavar="[WEIGHTS|MODEL]")
@click.option(
    "--output", metavar="FILE", help="The certificate; a MODEL's weights and the inputs are written beside it."
)
@click.option(
    "--coq", metavar="FILE.v", help="The certificate as a file that Coq checks, instead of --output; upper bounds only."
)
@click.option(
    "--input-bound",
    type=click.FloatRange(0),
    metavar="B",
    help="Every input with |x_j| ≤ B: gated cells need it, or a set.",
)
@click.option(
    "--claim",
    type=click.Choice(["upper", "lower"]),
    default="upper",
    show_default=True,
    help="‖∂s_t/∂s_k‖ ≤ C ρ^(t−k) for all inputs, or ≥.",
)
@click.option(
    "--along",
    metavar="SOURCE",
    help="Enclose ‖∂s_T/∂s_k‖, its σ_min and ‖∂s_T/∂x_k‖ from both sides along these sequences, for every k.",
)
@click.option(
    "--start",
    type=counts("start"),
    default=0,
    show_default=True,
    help="Of --input: k in ∂s_T/∂s_k; of --along the least.",
)
@click.option("--alphabet", metavar="FILE", help="Every step's input is one of these rows (S, d); gated cells.")
@click.option(
    "--length",
    type=counts("length"),
    metavar="L",
    help="Bound ‖∂s_L/∂s_0‖ over all words of L rows of --alphabet or --embedding, and name the least and greatest.",
)
@click.option("--hull", metavar="FILE", help="Every step's input lies in the convex hull of these rows; gated cells.")
@click.option(
    "--repeat", metavar="FILE", help="Inputs (d,) or (p, d) that a refutation repeats too, beside zero and constants."
)
@request_options(CertifyRequest, input="all input sequences, or a lower bound along one: white[:STD], zeros or a file.")
@click.option(
    "--check",
    "certificate",
    metavar="CERT",
    help="Check a certificate (one of --output, or FILE.v), against its weights or WEIGHTS.",
)
@JSON
def certify(
    source: str | None,
    output: str | None,
    coq: str | None,
    certificate: str | None,
    format_: str | None,
    **options: Any,
) -> int:
    """A certificate about all input sequences, and its checker."""
    if certificate is not None:
        if output or coq:
            name = flag("output" if output else "coq")
            raise UsageError(f"expected {name} with a proof, got --check; try leaving it out")
        return _check(certificate, source, format_, options)
    if format_ and (coq or (options["along"] is None and options["length"] is None)):
        raise UsageError(
            "expected --json with --check, --along or --length, got a proof, whose JSON is --output; try leaving it out"
        )
    target = output or coq
    if source is None or target is None or (output and coq):
        raise UsageError(
            "expected WEIGHTS or a MODEL with --output FILE or --coq FILE.v, or --check CERT; try --output cert.json"
        )
    if output:
        report_format("json", output, {".json": "json"})
    demand_writable(target, ())
    request = CertifyRequest(source, target, **options)
    with blas_threads(state_size=0, jobs=1):
        result = certified(request) if output else certify_formally(request)
    write_together(result.files.items())
    if format_ and output and result.files:
        put(result.files[output].decode(), format_)
        return 0
    click.echo(_told(result, list(result.files)), nl=False)
    for path in _left_over(target, request, result.files):
        click.echo(f"note: {path} is of an earlier certificate, not of this one")
    return 0 if result.outcome.verdict is ProverVerdict.PROVED else FAILED


def _check(certificate: str, weights: str | None, format_: str | None, options: dict[str, Any]) -> int:
    formal = certificate.endswith(ENDING)
    reading = ("layer", *HINT_NAMES) if formal else ()
    request = CertifyRequest(weights or certificate, certificate, **options)
    for name in options:
        if name not in reading and getattr(request, name) != getattr(CertifyRequest, name):
            raise UsageError(f"expected {flag(name)} with a proof, got --check; try leaving it out")
    if formal:
        verification = check_formally(certificate, weights, **{name: options[name] for name in reading})
    else:
        verification = checked(certificate, weights)
    if format_:
        put(CertifyDocument.of(verification, certificate=certificate).to_json(), format_)
    else:
        click.echo(
            "\n".join(
                [
                    f"{verification.verdict.value}: {verification.reason}",
                    *(f"  shown: {each}" for each in verification.shown),
                ]
            )
        )
    return 0 if verification.verdict is CertificateVerdict.VALID else FAILED


def _left_over(target: str, request: CertifyRequest, written: Collection[str]) -> list[str]:
    """Return the files that an earlier certificate of the same name has left beside this one."""
    read = [os.path.realpath(each) for each in vars(request).values() if isinstance(each, str)]
    candidates = [beside(target, ending) for ending in BESIDE] if written else []
    return [
        path
        for path in candidates
        if path not in written and os.path.exists(path) and os.path.realpath(path) not in read
    ]


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
