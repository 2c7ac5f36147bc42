"""`--save`: every model's weights and the inputs, in a folder."""

from __future__ import annotations

import io

import numpy as np

from vanishgrad.questions.compare import CompareResult, weights_of
from vanishgrad.reports.files import folder, write
from vanishgrad.weights.model_string import names_file, parse
from vanishgrad.weights.save_npz import file_name, npz


def save(result: CompareResult, path: str) -> None:
    """Write one .npz for each random model and trial, and inputs.npy (trials, T, d)."""
    target = folder(path)
    for label in (each for each in result.request.models if not names_file(each)):
        spec, weights = weights_of(parse(label), result.request, result.sequences)
        for trial in range(result.sequences.trials):
            write(str(target / file_name(label, trial)), npz(weights, spec, result.request.seed, trial))
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(result.sequences.xs), allow_pickle=False)
    write(str(target / "inputs.npy"), buffer.getvalue())
