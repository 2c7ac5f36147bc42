"""Captured from a live module or by onnxruntime: the file's numbers are the live ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from tests.torch.test_live_modules import batch, net
from vanishgrad.cli import main
from vanishgrad.errors import UsageError, VanishgradError

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

FIXTURES = Path(__file__).parent.parent / "weights" / "fixtures"
FLOAT32 = 1e-5
"""What onnxruntime's float32 leaves of a second layer's input, relative."""


def numbers(report) -> list[dict]:
    return [{**model, "source": {**model["source"], "path": ""}} for model in report.document["models"]]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_module_measured_live_and_from_its_file_is_the_same_to_the_last_bit(tmp_path, bidirectional: bool) -> None:
    module = net(bidirectional=bidirectional)
    vanishgrad.capture(module, batch(), tmp_path / "run.npz")
    assert numbers(vanishgrad.analyze(module, input=batch())) == numbers(vanishgrad.analyze(tmp_path / "run.npz"))


def test_names_of_steps_reach_the_map(tmp_path) -> None:
    vanishgrad.capture(net(), batch(), tmp_path / "run.npz", tokens="abcdefghi")
    report = vanishgrad.explain(tmp_path / "run.npz", layer="encoder.0", only=("map",))
    assert report.document["models"][0]["map"]["tokens"] == list("abcde")  # the first sequence has five steps


@pytest.mark.parametrize(("path", "message"), [("run.json", "ending .npz"), ("none/run.npz", "expected to write")])
def test_where_no_run_can_go_is_a_sentence(tmp_path, path: str, message: str) -> None:
    with pytest.raises(VanishgradError, match=message):
        vanishgrad.capture(net(), batch(), tmp_path / path)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(UsageError, match="expected an ONNX model, or from Python a live module or Keras"):
        vanishgrad.capture("lstm", np.zeros((3, 2)), "run.npz")


class TestOnnx:
    """The graph's recurrent nodes, run by onnxruntime."""

    @pytest.fixture(autouse=True)
    def runtime(self) -> None:
        pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install onnxruntime")

    @pytest.fixture
    def xs(self, tmp_path: Path) -> np.ndarray:
        xs = np.random.default_rng(0).standard_normal((5, 1, 3)).astype(np.float32)
        np.save(tmp_path / "batch.npy", xs)
        return xs

    def capture(self, folder: Path, model: str, *more: str) -> int:
        with pytest.raises(SystemExit) as end:
            main(["capture", str(FIXTURES / model), *more, "--output", str(folder / "run.npz")])
        return int(end.value.code or 0)

    @pytest.mark.parametrize("model", ["lstm_new", "lstm_old", "gru_new", "gru_old", "rnn_old"])
    def test_nodes_are_measured_along_what_they_read(self, tmp_path, xs, model: str, capsys) -> None:
        """A first layer's input is the batch; a second one's is the first one's output, as the file itself has it."""
        path = f"torch_{model}.onnx"
        assert self.capture(tmp_path, path, "--input", str(tmp_path / "batch.npy")) == 0
        assert "1 sequence of up to 5 steps, 3 inputs" in capsys.readouterr().out
        found = vanishgrad.analyze(tmp_path / "run.npz").result.models
        expected = vanishgrad.analyze(FIXTURES / path, input=np.swapaxes(xs, 0, 1).astype(float)).result.models
        norms, wanted = ([each.curves["state"].log_norm.mean for each in models] for models in (found, expected))
        assert len(found) == (4 if model.startswith("lstm") else 1)
        assert np.array(norms) == pytest.approx(np.array(wanted), abs=FLOAT32)
        assert norms[0] == pytest.approx(wanted[0], rel=1e-12)

    @pytest.mark.parametrize("model", ["reset_before.onnx", "coupled.onnx"])
    def test_a_variant_is_read_back_as_it_is(self, tmp_path, xs, model: str) -> None:
        assert self.capture(tmp_path, model, "--input", str(tmp_path / "batch.npy")) == 0
        (found,) = vanishgrad.analyze(tmp_path / "run.npz").result.models
        (wanted,) = vanishgrad.analyze(FIXTURES / model, input=np.swapaxes(xs, 0, 1).astype(float)).result.models
        assert found.curves["state"].log_norm.mean == pytest.approx(wanted.curves["state"].log_norm.mean, rel=1e-12)

    @pytest.mark.parametrize(
        ("model", "message"),
        [
            ("inside_if.onnx", "got recurrent in the body of an If"),
            ("peephole.onnx", "got the tensors of a peephole"),
            ("activations.onnx", "got the activation hard_sigmoid_0.25"),
            ("torch_rnn_new.onnx", "unrolled over its steps"),
            ("nothing.onnx", "expected a file of weights"),
        ],
    )
    def test_what_cannot_be_captured_is_named(self, tmp_path, xs, model: str, message: str, capsys) -> None:
        assert self.capture(tmp_path, model, "--input", str(tmp_path / "batch.npy")) == 1
        assert message in capsys.readouterr().err
        assert not (tmp_path / "run.npz").exists()

    def test_a_batch_that_does_not_fit_is_a_sentence(self, tmp_path, capsys) -> None:
        np.save(tmp_path / "wide.npy", np.zeros((5, 1, 9), np.float32))
        np.savez(tmp_path / "two.npz", a=np.zeros(3), b=np.zeros(3))
        np.save(tmp_path / "ids.npy", np.zeros((5, 1, 3), int))
        for name, message in (("wide.npy", "to run on this batch"), ("two.npz", "for each of"), ("ids.npy", "tensor(")):
            assert self.capture(tmp_path, "torch_gru_new.onnx", "--input", str(tmp_path / name)) == 1
            assert message in capsys.readouterr().err
