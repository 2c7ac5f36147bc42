"""Formulas as MathML."""

from __future__ import annotations

import re
from functools import cache

_PLAIN_IN_TEX = re.compile(r"\\big(?=[()\[\]])|\\[bB]ig(?=\\[lr][vV]ert)")
"""Sizes that MathML does without: its bars grow by themselves."""
_SMALL_BARS, _LARGE_BARS = (
    rf'<mo stretchy="{stretchy}" lspace="0" rspace="0">\1</mo>' for stretchy in ("false", "true")
)
_REPAIRS = (
    (re.compile(r"<mo (minsize[^>]*)>([(\[])</mo>"), r'<mo form="prefix" \1>\2</mo>'),
    (re.compile(r"<mo (minsize[^>]*)>([)\]])</mo>"), r'<mo form="postfix" \1>\2</mo>'),
    (re.compile(r"<mi>&#x027FA;</mi>"), "<mo>&#x027FA;</mo>"),
    (re.compile(r"((?<!<msup>)<mi>(?:tanh|ln|log)</mi>|<msup><mi>tanh</mi>(?:(?!</msup>).)*</msup>)(?!<mo|</)"),
     r'\1<mspace width="0.167em" />'),
)  # fmt: skip
"""What the converter leaves as identifiers or relations, with their spaces: brackets, arrows and names of functions."""
_BAR = re.compile("<mo>(&#x02016;|&#x0007C;)</mo>")


@cache
def mathml(tex: str, block: bool = False) -> str:
    """Return a formula of the texts as MathML."""
    from latex2mathml.converter import convert

    plain = _PLAIN_IN_TEX.sub("", tex)
    markup = convert(plain, display="block" if block else "inline")
    for pattern, repaired in _REPAIRS:
        markup = pattern.sub(repaired, markup)
    return _BAR.sub(_LARGE_BARS if r"\Big" in tex else _SMALL_BARS, markup)
