"""``vanishgrad answer``."""

from __future__ import annotations

import sys
from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import demand_writable, put, report_format, stdout_language, terminal
from vanishgrad.cli.options import JOBS, JSON, LANG, request_options
from vanishgrad.cli.progress import progress
from vanishgrad.curves.processes import cores
from vanishgrad.errors import UsageError
from vanishgrad.formal_answer import Answer, AnswerRequest
from vanishgrad.formal_answer import answer as answered
from vanishgrad.formal_answer.subjects import DEFAULT_MODELS
from vanishgrad.languages import language
from vanishgrad.reports.files import write
from vanishgrad.reports.terminal import FILE, Terminal

FORMATS = ("text", "markdown", "latex", "html", "pdf", "json")
ENDINGS = {
    ".md": "markdown", ".tex": "latex", ".html": "html", ".htm": "html", ".pdf": "pdf", ".json": "json",
    ".txt": "text",
}  # fmt: skip


@click.command(cls=GroupedCommand, epilog=f"Default models: {' '.join(DEFAULT_MODELS)}.")
@click.argument("models", nargs=-1, metavar="[WEIGHTS|MODEL]...")
@LANG
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), help="[default: by the ending of --output, or a summary as text]"
)
@JSON
@click.option("--output", default="-", metavar="FILE|-", help="Where the answer goes.  [default: stdout]")
@click.option("--font", metavar="NAME|FILE", help="The font of a PDF; a Chinese one for Chinese.")
@request_options(AnswerRequest)
@JOBS
@click.option("--quiet", is_flag=True, help="No progress.")
def answer(
    models: tuple[str, ...],
    format_: str | None,
    output: str,
    font: str | None,
    quiet: bool,
    jobs: int | None,
    **options: Any,
) -> None:
    """The formal answer: the theorems with proofs, beside these models' numbers."""
    kind = report_format(format_, output, ENDINGS, "text")
    if font is not None and kind != "pdf":
        raise UsageError(f"expected --font with --format pdf, got {kind}; try leaving it out")
    if kind == "pdf" and output == "-" and sys.stdout.isatty():
        raise UsageError("expected a file for a PDF, got the terminal; try --output answer.pdf")
    request = AnswerRequest(models=models or DEFAULT_MODELS, **options)
    demand_writable(output, ())
    with progress(None, quiet) as done:
        formal = answered(request, done, jobs or cores())
    if output != "-":
        write(output, answer_bytes(formal, language(), kind, font, FILE))
    elif kind == "text":
        with stdout_language(kind):
            put(answer_bytes(formal, language(), kind, font, terminal()).decode(), kind)
    else:
        click.echo(answer_bytes(formal, language(), kind, font, FILE), nl=False)


def answer_bytes(formal: Answer, language: str, kind: str, font: str | None, page: Terminal) -> bytes:
    """Return an answer in one of the formats."""
    if kind == "pdf":
        from vanishgrad.formal_answer.renderers.pdf import to_pdf

        return to_pdf(formal, language, font)
    if kind == "json":
        from vanishgrad.formal_answer.renderers.claims_json import answer_document

        return answer_document(formal, language).to_json().encode()
    if kind == "html":
        from vanishgrad.formal_answer.renderers.html import to_html

        return to_html(formal, language).encode()
    if kind == "latex":
        from vanishgrad.formal_answer.renderers.latex import to_latex

        return to_latex(formal, language).encode()
    if kind == "markdown":
        from vanishgrad.formal_answer.renderers.compose import Composer

        return Composer(formal, language).markdown().encode()
    from vanishgrad.formal_answer.renderers.terminal import to_terminal

    return to_terminal(formal, language, page).encode()
