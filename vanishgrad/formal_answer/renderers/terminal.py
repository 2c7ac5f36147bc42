"""The answer on a terminal: the question, ten lines, the table, and where the rest is."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from vanishgrad.formal_answer import Answer
from vanishgrad.formal_answer.renderers.compose import Composer
from vanishgrad.formal_answer.tables import Cell
from vanishgrad.formal_answer.text import texts
from vanishgrad.reports.chinese_lines import broken, chinese_lines
from vanishgrad.reports.terminal import FILE, Column, Terminal, console_to, fitted, print_wrapped

if TYPE_CHECKING:
    from rich.table import Table

SYMBOLS = {
    r"\partial": "∂", r"\cdots": "⋯", r"\gamma": "γ", r"\lVert": "‖", r"\rVert": "‖", r"\odot": "⊙", r"\ln": "ln ",
    r"\times": "×", r"\sigma": "σ", r"\lvert": "|", r"\rvert": "|",
}  # fmt: skip
SUBSCRIPTS = {
    **dict(zip("0123456789+-=", "₀₁₂₃₄₅₆₇₈₉₊₋₌", strict=True)),
    **dict(zip("aehklmnpstx", "ₐₑₕₖₗₘₙₚₛₜₓ", strict=True)),
}
GIVE_WAY = {5: 1, 1: 2}
"""Columns of the table, by which theorem a bound is proved, that are left out where there is no room."""
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def to_terminal(answer: Answer, language: str, terminal: Terminal = FILE) -> str:
    """Return the readable summary."""
    from rich.markdown import Markdown

    composer = Composer(answer, language)
    prose = texts(language)["conclusion"].parts["text"].partition("{{table:summary}}")[0]
    lines = re.sub(r"\$([^$]+)\$", lambda match: plain(match[1]), composer.filled(prose))
    more = composer.words["terminal_more"]
    if language == "zh":
        lines, more = broken(lines, terminal.width), "\n".join(chinese_lines(more, terminal.width))
    buffer = io.StringIO()
    console = console_to(buffer, terminal)
    console.print(composer.words["title"], style="bold")
    for caution in composer.cautions:
        console.print(Markdown(broken(caution, terminal.width) if language == "zh" else caution))
    console.print(Markdown(lines))
    console.print()
    console.print(_table(composer, terminal.width), crop=False)
    console.print()
    if language == "zh":
        console.print(more, markup=False)
    else:
        print_wrapped(console, more)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _table(composer: Composer, width: int) -> Table:
    source = composer.answer.tables["summary"]
    columns = [
        Column(composer.words[name], is_text=isinstance(cell, str), gives_way=GIVE_WAY.get(i, 0))
        for i, (name, cell) in enumerate(zip(source.columns, source.rows[0], strict=True))
    ]
    return fitted(columns, [[_shown(cell, composer) for cell in row] for row in source.rows], width)


def _shown(cell: Cell, composer: Composer) -> str:
    text = composer.cell(cell)
    return plain(text.strip("$")) if text.startswith("$") else text.strip("`")


def plain(tex: str) -> str:
    """Return a short formula in Unicode."""
    for command, symbol in SYMBOLS.items():
        tex = tex.replace(command + " ", symbol).replace(command, symbol)
    tex = re.sub(r"\^\{?(-?\d+)\}?", lambda match: match[1].translate(SUPERSCRIPTS), tex)
    tex = re.sub(r"_(?:\{([^}]*)\}|(\w))", lambda match: _lowered(match[1] or match[2]), tex)
    return re.sub(r"[{}]", "", tex).replace(" (", "(")


def _lowered(index: str) -> str:
    """Return an index in Unicode's small letters, where it has them all."""
    return "".join(SUBSCRIPTS[c] for c in index) if set(index) <= set(SUBSCRIPTS) else f"_{index}"
