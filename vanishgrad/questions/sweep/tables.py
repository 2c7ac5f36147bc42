"""A sweep as CSV, Parquet and netCDF, and read back from them: a row for each point and trial, or a Dataset."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.questions.sweep.arrays import FAILED, FAILURE, MEASURED, STATUS, TRIAL, points_of, values_of, variables
from vanishgrad.questions.sweep.document import SweepDocument, SweepSettings
from vanishgrad.questions.sweep.plan import SweepPlan
from vanishgrad.questions.sweep.report import axes_of, swept
from vanishgrad.questions.sweep.store import request_header, settings_in, settings_in_header
from vanishgrad.reports.csv_rows import csv_text
from vanishgrad.reports.frames import library

if TYPE_CHECKING:
    import pandas

KEYS = ("model", "label")
REQUEST = "request"
"""The last column of a CSV, in its first row, and of a Parquet file's metadata: what was asked, as JSON."""
MAX_REQUEST = 2**30
"""Characters of a request, which may name many files."""
OVER_TRIALS = "_over_trials"
"""Ending of the column with what `_by_trial` is a measure of: the value of all trials of a point."""


def columns(document: SweepDocument) -> dict[str, str]:
    """Return heading → its kind: text, axis, whole, number or flag."""
    kinds = {**dict.fromkeys(KEYS, "text"), **dict.fromkeys(_axes(document), "axis"), TRIAL: "whole"}
    kinds |= dict.fromkeys(document.request.measure, "number")
    for name in document.request.measure:
        kinds |= dict.fromkeys((name + OVER_TRIALS, f"{name}_low", f"{name}_high"), "number")
        kinds |= {f"{name}_censored": "flag"} if name.endswith("horizon") else {}
    return {**kinds, FAILED: "text"}


def _axes(document: SweepDocument) -> dict[str, list[Any]]:
    """Return axis → its values, as of the whole request where a shard has no point."""
    return axes_of(document.points or SweepPlan(document.request).points)


def rows_of(document: SweepDocument) -> Iterator[dict[str, Any]]:
    """Yield column → value of each point and trial; a failed point has one row, with its sentence."""
    for point in document.points:
        head = {"model": point.model, "label": point.label, **point.coordinates}
        if point.failed is not None:
            yield {**head, FAILED: point.failed}
            continue
        over = dict[str, Any]()
        for name, each in point.measures.items():
            over |= {name + OVER_TRIALS: each.value, f"{name}_low": each.low, f"{name}_high": each.high}
            over |= {f"{name}_censored": each.censored} if name.endswith("horizon") else {}
        for trial in range(document.request.trials):
            yield {**head, TRIAL: trial, **{name: each.trials[trial] for name, each in point.measures.items()}, **over}


def to_csv(document: SweepDocument) -> str:
    """Return the rows; the request stands in the first one's last column."""
    headings, none = list(columns(document)), dict[str, Any]()
    rows = [[row.get(name) for name in headings] + [None] for row in list(rows_of(document)) or [none]]
    rows[0][-1] = json.dumps(request_header(document.request), ensure_ascii=False)
    return csv_text([*headings, REQUEST], rows)


def to_pandas(document: SweepDocument) -> pandas.DataFrame:
    """Return the CSV's rows and columns without the request."""
    return library("pandas").DataFrame(list(rows_of(document)))


def to_parquet(document: SweepDocument) -> bytes:
    """Return the CSV's rows and columns as Parquet, the request in its metadata."""
    import io

    pyarrow, parquet = _pyarrow("--output with .parquet")
    kinds = {"text": pyarrow.string(), "whole": pyarrow.int64(), "number": pyarrow.float64(), "flag": pyarrow.bool_()}
    axes = {axis: pyarrow.array(values).type for axis, values in _axes(document).items()}
    types = {name: axes[name] if kind == "axis" else kinds[kind] for name, kind in columns(document).items()}
    rows = list(rows_of(document))
    table = pyarrow.table({name: pyarrow.array([row.get(name) for row in rows], own) for name, own in types.items()})
    file = io.BytesIO()
    request = json.dumps(request_header(document.request), ensure_ascii=False)
    parquet.write_table(table.replace_schema_metadata({REQUEST: request}), file)
    return file.getvalue()


def _pyarrow(what: str) -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise VanishgradError(f"expected pyarrow for {what}, got none; try pip install pyarrow") from None
    return pyarrow, parquet


def _demand_h5netcdf(what: str) -> None:
    try:
        import h5netcdf  # noqa: F401
    except ImportError:
        raise VanishgradError(f"expected h5netcdf for {what}, got none; try pip install h5netcdf") from None


