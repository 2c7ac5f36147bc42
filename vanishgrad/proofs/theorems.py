"""Theorems of the answer that Coq has checked, part by part with their statements; the others are proved on paper.

``theorems.txt`` is the register: for each part a theorem of the library, the axioms that it uses and the norm that it
speaks of, or ``on paper``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vanishgrad.proofs.coq import CLASSICAL_REALS
from vanishgrad.proofs.library import source

ON_PAPER = "on paper"
AXIOMS = dict(zip("FDCE", CLASSICAL_REALS, strict=True))
"""The letters that stand for them in the register."""
_CONTEXT = ("Variable", "Hypothes", "Context", "Let ", "Definition ", "Fixpoint ")
"""Sentences of an open section that a statement needs, beside the section's own opening."""


@dataclass(frozen=True)
class TheoremPart:
    """A part of a theorem of the answer.

    Attributes
    ----------
    section, part : str
        The id of its text; its label there, or a word for it; empty for the whole.
    file, name : str
        Where the library proves it; empty if it is proved on paper alone.
    axioms : tuple of str
        What the proof rests on.
    norm : str
        ``euclid``, ``max`` (weighted, max |v_i| / x_i), ``any`` (each that its hypotheses admit); empty for none.
    """

    section: str
    part: str
    file: str
    name: str
    axioms: tuple[str, ...]
    norm: str

    @property
    def checked(self) -> bool:
        """Whether Coq has checked it."""
        return bool(self.name)

    @property
    def statement(self) -> str:
        """The theorem in Coq's words."""
        return statement(self.file, self.name)


@cache
def register() -> tuple[TheoremPart, ...]:
    """Return every part, in the order of the register."""
    head, *lines = (files(__package__) / "theorems.txt").read_text(encoding="utf-8").splitlines()
    starts = [match.start() for match in re.finditer(r"\S+", head)]
    return tuple(_part(line, starts) for line in lines)


def _part(line: str, starts: list[int]) -> TheoremPart:
    section, part, file, name, axioms, norm = (
        line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)
    )
    if file == ON_PAPER:
        return TheoremPart(section, part, "", "", (), "")
    rests_on = tuple(AXIOMS[letter] for letter in axioms if letter != "–")
    return TheoremPart(section, part, file, name, rests_on, norm.replace("–", ""))


def parts_of(section: str) -> tuple[TheoremPart, ...]:
    """Return the parts of one theorem of the answer."""
    return tuple(part for part in register() if part.section == section)


@cache
def statement(file: str, name: str) -> str:
    """Return a theorem of the library as its file states it, behind what the sections about it assume.

    Raises
    ------
    KeyError
        If the file has no such theorem.
    """
    opened: list[list[str]] = [[]]
    for sentence in sentences(source(file)):
        words = sentence.split()
        if words[0] in ("Section", "Module"):
            opened.append([])
        elif words[0] == "End":
            opened.pop()
        elif words[0] in ("Theorem", "Corollary", "Lemma") and words[1].rstrip(":") == name:
            return "\n".join([*(each for section in opened[1:] for each in section), sentence])
        elif len(opened) > 1 and sentence.startswith(_CONTEXT):
            opened[-1].append(sentence)
    raise KeyError(f"{file} has no {name}")


def sentences(text: str) -> list[str]:
    """Return the sentences of a file of Coq without its comments, each with its full stop and as it is laid out."""
    return [each.strip() for each in re.findall(r"\S.*?\.(?=\s|$)", _without_comments(text), re.DOTALL)]


def _without_comments(text: str) -> str:
    code, depth = [], 0
    for piece in re.split(r"(\(\*|\*\))", text):
        if piece in ("(*", "*)"):
            depth += 1 if piece == "(*" else -1
        elif depth == 0:
            code.append(piece)
    return re.sub(r"\n\s*\n", "\n", "".join(code))
