"""Plan of a sweep: its points in chunks, which are written together, and in tasks, which are computed together."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.questions.sweep.axes import Value, axes_among
from vanishgrad.questions.sweep.document import SweepSettings
from vanishgrad.questions.sweep.points import Point, points

Batch: TypeAlias = "tuple[int, ...]"
"""Places of points that are measured by one run."""
Task: TypeAlias = "tuple[Batch, ...]"
"""Batches that one worker measures before it answers."""
Region: TypeAlias = "tuple[slice, ...]"
CHUNK_SECONDS = 10.0
"""Of a core: what a chunk of points between the cheapest and the dearest takes; writing one takes some 20 ms."""
TASK_SECONDS = 1.0
"""Of a core, with few workers: what a killed worker was at is lost."""
SCHEDULER_SECONDS = 0.004
"""What a task may cost a scheduler that keeps all workers busy: twice what it does on a free core."""
TASKS_PER_WORKER = 4
"""At least, of what is left to do: the last tasks are the smallest."""
POINT = "point"
MODEL = "model"


class Shard(NamedTuple):
    """A part of a sweep: every `total`-th chunk from the `number`-th on."""

    number: int = 1
    total: int = 1

    @classmethod
    def read(cls, text: str) -> Shard:
        """Return the shard that ``3/40`` means.

        Raises
        ------
        UsageError
            For anything else.
        """
        number, _, total = text.partition("/")
        if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
            last = f"{int(total)}/{int(total)}" if total.isdecimal() and int(total) else "3/40"
            raise UsageError(f"expected --shard K/N with 1 ≤ K ≤ N, got {text!r}; try --shard {last}")
        return cls(int(number), int(total))


WHOLE = Shard()


@dataclass(frozen=True, eq=False)
class ArrayLayout:
    """How points lie in arrays: along MODELs and axes if they form a grid, else along one dimension.

    Attributes
    ----------
    coordinates : mapping
        Dimension → its values; of `POINT` none.
    shape : tuple of int
    chunk : tuple of int
        The shape of what is written together.
    places : (points,) array of int
        Position in the arrays, rows first → place of the point in the report.
    """

    coordinates: Mapping[str, Sequence[Value]]
    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    places: Array

    @property
    def dims(self) -> tuple[str, ...]:
        """The names of the dimensions."""
        return tuple(self.coordinates)

    @cached_property
    def regions(self) -> list[Region]:
        """Where each chunk lies."""
        starts = product(*(range(0, size, step) for size, step in zip(self.shape, self.chunk, strict=True)))
        ends = [tuple(map(sum, zip(start, self.chunk, strict=True))) for start in starts]
        return [
            tuple(
                slice(end - step, min(end, size)) for end, step, size in zip(each, self.chunk, self.shape, strict=True)
            )
            for each in ends
        ]

    def places_in(self, region: Region) -> list[int]:
        """Return the places of the points in a region, rows first."""
        inside: list[int] = self.places.reshape(self.shape)[region].ravel().tolist()
        return inside


def layout(grid: Sequence[Point], trials: int) -> ArrayLayout:
    """Return how points lie in arrays.

    A chunk has one point along an axis that changes what a run costs, and as many along others as take `CHUNK_SECONDS`
    in the geometric mean of all costs.
    """
    by_model = dict[str, list[Point]]()
    for point in grid:
        by_model.setdefault(point.model, []).append(point)
    axes = [axes_among([point.coordinates for point in own]) for own in by_model.values()]
    sizes = [len(values) for values in axes[0].values()]
    alike = all(list(each.items()) == list(axes[0].items()) for each in axes)
    if not alike or any(len(own) != math.prod(sizes) for own in by_model.values()):
        return _along_points(grid, trials)
    coordinates: dict[str, Sequence[Value]] = {MODEL: list(by_model), **axes[0]} if len(by_model) > 1 else {**axes[0]}
    if not coordinates:
        coordinates = {MODEL: list(by_model)}
    shape = tuple(map(len, coordinates.values()))
    places = np.arange(len(grid)).reshape(shape)
    costly = [len({grid[i].shape for i in _along(places, axis)}) > 1 for axis in range(len(shape))]
    kinds = places[tuple(slice(None) if each else 0 for each in costly)].ravel()
    left = _points_of_a_chunk([grid[i] for i in kinds.tolist()], trials)
    chunk = [1] * len(shape)
    for axis in reversed(range(len(shape))):
        if not costly[axis]:
            parts = -(-shape[axis] // min(left, shape[axis]))
            chunk[axis] = -(-shape[axis] // parts)
            left = max(1, left // chunk[axis])
    return ArrayLayout(coordinates, shape, tuple(chunk), places.ravel())


def _along(places: Array, axis: int) -> list[int]:
    """Return the places along an axis from the first point on."""
    along: list[int] = np.moveaxis(places, axis, 0).reshape(places.shape[axis], -1)[:, 0].tolist()
    return along


def _along_points(grid: Sequence[Point], trials: int) -> ArrayLayout:
    """Return points one behind another, those of equal shape together."""
    shapes = dict[object, list[int]]()
    for place, point in enumerate(grid):
        shapes.setdefault(point.shape, []).append(place)
    places = np.array([place for own in shapes.values() for place in own])
    size = _points_of_a_chunk([grid[own[0]] for own in shapes.values()], trials)
    return ArrayLayout({POINT: []}, (len(grid),), (min(size, len(grid)),), places)


def _points_of_a_chunk(kinds: Sequence[Point], trials: int) -> int:
    """Return how many points take `CHUNK_SECONDS`: whole batches of them, where it is more than one."""
    seconds = math.exp(sum(math.log(point.seconds) for point in kinds) / len(kinds)) * trials
    number = max(1, round(CHUNK_SECONDS / seconds))
    batch = max(1, min(point.trials_together for point in kinds) // trials)
    return number if number < batch else number // batch * batch


@dataclass(frozen=True, eq=False)
class SweepPlan:
    """A sweep that is to be run.

    Attributes
    ----------
    settings : SweepSettings
    finished : collection of int
        Places of points that are not to be measured again.
    shard : Shard
        Which chunks are this run's.

    Notes
    -----
    How points go together in batches and chunks depends on the settings alone, so that no result depends on what is
    finished, on the shard, or on the workers.
    """

    settings: SweepSettings
    finished: Collection[int] = frozenset()
    shard: Shard = WHOLE

    @cached_property
    def points(self) -> list[Point]:
        """Every point."""
        return points(self.settings)

    @cached_property
    def layout(self) -> ArrayLayout:
        """How they lie in arrays."""
        return layout(self.points, self.settings.trials)

    @cached_property
    def own_places(self) -> list[int]:
        """The places of this shard's points."""
        return [place for region in self._own_regions for place in self.layout.places_in(region)]

    @property
    def _own_regions(self) -> list[Region]:
        return self.layout.regions[self.shard.number - 1 :: self.shard.total]

    @cached_property
    def batches(self) -> list[Batch]:
        """The batches of this shard in which a point is missing, chunk after chunk."""
        return [
            batch
            for region in self._own_regions
            for batch in self._batches_of(self.layout.places_in(region))
            if not all(place in self.finished for place in batch)
        ]

    def _batches_of(self, places: Sequence[int]) -> Iterator[Batch]:
        alike = dict[object, list[int]]()
        for place in places:
            alike.setdefault(self.points[place].shape, []).append(place)
        for own in alike.values():
            most = max(1, self.points[own[0]].trials_together // self.settings.trials)
            size = -(-len(own) // -(-len(own) // most))
            yield from (tuple(own[start : start + size]) for start in range(0, len(own), size))

    def tasks(self, batches: Sequence[Batch], workers: int) -> list[Task]:
        """Return batches as tasks of about `TASK_SECONDS`, less towards the end, so that workers end together."""
        most, least = max(TASK_SECONDS, SCHEDULER_SECONDS * workers), SCHEDULER_SECONDS / 2 * workers
        costs = [self.seconds(batch) for batch in batches]
        left, tasks, open_, cost = sum(costs), list[Task](), list[Batch](), 0.0
        for batch, seconds in zip(batches, costs, strict=True):
            if open_ and cost + seconds > max(least, min(most, left / (TASKS_PER_WORKER * workers))):
                tasks.append(tuple(open_))
                left -= cost
                open_, cost = [], 0.0
            open_.append(batch)
            cost += seconds
        return [*tasks, tuple(open_)] if open_ else tasks

    def seconds(self, batch: Batch) -> float:
        """Return what a batch is expected to take of a core."""
        return self.settings.trials * len(batch) * self.points[batch[0]].seconds

    def points_of(self, task: Task) -> list[list[Point]]:
        """Return the points of a task, batch after batch."""
        return [[self.points[place] for place in batch] for batch in task]