def to_netcdf(document: SweepDocument) -> bytes:
    """Return the Dataset as netCDF 4."""
    import tempfile

    from vanishgrad.questions.sweep.arrays import to_xarray

    data = to_xarray(document)
    _demand_h5netcdf("--output with .nc")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep.nc"
        data.to_netcdf(path, engine="h5netcdf")
        return path.read_bytes()


WRITERS = {".nc": to_netcdf, ".parquet": to_parquet}
"""Endings of --output beside zarr and those of other commands → the bytes of such a file."""


def read_file(path: str) -> SweepDocument:
    """Return the report that a CSV, Parquet or netCDF file was written from.

    Raises
    ------
    VanishgradError
        If it cannot be read, was changed, or is no sweep.
    """
    read = {".csv": _read_csv, ".parquet": _read_parquet, ".nc": _read_netcdf}[Path(path).suffix.lower()]
    try:
        plan, values = read(path)
    except OSError as error:
        reason = error.strerror or "something else"
        raise VanishgradError(f"expected a sweep in {path!r}, got: {reason}; try another path") from None
    except (ValueError, KeyError, TypeError, IndexError, csv.Error):
        raise VanishgradError(
            f"expected a sweep in {path!r} as it was written, got something else; try the output of vanishgrad sweep"
        ) from None
    grid = [plan.points[place] for place in plan.layout.places.tolist()]
    points = points_of(plan.settings, grid, values)
    placed = zip(plan.layout.places.tolist(), points, strict=True)
    return swept(plan, {place: point for place, point in placed if point is not None})


def _read_csv(path: str) -> tuple[SweepPlan, dict[str, Array]]:
    csv.field_size_limit(MAX_REQUEST)
    with open(path, encoding="utf-8", newline="") as file:
        rows = [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(file, strict=True)]
    request = next((row[REQUEST] for row in rows if row[REQUEST]), None)
    return _from_rows(settings_in_header(json.loads(str(request)), path), rows)


def _read_parquet(path: str) -> tuple[SweepPlan, dict[str, Array]]:
    _, parquet = _pyarrow("a .parquet file")
    with open(path, "rb") as file:
        table = parquet.read_table(file)
    request = (table.schema.metadata or {})[REQUEST.encode()]
    return _from_rows(settings_in_header(json.loads(request), path), table.to_pylist())


def _from_rows(settings: SweepSettings, rows: list[dict[str, Any]]) -> tuple[SweepPlan, dict[str, Array]]:
    """Return the plan, and the values of its points in the order of its layout, of rows in any order.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError
        If a row is no point's, or a point has not one row for each trial.
    """
    plan = SweepPlan(settings)
    order = [plan.points[place] for place in plan.layout.places.tolist()]
    axes = list(axes_of(order))
    places = {(point.model, point.label, *(_key(point.coordinates.get(axis)) for axis in axes)): i
              for i, point in enumerate(order)}  # fmt: skip
    values, count = values_of(settings, [None] * len(order)), np.zeros(len(order), dtype=int)
    own = [name for name in variables(settings) if name not in (STATUS, FAILED)]
    for row in rows:
        if row["model"] is None:  # a shard without a point has a row for the request
            continue
        key = (row["model"], row["label"], *(_key(row[axis]) for axis in axes))
        i = places[key]
        if row[FAILED] is not None:
            values[STATUS][i], values[FAILED][i], count[i] = FAILURE, row[FAILED], settings.trials
            continue
        trial = int(row[TRIAL])
        values[STATUS][i], count[i] = MEASURED, count[i] + 1
        for name in own:
            if name.endswith("_by_trial"):
                values[name][i, trial] = _number(row[name.removesuffix("_by_trial")])
            elif name.endswith("_censored"):
                values[name][i] = {"True": 1, "False": 0, "None": 0}[str(row[name])]
            else:
                values[name][i] = _number(row[name + OVER_TRIALS if name in settings.measure else name])
    if not set(count.tolist()) <= {0, settings.trials}:
        raise ValueError
    return plan, values


def _key(value: Any) -> float | str | None:
    """Return a value of an axis as it can be compared: typed, or as text."""
    try:
        return None if value is None else float(value)
    except ValueError:
        return str(value)


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _read_netcdf(path: str) -> tuple[SweepPlan, dict[str, Array]]:
    xarray = library("xarray")
    _demand_h5netcdf("a .nc file")
    with open(path, "rb"), xarray.open_dataset(path, engine="h5netcdf") as data:
        plan = SweepPlan(settings_in(data.attrs, path))
        count = len(plan.points)
        empty: Mapping[str, Array] = values_of(plan.settings, [None] * count)
        return plan, {name: data[name].values.reshape(like.shape).astype(like.dtype) for name, like in empty.items()}
