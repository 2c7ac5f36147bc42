"""Certificates that Coq checks: a file about one cell's weights, written, read back and put to the proof assistant."""

from vanishgrad.theory.certificates.formal.check import check
from vanishgrad.theory.certificates.formal.prove import Formal, prove

__all__ = ["Formal", "check", "prove"]
