"""`track`: how far the gradient reaches from one checkpoint of a training to the next, or along the log of a watch."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.file_bytes import file_bytes
from vanishgrad.languages import english, translate, translated
from vanishgrad.questions.analyze import AnalyzeRequest, demand_no_run, reports
from vanishgrad.reports.csv_rows import csv_text
from vanishgrad.reports.documents.curve import VerdictName
from vanishgrad.reports.documents.declaration import Count, Document
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.sentences import opening
from vanishgrad.reports.table import horizon, sparkline
from vanishgrad.reports.terminal import cell_width, padded

CURVE = "state"
LOG = ".jsonl"
MEASURED = ("summary",)
"""What a track asks for itself, and nobody types."""
COLUMNS = ("label", "place", "horizon", "horizon_censored", "rate", "verdict")


class TrackRequestDocument(Document):
    """What was tracked."""

    files: Annotated[Sequence[str], "checkpoints in the order of the numbers in their names, or one log of a watch"]
    threshold: float | None


class TrackedPoint(Document):
    """A layer in one checkpoint, or at one training step."""

    place: Annotated[str, "the file, or the step"]
    horizon: Annotated[Count | None, "of the state; null if even lag 0 is below the threshold"]
    horizon_censored: Annotated[bool, "whether it is only a lower bound"]
    rate: Annotated[float | None, "nats per step"]
    verdict: Annotated[VerdictName | None, "null of a watch, which gives none"]


class TrackedLayer(Document):
    """One layer along a training."""

    label: str
    points: Sequence[TrackedPoint]
    fell: Annotated[str | None, "the first place where the horizon is below half of the largest before; null if none"]
    caution: Annotated[str | None, "what to know of its input; null if nothing"]


class TrackDocument(ReportDocument):
    """What `track` found."""

    command = "track"

    request: TrackRequestDocument
    layers: Sequence[TrackedLayer]


def track(request: AnalyzeRequest, done: Callable[[str], None] = lambda label: None) -> TrackDocument:
    """Measure the same layers in every checkpoint of a request, or read the log of a watch.

    Raises
    ------
    UsageError
        For a log beside other files or options of a run.
    VanishgradError
        If there are no files, reports have no state or several thresholds, or as `analyze`.
    """
    files = _files([str(each) for each in request.weights])
    if any(Path(file).suffix.lower() == LOG for file in files):
        if len(files) > 1:
            raise UsageError(f"expected one log of a watch, or checkpoints, got {len(files)} files; try the log alone")
        demand_no_run(request, "the log of a watch", MEASURED)
        return _document(files, None, _logged(files[0]), {})
    points, cautions = dict[str, list[TrackedPoint]](), dict[str, str | None]()
    thresholds: set[float] = set()
    for file, place in zip(files, _places(files), strict=True):
        (report,) = reports(replace(request, weights=(file,)), read=MEASURED)
        for model in report.models:
            if CURVE not in model.curves:
                raise VanishgradError(f"expected the curve {CURVE!r} of {model.label} in {file!r}, got "
                                      f"{', '.join(model.curves) or 'none'}; try a report that has it")  # fmt: skip
            state = model.curves[CURVE]
            thresholds.add(state.threshold)
            cautions.setdefault(model.label, model.caution)
            points.setdefault(model.label, []).append(
                TrackedPoint(
                    place=place,
                    horizon=state.horizon,
                    horizon_censored=state.horizon_censored,
                    rate=state.rate.value if state.rate else None,
                    verdict=state.verdict,
                )
            )
        done(place)
    if len(thresholds) > 1:
        values = ", ".join(f"{threshold:g}" for threshold in sorted(thresholds))
        raise VanishgradError(f"expected horizons at one threshold, got {values}; try reports of one --threshold")
    return _document(files, next(iter(thresholds), None), points, cautions)


def _document(
    files: Sequence[str], threshold: float | None, points: Mapping[str, Sequence[TrackedPoint]],
    cautions: Mapping[str, str | None],
) -> TrackDocument:  # fmt: skip
    layers = [
        TrackedLayer(label=label, points=list(each), fell=_fall(each), caution=cautions.get(label))
        for label, each in points.items()
    ]
    return TrackDocument(request=TrackRequestDocument(files=list(files), threshold=threshold), layers=layers)


def _files(names: Sequence[str]) -> list[str]:
    """Return the files that names and patterns stand for, each once, in the order of the numbers in them."""
    paths = [file for name in names for file in (glob.glob(name) if glob.has_magic(name) else [name])]
    if not paths:
        raise VanishgradError(f"expected files at {' '.join(names)}, got none; try another pattern")
    return sorted(dict.fromkeys(paths), key=_in_order_of_numbers)


def _in_order_of_numbers(name: str) -> list[tuple[int, str]]:
    return [(int(each), "") if each.isdigit() else (-1, each) for each in re.split(r"(\d+)", name)]


def _places(files: Sequence[str]) -> list[str]:
    """Return the files' names, or their paths where names repeat."""
    names = [Path(file).name for file in files]
    return names if len(set(names)) == len(names) else list(files)


