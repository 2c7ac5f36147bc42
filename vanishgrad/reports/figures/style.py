"""Matplotlib style of every figure: fonts, sizes, and what makes its bytes the same each time."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from vanishgrad.errors import FontWarning, VanishgradError
from vanishgrad.languages import ENGLISH, characters, in_language, language
from vanishgrad.reports.figures.options import apply_style
from vanishgrad.reports.figures.palette import INK, MUTED

if TYPE_CHECKING:
    from matplotlib.font_manager import FontEntry

SETTINGS: dict[Any, Any] = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 100,
    "font.size": 8.5,
    "lines.solid_capstyle": "butt",
    "mathtext.fontset": "dejavusans",
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
    "svg.fonttype": "path",
    "svg.hashsalt": "vanishgrad",
    "text.color": INK,
    "text.hinting": "none",
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}
BASE_FONT = "DejaVu Sans"
OTHER_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC")
"""Asked first for what the base font lacks."""
REGULAR = 400
BREAK = r"(?:[-,:@/_ ]|\.(?!\d))"
"""Where a label may be broken: after punctuation, but not within a number."""
_own_font: ContextVar[str | None] = ContextVar("own_font", default=None)
USELESS_FONTS = ("lastresort", "emoji")
"""Fonts that have a box, or a bitmap, for everything."""


@contextmanager
def style(words: str) -> Iterator[None]:
    """Draw with these settings and none of the reader's own, in fonts that have the characters of some words.

    Titles and axes are in the language spoken, or in English where no font has its characters.
    """
    import matplotlib

    spoken = language()
    if undrawable(characters(spoken)):
        warnings.warn(
            f"no font has the characters of --lang {spoken}, so pictures are in English; try --font FILE, or "
            "installing Noto Sans CJK",
            FontWarning, stacklevel=2,
        )  # fmt: skip
        spoken = ENGLISH
    words += characters(spoken)
    with matplotlib.rc_context(), in_language(spoken):
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        apply_style(matplotlib.rcParams)
        other = _other_font(_lacking(words))
        matplotlib.rcParams["font.family"] = [BASE_FONT, other.name] if other else [BASE_FONT]
        yield


def drawable(text: str) -> str:
    """Return a text with an escape in place of each character that no installed font has."""
    lacking = set(undrawable(text))
    return "".join(c.encode("unicode_escape").decode() if c in lacking else c for c in text)


def undrawable(text: str) -> str:
    """Return the characters of a text that no installed font has, or that print nothing."""
    lacking, other = _lacking(text), _other_font(_lacking(text))
    had = _characters(other.fname) if other else frozenset()
    return "".join(c for c in lacking if ord(c) not in had or not c.isprintable())


def wrapped(text: str, width: int, lines: int) -> str:
    """Return a drawable text in lines of a width, broken after punctuation, its middle left out if it is too long."""
    text, room = drawable(text), width * lines
    if len(text) > room:
        text = text[: room // 2 - 1] + "…" + text[len(text) - room // 2 :]
    lines_of_text = [""]
    for piece in re.findall(rf".{{0,{width - 1}}}{BREAK}|.{{1,{width}}}", text):
        if len(lines_of_text[-1] + piece.rstrip()) > width:
            lines_of_text.append("")
        lines_of_text[-1] += piece
    return "\n".join(line.strip() for line in lines_of_text) or " "


def _lacking(text: str) -> str:
    from matplotlib.font_manager import findfont

    base = _characters(str(findfont(BASE_FONT)))
    return "".join(c for c in sorted(set(text)) if ord(c) not in base or not c.isprintable())


def set_font(path: str) -> None:
    """Draw with the font in a file what the base font lacks, from here on.

    Raises
    ------
    VanishgradError
        If the file is no font.
    """
    from matplotlib.font_manager import fontManager

    try:
        fontManager.addfont(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise VanishgradError(f"expected a font (.ttf, .otf or .ttc) in {path!r}, got: {error}; try another") from None
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # a file has one weight, titles take it too
    _own_font.set(path)


def _other_font(lacking: str) -> FontEntry | None:
    """Return the font of the user's, or the installed one that has the most of some characters, if any has one."""
    return _best_font("".join(c for c in lacking if c.isprintable()), _own_font.get())


@lru_cache(maxsize=16)
def _best_font(lacking: str, own: str | None) -> FontEntry | None:
    from matplotlib.font_manager import fontManager

    if not lacking:
        return None
    if own is not None:
        return next(font for font in reversed(fontManager.ttflist) if font.fname == own)
    best = _most_complete(lacking)
    if best is None or not set(map(ord, lacking)) <= _characters(best.fname):
        _add_new_fonts()
        best = _most_complete(lacking)
    return best


def _most_complete(lacking: str) -> FontEntry | None:
    from matplotlib.font_manager import fontManager

    characters = set(map(ord, lacking))
    fonts = [font for font in fontManager.ttflist if not any(word in _plain(font.name) for word in USELESS_FONTS)]
    fonts.sort(key=lambda font: (font.name not in OTHER_FONTS, font.name, font.weight != REGULAR, font.fname))
    best, best_count = None, 0
    for font in fonts:
        had = len(characters & _characters(font.fname))
        best, best_count = (font, had) if had > best_count else (best, best_count)
        if best_count == len(characters):
            break
    return best


@cache
def _add_new_fonts() -> None:
    """Add the fonts that were installed since matplotlib wrote its list of them."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    for path in sorted({*findSystemFonts()} - {font.fname for font in fontManager.ttflist}):
        with suppress(OSError, RuntimeError):
            fontManager.addfont(path)


def _plain(name: str) -> str:
    return name.lower().replace(" ", "")


@lru_cache(maxsize=16)
def _characters(path: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
