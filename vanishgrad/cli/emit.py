"""Output of commands: a document to stdout or a file, and pictures."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vanishgrad.cli.encoding import can_encode
from vanishgrad.cli.options import FONT_GIVEN, picture_formats
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.languages import ENGLISH, LANGUAGES, in_language, language
from vanishgrad.questions.rendering import Rendered, report_text
from vanishgrad.reports.files import demand_folder, demand_target, write_together
from vanishgrad.reports.terminal import FILE, NARROWEST, WIDEST, Terminal

if TYPE_CHECKING:
    from vanishgrad.reports.documents.report import ModelsDocument
    from vanishgrad.reports.documents.report_document import ReportDocument

R = TypeVar("R", bound="ReportDocument")
ENDINGS = {".json": "json", ".csv": "csv", ".md": "markdown", ".txt": "table", ".html": "html", ".htm": "html"}
PICTURES, VECTORS = (".png", ".svg", ".pdf"), "svg"
FOREIGN = (".html", ".htm", ".tex", ".json", ".csv", ".md", ".txt", *PICTURES)
"""Endings that no other format is written under, whatever --format says."""
DATA = ("json", "csv", "junit", "html")
"""Formats that programs read."""


def demand_writable(output: str, plots: Sequence[str], folders: Sequence[str | None] = ()) -> None:
    """Refuse, before any work is done, what cannot be written, and a picture with another ending."""
    if not plots and not any(folders):
        demand_no_font()
    for plot in plots:
        if Path(plot).suffix.lower() not in PICTURES:
            raise UsageError(f"expected --plot with the ending .png, .svg or .pdf, got {plot!r}; try {plot}.svg")
    for path in (output, *plots):
        parent = Path(path).parent
        if path != "-" and not parent.is_dir():
            raise VanishgradError(
                f"expected an existing folder for {path!r}, got none at {str(parent)!r}; try mkdir -p"
            )
        demand_target(path)
    for folder in filter(None, folders):
        demand_folder(folder)
    if picture_formats() and not any(folders):
        raise UsageError(f"expected --plots DIR with --format {picture_formats()[0]}, got none; try --plots plots")


def demand_no_font() -> None:
    """Refuse --font where nothing is drawn."""
    if FONT_GIVEN in click.get_current_context().meta:
        raise UsageError("expected --plot FILE or --plots DIR with --font, got neither; try leaving --font out")


def emit(
    report: Rendered,
    format_: str | None,
    output: str,
    files: Iterable[tuple[str, bytes]] = (),
    folders: Iterable[str | None] = (),
) -> None:
    """Write a report in a format to a file, or to stdout, and other files, all together or none.

    `files` are (path, content); `folders` are made for them where there are none.
    """
    kind = report_format(format_, output)
    itself = [] if output == "-" else [(output, utf8(report_text(report, kind, command=command_line())))]
    write_together(chain(itself, files), [folder for folder in folders if folder is not None])
    if output == "-":
        with stdout_language(kind):
            put(report_text(report, kind, terminal(), command_line()), kind)


def command_line() -> str:
    """Return the command line as it would be typed again."""
    return shlex.join(["vanishgrad", *(click.get_current_context().find_root().obj or ())])


def echo(document: R, format_: str | None, to_text: Callable[[R], str]) -> None:
    """Write a document of a command that has no other formats to stdout: as JSON, or as its text."""
    with stdout_language(format_):
        put(document.to_json() if format_ == "json" else to_text(document), format_ or "text")


@contextlib.contextmanager
def stdout_language(kind: str | None) -> Iterator[None]:
    """Speak English where stdout's encoding lacks the characters of the language asked for, and say so on stderr."""
    encoding = sys.stdout.encoding or "utf-8"
    if kind in DATA or can_encode(LANGUAGES[language()], encoding):
        yield
        return
    warn([f"stdout's encoding {encoding} has no characters of --lang {language()}; try PYTHONIOENCODING=utf-8"], False)
    with in_language(ENGLISH):
        yield


def put(text: str, kind: str) -> None:
    """Write a text to stdout: what programs read as UTF-8, what people read in the stream's own encoding."""
    click.echo(utf8(text) if kind in DATA else text, nl=False)


def utf8(text: str) -> bytes:
    """Return a text as UTF-8; bytes of a file's name that are no text as escapes, which JSON reads back."""
    return text.encode(errors="backslashreplace")


def is_summary(format_: str | None, output: str, plots: Sequence[str], plot_folder: str | None) -> bool:
    """Whether a table and its sentences are all that is asked for."""
    return report_format(format_, output) in ("table", "markdown") and not plots and plot_folder is None


def demand_data(per_trial: bool, format_: str | None, output: str) -> None:
    """Refuse each trial's norms in a report that people read."""
    kind = report_format(format_, output)
    if per_trial and kind not in DATA:
        raise UsageError(f"expected --per-trial with --json or --format csv, got {kind}; try --json")


def report_format(
    format_: str | None, output: str, endings: Mapping[str, str] = ENDINGS, default: str = "table"
) -> str:
    """Return the format that an ending of --output, or --format, means.

    Raises
    ------
    UsageError
        If the ending means none of them, or another one than --format.
    """
    ending = Path(output).suffix.lower()
    if not ending:
        return format_ or default
    if ending not in endings and (format_ is None or ending in FOREIGN):
        like = next((each for each, kind in endings.items() if kind == format_), next(iter(endings)))
        hint = f"--plot {output}" if ending in PICTURES and endings is ENDINGS else Path(output).with_suffix(like)
        raise UsageError(f"expected --output with the ending {_either(endings)}, got {output!r}; try {hint}")
    meant = endings.get(ending)
    if format_ and meant not in (None, format_):
        raise UsageError(f"expected --output {output} as {meant}, got --format {format_}; try one of them alone")
    return format_ or meant or default


def _either(words: Iterable[str]) -> str:
    *rest, last = words
    return f"{', '.join(rest)} or {last}" if rest else last


def terminal() -> Terminal:
    """Return what stdout has room for, with colours unless it cannot show them or nobody wants them."""
    if not sys.stdout.isatty():
        return FILE
    width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
    return Terminal(width, "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb")


def pictures(
    report: ModelsDocument, plots: Sequence[str], plot_folder: str | None, quiet: bool = False, kind: str = "curves"
) -> Iterator[tuple[str, bytes]]:
    """Yield (path, content) of the pictures that were asked for; `kind` is that of each of `plots`.

    Say so where a label has characters that no installed font has.
    """
    if not plots and plot_folder is None:
        return
    from vanishgrad.questions.plot.render import available_kinds, render, undrawable_characters

    missing = undrawable_characters(report)
    if missing:
        warn([f"no installed font has {missing}; they are drawn as escapes; try installing Noto Sans CJK"], quiet)
    for path in plots:
        yield path, render(report, kind, Path(path).suffix[1:].lower())
    if plot_folder is None:
        return
    for kind in available_kinds(report):
        for ending in picture_formats() or (VECTORS,):
            yield os.path.join(plot_folder, f"{kind}.{ending}"), render(report, kind, ending)


def warn(sentences: Sequence[str], quiet: bool) -> None:
    """Write warnings to stderr."""
    if not quiet:
        for sentence in sentences:
            sys.stderr.write(f"warning: {sentence}\n")
