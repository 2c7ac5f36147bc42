"""JSON documents of certificates: the file that the prover writes, and the checker's verdict.

The checker does not read a certificate by this declaration: it shares no code with the prover, and demands each number
itself (`certificates.checking.witness`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from vanishgrad.reports.documents.declaration import Count, Digest, Document, Limits, Schema, Size
from vanishgrad.reports.documents.report import HintsDocument
from vanishgrad.reports.documents.report_document import ReportDocument

Positive = Annotated[float, Limits(minimum=0)]


STARTS = "s_0 of each sequence, h before c; absent: 0"
AMONG = "every step's input is one of a file's rows, or lies in their convex hull; absent: any within the bound"


class InputsFileDocument(Document):
    """A file of inputs that a claim is about."""

    file: Annotated[str, "seen from the certificate's folder"]
    sha256: Digest


class UniformClaimDocument(Document):
    """A bound for all t ≥ k and every input sequence: ‖∂s_t/∂s_k‖₂ ≤ C ρ^(t−k) (`upper`) or ≥ (`lower`)."""

    kind: Literal["upper", "lower"]
    C: Positive
    rho: Positive
    input_bound: Annotated[Positive | None, "B of |x_j| ≤ B, from s_0 = 0; null = every input, every start"]
    among: Annotated[Literal["rows", "hull"] | None, AMONG] = None
    inputs: Annotated[InputsFileDocument | None, "with `among`: the file"] = None


class RefutedClaimDocument(Document):
    """No bound ‖∂s_t/∂s_k‖₂ ≤ C ρ′^(t−k) with ρ′ < ρ holds for all t ≥ k, every such input sequence and every s_0."""

    kind: Literal["refuted"]
    rho: Positive
    input_bound: Annotated[Positive | None, "B of |x_j| ≤ B; null = every input"]
    among: Annotated[Literal["rows", "hull"] | None, AMONG] = None
    inputs: Annotated[InputsFileDocument | None, "with `among`: the file"] = None


class SequenceClaimDocument(Document):
    """A lower bound along one input sequence: ‖∂s_T/∂s_k‖₂ ≥ value."""

    kind: Literal["along"]
    value: Positive
    steps: Annotated[Size, "T"]
    start: Annotated[Count, "k"]
    inputs: InputsFileDocument
    starts: Annotated[Sequence[Sequence[float]] | None, STARTS] = None


class BoundsDocument(Document):
    """Lower and upper bounds, by lag."""

    low: Sequence[Positive]
    high: Sequence[Positive]


class EnclosedSequenceDocument(Document):
    """What is enclosed along one input sequence of T steps, for k from `start` on."""

    state: Annotated[BoundsDocument, "‖∂s_T/∂s_k‖₂, k = T − 1, T − 2, …"]
    sigma_min: Annotated[BoundsDocument, "the least singular value of ∂s_T/∂s_k, k = T − 1, T − 2, …"]
    input: Annotated[BoundsDocument, "‖∂s_T/∂x_k‖₂, k = T, T − 1, …"]


class EnclosureClaimDocument(Document):
    """Two-sided bounds along input sequences."""

    kind: Literal["enclosure"]
    lengths: Annotated[Sequence[Size], "T of each sequence; their inputs stand one after the other in the file"]
    start: Annotated[Count, "the least k"]
    inputs: InputsFileDocument
    sequences: Sequence[EnclosedSequenceDocument]
    starts: Annotated[Sequence[Sequence[float]] | None, STARTS] = None


class ExtremeWordDocument(Document):
    """The least, or the greatest, norm of all words."""

    low: Positive
    high: Positive
    word: Annotated[Sequence[Count], "one that attains it: rows of the file of inputs, from 0"]


class WordsClaimDocument(Document):
    """Bounds of ‖∂s_L/∂s_0‖₂, from s_0 = 0, for all words of L rows of a file."""

    kind: Literal["words"]
    length: Annotated[Size, "L"]
    count: Annotated[Size, "the number of words"]
    inputs: InputsFileDocument
    least: Annotated[ExtremeWordDocument, "no word is below `low`, and `word` is not above `high`"]
    greatest: Annotated[ExtremeWordDocument, "no word is above `high`, and `word` is not below `low`"]


class CertifiedCellDocument(Document):
    """The cell whose weights the claim is about."""

    cell: str
    activation: str
    gate_activation: str | None
    reset: Literal["after", "before", "none"] | None
    hidden_size: Size
    input_size: Size
    keep: Annotated[Literal["new", "old"] | None, "mgu: what its gate multiplies; absent for other cells"] = None


class WeightsFileDocument(Document):
    """Where the weights are, and the digest of their exact numbers."""

    file: Annotated[str, "seen from the certificate's folder"]
    layer: Annotated[str, "its name in the file; empty where the file has one alone"]
    hints: Annotated[HintsDocument, "how to read what the file leaves open, as the options of that name"]
    sha256: Annotated[Digest, "of the float64 tensors by name: name, dtype, shape, little-endian bytes in C order"]


class ArithmeticDocument(Document):
    """How the prover rounded; the checker does not rely on it."""

    numbers: str
    unit_roundoff: Positive
    dot_product: str
    sigma_tanh_exp: str


class GateFactorDocument(Document):
    """A bound of the spectral norm of one gate's part of the Jacobian."""

    a: Annotated[Sequence[float], "of each unit, a bound of the factor in front of its row of W_hh"]
    norm: Annotated[Positive, "an upper bound of ‖diag(a) W_hh of the gate‖₂"]


