"""Findings with their evidence, and what each remedy brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from vanishgrad.languages import translatable, translate, translated
from vanishgrad.questions.explain.section import Passage, Series
from vanishgrad.reports.documents.curve import VerdictName, log10
from vanishgrad.reports.documents.declaration import Count, Document, Log10
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.sentences import log10_text, number
from vanishgrad.reports.table import horizon

if TYPE_CHECKING:
    from vanishgrad.questions.explain.findings.measure import Diagnosis, Reach, Remedy


class ReachDocument(Document):
    """How far a gradient reaches."""

    horizon: Count | None
    horizon_censored: bool
    factor: float | None
    log10_norm: Annotated[Log10 | None, "of the state at the last lag, median"]
    log10_input: Annotated[Log10 | None, "of the input at the last lag, median"]
    verdict: VerdictName


class RemedyDocument(Document):
    """A change to the weights with its effect."""

    name: str
    change: str
    before: ReachDocument
    after: Annotated[ReachDocument | None, "null where a state overflows"]
    caution: Annotated[str | None, "what to know of the input that both were measured along"] = None


class FindingDocument(Document):
    """What one rule has found."""

    rule: str
    title: str
    severity: Annotated[float, "nats per step that it costs or adds; what is paid once is divided by T"]
    evidence: Mapping[str, float]
    remedies: Annotated[Sequence[RemedyDocument], "changes to the weights with their effect, measured; best first"]
    advice: Annotated[Sequence[str], "what helps without changing the weights, without a number"]


FindingsDocument = Annotated[Sequence[FindingDocument], "costliest first; empty if no rule finds anything"]


NONE_FOUND = {
    "preserved": translatable(
        "no finding: the gradient stays within the thresholds, and gates, slopes and weights are in place"
    ),
    "inconclusive": translatable(
        "no finding that the trials have in common: some are within the thresholds and some are not"
    ),
}
UNEXPLAINED = translatable("no finding, though the gradient is {verdict}: none of the rules explains it")
LEGEND = translatable(
    "state, input: log₁₀ norms at the last lag; the best remedy first, nearest to carrying both as they are"
)
NO_HELP = translatable("no remedy brings it nearer to carrying state and input over the whole length")


def findings_document(diagnosis: Diagnosis, model: ModelDocument) -> list[FindingDocument]:
    """Return the section's part of the JSON document; remedies best first."""
    remedies = {name: remedy_document(remedy, model.caution) for name, remedy in diagnosis.remedies.items()}
    return [
        FindingDocument.of(finding, remedies=[remedy for name, remedy in remedies.items() if name in finding.remedies])
        for finding in diagnosis.findings
    ]


def remedy_document(remedy: Remedy, caution: str | None = None) -> RemedyDocument:
    """Return a remedy's part of the JSON document, with what is to be said of the input."""
    after = remedy.after
    reached = None if after is None else _reach(after)
    return RemedyDocument.of(remedy, before=_reach(remedy.before), after=reached, caution=caution)


def _reach(reach: Reach) -> ReachDocument:
    return ReachDocument.of(
        reach, horizon_censored=reach.censored, log10_norm=log10(reach.log_norm), log10_input=log10(reach.log_input)
    )


def findings_passage(findings: Sequence[FindingDocument], model: ModelDocument) -> Passage:
    """Return the findings, costliest first, and a row for each remedy, best first."""
    if not findings:
        verdict = model.curves["state"].verdict
        sentence = translate(NONE_FOUND.get(verdict, UNEXPLAINED), verdict=translated(verdict))
        return Passage(title=translate("Findings"), sentences=(*_caution(model), sentence))
    remedies, best = distinct(findings), best_remedy(findings)
    advice = dict.fromkeys(translated(each) for finding in findings for each in finding.advice)
    return Passage(
        title=translate("Findings, costliest first, and what would help, computed on the changed weights"),
        sentences=(
            *_caution(model),
            *(
                translate("{finding} ({rate} nats a step)", finding=translated(each.title), rate=number(each.severity))
                for each in findings
            ),
            *([] if not remedies else [translate(NO_HELP)] if best is None else [_best(best)]),
            *([translate("without a number: {advice}", advice=translate("; ").join(advice))] if advice else []),
        ),
        headings=(translatable("remedy"), "horizon", "×/step", "state", "input"),
        rows=((translate("as it is"), *_numbers(remedies[0].before)), *map(_row, remedies)) if remedies else (),
        legend=translate(LEGEND) if remedies else "",
    )


