"""What a sweep found, as a document, a table and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vanishgrad.languages import translatable, translate, translate_count, translated
from vanishgrad.questions.sweep.axes import axes_among, value_text
from vanishgrad.questions.sweep.document import CriticalPoint, SweepDocument, SweptPoint
from vanishgrad.questions.sweep.plan import SweepPlan
from vanishgrad.questions.sweep.points import Point
from vanishgrad.questions.sweep.theory import critical_points
from vanishgrad.reports.markdown import markdown_page
from vanishgrad.reports.sentences import about
from vanishgrad.reports.terminal import FILE, Column, Terminal, page

MAX_SENTENCES = 20
"""Of critical gains, and of failed points, that a table says; every report has all."""


def swept(plan: SweepPlan, finished: Mapping[int, SweptPoint]) -> SweepDocument:
    """Return the document of the points that are finished."""
    points = [finished[place] for place in sorted(finished)]
    return SweepDocument(
        request=plan.settings,
        complete=len(finished) == len(plan.points),
        points=points,
        critical=critical_points(plan.settings, points),
    )


def stored_report(path: str) -> SweepDocument:
    """Return the report of what is finished in a zarr store.

    Raises
    ------
    VanishgradError
        If there is none.
    """
    from vanishgrad.questions.sweep.zarr_store import ZarrStore

    store = ZarrStore.read(path)
    return swept(store.plan, dict(store.points()))


def axes_of(points: Sequence[SweptPoint | Point]) -> dict[str, list[Any]]:
    """Return axis → its values, numbers increasing."""
    return axes_among([point.coordinates for point in points])


def by_model(document: SweepDocument) -> dict[str, list[SweptPoint]]:
    """Return MODEL → its points."""
    return {model: [each for each in document.points if each.model == model] for model in document.request.models}


def to_table(document: SweepDocument, terminal: Terminal = FILE) -> str:
    """Return the range of each measure by MODEL, critical gains beside theory, and what failed."""
    columns = [Column(name, is_text=name == "model") for name in headings(document)]
    return page(terminal, title(document), columns, list(rows(document)), "", sentences(document))


def to_markdown(document: SweepDocument) -> str:
    """Return the same as Markdown."""
    return markdown_page(title(document), headings(document), rows(document), sentences(document))


def title(document: SweepDocument) -> str:
    """Return how many points were measured, and how."""
    r = document.request
    count = len(document.points)
    return translate(
        "{points} of {models}, {trials} each, input {input}, start {start}, threshold {threshold}",
        points=translate_count("{count} point", "{count} points", count),
        models=translate_count("{count} MODEL", "{count} MODELs", len(r.models)),
        trials=translate_count("{count} trial", "{count} trials", r.trials),
        input=_brief(r.input), start=_brief(r.initial), threshold=_brief(r.threshold),
    )  # fmt: skip


def _brief(values: Sequence[float | str]) -> str:
    ends = [value_text(value) for value in dict.fromkeys((values[0], values[-1]))]
    return (", " if len(values) == 2 else " … ").join(ends)


def headings(document: SweepDocument) -> list[str]:
    """Return the table's headings."""
    return ["model", translatable("points"), translatable("failed"), *document.request.measure]


def rows(document: SweepDocument) -> Iterator[list[str]]:
    """Yield the points and the range of each measure of each MODEL."""
    for model, points in by_model(document).items():
        failed = sum(point.failed is not None for point in points)
        yield [model, str(len(points)), str(failed), *(_range(points, name) for name in document.request.measure)]


def _range(points: Sequence[SweptPoint], measure: str) -> str:
    quantities = [point.measures[measure] for point in points if measure in point.measures]
    values = [each.value for each in quantities if each.value is not None]
    if not values:
        return "–"
    beyond = any(each.censored for each in quantities if each.value == max(values))
    return f"{min(values):.4g} … {'> ' * beyond}{max(values):.4g}"


def sentences(document: SweepDocument) -> Iterator[str]:
    """Yield the critical gains beside theory, the points that failed, and whether any are missing."""
    for line in document.critical[:MAX_SENTENCES]:
        yield _critical(line)
    if len(document.critical) > MAX_SENTENCES:
        yield translate("… {count} more critical values are in the JSON.", count=len(document.critical) - MAX_SENTENCES)
    for axis, measure in dict.fromkeys((line.axis, line.measure) for line in document.critical):
        lines = [line for line in document.critical if (line.axis, line.measure) == (axis, measure)]
        distances = [abs(line.distance) for line in lines if line.distance is not None]
        if len(distances) > 1:
            mean = sum(distances) / len(distances)
            yield translate(
                "critical {axis} by {measure}: |measured - predicted| is {mean} on average, at most {largest}.",
                axis=axis, measure=measure, mean=f"{mean:.3g}", largest=f"{max(distances):.3g}",
            )  # fmt: skip
    for point in document.failures[:MAX_SENTENCES]:
        yield translate(
            "failed: {label}, T = {steps}: {reason}", label=point.label, steps=point.steps, reason=point.failed
        )
    if len(document.failures) > MAX_SENTENCES:
        yield translate(
            "… {count} more failed; the JSON and the CSV say why.", count=len(document.failures) - MAX_SENTENCES
        )
    if not document.complete:
        yield translate("note: interrupted; --resume goes on with the points that are missing.")


def _critical(line: CriticalPoint) -> str:
    where = ", ".join([line.model, *(f"{name} = {value_text(value)}" for name, value in line.coordinates.items())])
    level, value = f"{line.level:.4g}", line.measured
    measured = translate("{measure} does not cross {level}", measure=line.measure, level=level)
    if value is not None:
        measured = translate(
            "{measure} crosses {level} at {axis} {value}",
            measure=line.measure, level=level, axis=line.axis, value=f"{value:.4g}",
        )  # fmt: skip
    theory = translate("no theory speaks of it")
    if line.predicted is not None:
        distance = "" if line.distance is None else f": {line.distance:+.3g}"
        theory = translate(
            "theory ({theory}): {value}", theory=translated(line.theory or ""), value=f"{line.predicted:.4g}{distance}"
        )
    return about([where], translate("; ").join((measured, theory)) + translate("."))
