"""Resumed training: what a report of `learn` has finished, for a run that goes on with the rest."""

from __future__ import annotations

from collections.abc import Iterator

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.documents import read_report
from vanishgrad.questions.learn.document import LearnDocument, LearnedGap, LearnSettings


def finished_trainings(path: str, settings: LearnSettings) -> Iterator[tuple[tuple[str, int], LearnedGap]]:
    """Yield (MODEL, gap) and what a report has of it, of those that the settings ask for.

    Raises
    ------
    VanishgradError
        If the file is no report of learn.
    UsageError
        If it was trained otherwise.
    """
    report = read_report(path)
    if not isinstance(report, LearnDocument):
        raise VanishgradError(f"expected a report of learn for --resume, got one of {report.command} in {path!r}")
    if not settings.trains_alike(report.request):
        old, new = report.request.to_dict(), settings.to_dict()
        name = next(each for each in old if old[each] != new.get(each) and each not in ("models", "gaps"))
        raise UsageError(
            f"expected --resume with the options of {path!r}, got {name} {new.get(name)} for {old[name]}; "
            f"try --{name} {old[name]}"
        )
    for model in report.models:
        for gap in model.gaps:
            if model.label in settings.models and gap.gap in settings.gaps:
                yield (model.label, gap.gap), gap
