"""Callbacks in the frameworks' own training loops: measured at its steps, and the training is bit for bit the same."""

from __future__ import annotations

import importlib
import math
import os
import sys

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import UsageError

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:.*DataLoader|.*does not have many workers|__array__|.*tensorboard|.*LeafSpec"),
]
nn = torch.nn
STEPS, WIDTH, UNITS, BATCHES = 12, 3, 4, 6
FREE = {"every": 2, "max_overhead": math.inf}


class Net(nn.Module):
    """An LSTM with dropout, of which Trainer's batches are arguments by name."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(WIDTH, UNITS, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(UNITS, 1))

    def forward(self, xs: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        ys = self.head(self.rnn(xs)[0][:, -1])
        return {"loss": ys.pow(2).mean() if labels is None else (ys[:, 0] - labels).pow(2).mean(), "logits": ys}


def data() -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [{"xs": torch.randn(STEPS, WIDTH, generator=generator), "labels": torch.tensor(0.5)}
            for _ in range(2 * BATCHES)]  # fmt: skip


def weights(model) -> list[np.ndarray]:
    return [np.array(each.detach()) for each in model.parameters()]


def assert_watched(watch, steps: list[int], label: str) -> None:
    assert [record["step"] for record in watch.records] == steps
    for record in watch.records:
        (layer,) = record["layers"].values()
        assert list(record["layers"]) == [label] and record["trials"] == 2 and record["steps"] == STEPS
        assert layer["rate"] < 0 and layer["horizon_state"] is not None and 0 < layer["gate_forget"] < 1


class TestLightning:
    """A LightningModule whose training step calls a module within it."""

    def trained(self, callbacks=(), **options):
        import lightning

        class Module(lightning.LightningModule):
            def __init__(self) -> None:
                super().__init__()
                self.net = Net()

            def training_step(self, batch, place):
                return self.net(**batch)["loss"]

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), 0.1)

        torch.manual_seed(1)
        module = Module()
        quiet = dict.fromkeys(("enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False) | {
            "log_every_n_steps": 1
        }
        trainer = lightning.Trainer(
            max_epochs=1, accelerator="cpu", callbacks=list(callbacks), **quiet, **{"logger": False, **options}
        )
        trainer.fit(module, torch.utils.data.DataLoader(data(), batch_size=2))
        return module

    @pytest.fixture
    def watching(self):
        pytest.importorskip("lightning", reason="needs Lightning: pip install lightning")
        from vanishgrad.integrations.lightning import LightningWatch

        return LightningWatch

    def test_measured_at_steps_of_a_training_that_stays_the_same(self, watching, tmp_path) -> None:
        callback = watching(log=tmp_path / "log.jsonl", **FREE)
        watched, plain = (weights(self.trained(each)) for each in ([callback], []))
        assert all(np.array_equal(one, other) for one, other in zip(watched, plain, strict=True))
        assert_watched(callback.watch, [2, 4, 6], "rnn.0")
        assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 3

    def test_accumulated_batches_are_one_step_which_every_logger_gets(self, watching, tmp_path) -> None:
        from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

        callback = watching(every=1, max_overhead=math.inf, figure_every=3)
        loggers = [CSVLogger(tmp_path / "csv"), TensorBoardLogger(tmp_path / "board")]
        self.trained([callback], accumulate_grad_batches=2, logger=loggers)
        assert_watched(callback.watch, [1, 2, 3], "rnn.0")
        (table,) = (tmp_path / "csv").rglob("metrics.csv")
        assert "vanishgrad/rnn.0/horizon_state" in table.read_text()
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        (events,) = (tmp_path / "board").rglob("events*")
        board = EventAccumulator(str(events)).Reload()
        assert [each.step for each in board.Scalars("vanishgrad/rnn.0/rate")] == [1, 2, 3]
        assert [each.step for each in board.Images("vanishgrad/horizon")] == [3]

    def test_a_short_horizon_ends_it_where_that_is_asked_for(self, watching) -> None:
        callback = watching(early_stop=True, min_horizon=STEPS, threshold=0.9, log=[], **FREE)
        with pytest.warns(UserWarning, match=f"expected a horizon of {STEPS}"):
            self.trained([callback])
        assert len(callback.watch.records) == 1


class TestKeras:
    """A Sequential model in ``fit``."""

    def trained(self, callbacks=()):
        import keras

        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [keras.Input((STEPS, WIDTH)), keras.layers.LSTM(UNITS, name="rnn"), keras.layers.Dropout(0.3),
             keras.layers.Dense(1)]
        )  # fmt: skip
        model.compile("sgd", "mse")
        xs = np.stack([each["xs"].numpy() for each in data()])
        model.fit(xs, np.ones(len(xs)), batch_size=2, epochs=1, verbose=0, shuffle=False, callbacks=list(callbacks))
        return model

    @pytest.fixture
    def watching(self):
        pytest.importorskip("keras", reason="needs Keras: pip install 'keras==3.15.*'")
        from vanishgrad.integrations.keras import KerasWatch

        return KerasWatch

    def test_measured_at_steps_of_a_training_that_stays_the_same(self, watching, tmp_path) -> None:
        callback = watching(log=tmp_path / "log.csv", **FREE)
        model, plain = self.trained([callback]), self.trained()
        assert all(map(np.array_equal, model.get_weights(), plain.get_weights()))
        assert "call" not in vars(model)
        assert_watched(callback.watch, [2, 4, 6], "rnn")
        assert "horizon_state" in (tmp_path / "log.csv").read_text()

    def test_a_short_horizon_ends_it_where_that_is_asked_for(self, watching) -> None:
        callback = watching(early_stop=True, min_horizon=STEPS, threshold=0.9, **FREE)
        with pytest.warns(UserWarning, match=f"expected a horizon of {STEPS}"):
            self.trained([callback])
        assert len(callback.watch.records) == 1

    def test_as_a_context_it_says_where_the_callback_is(self, watching) -> None:
        with pytest.raises(UsageError, match=r"try fit\(callbacks="), vanishgrad.watch(self.trained()):
            pass


class TestTransformers:
    """transformers' Trainer of a tiny random model."""

    def trained(self, folder, callbacks=()):
        from transformers import Trainer, TrainingArguments

        torch.manual_seed(1)
        model = Net()
        settings = TrainingArguments(
            str(folder), num_train_epochs=1, per_device_train_batch_size=2, report_to=[], save_strategy="no",
            use_cpu=True, disable_tqdm=True, logging_strategy="no",
        )  # fmt: skip
        Trainer(model, settings, train_dataset=data(), callbacks=list(callbacks)).train()
        return model

    @pytest.fixture
    def watching(self):
        pytest.importorskip("transformers", reason="needs transformers: pip install transformers accelerate")
        pytest.importorskip("accelerate", reason="needs accelerate: pip install accelerate")
        from vanishgrad.integrations.transformers import TrainerWatch

        return TrainerWatch

    def test_measured_at_steps_of_a_training_that_stays_the_same(self, watching, tmp_path) -> None:
        callback = watching(log=tmp_path / "log.jsonl", **FREE)
        watched, plain = (weights(self.trained(tmp_path, each)) for each in ([callback], []))
        assert all(np.array_equal(one, other) for one, other in zip(watched, plain, strict=True))
        assert_watched(callback.watch, [2, 4, 6], "rnn.0")

    def test_a_short_horizon_ends_it_where_that_is_asked_for(self, watching, tmp_path) -> None:
        callback = watching(early_stop=True, min_horizon=STEPS, threshold=0.9, **FREE)
        with pytest.warns(UserWarning, match=f"expected a horizon of {STEPS}"):
            self.trained(tmp_path, [callback])
        assert len(callback.watch.records) == 1


@pytest.mark.parametrize(
    ("name", "package"), [("lightning", "lightning.pytorch"), ("keras", "keras.callbacks"), ("transformers",) * 2]
)
def test_without_the_package_the_import_is_one_sentence(monkeypatch, name: str, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"vanishgrad.integrations.{name}", raising=False)
    with pytest.raises(ImportError, match=r"expected .* got none; try pip install 'vanishgrad\["):
        importlib.import_module(f"vanishgrad.integrations.{name}")
