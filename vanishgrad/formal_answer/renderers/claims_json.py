"""The answer's claims as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from vanishgrad.formal_answer import Answer
from vanishgrad.formal_answer.claims import Claim, Hypothesis, Log
from vanishgrad.formal_answer.renderers.compose import Composer
from vanishgrad.formal_answer.structure import SECTIONS, Section
from vanishgrad.formal_answer.study import Studied
from vanishgrad.inputs.lengths import lengths_of
from vanishgrad.proofs.theorems import TheoremPart, parts_of
from vanishgrad.reports.documents.curve import log10
from vanishgrad.reports.documents.declaration import Count, Document, Log10, Size, finite
from vanishgrad.reports.documents.report import HintsDocument, LayersDocument
from vanishgrad.reports.documents.report_document import ReportDocument


class AnswerRequestDocument(LayersDocument):
    """What the answer is about."""

    models: Sequence[str]
    hints: HintsDocument
    hidden: Size
    input_size: Size | None
    steps: Size
    seed: Count
    input: str
    initial: str = "zeros"
    burn_in: Count = 0
    lengths: Annotated[Sequence[Size] | None, "of which the first counts"] = None


class AnsweredModelDocument(Document):
    """A model that was run."""

    label: str
    spec: str
    kind: Annotated[str | None, "its cell"]
    n: Annotated[Size, "hidden size"]
    d: Annotated[Size, "input size"]
    T: Annotated[Size, "steps"]


class CheckedPartDocument(Document):
    """A part of a theorem that Coq has checked."""

    part: Annotated[str, "its label, or a word for it; empty for the whole"]
    name: str
    file: str
    axioms: Annotated[Sequence[str], "what the proof rests on"]
    statement: Annotated[str, "as Coq has it"]


class TheoremDocument(Document):
    """A theorem in one language, its numbers filled in."""

    id: str
    symbol: str
    title: str
    definition: str
    statement: str
    assumptions: str
    proof: str
    silent: Annotated[str, "where it says nothing"]
    coq: Sequence[CheckedPartDocument]
    on_paper: Annotated[Sequence[str], "parts that are proved on paper alone"]


class HypothesisDocument(Document):
    """A number with what the theorem demands of it."""

    name: str
    value: float | None
    relation: Literal["<", "<=", ">", ">="]
    limit: float | None
    holds: bool


class ClaimDocument(Document):
    """What a theorem says of one model."""

    id: str
    theorem: str
    version: str
    model: str
    hypotheses: Sequence[HypothesisDocument]
    facts: Annotated[Mapping[str, float | None], "other numbers that belong in the table"]
    speaks: Annotated[bool, "whether every hypothesis holds and there is a bound"]
    quantity: Annotated[str, "what is bounded"]
    side: Literal["upper", "lower"]
    log10_bound: Log10 | None
    log10_measured: Log10 | None
    log10_slack: Annotated[Log10 | None, "how far the measured value keeps from the bound"]
    proof: str


class AnswerDocument(ReportDocument):
    """The formal answer as data."""

    command = "answer"

    language: Literal["en", "zh"]
    request: AnswerRequestDocument
    caution: Annotated[str | None, "what to know of the input before any number; null if nothing"]
    models: Sequence[AnsweredModelDocument]
    theorems: Sequence[TheoremDocument]
    claims: Sequence[ClaimDocument]
    numbers: Annotated[Mapping[str, float | None], "every number that stands in the text"]


def answer_document(answer: Answer, language: str) -> AnswerDocument:
    """Return request, models, theorems in one language, and every claim with its hypotheses."""
    composer = Composer(answer, language)
    return AnswerDocument.of(
        answer,
        language=language,
        request=_request(answer),
        caution=" ".join(composer.cautions).strip("*") or None,
        models=[_model(model) for model in answer.models],
        theorems=[_theorem(section, composer) for section in SECTIONS if section.symbol],
        claims=[_claim(claim) for claim in answer.claims],
        numbers={name: finite(value) for name, value in answer.numbers.items()},
    )


def _request(answer: Answer) -> AnswerRequestDocument:
    request = answer.request
    return AnswerRequestDocument.of(
        request,
        models=[str(source) for source in request.models if not isinstance(source, Mapping)],
        hints=HintsDocument.of(request),
        steps=request.steps or max(model.sizes["T"] for model in answer.models),
        lengths=lengths_of(request.lengths),
    )


def _model(model: Studied) -> AnsweredModelDocument:
    return AnsweredModelDocument(label=model.label, spec=model.spec, kind=model.kind or None, **model.sizes)


def _theorem(section: Section, composer: Composer) -> TheoremDocument:
    parts = parts_of(section.id)
    return TheoremDocument(
        id=section.id,
        symbol=section.symbol,
        title=composer.title(section),
        **{name: part for name, part in composer.parts(section) if name != "numbers"},
        coq=[_in_coq(part) for part in parts if part.checked],
        on_paper=[part.part for part in parts if not part.checked],
    )


def _in_coq(part: TheoremPart) -> CheckedPartDocument:
    return CheckedPartDocument.of(part, file=f"{part.file}.v")


def _claim(claim: Claim) -> ClaimDocument:
    slack = claim.log_slack
    return ClaimDocument.of(
        claim,
        id=f"{claim.version}:{claim.model}",
        hypotheses=[_hypothesis(each) for each in claim.hypotheses],
        facts={name: _fact(value) for name, value in claim.facts.items()},
        log10_bound=log10(claim.log_bound) if claim.speaks and claim.log_bound is not None else None,
        log10_measured=log10(claim.log_measured),
        log10_slack=None if slack is None else log10(slack),
        proof=f"{claim.theorem}#proof",
    )


def _hypothesis(hypothesis: Hypothesis) -> HypothesisDocument:
    return HypothesisDocument.of(hypothesis, value=finite(hypothesis.value))


def _fact(value: float | Log) -> float | None:
    return finite(value if isinstance(value, float) else value.log10)
