"""Plan of a training: which models are trained at which gaps, which of them side by side, and as what they start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vanishgrad.cells import Cell
from vanishgrad.cells.registry import CELLS
from vanishgrad.cells.trained_own import TrainedOwnCell
from vanishgrad.errors import VanishgradError
from vanishgrad.questions.learn.document import LearnedGap, LearnSettings
from vanishgrad.questions.learn.named_tasks import named_task
from vanishgrad.questions.learn.parameters import Parameters, alike, read_out
from vanishgrad.questions.learn.tasks import Task
from vanishgrad.questions.learn.training import Recipe, examples_of
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import ModelSpec, names_own_cell, parse
from vanishgrad.weights.own_cells import own_cell

THRESHOLD = 1e-3
"""Below it the gradient counts as gone; `compare`'s default."""
SHORTEST_RUN = 100
"""Steps over which a horizon is measured, at least; twice the longest gap where that is more."""
GROUPS_PER_JOB = 10
"""Models go side by side if there are so many trainings for each process: fewer would leave some without work."""
MAX_SETS = 8
"""So many sets of weights are trained side by side: beyond, no update gets cheaper."""

OWN_COST = 10
"""Of a step of an own cell, roughly."""

Key = tuple[str, int]
"""A MODEL and a gap."""


@dataclass(frozen=True)
class Plan:
    """What is trained: settings, what of it is already done, and whether weights are kept and snapshots taken.

    Attributes
    ----------
    snapshots : bool
        Whether horizon and share of the key are measured while it learns; else at the start alone.
    """

    settings: LearnSettings
    finished: Mapping[Key, LearnedGap]
    saves: bool = False
    snapshots: bool = True

    def keys(self, jobs: int = 1) -> list[Key]:
        """Return what is left to train: the cheap first, so that much is finished early; beside others the costly."""
        s = self.settings
        remaining = [(label, gap) for label in s.models for gap in s.gaps if (label, gap) not in self.finished]
        return sorted(remaining, key=lambda key: self.cost([key]), reverse=jobs > 1)

    def groups(self, jobs: int) -> list[tuple[Key, ...]]:
        """Return what is left to train, models of equal shape together where that leaves every process enough to do."""
        keys, groups = self.keys(jobs), dict[int, list[list[Key]]]()
        most = max(1, MAX_SETS // self.settings.seeds) if len(keys) >= GROUPS_PER_JOB * jobs else 1
        cells = {label: _first_cell(label, self.settings) for label in self.settings.models if most > 1}
        for label, gap in keys:
            at_gap = groups.setdefault(gap, [])
            for group in at_gap:
                if len(group) < most and alike([cells[group[0][0]], cells[label]]):
                    group.append((label, gap))
                    break
            else:
                at_gap.append([(label, gap)])
        together = [tuple(group) for at_gap in groups.values() for group in at_gap]
        return sorted(together, key=self.cost, reverse=jobs > 1)

    @staticmethod
    def cost(keys: Sequence[Key]) -> float:
        """Return what models cost at their gaps, beside others."""
        return sum(gap * (OWN_COST if names_own_cell(label) else CELLS[parse(label).cell].cost) for label, gap in keys)

    @property
    def steps_of_horizon(self) -> int:
        """Over how many steps a horizon is measured."""
        return max(SHORTEST_RUN, 2 * max(self.settings.gaps))


def resolved(label: str, steps: int, settings: LearnSettings) -> ModelSpec:
    """Return a MODEL with every key, on sequences of so many steps."""
    return parse(label).resolved(settings.hidden, steps)


def start(label: str, task: Task, steps: int, settings: LearnSettings) -> Parameters:
    """Return a model as it is drawn, or an own cell as its author starts it, with its read-out."""
    cell = own_start(label, task, settings) if names_own_cell(label) else _drawn(label, task, steps, settings)
    return Parameters(
        cell, *read_out(task.output_size, cell.parts[0].size, settings.seeds, settings.seed, cell.dtype.name)
    )


def _drawn(label: str, task: Task, steps: int, settings: LearnSettings) -> Cell:
    spec = resolved(label, steps, settings)
    return draw(spec, task.input_size, steps, settings.seeds, settings.seed, settings.dtype).cell(spec)


def own_start(label: str, task: Task, settings: LearnSettings) -> TrainedOwnCell:
    """Return the own cell of a label, one for each seed.

    Raises
    ------
    VanishgradError
        If it reads another input than the task's.
    """
    cell = TrainedOwnCell([own_cell(label, settings.seed + trial) for trial in range(settings.seeds)])
    if cell.input_size != task.input_size:
        raise VanishgradError(
            f"expected a cell of input_size {task.input_size} for the task {task.name}, got {label} of "
            f"{cell.input_size}; try vanishgrad.cell(…, input_size={task.input_size})"
        )
    return cell


def _first_cell(label: str, settings: LearnSettings) -> Cell:
    """Return a model's cell at the shortest gap."""
    task = named_task(settings.task)
    first = examples_of(task, min(settings.gaps), Recipe(batch=1), 0, np.arange(1))
    return start(label, task, first.xs.shape[1], settings).cell
