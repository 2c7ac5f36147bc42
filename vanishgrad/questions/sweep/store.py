"""Stores of a sweep: what is finished is written at once, and read again by --resume and --merge."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.sweep.arrays import key_of
from vanishgrad.questions.sweep.document import SweepDocument, SweepSettings, SweptPoint
from vanishgrad.questions.sweep.plan import SweepPlan
from vanishgrad.reports.files import write

ZARR = ".zarr"
REPORTS = (".json", ".html", ".csv", ".parquet", ".nc")
"""Files with every point, which --resume, --merge and plot read again."""
JOURNAL = ".partial"
STDOUT_JOURNAL = "sweep.partial"


class Store(Protocol):
    """Where finished points are kept.

    Attributes
    ----------
    path : str or None
        For messages.
    finished : set of int
        Places of the points that are there.
    failures : int
        How many of them failed.
    """

    path: str | None
    finished: set[int]
    failures: int

    def add(self, points: Mapping[int, SweptPoint]) -> None:
        """Keep points."""

    def flush(self) -> None:
        """Write what waits for the rest of its chunk; a new store in which nothing is finished is removed."""

    def points(self) -> Iterator[tuple[int, SweptPoint]]:
        """Yield place and point of all that are finished."""


def demand_same_request(settings: SweepSettings, stored: SweepSettings, path: str) -> None:
    """Refuse a store of another request by the names of the fields that differ."""
    different = settings.differences(stored)
    if different:
        raise UsageError(
            f"expected the request of {path!r}, got another {', '.join(different)}; "
            "try the same command line, or another --output"
        )


class Journal:
    """A file to which each task's points are appended as a line of JSON; a last line that was cut off counts as none.

    Parameters
    ----------
    plan : SweepPlan
    path : str
    in_memory : bool
        Whether the file is written by `flush` alone.
    """

    def __init__(self, plan: SweepPlan, path: str, in_memory: bool = False) -> None:
        self.path: str | None = path
        self._settings, self._own_places, self._in_memory = plan.settings, plan.own_places, in_memory
        self._points = dict[int, SweptPoint]()
        self._length = 0
        self.finished = set[int]()
        self.failures = 0

    @classmethod
    def opened(cls, plan: SweepPlan, output: str, resume: bool) -> Journal:
        """Return the journal beside an output; with `resume` what it holds, or the output itself, is kept.

        Raises
        ------
        UsageError
            If there is one already, without `resume`, or of another request.
        VanishgradError
            If it cannot be read or written.
        """
        path = STDOUT_JOURNAL if output == "-" else output + JOURNAL
        journal = cls(plan, path, in_memory=output == "-")
        exists = os.path.exists(path)
        if exists and not resume:
            raise UsageError(f"expected no unfinished sweep, got one in {path!r}; try --resume, or rm {path}")
        if exists:
            journal._length, points = _read_journal(path, plan)
            journal._hold(points)
        elif resume and output.lower().endswith(REPORTS) and os.path.exists(output):
            journal.add(report_points(output, plan))
        elif not journal._in_memory:
            journal._append(_line(request_header(plan.settings)))
        return journal

    def add(self, points: Mapping[int, SweptPoint]) -> None:
        """Keep points."""
        self._hold(points)
        if not self._in_memory and points:
            head = b"" if self._length else _line(request_header(self._settings))
            self._append(head + _line({str(place): point.to_dict() for place, point in points.items()}))

    def _hold(self, points: Mapping[int, SweptPoint]) -> None:
        self._points.update(points)
        self.finished.update(points)
        self.failures += sum(point.failed is not None for point in points.values())

    def flush(self) -> None:
        """Write the file, if that was left to this and a point is missing; remove it if nothing is finished."""
        if not self._points:
            self.remove()
        elif self._in_memory and not self.finished.issuperset(self._own_places):
            lines = [
                request_header(self._settings),
                {str(place): point.to_dict() for place, point in self._points.items()},
            ]
            write(str(self.path), b"".join(map(_line, lines)))

    def points(self) -> Iterator[tuple[int, SweptPoint]]:
        """Yield place and point of all that are finished."""
        yield from self._points.items()

    def remove(self) -> None:
        """Remove the file, once the report is written."""
        if self._length:
            with contextlib.suppress(OSError):
                os.unlink(str(self.path))

    def _append(self, line: bytes) -> None:
        """Write a line behind the last whole one."""
        try:
            with open(str(self.path), "r+b" if self._length else "wb", buffering=0) as file:
                file.seek(self._length)
                rest = memoryview(line)
                while rest:
                    rest = rest[file.write(rest) or 0 :]
                file.truncate()
        except OSError as error:
            raise VanishgradError(
                f"expected to write {self.path!r}, got: {error.strerror or error}; "
                f"what was finished before is in it: try --resume when there is room"
            ) from None
        self._length += len(line)


def request_header(settings: SweepSettings) -> dict[str, Any]:
    """Return what a file says of the sweep: format, version, request."""
    return {**SweepDocument.header(), "request": settings.to_dict()}


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="backslashreplace") + b"\n"


def _read_journal(path: str, plan: SweepPlan) -> tuple[int, dict[int, SweptPoint]]:
    """Return the length of the whole lines of a journal, and their points."""
    points = dict[int, SweptPoint]()
    length = 0
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n"):
                    break
                value = json.loads(line)
                if number == 0:
                    demand_same_request(plan.settings, settings_in_header(value, path), path)
                else:
                    points |= {int(place): SweptPoint.read(each) for place, each in value.items()}
                length += len(line)
    except OSError as error:
        raise VanishgradError(f"expected to read {path!r}, got: {error.strerror or error}") from None
    except (ValueError, AttributeError):
        raise VanishgradError(f"expected an unfinished sweep in {path!r}, got something else; try rm {path}") from None
    _demand_places(plan, points, path)
    return length, points


def settings_in_header(value: Any, path: str) -> SweepSettings:
    """Return the request of a header.

    Raises
    ------
    VanishgradError
        If it is none of this format.
    """
    head = SweepDocument.header()
    if not isinstance(value, dict) or [value.get(name) for name in ("format", "format_version")] != [
        head["format"], head["format_version"],
    ]:  # fmt: skip
        raise VanishgradError(
            f"expected a sweep of format version {head['format_version']} in {path!r}, got something else; "
            "try another --output"
        )
    return SweepSettings.read(value.get("request"), "request")


def settings_in(header: Mapping[str, Any], path: str) -> SweepSettings:
    """Return the request in the attributes of a store, where it is JSON.

    Raises
    ------
    VanishgradError
        If there is none of this format.
    """
    try:
        return settings_in_header({**header, "request": json.loads(str(header.get("request")))}, path)
    except ValueError:
        raise VanishgradError(f"expected a sweep in {path!r}, got something else; try another path") from None


def _demand_places(plan: SweepPlan, points: Mapping[int, SweptPoint], path: str) -> None:
    for place, point in points.items():
        if not 0 <= place < len(plan.points) or plan.points[place].key != key_of(point):
            raise VanishgradError(f"expected the points of its request in {path!r}, got others; try without --resume")


def report_points(path: str, plan: SweepPlan) -> dict[int, SweptPoint]:
    """Return place → point of what a report has finished.

    Raises
    ------
    VanishgradError
        If the file is no report of sweep, or has points that its request has not.
    UsageError
        If it was asked for otherwise; the message names the fields.
    """
    report = sweep_report(path)
    demand_same_request(plan.settings, report.request, path)
    places = {point.key: place for place, point in enumerate(plan.points)}
    points = {places.get(key_of(point), -1): point for point in report.points}
    _demand_places(plan, points, path)
    return points


def sweep_report(path: str) -> SweepDocument:
    """Return a report of sweep.

    Raises
    ------
    VanishgradError
        If the file holds something else.
    """
    from vanishgrad.questions.documents import read_report

    report = read_report(path)
    if not isinstance(report, SweepDocument):
        raise VanishgradError(f"expected a report of sweep, got one of {report.command} in {path!r}; try another file")
    return report


def opened_store(plan: SweepPlan, output: str, resume: bool) -> Store:
    """Return the store of an output: itself, if it is zarr, else a journal beside it."""
    if Path(output).suffix.lower() == ZARR:
        from vanishgrad.questions.sweep.zarr_store import ZarrStore

        return ZarrStore.opened(plan, output, resume)
    return Journal.opened(plan, output, resume)
