"""`--save`: every model's weights and the inputs, in a folder."""

from __future__ import annotations

import io

import numpy as np

from vanishgrad.analysis.compare import CompareResult, weights_of
from vanishgrad.report.write import folder, write
from vanishgrad.weights.archive import file_name, npz
from vanishgrad.weights.spec import names_file, parse


def save(result: CompareResult, path: str) -> None:
    """Write one .npz for each random model and trial, and inputs.npy (trials, T, d)."""
    target = folder(path)
    for label in (each for each in result.request.models if not names_file(each)):
        spec, weights = weights_of(parse(label), result.request, result.drive)
        for trial in range(result.drive.trials):
            write(str(target / file_name(label, trial)), npz(weights, spec, result.request.seed, trial))
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(result.drive.xs), allow_pickle=False)
    write(str(target / "inputs.npy"), buffer.getvalue())
