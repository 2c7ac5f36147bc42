"""The prover: which certificate Coq is asked to check."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vanishgrad.errors import VanishgradError
from vanishgrad.theory.certificates.attempts import FAINT, LIPSCHITZ
from vanishgrad.theory.certificates.formal.source import Source
from vanishgrad.theory.certificates.formal.vanilla import gram_source, max_norm_source
from vanishgrad.theory.certificates.subject import Subject

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class Formal:
    """The file to check, or None and the reason."""

    source: Source | None
    reason: str


def prove(subject: Subject, input_bound: float | None) -> Formal:
    raise NotImplementedError
