"""The frozen certificate and its file: canonical JSON that carries the digest of its own content."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vanishgrad.certificates.report import CertificateDocument
from vanishgrad.errors import VanishgradError

FORMAT = "vanishgrad-certificate"
FORMAT_VERSION = 1
FIELDS = {
    "claim": dict,
    "statement": str,
    "model": dict,
    "weights": dict,
    "method": str,
    "witness": dict,
    "arithmetic": dict,
}
MAX_BYTES = 1 << 27


@dataclass(frozen=True, eq=False)
class Certificate:
    r"""A claim, the weights that it speaks of, and what a sceptic needs to check it.

    Every number stands for the float64 that its shortest decimal rounds to, exactly.

    Attributes
    ----------
    claim : mapping
        ``{kind: upper, C, rho, input_bound}``: :math:`\|\partial s_t/\partial s_k\|_2 \le C\rho^{t-k}` for all t ≥
        k, for every
        input sequence (``input_bound`` null) or every one with :math:`|x_j| \le B`, from s_0 = 0. ``kind: lower``: ≥
        instead.
        ``{kind: along, value, steps, start, inputs}``: :math:`\|\partial s_T/\partial s_k\|_2 \ge` value along one
        input sequence,
        k = start, from s_0 = 0.
        ``{kind: enclosure, lengths, start, inputs, sequences}``: along each sequence, low ≤ value ≤ high of
        :math:`\|\partial s_T/\partial s_k\|_2`, its least singular value and :math:`\|\partial s_T/\partial x_k\|_2`,
        by lag. Both of the latter two begin at ``starts``, one for each sequence, and at s_0 = 0 without it.
        ``{kind: words, length, count, inputs, least, greatest}``: of all words of L rows of a file, from s_0 = 0,
        least.low ≤ :math:`\|\partial s_L/\partial s_0\|_2` ≤ greatest.high; that of least.word is ≤ least.high, that
        of greatest.word ≥ greatest.low.
        ``{kind: refuted, rho, input_bound}``: no C and ρ′ < ρ bound :math:`\|\partial s_t/\partial s_k\|_2 \le
        C\rho'^{t-k}` for all t ≥ k, every such input sequence and every start s_0.
    model : mapping
        Cell, activations, reset, sizes.
    weights : mapping
        ``file`` (seen from the certificate's folder), ``layer``, ``hints`` (how to read what the file leaves open),
        ``sha256`` of the tensors.
    method : str
        What kind of witness there is.
    witness : mapping
        The numbers that make the claim checkable: Δ and μ, x, a box of states, unit vectors, a cycle with an eigenpair.
    """

    claim: Mapping[str, Any]
    model: Mapping[str, Any]
    weights: Mapping[str, Any]
    method: str
    witness: Mapping[str, Any]

    @property
    def statement(self) -> str:
        """The claim as a sentence."""
        return statement(self.claim, self.model)

    def to_json(self) -> str:
        """Return the file's text: one line for each field, the digest of the canonical content last."""
        members = self.document().to_dict().items()
        return "{\n" + ",\n".join(f"{json.dumps(name)}: {_canonical(value)}" for name, value in members) + "\n}\n"

    def document(self) -> CertificateDocument:
        """Return what the file says, with the digest.

        Raises
        ------
        VanishgradError
            If a number is not one that the file's declaration has room for.
        """
        content = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "statement": self.statement,
            "claim": dict(self.claim),
            "model": dict(self.model),
            "weights": dict(self.weights),
            "method": self.method,
            "arithmetic": ARITHMETIC,
            "witness": dict(self.witness),
        }
        return CertificateDocument.read({**json.loads(_canonical(content)), "sha256": digest(content)})


ARITHMETIC = {
    "numbers": "each is the float64 nearest to its decimal, exactly",
    "unit_roundoff": 2.0**-53,
    "dot_product": "gamma_k = k u / (1 - k u), k the length",
    "sigma_tanh_exp": "widened by 2^-48 of their value",
}
"""How the prover rounded; the checker does not rely on it."""


