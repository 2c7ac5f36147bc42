"""``vanishgrad sweep``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import VECTORS, demand_writable, emit, report_format
from vanishgrad.cli.options import JOBS, OUTPUT, picture_formats, sweep_options
from vanishgrad.cli.progress import progress
from vanishgrad.curves.processes import cores
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.sweep.document import DEFAULTS, SweepDocument, settings_of
from vanishgrad.questions.sweep.execution import TaskResult, results
from vanishgrad.questions.sweep.executors import workers
from vanishgrad.questions.sweep.merging import merged
from vanishgrad.questions.sweep.plan import Shard, SweepPlan
from vanishgrad.questions.sweep.report import axes_of, swept
from vanishgrad.questions.sweep.store import ZARR, Journal, Store, opened_store
from vanishgrad.questions.sweep.tables import WRITERS
from vanishgrad.reports.files import write_together

INTERRUPTED, FAILED = 130, 3
NO_PARTS = ("resume", "shard", "scheduler", "jobs", *DEFAULTS)
"""What --merge has no use for."""


@click.command(
    cls=GroupedCommand,
    epilog="AXIS: a..b/n, a..b/n/log or a,b,c; of a MODEL's keys too. --output ends in .zarr, .nc, .parquet, .csv, "
    ".json, .html, .md or .txt.",
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@sweep_options(DEFAULTS)
@OUTPUT
@JOBS
@click.option(
    "--scheduler",
    metavar="local|ADDRESS|FILE.json",
    help="Measure by Dask: on this machine, at tcp://HOST:PORT, or by a scheduler file.",
)
@click.option("--resume", is_flag=True, help="Go on with what is finished of --output.")
@click.option("--shard", metavar="K/N", help="Only the K-th of N parts, for clusters without Dask; join by --merge.")
@click.option("--merge", is_flag=True, help="MODEL... are outputs of --shard: write all of them as one.")
@click.pass_context
def sweep(
    context: click.Context,
    /,
    models: tuple[str, ...],
    format_: str | None,
    output: str,
    plots: tuple[str, ...],
    plot_folder: str | None,
    quiet: bool,
    resume: bool,
    jobs: int | None,
    scheduler: str | None,
    shard: str | None,
    merge: bool,
    **options: Any,
) -> int:
    """Where in a plane of gains, biases, sizes and lengths does the gradient vanish, stay or explode?"""
    targets = [output if output != "-" else "the report to stdout", *plots, *filter(None, [plot_folder])]
    _demand_output(format_, output, plots, plot_folder)
    if merge:
        _demand_alone(context)
        joined = merged(models, output)
        plan, store = joined.plan, joined.store
    else:
        plan = SweepPlan(settings_of(models, options), shard=Shard.read(shard) if shard else Shard())
        _demand_axes(plan, plots or plot_folder is not None)
        store = opened_store(plan, output, resume)
        try:
            _measure(replace(plan, finished=frozenset(store.finished)), store, scheduler, jobs, targets, quiet)
        except KeyboardInterrupt:
            return _interrupted(store, quiet)
        finally:
            store.flush()
    if not isinstance(store, Journal):
        _tell(f"{_points(len(store.finished))} in {output}, {store.failures} failed", quiet)
    if isinstance(store, Journal) or plots or plot_folder is not None:
        _write(swept(plan, dict(store.points())), store, format_, output, plots, plot_folder)
    if merge and joined.missing:
        _tell(joined.absence(output), quiet=False)
        return FAILED
    return FAILED if store.failures else 0


def _demand_output(format_: str | None, output: str, plots: Sequence[str], plot_folder: str | None) -> None:
    ending = Path(output).suffix.lower()
    demand_writable("-" if ending == ZARR else output, plots, [plot_folder])
    if ending not in (*WRITERS, ZARR):
        report_format(format_, output)
    elif format_:
        raise UsageError(f"expected --output {output} by its ending, got --format {format_}; try one of them alone")
    if ending == ZARR and not Path(output).resolve().parent.is_dir():
        raise VanishgradError(f"expected an existing folder for {output!r}, got none; try mkdir -p")


def _demand_alone(context: click.Context) -> None:
    """Refuse, beside --merge, what says how points are measured."""
    for name in NO_PARTS:
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"expected --merge with the request of its parts, got {flag}; try leaving it out")


def _demand_axes(plan: SweepPlan, pictures: object) -> None:
    """Refuse, before anything is measured, pictures of a sweep that has no axis."""
    if pictures:
        from vanishgrad.questions.sweep.figure import SweepPicture

        SweepPicture().resolved(list(axes_of(plan.points)), len(plan.settings.models), plan.settings.measure)


def _measure(
    plan: SweepPlan, store: Store, scheduler: str | None, jobs: int | None, targets: Sequence[str], quiet: bool
) -> None:
    """Measure what is missing and keep it: the first task that ends is a probe from which the time is estimated."""
    batches, total = plan.batches, len(plan.own_places)
    missing = sum(place not in store.finished for place in plan.own_places)
    _tell(f"{_points(total)}, {total - missing} finished", quiet)
    if not batches:
        return
    with workers(scheduler, min(jobs or cores(), len(batches))) as pool:
        tasks = [(batches[0],), *plan.tasks(batches[1:], pool.number())]
        cost, measured = sum(map(plan.seconds, batches)), 0.0
        start = time.monotonic()
        with progress(len(tasks), quiet) as done:
            for result in results(plan, tasks, pool):
                store.add(result.points)
                seconds = sum(plan.points[place].seconds * plan.settings.trials for place in result.points)
                if not measured:
                    rest = result.seconds * (cost / seconds - 1) if len(tasks) > 1 else 0.0
                    _tell(f"{_estimate(result, rest, pool.number())}; {_written(plan, targets)}", quiet)
                measured += seconds
                left = (time.monotonic() - start) * max(0.0, cost / measured - 1)
                done(f"about {_duration(left)} left")


def _estimate(probe: TaskResult, rest: float, number: int) -> str:
    took = f"{_points(len(probe.points))} took {_duration(probe.seconds)}"
    if not rest:
        return took
    return f"{took}, the rest takes about {_duration(rest / number)} with {number} worker{'s' * (number > 1)}"


def _written(plan: SweepPlan, targets: Sequence[str]) -> str:
    size = len(plan.points) * len(plan.settings.measure) * (plan.settings.trials + 3) * 8
    return f"this is written, {_bytes(size)} of numbers: {', '.join(targets)}"


def _points(count: int) -> str:
    return f"{count} point{'s' * (count != 1)}"


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _tell(sentence: str, quiet: bool) -> None:
    if not quiet:
        sys.stderr.write(f"sweep: {sentence}\n")


def _interrupted(store: Store, quiet: bool) -> int:
    count = len(store.finished)
    if not count:
        _tell("interrupted before the first batch was finished", quiet)
    else:
        kept = f"{_points(count)} {'are' if count != 1 else 'is'} kept in {store.path!r}"
        _tell(f"interrupted: {kept}; go on with the same command line and --resume", quiet)
    return INTERRUPTED


def _write(
    document: SweepDocument,
    store: Store,
    format_: str | None,
    output: str,
    plots: Sequence[str],
    folder: str | None,
) -> None:
    """Write the report and pictures; a store that is the report already stays as it is."""
    pictures = _pictures(document, plots, folder)
    render = WRITERS.get(Path(output).suffix.lower())
    if render is None and isinstance(store, Journal):
        emit(document, format_, output, pictures, [folder])
    else:
        itself = [] if render is None else [(output, render(document))]
        write_together(chain(itself, pictures), [folder] if folder is not None else [])
    if isinstance(store, Journal):
        store.remove()


def _pictures(document: SweepDocument, plots: Sequence[str], folder: str | None) -> Iterator[tuple[str, bytes]]:
    if not plots and folder is None:
        return
    from vanishgrad.questions.sweep.figure import SweepPicture, available_kinds, render

    for path in plots:
        yield path, render(document, SweepPicture(), Path(path).suffix[1:].lower())
    for kind in available_kinds(document) if folder is not None else ():
        for ending in picture_formats() or (VECTORS,):
            yield os.path.join(str(folder), f"{kind}.{ending}"), render(document, SweepPicture(kind), ending)
