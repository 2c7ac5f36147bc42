"""The checker of a certificate in Coq: its text, its literals against the weights, and Coq itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.verdict import CertificateVerdict, Inequalities, Refuted, Undecided, Verification
from vanishgrad.certificates.formal.integer_weights import in_units
from vanishgrad.certificates.formal.source import Altered, CoqSource, parse_source
from vanishgrad.certificates.formal.statement import speaks_of, statement, weights_of
from vanishgrad.certificates.reading import certificate_text
from vanishgrad.certificates.subject import CertifiedCell
from vanishgrad.proofs.coq import CLASSICAL_REALS, Ran, axioms, compiled_library, coqc
from vanishgrad.proofs.library import required_files

PATIENCE_SECONDS = 600.0


def check(path: str, subject: CertifiedCell, seconds: float = PATIENCE_SECONDS) -> Verification:
    """Check a file against a cell: only what the emitter could have written, of these weights, and proved, is valid.

    Raises
    ------
    VanishgradError
        If the file cannot be read or is no certificate in Coq; if Coq is not installed.
    """
    inequalities = Inequalities()
    text = certificate_text(path)
    try:
        source = _source(text, path, inequalities)
        _demand_weights(source, subject, inequalities)
        _demand_proof(source, seconds, inequalities)
    except Refuted as reason:
        return Verification(CertificateVerdict.INVALID, f"it does not hold that {reason}", tuple(inequalities.shown))
    except Undecided as reason:
        return Verification(
            CertificateVerdict.INCONCLUSIVE, f"it could not be shown that {reason}", tuple(inequalities.shown)
        )
    return Verification(CertificateVerdict.VALID, statement(source), tuple(inequalities.shown))


def _source(text: str, path: str, inequalities: Inequalities) -> CoqSource:
    try:
        source = parse_source(text, path)
    except Altered as change:
        raise Refuted(f"the file is what its own numbers make of the fixed skeleton ({change})") from None
    inequalities.demand(True, "the file is what its own numbers make of the fixed skeleton")
    return source


def _demand_weights(source: CoqSource, subject: CertifiedCell, inequalities: Inequalities) -> None:
    inequalities.demand(speaks_of(source, subject), "the cell and its functions are those that it speaks of")
    literals = weights_of(source)
    k, whole = in_units({name: subject.tensors[name] for name in literals})
    inequalities.demand(source.number("k") == k, "the unit is that of the weights")
    for name, literal in literals.items():
        inequalities.demand(_equal(literal, np.atleast_2d(whole[name])), f"the literals are {name}, bit for bit")


def _equal(literal: Sequence[Sequence[int]], whole: Array) -> bool:
    return [list(row) for row in literal] == [[int(each) for each in row] for row in whole]


def _demand_proof(source: CoqSource, seconds: float, inequalities: Inequalities) -> None:
    with compiled_library(*required_files(source.text)) as folder:
        (folder / "Certificate.v").write_text(source.text, encoding="utf-8")
        ran = coqc(folder, "Certificate.v", seconds)
    inequalities.demand(None if ran.status is None else True, f"Coq ends within {seconds:g} s")
    inequalities.demand(ran.status == 0, f"Coq proves it{_message(ran)}")
    used_axioms = axioms(ran.output)
    inequalities.demand(
        used_axioms is not None and set(used_axioms) <= set(CLASSICAL_REALS),
        "it rests on the axioms of the reals alone",
    )


def _message(ran: Ran) -> str:
    return "" if ran.status == 0 else f" ({' '.join(ran.output.split())[-160:]})"
