"""The examples: a detector's features are those of its own layers; notebooks run from their first cell to their last."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import vanishgrad

EXAMPLES = Path(__file__).parent.parent / "examples"
DETECTOR = EXAMPLES.parents[1] / "shared" / "weights" / "silero_vad_16k.safetensors"
SECONDS = 0.032
"""Of a frame."""


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import detector_features

    yield detector_features
    del sys.modules["detector_features"]


def test_a_convolution_is_the_sum_over_channels_and_the_kernel(example) -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((3, 11)), rng.standard_normal((2, 3, 4))
    expected = [[np.sum(x[:, 2 * t : 2 * t + 4] * kernel[o]) for t in range(4)] for o in range(2)]
    assert example.convolved(x, kernel, 2) == pytest.approx(np.array(expected))


@pytest.mark.slow
def test_silence_is_remembered_for_39_seconds(example) -> None:
    """The conclusion of white noise, two seconds, is another one's."""
    if not DETECTOR.exists():
        pytest.skip("the speech detector is not in ../shared/weights")
    tensors = example.weights(str(DETECTOR))
    frames = example.features(np.zeros(3 * example.CHUNK), tensors)
    assert (frames >= 0).all() and np.array_equal(frames[1], frames[2])
    report = vanishgrad.analyze(DETECTOR, input=np.repeat(frames[None, 1:2], 100, axis=1), curves=("state",))
    state = report["lstm_cell"].state
    assert 10 ** state.log10_norm.median[-1] == pytest.approx(39.0, abs=0.05) and state.verdict == "preserved"
    noise = vanishgrad.analyze(DETECTOR, curves=("state",))
    assert noise["lstm_cell"].state.horizon == 63 and noise.typed.models[0].caution


@pytest.mark.slow
def test_the_fixed_point_of_silence_keeps_all_but_a_thousandth(example) -> None:
    if not DETECTOR.exists():
        pytest.skip("the speech detector is not in ../shared/weights")
    tensors = example.weights(str(DETECTOR))
    x = example.features(np.zeros(2 * example.CHUNK), tensors)[1]
    (layer,) = vanishgrad.from_state_dict({k: v for k, v in tensors.items() if k.startswith("lstm")})
    cell = layer.build()
    state = np.zeros((1, cell.state_size))
    a_x = cell.input_preactivation(np.array(x)[None, None])[0]
    for _ in range(20_000):
        state, _ = cell.advance(1, a_x, state)
    jacobian = _jacobian(cell, a_x, state)
    radius = np.abs(np.linalg.eigvals(jacobian)).max()
    assert radius == pytest.approx(0.999187, abs=1e-6)
    assert -SECONDS / np.log(radius) == pytest.approx(39, abs=0.5)


def _jacobian(cell, a_x: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Return ∂s_t/∂s_{t−1} by the complex step, column by column."""
    steps = state + 1e-30j * np.eye(cell.state_size)
    advanced, _ = cell.advance(1, np.repeat(a_x, cell.state_size, axis=0).astype(complex), steps)
    return advanced.imag.T / 1e-30


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_what_it_prints(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")


def executed(name: str) -> None:
    nbformat = pytest.importorskip(
        "nbformat", reason="needs nbclient and ipykernel: pip install 'vanishgrad[notebooks]'"
    )
    nbclient = pytest.importorskip(
        "nbclient", reason="needs nbclient and ipykernel: pip install 'vanishgrad[notebooks]'"
    )
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    paths = os.pathsep.join(filter(None, [str(EXAMPLES.parent), os.environ.get("PYTHONPATH")]))
    nbclient.NotebookClient(notebook, timeout=300).execute(env={**os.environ, "PYTHONPATH": paths})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    shown = [output.data["text/html"] for output in outputs if "<svg" in output.get("data", {}).get("text/html", "")]
    assert shown and all("horizon" in page.partition("</pre>")[0] for page in shown)  # the table, then the picture
    assert not [output for output in outputs if output.output_type == "display_data"]


@pytest.mark.slow
def test_the_notebook_of_a_checkpoint_runs() -> None:
    pytest.importorskip("pandas", reason="needs pandas")
    executed("read_a_checkpoint")


@pytest.mark.torch
def test_the_notebook_of_a_torch_model_runs() -> None:
    pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
    executed("why_does_my_network_forget")
