"""Training against PyTorch: gradients of task and loss, and fifty updates from the same start."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.questions.learn.gradients import batch_gradient
from vanishgrad.questions.learn.named_tasks import named_task
from vanishgrad.questions.learn.parameters import Parameters, read_out
from vanishgrad.questions.learn.training import Recipe, Training, examples_of
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

N, GAP, SEEDS = 7, 12, 2
GRADIENT, WEIGHTS = 1e-10, 1e-9
MODULES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
TASKS = ("recall", "copy", "adding", "order", "language")
every_cell = pytest.mark.parametrize("label", ["rnn", "lstm:forget_bias=1", "gru"])


class Both:
    """One seed's layer and read-out in PyTorch, and the same start here for several."""

    def __init__(self, label: str, task: str, recipe: Recipe) -> None:
        self.task, self.recipe = named_task(task), recipe
        self.examples = examples_of(self.task, GAP, recipe, 1, np.arange(SEEDS))
        steps = self.examples.xs.shape[1]
        spec = parse(label).resolved(N, steps)
        weights = draw(spec, self.task.input_size, steps, SEEDS, recipe.seed)
        out = read_out(self.task.output_size, N, SEEDS, recipe.seed, "float64")
        self.parameters = Parameters(weights.cell(spec), *out)
        self.layer = getattr(torch.nn, MODULES[spec.cell])(
            self.task.input_size, N, batch_first=True, dtype=torch.float64
        )
        self.linear = torch.nn.Linear(N, self.task.output_size, dtype=torch.float64)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self.layer.load_state_dict({f"{name}_l0": torch.tensor(getattr(weights, name)[1]) for name in names})
        self.linear.load_state_dict(
            {name: torch.tensor(each[1].copy()) for name, each in zip(("weight", "bias"), out, strict=True)}
        )

    @property
    def tensors(self):
        return [*self.layer.parameters(), *self.linear.parameters()]

    def loss(self, examples):
        """The mean loss of the second seed's sequences."""
        batch = slice(self.recipe.batch, 2 * self.recipe.batch)
        z = self.linear(self.layer(torch.tensor(examples.xs[batch]))[0])[:, -len(examples.weights) :]
        y = torch.tensor(np.swapaxes(examples.targets[:, batch], 0, 1).copy())
        if self.task.loss.name == "logistic":
            return torch.nn.functional.binary_cross_entropy_with_logits(z[..., 0], y.double())
        if self.task.loss.name == "squared":
            return torch.nn.functional.mse_loss(z, y)
        return torch.nn.functional.cross_entropy(z.flatten(0, 1), y.flatten())

    def own(self, of, biases) -> np.ndarray:
        """Return what PyTorch has of each tensor, in the order here; `biases` makes one of two that are added."""
        b_x, b_h = of(self.layer.bias_ih_l0), of(self.layer.bias_hh_l0)
        b, extra = biases(b_x, b_h), []
        if isinstance(self.layer, torch.nn.GRU):
            b[2 * N :], extra = b_x[2 * N :], [b_h[2 * N :]]
        parts = [of(self.layer.weight_hh_l0), of(self.layer.weight_ih_l0), b, *extra]
        return np.concatenate([each.ravel() for each in (*parts, of(self.linear.weight), of(self.linear.bias))])


@every_cell
@pytest.mark.parametrize("task", TASKS)
def test_the_gradient_of_every_task_and_loss_is_autograds(label, task):
    both = Both(label, task, Recipe(batch=5, dtype="float64"))
    found = batch_gradient(both.parameters, both.examples, both.task.loss)
    loss = both.loss(both.examples)
    loss.backward()
    expected = both.own(lambda tensor: tensor.grad.numpy().copy(), lambda b_x, b_h: b_x)
    assert found.loss[1] == pytest.approx(loss.item(), rel=1e-13)
    assert np.linalg.norm(found.gradient[1] - expected) <= GRADIENT * np.linalg.norm(expected)


@every_cell
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_fifty_updates_are_pytorchs(label, optimizer):
    recipe = Recipe(batch=5, updates=50, optimizer=optimizer, lr=3e-3 if optimizer == "adam" else 0.3, dtype="float64")
    both = Both(label, "order", recipe)
    training = Training(both.task, GAP, recipe, both.parameters)
    kind = torch.optim.Adam if optimizer == "adam" else torch.optim.SGD
    theirs = kind(both.tensors, lr=recipe.lr)
    for update in training.updates():
        theirs.zero_grad()
        both.loss(examples_of(both.task, GAP, recipe, update, np.arange(SEEDS))).backward()
        torch.nn.utils.clip_grad_norm_(both.tensors, recipe.clip)
        theirs.step()
    expected = both.own(lambda tensor: tensor.detach().numpy().copy(), lambda b_x, b_h: b_x + b_h)
    error = np.abs(training.parameters.flat[1] - expected)
    assert error.max() <= WEIGHTS
