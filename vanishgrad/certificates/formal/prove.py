"""The prover: which certificate Coq is asked to check."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vanishgrad.cells.registry import GRU, LSTM, MGU
from vanishgrad.certificates.formal.gru import gru_source
from vanishgrad.certificates.formal.lstm import lstm_source
from vanishgrad.certificates.formal.methods import METHODS
from vanishgrad.certificates.formal.source import CoqSource
from vanishgrad.certificates.formal.statement import C, rho, statement
from vanishgrad.certificates.formal.vanilla import gram_source, max_norm_source
from vanishgrad.certificates.methods import VANISHED_BELOW, Attempt
from vanishgrad.certificates.prove import ProverVerdict, beyond_proof
from vanishgrad.certificates.subject import CertifiedCell

PATIENCE_SECONDS = 60.0
"""What Coq may take, by the estimate, before a faster proof is preferred."""
SECONDS_PER_CHARACTER, SECONDS_PER_GATED_CHARACTER = 1.4e-5, 4e-5
SECONDS_PER_PRODUCT, SECONDS_PER_BIT_PAIR = 8e-6, 2.5e-8
"""Measured on one core of 2.5 GHz: what goes with the literals' length, and a product of binary integers."""

GATED: Mapping[str, Callable[[CertifiedCell, float], CoqSource | None]] = {
    LSTM.name: lstm_source,
    GRU.name: gru_source,
    MGU.name: gru_source,
}


@dataclass(frozen=True, eq=False)
class Formal:
    """The file that Coq is to check, or None and why there is none."""

    source: CoqSource | None
    reason: str
    tried: tuple[CoqSource, ...] = ()

    @property
    def verdict(self) -> ProverVerdict:
        """Whether it is proved; Coq refutes nothing."""
        return ProverVerdict.INCONCLUSIVE if self.source is None else ProverVerdict.PROVED

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The bounds that were tried, as the other prover shows them."""
        return tuple(Attempt(each.method, C(each), rho(each), {}) for each in self.tried)


def prove(subject: CertifiedCell, input_bound: float | None) -> Formal:
    r"""Return a certificate of :math:`\|\partial s_t/\partial s_k\|_2 \le C\rho^{t-k}`, ρ < 1, for Coq to check.

    Of those that Coq checks within a minute it is the one that falls soonest.
    """
    unknown = beyond_proof(subject)
    if unknown:
        return Formal(None, unknown)
    tried = tuple(_sources(subject, input_bound))
    proved = [each for each in tried if each.number("r") < 1 << each.number("e")]
    if not proved:
        return Formal(None, _no_contraction(tried), tried)
    quick = [each for each in proved if estimated_seconds(each) <= PATIENCE_SECONDS]
    chosen = min(quick or proved, key=vanishing_lag)
    seconds = estimated_seconds(chosen)
    return Formal(chosen, f"for Coq to check, by {chosen.method}, in about {seconds:.0f} s: {statement(chosen)}", tried)


def _no_contraction(tried: Sequence[CoqSource]) -> str:
    if not tried:
        return "the forget gate may reach 1 in this box; try a smaller --input-bound"
    return f"the least factor per step that Coq would be shown is {min(map(rho, tried)):.6g}, not below 1"


def _sources(subject: CertifiedCell, input_bound: float | None) -> Iterator[CoqSource]:
    if input_bound is not None:
        source = GATED[subject.cell](subject, input_bound)
    else:
        source = gram_source(subject)
        yield max_norm_source(subject)
    if source is not None:
        yield source


def vanishing_lag(source: CoqSource) -> float:
    """Return the lag from which C ρ^lag is below 1e-3, for ρ < 1."""
    return max(0.0, math.log(C(source) / VANISHED_BELOW) / -math.log(max(rho(source), 1e-12)))


def estimated_seconds(source: CoqSource) -> float:
    """Return about how long Coq takes for a file, the library apart."""
    gated = METHODS[source.method].is_gated
    seconds = (SECONDS_PER_GATED_CHARACTER if gated else SECONDS_PER_CHARACTER) * len(source.text)
    if source.method == "gram":
        n, columns = source.number("n"), source.literals["columns"]
        assert not isinstance(columns, int)
        bits = max((_significant(each) for column in columns for each in column), default=0)  # type: ignore[union-attr]
        seconds += n**3 / 2 * (SECONDS_PER_PRODUCT + SECONDS_PER_BIT_PAIR * bits**2)
    return seconds


def _significant(value: int) -> int:
    """Return the binary digits of an integer without the zeros at its end."""
    return (abs(value) // (value & -value)).bit_length() if value else 0
