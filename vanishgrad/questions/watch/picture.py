"""Pictures of a watch's records: horizons and rates so far, beside a log file or in TensorBoard, W&B and MLflow."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vanishgrad.errors import UsageError
from vanishgrad.questions.watch.budget import Budget
from vanishgrad.questions.watch.loggers import PREFIX, Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = f"{PREFIX}/horizon"
SECONDS_OF_THE_FIRST = 1.0
"""A guess of what a picture takes with what it imports."""


class Pictures:
    """Draws a watch's records, each time whole, wherever a log takes pictures.

    Raises
    ------
    UsageError
        Where none does.
    """

    def __init__(self, every: int, targets: Sequence[Any]) -> None:
        self._every, self._seconds, self._drawn = every, SECONDS_OF_THE_FIRST, 0
        self._shows = [show for target in targets if (show := _shows(target)) is not None]
        if not self._shows:
            raise UsageError("expected a log that takes pictures for figure_every, got none; try a .csv or .jsonl "
                             "file, TensorBoard, W&B or MLflow")  # fmt: skip

    def due(self, records: int, budget: Budget) -> bool:
        """Whether there is to be a picture after so many records, and time for it."""
        return records % self._every == 0 and budget.spent + self._seconds <= budget.share * budget.trained

    def draw(self, records: Sequence[Record]) -> None:
        """Draw all records and show them everywhere, unless that has been done."""
        from vanishgrad.questions.track.figure import draw
        from vanishgrad.questions.track.track import watched
        from vanishgrad.reports.figures.style import style

        if len(records) == self._drawn:
            return
        start, document, self._drawn = time.perf_counter(), watched(records), len(records)
        with style("".join(layer.label for layer in document.layers)):
            figure = draw(document)
            for show in self._shows:
                show(figure, records[-1]["step"])
        self._seconds = time.perf_counter() - start


def _shows(target: Any) -> Callable[[Figure, int], Any] | None:
    """Return what shows a picture at a target, None where it takes none."""
    if isinstance(target, str | os.PathLike):
        path = Path(target).with_suffix(".png")
        return lambda figure, step: figure.savefig(path, dpi=160)
    owner = target if hasattr(target, "add_figure") else getattr(target, "experiment", None)
    if hasattr(owner, "add_figure"):  # TensorBoard's writer, or Lightning's logger of one
        return lambda figure, step: owner.add_figure(NAME, figure, step)  # type: ignore[union-attr]
    if hasattr(target, "log_figure"):  # mlflow
        return lambda figure, step: target.log_figure(figure, f"{PREFIX}-horizon.png")
    return _wandb(target) if hasattr(target, "log") and not hasattr(target, "log_metrics") else None


def _wandb(run: Any) -> Callable[[Figure, int], Any]:
    """Return what shows a picture in a run of W&B, whose own way with figures asks for pyplot."""

    def show(figure: Figure, step: int) -> None:
        import wandb
        from PIL import Image

        file = io.BytesIO()
        figure.savefig(file, format="png")
        run.log({NAME: wandb.Image(Image.open(file)), f"{PREFIX}/step": step})

    return show