def _logged(path: str) -> dict[str, list[TrackedPoint]]:
    """Return the points in the JSON lines of a watch."""
    lines = file_bytes(path, "a log").decode(errors="replace").splitlines()
    points = _by_label(_record(line, f"line {number} of {path!r}") for number, line in enumerate(lines, 1))
    if not points:
        raise VanishgradError(f"expected records of a watch in {path!r}, got none; try a longer training")
    return points


def _record(line: str, where: str) -> list[tuple[str, TrackedPoint]]:
    """Return label → point of one record."""
    try:
        return points_of(json.loads(line))
    except (ValueError, LookupError, TypeError, AttributeError, VanishgradError):
        raise VanishgradError(
            f"expected a record of a watch in {where}, got {line[:40]!r}; try the file of vanishgrad.watch(log=…)"
        ) from None


def points_of(record: Mapping[str, Any]) -> list[tuple[str, TrackedPoint]]:
    """Return label → point of a record of a watch."""
    return [
        (label, _point(english("step {step}", step=record["step"]), layer)) for label, layer in record["layers"].items()
    ]


def watched(records: Sequence[Mapping[str, Any]], threshold: float | None = None) -> TrackDocument:
    """Return the track of a watch's records."""
    return _document(["a watch"], threshold, _by_label(map(points_of, records)), {})


def _by_label(records: Iterable[list[tuple[str, TrackedPoint]]]) -> dict[str, list[TrackedPoint]]:
    points: dict[str, list[TrackedPoint]] = {}
    for label, point in chain.from_iterable(records):
        points.setdefault(label, []).append(point)
    return points


def _point(place: str, layer: Mapping[str, Any]) -> TrackedPoint:
    value = {"place": place, "horizon": layer["horizon_state"], "horizon_censored": layer["censored"],
             "rate": layer["rate"], "verdict": None}  # fmt: skip
    return TrackedPoint.read(value)


def _fall(points: Sequence[TrackedPoint]) -> str | None:
    largest = -1
    for point in points:
        lag = -1 if point.horizon is None else point.horizon
        if lag < largest / 2 and not point.horizon_censored:
            return point.place
        largest = max(largest, lag)
    return None


def to_text(document: TrackDocument) -> str:
    """Return a line for each layer: its horizons from first to last, a sparkline, and where it fell."""
    return "".join(f"{line}\n" for line in _lines(document))


def _lines(document: TrackDocument) -> Iterator[str]:
    if first := opening(document.layers):
        yield first
    layers = document.layers
    width = max(cell_width(layer.label) for layer in layers)
    largest = max([1, *(point.horizon or 0 for layer in layers for point in layer.points)])
    begin, end = (translated(point.place) for point in (layers[0].points[0], layers[0].points[-1]))
    yield translate(
        "horizon of the state, {begin} to {end}; sparklines up to {largest}", begin=begin, end=end, largest=largest
    )
    for layer in layers:
        first, last = (horizon(point.horizon, point.horizon_censored) for point in (layer.points[0], layer.points[-1]))
        spark = sparkline([float(point.horizon or 0) for point in layer.points], 0.0, float(largest))
        fell = "  " + translate("fell at {place}", place=translated(layer.fell)) if layer.fell else ""
        yield f"{padded(layer.label, width)}  {spark}  {first} → {last}{fell}"


def to_csv(document: TrackDocument) -> str:
    """Return a row for each layer and place."""
    rows = (
        (layer.label, point.place, point.horizon, point.horizon_censored, point.rate, point.verdict)
        for layer in document.layers
        for point in layer.points
    )
    return csv_text(COLUMNS, rows)
