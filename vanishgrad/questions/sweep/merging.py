"""Merging of shards: stores and reports of one request become one, and what is missing from them is named."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from vanishgrad.errors import UsageError
from vanishgrad.questions.sweep.axes import value_text
from vanishgrad.questions.sweep.document import SweepSettings, SweptPoint
from vanishgrad.questions.sweep.plan import SweepPlan
from vanishgrad.questions.sweep.store import (
    REPORTS,
    ZARR,
    Store,
    demand_same_request,
    opened_store,
    report_points,
    sweep_report,
)

MAX_NAMED = 8
"""Shards that a sentence names."""


class Merged(NamedTuple):
    """A sweep that was merged: its plan, the store of all points, and the places of each part's."""

    plan: SweepPlan
    store: Store
    parts: list[set[int]]

    @property
    def missing(self) -> list[int]:
        """The places of the points that no part has."""
        return [place for place in range(len(self.plan.points)) if place not in self.store.finished]

    def absence(self, output: str) -> str:
        """Return which points are missing, by shards where the parts tell how many there were, and what to do."""
        missing, points = self.missing, self.plan.points
        first = points[missing[0]]
        coordinates = ", ".join(f"{name} = {value_text(value)}" for name, value in first.coordinates.items())
        what = f"{len(missing)} of {len(points)} points missing"
        kept = "FILE" if output == "-" else output
        again = f"the command line of the parts with --output {kept} --resume"
        shards = self._shards(missing)
        if not shards:
            return f"{what}, from {first.model} at {coordinates or 'its one point'} on; try {again}"
        named = ", ".join(shards[:MAX_NAMED]) + ", …" * (len(shards) > MAX_NAMED)
        return f"{what}, of --shard {named}; try {again}, or --shard {shards[0]} and --merge"

    def _shards(self, missing: Sequence[int]) -> list[str]:
        """Return the shards with missing points: chunks of a part are as far apart as there are shards."""
        chunk_of = {
            place: chunk
            for chunk, region in enumerate(self.plan.layout.regions)
            for place in self.plan.layout.places_in(region)
        }
        chunks = [sorted({chunk_of[place] for place in part}) for part in self.parts]
        total = math.gcd(*(after - before for own in chunks for before, after in pairwise(own)))
        return [f"{k}/{total}" for k in sorted({chunk_of[place] % total + 1 for place in missing})] if total > 1 else []


def merged(paths: Sequence[str], output: str) -> Merged:
    """Return the sweep that stores or reports are parts of, and a store of an output with the points of all of them.

    Raises
    ------
    UsageError
        If they are of different requests; the message names the fields.
    VanishgradError
        If one is no sweep.
    """
    for path in paths:
        if Path(path).suffix.lower() not in (ZARR, *REPORTS):
            raise UsageError(
                f"expected parts ending in {ZARR}, {', '.join(REPORTS[:-1])} or {REPORTS[-1]}, got {path!r}; "
                "try --shard with such an --output"
            )
        if sum(os.path.realpath(path) == os.path.realpath(other) for other in paths) > 1:
            raise UsageError(f"expected each part once, got {path!r} twice; try leaving one out")
    plan = SweepPlan(_request_of(paths[0]))
    for path in paths[1:]:
        demand_same_request(plan.settings, _request_of(path), path)
    store, parts = opened_store(plan, output, resume=False), list[set[int]]()
    for path in paths:
        part = dict(_points_of_part(path, plan))
        store.add({place: point for place, point in part.items() if place not in store.finished})
        parts.append(set(part))
    store.flush()
    return Merged(plan, store, parts)


def _request_of(path: str) -> SweepSettings:
    if Path(path).suffix.lower() == ZARR:
        from vanishgrad.questions.sweep.zarr_store import settings_of_store

        return settings_of_store(path)
    return sweep_report(path).request


def _points_of_part(path: str, plan: SweepPlan) -> Iterator[tuple[int, SweptPoint]]:
    if Path(path).suffix.lower() == ZARR:
        from vanishgrad.questions.sweep.zarr_store import ZarrStore

        yield from ZarrStore.read(path).points()
    else:
        yield from report_points(path, plan).items()
