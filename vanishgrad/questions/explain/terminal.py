"""An explanation for people at a terminal, within 80 columns: why, then each section, then what to keep in mind."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vanishgrad.questions.explain.document import passages, why
from vanishgrad.questions.explain.passage import Passage
from vanishgrad.reports.sentences import caveat, notes, opening
from vanishgrad.reports.table import COLOURS, WIDTH, console_to, print_wrapped, title

if TYPE_CHECKING:
    from rich.console import Console


def to_terminal(document: Mapping[str, Any], colour: bool) -> str:
    """Return an explanation for people, with the escape codes of colours if a terminal wants them."""
    out = io.StringIO()
    console = console_to(out, colour)
    if opening(document):
        print_wrapped(console, opening(document))
    console.print(title(document))
    for model in document["models"]:
        console.print()
        verdict = model["curves"]["state"]["verdict"]
        console.print(f"{model['label']}: {verdict}", style=f"bold {COLOURS[verdict]}", markup=False)
        for each in why(dict(model)):
            print_wrapped(console, each)
        for passage in passages(dict(model)):
            console.print()
            _print(console, passage)
    console.print()
    for note in notes(document["models"]):
        print_wrapped(console, f"note: {note}")
    print_wrapped(console, caveat(document))
    return out.getvalue()


def _print(console: Console, passage: Passage) -> None:
    console.print(passage.title, style="bold", markup=False)
    for each in passage.sentences:
        print_wrapped(console, each)
    if passage.rows:
        console.print()
        console.print(_table(passage))
    if passage.legend:
        console.print("\n".join(textwrap.wrap(passage.legend, WIDTH - 1)), style="dim", markup=False)


def _table(passage: Passage) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for i, heading in enumerate(passage.headings):
        table.add_column(heading, justify="right" if i else "left", no_wrap=True)
    for row in passage.rows:
        table.add_row(*map(Text, row))
    return table
