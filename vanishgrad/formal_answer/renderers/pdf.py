"""The answer as PDF, through typst: no TeX installation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vanishgrad.errors import VanishgradError
from vanishgrad.formal_answer import Answer
from vanishgrad.formal_answer.renderers.compose import Composer
from vanishgrad.formal_answer.renderers.figure import drawing, svg
from vanishgrad.formal_answer.renderers.parse import parse
from vanishgrad.formal_answer.renderers.typst_math import typst_math
from vanishgrad.formal_answer.renderers.walk import Writer

if TYPE_CHECKING:
    from markdown_it.token import Token

LATIN = "Libertinus Serif"
"""Comes with typst."""
CHINESE = (
    "Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", "SimSun", "Noto Sans CJK SC", "Noto Sans SC",
    "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei",
)  # fmt: skip
STYLE = """#set page(paper: "a4", margin: 2.2cm, numbering: "1")
#set text(font: ({fonts}), size: 10.5pt, lang: "{lang}")
#set par(justify: true, leading: 0.75em)
#show heading: set block(above: 1.6em, below: 0.9em)
#show heading.where(level: 1): set align(center)
#set table(stroke: none, inset: (x: 4pt, y: 3pt), align: left)
#show raw: set text(size: 0.92em)
#show quote: it => block(fill: luma(243), stroke: (left: 2.5pt + rgb("1f5fa8")), inset: 9pt, width: 100%, it.body)
#let fitted(body) = layout(size => {{
  let part = calc.min(1, size.width / measure(body).width) * 100%
  scale(x: part, y: part, reflow: true, body)
}})
"""


def to_pdf(answer: Answer, language: str, font: str | None = None) -> bytes:
    """Return the whole answer as PDF.

    Raises
    ------
    VanishgradError
        If typst is not installed, or there is no font for the language.
    """
    try:
        import typst
    except ImportError:
        raise VanishgradError(
            "expected typst for a PDF, got no such package; try pip install 'vanishgrad[pdf]'"
        ) from None
    files = [font] if font and Path(font).exists() else []
    fonts = typst.Fonts(font_paths=[str(Path(each).parent if Path(each).is_file() else each) for each in files])
    families = _families(language, font, fonts.families(), _families_of(fonts, files))
    source = to_typst(answer, language, families)
    pdf = typst.Compiler(source.encode(), font_paths=fonts).compile(format="pdf", timestamp=0)
    assert isinstance(pdf, bytes)
    return pdf


def _families_of(fonts: Any, files: Sequence[str]) -> list[str]:
    """Return the families that come from the file or folder that --font names."""
    return [info.family for info in fonts.fonts() if any(str(info.path or "").startswith(str(each)) for each in files)]


def _families(language: str, font: str | None, present: Sequence[str], available: Sequence[str]) -> tuple[str, ...]:
    lower = {family.lower(): family for family in present}
    if font is not None:
        chosen = next((name for name in (*CHINESE, *available) if name in available), lower.get(font.lower()))
        if chosen is None:
            raise VanishgradError(
                f"expected --font to name a font of this machine or its file, got {font!r}; try a path"
            )
        return (LATIN, chosen) if language == "zh" else (chosen,)
    if language == "en":
        return (LATIN,)
    chinese = next((lower[name.lower()] for name in CHINESE if name.lower() in lower), None)
    if chinese is None:
        raise VanishgradError(
            "expected a Chinese font for the PDF, got none on this machine; "
            "try installing Noto Serif CJK (Debian: fonts-noto-cjk), or name one with --font"
        )
    return (LATIN, chinese)


def to_typst(answer: Answer, language: str, families: Sequence[str]) -> str:
    """Return the source that typst compiles."""
    composer = Composer(answer, language, draw=lambda name: f"```figure\n{name}\n```")
    fonts = ", ".join(f'"{family}"' for family in families) + ","
    return STYLE.format(fonts=fonts, lang=language) + _TypstWriter(composer, families).written(
        parse(composer.markdown())
    )


class _TypstWriter(Writer):
    marks = {
        "heading_close": "]\n\n", "paragraph_open": "", "paragraph_close": "\n\n",
        "blockquote_open": "#quote(block: true)[\n", "blockquote_close": "]\n\n",
        "ordered_list_open": "#enum(\n", "ordered_list_close": ")\n\n",
        "bullet_list_open": "#list(\n", "bullet_list_close": ")\n\n",
        "list_item_open": "[", "list_item_close": "],\n",
        "strong_open": "#strong[", "strong_close": "]", "em_open": "#emph[", "em_close": "]", "softbreak": " ",
    }  # fmt: skip

    def __init__(self, composer: Composer, families: Sequence[str]) -> None:
        self._composer, self._families = composer, families

    def text(self, content: str) -> str:
        return "".join("\\" + c if c in r"\#$*_`<>@[]{}=-+/~'\"" else c for c in content)

    def code(self, content: str) -> str:
        return f"#raw({_quoted(content)})"

    def formula(self, tex: str) -> str:
        return f"${typst_math(tex)}$"

    def display(self, tex: str) -> str:
        return f"$ {typst_math(tex)} $\n\n"

    def heading(self, level: int) -> str:
        return f"#heading(level: {level})["

    def table(self, head: Sequence[Token], rows: Sequence[Sequence[Token]]) -> str:
        cells = "".join(f"[{self.line(cell)}], " for row in (head, *rows) for cell in row)
        rules = f"table.hline(y: 0), table.hline(y: 1, stroke: 0.5pt), table.hline(y: {len(rows) + 1})"
        return f"#fitted(table(columns: {len(head)}, {rules}, {cells}))\n\n"

    def listing(self, summary: str, code: str) -> str:
        return f"#emph[{self.text(summary)}]\n#text(size: 0.92em, raw(block: true, {_quoted(code)}))\n\n"

    def figure(self, name: str) -> str:
        figure = self._composer.answer.figures[name]
        caption = self._composer.words["figure_" + figure.name]
        fonts = ", ".join(f"'{family}'" for family in reversed(self._families))
        picture = svg(drawing(figure, self._composer.words), caption, fonts).replace("currentColor", "black")
        label = f"{self.text(caption)} ({self.code(figure.model)})"
        image = f'image(bytes({_quoted(picture)}), format: "svg", width: 92%)'
        return f"#figure({image}, caption: [{label}], numbering: none)\n\n"


def _quoted(content: str) -> str:
    return '"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"'
