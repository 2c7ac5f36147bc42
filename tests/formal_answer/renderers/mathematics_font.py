"""The font of the answer's formulas: ``python -m tests.formal_answer.renderers.mathematics_font FONT`` makes it.

FONT is DejaVuMathTeXGyre.ttf, of fonts-dejavu-extra; what no formula needs is left out of it, by fontTools.
"""

from __future__ import annotations

import html
import re
import string
import sys
from pathlib import Path

import vanishgrad.formal_answer.renderers as renderers

WOFF = Path(renderers.__file__).parent / "mathematics.woff"
ITALIC = {"h": "ℎ"}
"""A browser shows one letter in italics, which Unicode has at other places; h's is among the older ones."""
GREEK = dict(zip("αβγδεζηθικλμνξοπρςστυφχψω∂ϵϑϰϕϱϖ", range(0x1D6FC, 0x1D71C), strict=False))
SIGNS = "±∓×÷√∫∧∨∩∪⊂⊆∉∀∃⇒⇔⟹≡∼≃≲≳≪≫⌈⌉⟨⟩←↑↓↔′″"
"""Those that a text may need for some models and not for others."""
FORMULA = re.compile(r"<math.*?</math>", re.DOTALL)


def letters(page: str) -> set[str]:
    """Return the characters that a page's formulas are shown with."""
    plain = {
        character for formula in FORMULA.findall(page) for character in html.unescape(re.sub("<[^>]*>", "", formula))
    }
    return {each for each in plain if not each.isspace()} | {shown for each in plain if (shown := italic(each))}


def italic(character: str) -> str | None:
    """Return the mathematical italic of a letter; None for what has none."""
    if character in string.ascii_lowercase:
        return ITALIC.get(character, chr(0x1D44E + ord(character) - ord("a")))
    if character in string.ascii_uppercase:
        return chr(0x1D434 + ord(character) - ord("A"))
    return chr(GREEK[character]) if character in GREEK else None


def main(source: str) -> None:
    """Write the part of a font that formulas need: every letter, and the signs of a whole answer in both languages."""
    from fontTools import subset

    from vanishgrad.formal_answer import AnswerRequest, answer
    from vanishgrad.formal_answer.renderers.html import to_html

    page = to_html(answer(AnswerRequest(models=("lstm", "rnn", "gru"), hidden=4, steps=8)), "zh")
    every_letter = [*string.ascii_letters, *GREEK]
    options = subset.Options(flavor="woff", layout_features=["*"], hinting=False, drop_tables=["FFTM"], name_IDs=["*"])
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(
        text="".join({*letters(page), *every_letter, *filter(None, map(italic, every_letter)), *string.digits, *SIGNS})
    )
    subsetter.subset(font)
    subset.save_font(font, str(WOFF), options)


if __name__ == "__main__":
    main(sys.argv[1])