class JointNormDocument(Document):
    """A bound of ‖Σ_g D_g W_hh^g‖₂ over all diagonal D_g within the box: of the stacked diag(t_g) W_hh^g."""

    norm: Positive
    weights: Annotated[Mapping[str, Sequence[float]], "gate → t, with Σ_g a_g² / t_g² ≤ 1 in each unit"]


class WitnessDocument(Document):
    """The numbers that make the claim checkable; which ones there are, the method says."""

    scale: Annotated[Sequence[float] | None, "scaled_norm: the diagonal of Δ"] = None
    mu: Annotated[Positive | None, "scaled_norm: an upper bound of ‖ΔWΔ⁻¹‖₂"] = None
    x: Annotated[
        Sequence[float] | None, "max_norm, block_norms, gram_norms: the positive vector that the majorant shrinks"
    ] = None
    h: Annotated[Sequence[float] | None, "gated cells: the box of states, |h_j| ≤ its items"] = None
    c: Annotated[Sequence[float] | None, "gated cells: the same of the cell state; empty without one"] = None
    input_pieces: Annotated[Mapping[str, Size] | None, "max_norm: input coordinate → equal pieces of its range"] = None
    gate_pieces: Annotated[Size | None, "max_norm: pieces of a gate's range"] = None
    factors: Annotated[Mapping[str, GateFactorDocument] | None, "block_norms, cone: gate → bound"] = None
    joints: Annotated[
        Mapping[str, JointNormDocument] | None, "gram_norms: block of the Jacobian (c, h) → bound of its sum over gates"
    ] = None
    blocks: Annotated[
        Sequence[Sequence[Count]] | None,
        "enclosure: of each sequence the lags after which a block of Jacobians begins that bounds σ_min from below",
    ] = None
    q: Annotated[Positive | None, "cone: the slope of the cone ‖v_h‖ ≤ q‖v_c‖"] = None
    u: Annotated[Sequence[float] | None, "bilinear: the left vector of |uᵀ ∂s_T/∂s_k v|"] = None
    v: Annotated[Sequence[float] | None, "bilinear: the right vector"] = None
    word: Annotated[Sequence[Sequence[float]] | None, "periodic_orbit: the inputs x_1 … x_p that are repeated"] = None
    state: Annotated[
        Sequence[Sequence[float]] | None, "periodic_orbit: vectors whose sum is near the cycle's state before x_1"
    ] = None
    state_radius: Annotated[Positive | None, "periodic_orbit: how near, in the 2-norm"] = None
    eigenvalue: Annotated[
        Sequence[Sequence[float]] | None, "periodic_orbit: real part, and imaginary part unless it is 0; as a sum"
    ] = None
    eigenvalue_parts: Annotated[Size | None, "periodic_orbit: 1 for a real eigenvalue of a period's Jacobian"] = None
    left_vector: Annotated[
        Sequence[Sequence[float]] | None, "periodic_orbit: its left eigenvector, part after part; as a sum"
    ] = None
    eigenvalue_radius: Annotated[Positive | None, "periodic_orbit: how near both are, together, in the 2-norm"] = None


class CertificateDocument(Document):
    """A certificate's file."""

    format: Literal["vanishgrad-certificate"]
    format_version: Annotated[int, Limits(minimum=1, maximum=1)]
    statement: Annotated[str, "the claim as a sentence"]
    claim: (
        UniformClaimDocument
        | SequenceClaimDocument
        | EnclosureClaimDocument
        | WordsClaimDocument
        | RefutedClaimDocument
    )
    model: CertifiedCellDocument
    weights: WeightsFileDocument
    method: Annotated[
        Literal[
            "scaled_norm",
            "max_norm",
            "block_norms",
            "gram_norms",
            "cone",
            "bilinear",
            "enclosure",
            "words",
            "periodic_orbit",
        ],
        "the kind of witness",
    ]
    arithmetic: ArithmeticDocument
    witness: WitnessDocument
    sha256: Annotated[Digest, "of all other members in canonical JSON: UTF-8, keys sorted, no spaces"]

    @classmethod
    def schema(cls) -> Schema:
        """Return the JSON Schema of the file."""
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "vanishgrad certificate"}
        return {**head, **super().schema()}


class CertifyDocument(ReportDocument):
    """What the checker of a certificate found."""

    command = "certify"

    certificate: Annotated[str, "the certificate's file"]
    verdict: Literal["valid", "invalid", "inconclusive"]
    reason: str
    shown: Annotated[Sequence[str], "what the checker has shown on the way"]
