"""What a certificate in Coq says, of which cell and of which weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import Any

from vanishgrad.cells.registry import LSTM
from vanishgrad.certificates.certificate import statement as sentence
from vanishgrad.certificates.formal.methods import METHODS
from vanishgrad.certificates.formal.source import CoqSource
from vanishgrad.certificates.subject import CertifiedCell

Rows = Sequence[Sequence[int]]


def statement(source: CoqSource) -> str:
    """Return the theorem as the sentence that the other certificates use; its numbers are rounded up."""
    method = METHODS[source.method]
    bound = rounded_up(source.number("bound"), source.number("p")) if "bound" in method.literals else None
    claim = {"kind": "upper", "C": C(source), "rho": rho(source), "input_bound": bound}
    return sentence(claim, {"cell": method.cell, "hidden_size": source.number("n")})


def C(source: CoqSource) -> float:
    """Return the factor, to the float64 above."""
    return rounded_up(source.number("c"), source.number("f"))


def rho(source: CoqSource) -> float:
    """Return the rate per step, to the float64 above."""
    return rounded_up(source.number("r"), source.number("e"))


def rounded_up(whole: int, digits: int) -> float:
    """Return whole / 2^digits, or the next float64 above it."""
    exact = Fraction(whole, 1 << digits)
    value = float(exact)
    return value if Fraction(value) >= exact else math.nextafter(value, math.inf)


def speaks_of(source: CoqSource, subject: CertifiedCell) -> bool:
    """Return whether a file is about a cell of this kind, size and activation."""
    method = METHODS[source.method]
    cell = (method.cell, method.reset, method.keep, source.activation, source.number("n"))
    gates = ("tanh", "sigmoid") if method.is_gated else (source.activation, None)
    return cell == (subject.cell, subject.reset, subject.keep, subject.activation, subject.hidden_size) and gates == (
        subject.activation, subject.gate_activation,
    )  # fmt: skip


def weights_of(source: CoqSource) -> Mapping[str, Rows]:
    """Return the weights that a file's literals are, by name, in units of 2^-k."""
    literals: Mapping[str, Any] = source.literals
    if source.method == "gram":
        return {"W_hh": list(zip_longest(*literals["columns"]))}
    if source.method == "max_norm":
        return {"W_hh": literals["rows"]}
    if METHODS[source.method].cell == LSTM.name:
        return {"W_hh": literals["U"], "W_hx": literals["V"], "b": [literals["b"]]}
    return {
        "W_hh": [*literals["U"], *literals["N"]],
        "W_hx": [*literals["V"], *literals["VN"]],
        "b": [[*literals["b"], *literals["bN"]]],
        "b_hn": [literals["bh"]],
    }