def statement(claim: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Return a claim as a sentence."""
    where = f"{model['cell']} with {model['hidden_size']} units"
    if claim["kind"] == "along":
        k, steps = claim["start"], claim["steps"]
        sequence = f"along the {steps} inputs of {claim['inputs']['file']}, from {_start(claim)}"
        return f"{where}: {sequence}: ‖∂s_{steps}/∂s_{k}‖₂ ≥ {claim['value']!r}"
    if claim["kind"] == "enclosure":
        count = len(claim["lengths"])
        inputs = f"along {count} sequence{'s' * (count > 1)} of {claim['inputs']['file']}, from {_start(claim)}"
        return (
            f"{where}: {inputs}: low ≤ ‖∂s_T/∂s_k‖₂, σ_min(∂s_T/∂s_k), ‖∂s_T/∂x_k‖₂ ≤ high as listed, "
            f"k from {claim['start']} on"
        )
    if claim["kind"] == "words":
        (low, least), (high, greatest) = (
            (claim[end][side], " ".join(map(str, claim[end]["word"])))
            for end, side in (("least", "low"), ("greatest", "high"))
        )
        L, words = claim["length"], f"over all {claim['count']} words of the rows of {claim['inputs']['file']}"
        return (
            f"{where}: {words}, from s_0 = 0: {low!r} ≤ ‖∂s_{L}/∂s_0‖₂ ≤ {high!r}; the least is that of the rows "
            f"{least}, at most {claim['least']['high']!r}, the greatest that of {greatest}, at least "
            f"{claim['greatest']['low']!r}"
        )
    bound = claim["input_bound"]
    inputs = "every input sequence" if bound is None else f"every input sequence with |x_j| ≤ {bound!r}"
    if claim.get("among"):
        place = {"rows": "made of rows of", "hull": "in the convex hull of the rows of"}[claim["among"]]
        inputs = f"every input sequence {place} {claim['inputs']['file']}"
    if claim["kind"] == "refuted":
        scope = f"for {inputs}, every s_0 and all t ≥ k"
        return f"{where}: no C and no ρ < {claim['rho']!r} give ‖∂s_t/∂s_k‖₂ ≤ C · ρ^(t−k) {scope}"
    inputs += "" if bound is None else ", from s_0 = 0"
    sign = "≤" if claim["kind"] == "upper" else "≥"
    return f"{where}: for {inputs} and all t ≥ k: ‖∂s_t/∂s_k‖₂ {sign} {claim['C']!r} · {claim['rho']!r}^(t−k)"


def _start(claim: Mapping[str, Any]) -> str:
    return "the start that it names" if "starts" in claim else "s_0 = 0"


def digest(content: Mapping[str, Any]) -> str:
    """Return the sha256 of the canonical content: JSON in UTF-8, keys sorted, no spaces, without the digest itself."""
    return hashlib.sha256(
        _canonical({name: value for name, value in content.items() if name != "sha256"}).encode()
    ).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, eq=False)
class Sealed:
    """A certificate as a file has it, with the digest that it carries and the one that its content has."""

    certificate: Certificate
    carried_digest: str
    content_digest: str
    stated: str
    arithmetic: Mapping[str, Any]


def parse_certificate(text: str, name: str) -> Sealed:
    """Return the certificate in a file's text.

    Raises
    ------
    VanishgradError
        If the text is no certificate at all. One that was changed parses, and is told by its digest.
    """
    try:
        content = json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse, parse_float=_finite)
        if not isinstance(content, dict):
            raise ValueError("JSON that is no object")
        if "format" not in content:
            raise ValueError("JSON without a format")
        if content.get("format") != FORMAT or content.get("format_version") != FORMAT_VERSION:
            raise ValueError(
                f"the format {str(content.get('format'))[:40]!r}, version {str(content.get('format_version'))[:10]!r}"
            )
        for field, kind in FIELDS.items():
            if not isinstance(content.get(field), kind):
                raise ValueError(f"no {kind.__name__} for {field}")
        certificate = Certificate(*(content[each] for each in ("claim", "model", "weights", "method", "witness")))
        return Sealed(
            certificate, str(content.get("sha256")), digest(content), content["statement"], content["arithmetic"]
        )
    except (ValueError, KeyError, RecursionError, OverflowError) as error:
        raise VanishgradError(
            f"expected a certificate in {name}, got {_instead(text, error)}; try what vanishgrad certify --output wrote"
        ) from None


def _instead(text: str, error: Exception) -> str:
    """Return what a text is that is no certificate."""
    if not text.strip():
        return "an empty file"
    if isinstance(error, RecursionError):
        return "JSON that is nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"what is no JSON in line {error.lineno}"
    return f"no {error}" if isinstance(error, KeyError) else str(error)[:120]


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("the same name twice in one object")
    return members


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"a number too large, {text[:20]}")
    return value


def _refuse(name: str) -> float:
    raise ValueError(f"{name}, which is not JSON")
