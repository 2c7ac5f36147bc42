"""Zarr stores of a sweep: each chunk is written when its last point is finished, its status after all else."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.sweep.arrays import (
    FAILURE,
    STATUS,
    TRIAL,
    attributes,
    coordinates,
    numpy_type,
    points_of,
    values_of,
    variables,
)  # fmt: skip
from vanishgrad.questions.sweep.document import SweepSettings, SweptPoint
from vanishgrad.questions.sweep.plan import Region, SweepPlan
from vanishgrad.questions.sweep.store import demand_same_request, settings_in

OLDEST = 3
"""Of zarr."""


def _zarr() -> Any:
    version = "none"
    with contextlib.suppress(ImportError):
        import zarr

        version = zarr.__version__
        if int(version.partition(".")[0]) >= OLDEST:
            return zarr
    raise VanishgradError(
        f"expected zarr {OLDEST} for --output with .zarr, got {version}; "
        "try pip install 'vanishgrad[sweep]' with Python 3.11 or later"
    )


class ZarrStore:
    """A folder of chunks, which xarray opens while it grows.

    Parameters
    ----------
    plan : SweepPlan
    path : str
    group : zarr.Group
    is_new : bool
        Whether it was made for this run.
    """

    def __init__(self, plan: SweepPlan, path: str, group: Any, is_new: bool = False) -> None:
        self.path: str | None = path
        self._plan, self._is_new = plan, is_new
        self._declared = variables(plan.settings)
        self._arrays = {name: group[name] for name in self._declared}
        status = self._arrays[STATUS][...].ravel()
        self.finished = set(plan.layout.places[np.flatnonzero(status)].tolist())
        self.failures = int(np.sum(status == FAILURE))
        self._waiting = dict[int, dict[int, SweptPoint]]()
        self._chunk_of = np.empty(len(plan.points), dtype=int)
        for number, region in enumerate(plan.layout.regions):
            self._chunk_of[plan.layout.places_in(region)] = number

    @classmethod
    def opened(cls, plan: SweepPlan, path: str, resume: bool) -> ZarrStore:
        """Return the store at a path, a new one unless `resume` finds one.

        Raises
        ------
        UsageError
            If there is something already, without `resume`, or a sweep of another request.
        VanishgradError
            If it is something else, or cannot be written; if zarr is not installed.
        """
        zarr = _zarr()
        exists = os.path.lexists(path) and not (os.path.isdir(path) and not os.listdir(path))
        if exists and not resume:
            raise UsageError(f"expected a new folder for --output, got {path!r}; try --resume, or another name")
        with _written(path):
            if not exists:
                _create(zarr, plan, path)
            group = _opened(zarr, path, "r+")
        demand_same_request(plan.settings, settings_in(group.attrs, path), path)
        return cls(plan, path, group, is_new=not exists)

    @classmethod
    def read(cls, path: str) -> ZarrStore:
        """Return the store at a path, as it is."""
        group = _opened(_zarr(), path, "r")
        return cls(SweepPlan(settings_in(group.attrs, path)), path, group)

    @property
    def plan(self) -> SweepPlan:
        """The sweep that it is of."""
        return self._plan

    def add(self, points: Mapping[int, SweptPoint]) -> None:
        """Keep points; those of a chunk are written when it is whole."""
        for place, point in points.items():
            chunk = int(self._chunk_of[place])
            self._waiting.setdefault(chunk, {})[place] = point
            self.finished.add(place)
            self.failures += point.failed is not None
        for chunk in {int(self._chunk_of[place]) for place in points}:
            if self.finished.issuperset(self._plan.layout.places_in(self._plan.layout.regions[chunk])):
                self._write(chunk)

    def flush(self) -> None:
        """Write what waits for the rest of its chunk; a new store in which nothing is finished is removed."""
        for chunk in list(self._waiting):
            self._write(chunk)
        if self._is_new and not self.finished and self._plan.own_places:  # an empty shard is a part, too
            shutil.rmtree(str(self.path), ignore_errors=True)

    def _write(self, chunk: int) -> None:
        region = self._plan.layout.regions[chunk]
        places, waiting = self._plan.layout.places_in(region), self._waiting[chunk]
        values = values_of(self._plan.settings, [waiting.get(place) for place in places])
        shape = tuple(each.stop - each.start for each in region)
        if len(waiting) < len(places):
            new = np.array([place in waiting for place in places])
            for name, before in self._flat(region).items():
                values[name] = np.where(new.reshape((-1,) + (1,) * (before.ndim - 1)), values[name], before)
        with _written(str(self.path)):
            for name, array in self._arrays.items():
                array[region] = values[name].reshape(shape + values[name].shape[1:])
        del self._waiting[chunk]

    def _flat(self, region: Region) -> dict[str, Array]:
        """Return name → what is stored of the points of a region, behind one another."""
        stored = {name: np.asarray(array[region]) for name, array in self._arrays.items()}
        return {
            name: array.astype(numpy_type(self._declared[name])).reshape((-1, *array.shape[len(region) :]))
            for name, array in stored.items()
        }

    def points(self) -> Iterator[tuple[int, SweptPoint]]:
        """Yield place and point of all that are finished and written, chunk after chunk."""
        for region in self._plan.layout.regions:
            places = self._plan.layout.places_in(region)
            grid = [self._plan.points[place] for place in places]
            for place, point in zip(places, points_of(self._plan.settings, grid, self._flat(region)), strict=True):
                if point is not None:
                    yield place, point


def _opened(zarr: Any, path: str, mode: str) -> Any:
    if not os.path.lexists(path):
        raise VanishgradError(f"expected a sweep in {path!r}, got no such folder; try another path")
    try:
        group = zarr.open_group(path, mode=mode, zarr_format=3)
        group[STATUS]
    except (OSError, ValueError, KeyError, TypeError):
        raise VanishgradError(f"expected a sweep in {path!r}, got something else; try another path") from None
    return group


def _create(zarr: Any, plan: SweepPlan, path: str) -> None:
    """Make a store without chunks beside its path, and rename it."""
    target = Path(os.path.realpath(path))
    beside = tempfile.mkdtemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        group = zarr.open_group(beside, mode="w", zarr_format=3, attributes=attributes(plan.settings))
        for name, (dim, array) in coordinates(plan.layout, plan.points, plan.settings.trials).items():
            fill = "" if array.dtype.kind == "T" else 0
            made = group.create_array(name, shape=array.shape, dtype=_stored(array.dtype), dimension_names=(dim,),
                                      chunks=array.shape, fill_value=fill)  # fmt: skip
            made[...] = array
        for name, each in variables(plan.settings).items():
            trials = (plan.settings.trials,) * each.over_trials
            group.create_array(
                name, shape=(*plan.layout.shape, *trials), chunks=(*plan.layout.chunk, *trials), dtype=each.dtype,
                dimension_names=(*plan.layout.dims, *((TRIAL,) * each.over_trials)), fill_value=each.fill,
                attributes=dict(each.attributes),
            )  # fmt: skip
        os.chmod(beside, 0o777 & ~_umask())
        os.rename(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _stored(dtype: Any) -> Any:
    return "str" if dtype.kind == "T" else dtype


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def _written(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise VanishgradError(
            f"expected to write {path!r}, got: {error.strerror or error}; "
            "what was finished before is in it: try --resume when there is room"
        ) from None


def settings_of_store(path: str) -> SweepSettings:
    """Return the request of the store at a path."""
    return settings_in(_opened(_zarr(), path, "r").attrs, path)
