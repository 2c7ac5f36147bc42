"""``vanishgrad sweep``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from vanishgrad.cli.emit import demand_writable, emit
from vanishgrad.cli.options import JOBS, OUTPUT, sweep_options
from vanishgrad.cli.progress import progress, resuming_command
from vanishgrad.curves.processes import cores
from vanishgrad.questions.sweep.document import DEFAULTS, SweepDocument, settings_of
from vanishgrad.questions.sweep.report import axes_of, finished_points, swept
from vanishgrad.questions.sweep.run import Batch, SweepPlan
from vanishgrad.questions.sweep.run import sweep as sweep_points
from vanishgrad.reports.files import write

INTERRUPTED, FAILED = 130, 3
PARTIAL = "sweep.partial.json"


@click.command(epilog="AXIS: a..b/n, a..b/n/log or a,b,c; of every key of a MODEL too.")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@sweep_options(DEFAULTS)
@OUTPUT
@JOBS
@click.option("--resume", metavar="FILE", help="A JSON report of sweep: what is finished there is not measured again.")
def sweep(
    models: tuple[str, ...],
    format_: str | None,
    output: str,
    plots: tuple[str, ...],
    plot_folder: str | None,
    quiet: bool,
    resume: str | None,
    jobs: int | None,
    **options: Any,
) -> int:
    """Where in a plane of gains, biases, sizes and lengths does the gradient vanish, stay or explode?"""
    settings = settings_of(models, options)
    demand_writable(output, plots, [plot_folder])
    plan = SweepPlan(settings, finished_points(resume, settings) if resume else {})
    _demand_axes(plan, plots or plot_folder is not None)
    points = dict(plan.finished)
    targets = [output if output != "-" else "the report to stdout", *plots, *filter(None, [plot_folder])]
    try:
        for batch in _measured(plan, jobs or cores(), targets, quiet):
            points |= batch
    except KeyboardInterrupt:
        return _interrupted(swept(plan, points), resume, output, quiet)
    document = swept(plan, points)
    emit(document, format_, output, _pictures(document, plots, plot_folder), [plot_folder])
    return FAILED if document.failures else 0


def _demand_axes(plan: SweepPlan, pictures: object) -> None:
    """Refuse, before anything is measured, pictures of a sweep that has no axis."""
    if pictures:
        from vanishgrad.questions.sweep.figure import SweepPicture

        SweepPicture().resolved(list(axes_of(plan.points)), len(plan.settings.models), plan.settings.measure)


def _measured(plan: SweepPlan, jobs: int, targets: Sequence[str], quiet: bool) -> Iterator[dict[int, Any]]:
    """Yield what is found, batch after batch: the first is a probe from which the time is estimated."""
    batches, total = plan.batches, len(plan.points)
    _tell(f"{total} point{'s' * (total != 1)}, {total - sum(map(len, batches))} finished", quiet)
    if not batches:
        return
    start = time.monotonic()
    yield from sweep_points(plan, batches[:1])
    seconds = time.monotonic() - start
    rest, cost = batches[1:], sum(map(plan.cost, batches[1:]))
    if not rest:
        _tell(f"that took {_duration(seconds)}; then this is written: {', '.join(targets)}", quiet)
        return
    workers = max(1, min(jobs, len(rest)))
    estimate = seconds * cost / plan.cost(batches[0]) / workers
    _tell(
        f"{len(rest)} more batch{'es take' if len(rest) > 1 else ' takes'} about {_duration(estimate)} in {workers} "
        f"process{'es' * (workers > 1)} (the first took {_duration(seconds)}); "
        f"then this is written: {', '.join(targets)}",
        quiet,
    )
    yield from _with_time_left(plan, rest, jobs, cost, quiet)


def _with_time_left(
    plan: SweepPlan, batches: Sequence[Batch], jobs: int, cost: float, quiet: bool
) -> Iterator[dict[int, Any]]:
    start, measured = time.monotonic(), 0.0
    with progress(len(batches), quiet) as done:
        for points in sweep_points(plan, batches, jobs):
            measured += plan.cost(tuple(points))
            left = (time.monotonic() - start) * (cost / measured - 1)
            done(f"about {_duration(left)} left")
            yield points


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _tell(sentence: str, quiet: bool) -> None:
    if not quiet:
        sys.stderr.write(f"sweep: {sentence}\n")


def _interrupted(document: SweepDocument, resume: str | None, output: str, quiet: bool) -> int:
    """Keep what is finished in a JSON file, and say how to go on."""
    path = resume or (output if Path(output).suffix.lower() == ".json" else PARTIAL)
    if not document.points:
        _tell("interrupted before the first batch was finished", quiet)
    else:
        write(path, document.to_json().encode())
        count = len(document.points)
        where = f"{count} point{'s are' if count != 1 else ' is'} kept in {path!r}"
        _tell(f"interrupted: {where}; go on with {resuming_command(resume, path)}", quiet)
    return INTERRUPTED


def _pictures(document: SweepDocument, plots: Sequence[str], folder: str | None) -> Iterator[tuple[str, bytes]]:
    if not plots and folder is None:
        return
    from vanishgrad.questions.sweep.figure import SweepPicture, available_kinds, render

    for path in plots:
        yield path, render(document, SweepPicture(), Path(path).suffix[1:].lower())
    for kind in available_kinds(document) if folder is not None else ():
        yield os.path.join(str(folder), f"{kind}.svg"), render(document, SweepPicture(kind), "svg")
