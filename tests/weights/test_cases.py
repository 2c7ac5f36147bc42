"""Files that people met in public, beside the numbers that are right: read so, or refused by what they are.

The files lie in ``shared/cases`` beside the checkout; without them nothing here runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import VanishgradError

CASES = Path(__file__).parents[3] / "shared" / "cases"
TOLERANCE = {"orthogonal.pt": 1e-5}
"""In log10; PyTorch orthogonalised this one in float32, every other expectation is good to 1e-6."""
OPTIONS: dict[str, dict[str, Any]] = {
    "lstm.pt": {"gates": "fiog"},
    "tall.npz": {"input": "x9.npy"},
    "model.keras": {"embedding": "emb"},
}
"""What a user says beside the file's name."""
REFUSED = {"ealstm.pt": ("weight_sh", "bias_s"), "cell.pt": ("ln_ih", "ln_hh", "ln_ho")}
"""Cells that are none of ours → what the refusal names."""
READ = (
    "pruned.pt", "pruned_input_only.pt", "spectral_old.pt", "spectral_new.pt", "orthogonal.pt", "plain.pt", "letters.pt",
    "linears.pt", "lstm.pt", "square.npz", "tall.npz", "rnn.npz", "own_subclass.keras", "own_subclass.h5",
    "model.keras",
)  # fmt: skip
"""Files that must be read and not refused."""


def cases() -> Iterator[Any]:
    for folder in sorted(CASES.glob("*/expected.json")):
        for name, curves in json.loads(folder.read_text())["expected"].items():
            yield pytest.param(folder.parent, name, curves, id=f"{folder.parent.name}-{name}")


def layers(curves: dict[str, Any]) -> dict[str | None, dict[str, list[float]]]:
    """Return curves by layer; a file of one layer does not name it."""
    return {None: curves} if "state" in curves else curves


def paths(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the file of weights and that of inputs; some expectations are named for their inputs."""
    words = name.split(" on ")
    if name.startswith("tokens"):
        return folder / "model.keras", folder / name
    weights = folder / words[0].split(" ")[0]
    return weights, folder / (words[1] if len(words) > 1 else OPTIONS.get(weights.name, {}).get("input", "x.npy"))


def report(folder: Path, name: str) -> dict[str, Any]:
    weights, inputs = paths(folder, name)
    options = OPTIONS.get(weights.name, {}) | {"input": str(inputs)}
    return json.loads(vanishgrad.analyze(weights, **options).to_json())


@pytest.mark.parametrize(("folder", "name", "expected"), list(cases()))
def test_a_case_is_read_right_or_refused_by_what_it_is(folder: Path, name: str, expected: dict[str, Any]) -> None:
    weights, _ = paths(folder, name)
    if weights.name in REFUSED:
        with pytest.raises(VanishgradError) as refusal:
            report(folder, name)
        assert all(word in str(refusal.value) for word in REFUSED[weights.name])
        return
    try:
        models = {model["source"]["layer"]: model["curves"] for model in report(folder, name)["models"]}
    except VanishgradError:
        assert weights.name not in READ
        raise pytest.skip.Exception("refused, and not misread") from None
    for layer, curves in layers(expected).items():
        found = next(iter(models.values())) if layer is None else models[layer]
        for curve, norms in curves.items():
            np.testing.assert_allclose(
                found[curve]["log10_norm"]["median"][1:], norms, atol=TOLERANCE.get(weights.name, 1e-6), err_msg=curve
            )
