"""``vanishgrad learn``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import VECTORS, demand_writable, emit, is_summary
from vanishgrad.cli.options import JOBS, OUTPUT, picture_formats, training_options
from vanishgrad.cli.progress import progress, resuming_command
from vanishgrad.curves.processes import cores
from vanishgrad.questions.compare import DEFAULT_MODELS
from vanishgrad.questions.learn.document import DEFAULTS, LearnDocument, LearnedGap, LearnSettings
from vanishgrad.questions.learn.findings import learning
from vanishgrad.questions.learn.plan import Key, Plan
from vanishgrad.questions.learn.resume import finished_trainings
from vanishgrad.questions.learn.run import demand_learnable
from vanishgrad.questions.learn.run import learn as learn_models
from vanishgrad.reports.files import write

INTERRUPTED = 130
PARTIAL = "learn.partial.json"


@click.command(
    cls=GroupedCommand,
    epilog="TASK: recall, copy, adding, order, language[:en|zh][,characters], or FILE.npz with x, y, mask. "
    "A cell of your own is a MODEL too: @FILE.py:NAME.",
)
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@training_options(DEFAULTS)
@OUTPUT
@JOBS
@click.option("--save", metavar="DIR", help="Save weights at log-spaced updates as .npz, for analyze and explain.")
@click.option("--resume", metavar="FILE", help="A JSON report of learn: what is finished there is not trained again.")
def learn(
    models: tuple[str, ...],
    format_: str | None,
    output: str,
    plots: tuple[str, ...],
    plot_folder: str | None,
    quiet: bool,
    save: str | None,
    resume: str | None,
    jobs: int | None,
    clip: float,
    **options: Any,
) -> int:
    """Short gap, long gap: what each model can learn, beside what its gradient said before training."""
    settings = LearnSettings(models=models or DEFAULT_MODELS, clip=None if clip == float("inf") else clip, **options)
    demand_writable(output, plots, [plot_folder, save])
    demand_learnable(settings)
    finished = dict(finished_trainings(resume, settings)) if resume else {}
    plan = Plan(settings, finished, save is not None, not is_summary(format_, output, plots, plot_folder))
    checkpoints: list[tuple[str, bytes]] = []
    try:
        with progress(len(plan.keys()), quiet) as done:
            for key, result, weights in learn_models(plan, done, jobs or cores()):
                finished[key] = result
                checkpoints += weights
    except KeyboardInterrupt:
        return _interrupted(settings, finished, resume, quiet)
    document = learning(settings, finished)
    files = [*_pictures(document, plots, plot_folder), *((os.path.join(save or "", n), c) for n, c in checkpoints)]
    emit(document, format_, output, files, [plot_folder, save])
    return 0


def _interrupted(settings: LearnSettings, finished: dict[Key, LearnedGap], resume: str | None, quiet: bool) -> int:
    """Keep what is finished in a file, and say how to go on."""
    path = resume or PARTIAL
    if not finished:
        sys.stderr.write("" if quiet else "\ninterrupted before the first training was finished; try --jobs 1\n")
    else:
        write(path, learning(settings, finished).to_json().encode())
        if not quiet:
            again = resuming_command(resume, path)
            sys.stderr.write(f"\ninterrupted: {len(finished)} trainings are kept in {path!r}; go on with {again}\n")
    return INTERRUPTED


def _pictures(document: LearnDocument, plots: tuple[str, ...], folder: str | None) -> Iterator[tuple[str, bytes]]:
    if not plots and folder is None:
        return
    from vanishgrad.questions.learn.figure import KINDS, render

    for path in plots:
        yield path, render(document, "learnability", Path(path).suffix[1:].lower())
    for kind in KINDS if folder is not None else ():
        for ending in picture_formats() or (VECTORS,):
            yield os.path.join(folder or "", f"{kind}.{ending}"), render(document, kind, ending)
