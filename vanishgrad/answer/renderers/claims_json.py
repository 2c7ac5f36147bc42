"""The answer's claims as a JSON document."""

from __future__ import annotations

import math
from dataclasses import asdict

from vanishgrad.answer import Answer
from vanishgrad.answer.claims import Claim, Log
from vanishgrad.answer.renderers.compose import Composer
from vanishgrad.answer.structure import SECTIONS, Section
from vanishgrad.proofs.theorems import TheoremPart, parts_of
from vanishgrad.reports.documents.document import Document, header, log10


def answer_document(answer: Answer, language: str) -> Document:
    """Return request, models, theorems in one language, and every claim with its hypotheses."""
    composer = Composer(answer, language)
    return {
        **header("answer"),
        "language": language,
        "request": asdict(answer.request)
        | {"models": list(answer.request.models), "layers": list(answer.request.layers)},
        "models": [
            {"label": model.label, "spec": model.spec, "kind": model.kind or None, **model.sizes}
            for model in answer.models
        ],
        "theorems": [_theorem(section, composer) for section in SECTIONS if section.symbol],
        "claims": [_claim(claim) for claim in answer.claims],
        "numbers": {name: _number(value) for name, value in answer.numbers.items()},
    }


def _theorem(section: Section, composer: Composer) -> Document:
    return {
        "id": section.id,
        "symbol": section.symbol,
        "title": composer.title(section),
        **{name: part for name, part in composer.parts(section) if name != "numbers"},
        "coq": [_in_coq(part) for part in parts_of(section.id) if part.checked],
        "on_paper": [part.part for part in parts_of(section.id) if not part.checked],
    }


def _in_coq(part: TheoremPart) -> Document:
    return {
        "part": part.part, "name": part.name, "file": f"{part.file}.v",
        "axioms": list(part.axioms), "statement": part.statement,
    }  # fmt: skip


def _claim(claim: Claim) -> Document:
    slack = claim.log_slack
    return {
        "id": f"{claim.version}:{claim.model}",
        "theorem": claim.theorem,
        "version": claim.version,
        "model": claim.model,
        "hypotheses": [
            {**asdict(each), "value": _number(each.value), "holds": each.holds} for each in claim.hypotheses
        ],
        "facts": {name: _fact(value) for name, value in claim.facts.items()},
        "speaks": claim.speaks,
        "quantity": claim.quantity,
        "side": claim.side,
        "log10_bound": log10(claim.log_bound) if claim.speaks and claim.log_bound is not None else None,
        "log10_measured": log10(claim.log_measured),
        "log10_slack": None if slack is None else log10(slack),
        "proof": f"{claim.theorem}#proof",
    }


def _fact(value: float | Log) -> float | None:
    return _number(value if isinstance(value, float) else value.log10)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