def _caution(model: ModelDocument) -> tuple[str, ...]:
    return () if model.caution is None else (translated(model.caution),)


def best_remedy(findings: Sequence[FindingDocument]) -> RemedyDocument | None:
    """Return the remedy with the best effect, if it has a good one."""
    first = next(iter(distinct(findings)), None)
    return first if first is not None and _distance(first.after) < _distance(first.before) else None


def _best(remedy: RemedyDocument) -> str:
    if remedy.caution is None:
        return translate("best: {effect}; --apply FILE writes these weights", effect=effect(remedy))
    return translate("best under this noise: {effect}; --apply FILE writes these weights", effect=effect(remedy))


def distinct(findings: Sequence[FindingDocument]) -> list[RemedyDocument]:
    """Return every remedy once, best first."""
    remedies = {each.name: each for finding in findings for each in finding.remedies}
    return sorted(remedies.values(), key=lambda remedy: _distance(remedy.after))


def _distance(reach: ReachDocument | None) -> float:
    """Return how far a state's and an input's norm are from 1, infinitely far where one is zero or overflows."""
    norms = (None, None) if reach is None else (reach.log10_norm, reach.log10_input)
    return sum(float("inf") if each is None else abs(each) for each in norms)


def effect(remedy: RemedyDocument) -> str:
    """Return a remedy with its effect: ``b_f + 3.6: horizon 14 → 96 (computed)``."""
    return translate("{change}: {outcome} (computed)", change=translated(remedy.change), outcome=outcome(remedy))


def outcome(remedy: RemedyDocument) -> str:
    """Return what a remedy brings: ``horizon 14 → 96``."""
    before, after = remedy.before, remedy.after
    if after is None:
        return translate("a state overflows")
    old, new = (horizon(reach.horizon, reach.horizon_censored) for reach in (before, after))
    if old != new:
        return translate("horizon {before} → {after}", before=old, after=new)
    return translate(
        "log₁₀ of the state's norm {before} → {after}",
        before=log10_text(before.log10_norm), after=log10_text(after.log10_norm),
    )  # fmt: skip


def _row(remedy: RemedyDocument) -> tuple[str, ...]:
    after = remedy.after
    numbers = (translate("overflow"), "", "", "") if after is None else _numbers(after)
    return (f"{remedy.name}: {translated(remedy.change)}", *numbers)


def _numbers(reach: ReachDocument) -> tuple[str, str, str, str]:
    factor = reach.factor
    return (
        horizon(reach.horizon, reach.horizon_censored),
        "–" if factor is None else number(factor),
        log10_text(reach.log10_norm),
        log10_text(reach.log10_input),
    )


def findings_series(findings: Sequence[FindingDocument]) -> Series:
    """Yield every number of the section; the index is the finding's place."""
    for i, finding in enumerate(findings):
        yield f"{finding.rule}.severity", i, finding.severity
        yield from ((f"{finding.rule}.{name}", i, value) for name, value in finding.evidence.items())
        for remedy in finding.remedies:
            for when, reach in (("before", remedy.before), ("after", remedy.after)):
                if reach is not None:
                    yield from _reach_series(f"{finding.rule}.{remedy.name}.{when}", i, reach)


def _reach_series(name: str, i: int, reach: ReachDocument) -> Series:
    for quantity in ("horizon", "factor", "log10_norm", "log10_input"):
        yield f"{name}.{quantity}", i, getattr(reach, quantity)
