"""Weight files of `--save`: every model's weights and the inputs, in a folder."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import numpy as np

from vanishgrad.models.open import arguments
from vanishgrad.models.random_models import weights_of
from vanishgrad.questions.compare import CompareResult
from vanishgrad.weights.model_string import ModelSpec
from vanishgrad.weights.save_npz import file_name, npz


def weight_files(result: CompareResult, path: str) -> Iterator[tuple[str, bytes]]:
    """Yield (path, content) of one .npz for each random model and trial, and of inputs.npy (trials, T, d)."""
    for model in arguments(result.request.models, result.request):
        if not isinstance(model, ModelSpec):
            continue
        spec, weights = weights_of(model, result.request, result.sequences)
        for trial in range(result.sequences.trials):
            yield os.path.join(path, file_name(model.label, trial)), npz(weights, spec, result.request.seed, trial)
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(result.sequences.xs), allow_pickle=False)
    yield os.path.join(path, "inputs.npy"), buffer.getvalue()
