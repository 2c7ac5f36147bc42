"""The answer as LaTeX: pdflatex or xelatex for English, xelatex with ctex for Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vanishgrad.formal_answer import Answer
from vanishgrad.formal_answer.renderers.compose import Composer
from vanishgrad.formal_answer.renderers.figure import drawing, tikz
from vanishgrad.formal_answer.renderers.parse import parse
from vanishgrad.formal_answer.renderers.walk import Writer

if TYPE_CHECKING:
    from markdown_it.token import Token

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "′": "$'$", "″": "$''$", "∎": r"\hfill$\blacksquare$",
    "·": r"\textperiodcentered{}", "…": r"\ldots{}", "–": "--",
}  # fmt: skip
CLASSES = {
    "en": "% Compile with pdflatex, xelatex or lualatex.\n\\documentclass[11pt,a4paper]{article}\n"
    "\\usepackage[T1]{fontenc}\n\\usepackage{lmodern}\n",
    "zh": "% Compile with xelatex; ctex takes the system's Chinese fonts. Where it finds none, install Noto CJK\n"
    "% (Debian: fonts-noto-cjk), take fontset=none and name one: \\setCJKmainfont{Noto Serif CJK SC}\n"
    "\\documentclass[11pt,a4paper,UTF8]{ctexart}\n",
}
PREAMBLE = r"""\usepackage[margin=2.4cm]{geometry}
\usepackage{amsmath,amssymb,graphicx,booktabs,tikz}
\usepackage[hidelinks]{hyperref}
\setcounter{secnumdepth}{0}
\newcommand{\fitted}[1]{\par\medskip\noindent\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{#1}\par\medskip}
\sloppy
"""
HEADINGS = {1: r"\title{", 2: r"\section{", 3: r"\subsection{"}


def to_latex(answer: Answer, language: str) -> str:
    """Return the whole answer as a LaTeX document."""
    composer = Composer(answer, language, draw=lambda name: f"```figure\n{name}\n```")
    body = _LatexWriter(composer).written(parse(composer.markdown()))
    title, _, rest = body.partition("}\n")
    return (
        f"{CLASSES[language]}{PREAMBLE}{title}}}\n\\author{{}}\\date{{}}\n"
        f"\\begin{{document}}\n\\maketitle\n\\tableofcontents\n{rest}\\end{{document}}\n"
    )


class _LatexWriter(Writer):
    marks = {
        "heading_close": "}\n", "paragraph_open": "", "paragraph_close": "\n\n",
        "blockquote_open": "\\begin{quote}\n", "blockquote_close": "\\end{quote}\n\n",
        "ordered_list_open": "\\begin{enumerate}\n", "ordered_list_close": "\\end{enumerate}\n\n",
        "bullet_list_open": "\\begin{itemize}\n", "bullet_list_close": "\\end{itemize}\n\n",
        "list_item_open": "\\item ", "list_item_close": "",
        "strong_open": r"\textbf{", "strong_close": "}", "em_open": r"\emph{", "em_close": "}", "softbreak": "\n",
    }  # fmt: skip

    def __init__(self, composer: Composer) -> None:
        self._composer = composer

    def text(self, content: str) -> str:
        return "".join(SPECIAL.get(character, character) for character in content)

    def code(self, content: str) -> str:
        return rf"\texttt{{{self.text(content)}}}"

    def formula(self, tex: str) -> str:
        return f"${tex}$"

    def display(self, tex: str) -> str:
        return f"\\[\n{tex}\n\\]\n\n"

    def heading(self, level: int) -> str:
        return HEADINGS[level]

    def table(self, head: Sequence[Token], rows: Sequence[Sequence[Token]]) -> str:
        lines = [" & ".join(self.line(cell) for cell in row) + r" \\" for row in rows]
        body = "\n".join(
            [r"\toprule", " & ".join(self.line(cell) for cell in head) + r" \\", r"\midrule", *lines, r"\bottomrule"]
        )
        return f"\\fitted{{\\begin{{tabular}}{{{'l' * len(head)}}}\n{body}\n\\end{{tabular}}}}\n\n"

    def listing(self, summary: str, code: str) -> str:
        head = f"\\noindent\\textit{{{self.text(summary)}}}"
        return f"{head}\n{{\\scriptsize\n\\begin{{verbatim}}\n{code}\n\\end{{verbatim}}\n}}\n\n"

    def figure(self, name: str) -> str:
        figure = self._composer.answer.figures[name]
        caption = self.text(self._composer.words["figure_" + figure.name])
        picture = tikz(drawing(figure, self._composer.words))
        label = f"{caption} ({self.code(figure.model)})"
        return f"\\begin{{center}}\n{picture.replace('′', chr(39))}\n\n\\small {label}\n\\end{{center}}\n\n"
