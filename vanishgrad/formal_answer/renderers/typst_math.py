"""Formulas in the language of typst, from their MathML tree."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
ACCENTS = {"¯": "macron", "~": "tilde", "^": "hat"}
BARS = "|‖"
"""Without a class they are taken for relations, with their spaces."""


@cache
def typst_math(tex: str) -> str:
    """Return the inside of ``$…$`` for a formula of the texts."""
    # The tree is this program's own and not read from a file.
    from xml.etree.ElementTree import fromstring

    from vanishgrad.formal_answer.renderers.mathml import mathml

    return _node(fromstring(mathml(tex, block=True)))  # noqa: S314


def _node(node: Element) -> str:
    name, children = node.tag.removeprefix(NAMESPACE), [_node(child) for child in node]
    match name:
        case "mi" | "mo" | "mn" | "mtext":
            return _leaf(name, (node.text or "").strip() if name != "mtext" else node.text or "", node)
        case "mfrac":
            return f"frac({', '.join(children)})"
        case "msqrt":
            return f"sqrt({' '.join(children)})"
        case "msub" | "munder":
            return _attached(children[0], b=children[1])
        case "msup":
            return _attached(children[0], t=children[1])
        case "mover":
            accent = ACCENTS.get((node[1].text or "").strip())
            return f"{accent}({children[0]})" if accent else _attached(children[0], t=children[1])
        case "msubsup" | "munderover":
            return _attached(children[0], b=children[1], t=children[2])
        case "mtable":
            return f"mat(delim: #none, {'; '.join(children)})"
        case "mtr":
            return ", ".join(children)
        case "mspace":
            return f"#h({node.get('width', '0em')})"
        case _:
            return _row(children)


def _row(children: Sequence[str]) -> str:
    """Return pieces side by side; parentheses about a matrix become its own, which grow with it."""
    pieces: list[str] = []
    for piece in children:
        if piece == r"\)" and len(pieces) > 1 and pieces[-2] == r"\(" and pieces[-1].startswith("mat("):
            pieces[-2:] = [pieces[-1].replace("delim: #none", 'delim: "("', 1)]
        elif piece:
            pieces.append(piece)
    return " ".join(pieces)


def _attached(base: str, **places: str) -> str:
    return f"attach({base or '#none'}, {', '.join(f'{key}: {value}' for key, value in places.items())})"


def _leaf(name: str, text: str, node: Element) -> str:
    if name == "mtext":
        return f'"{text.replace(chr(160), " ")}"'
    if len(text) > 1:
        return (
            f'op("{text}")' if text.replace(" ", "").replace("\u2006", "").isalpha() else "".join(map(_escaped, text))
        )
    return f"upright({_escaped(text)})" if node.get("mathvariant") == "normal" else _escaped(text)


def _escaped(character: str) -> str:
    if character in BARS:
        return f'class("normal", \\{character})'
    return "\\" + character if character.isascii() and not character.isalnum() else character
