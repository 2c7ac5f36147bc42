"""Loss and gradient of a batch: forward, read-out, backpropagation through time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.propagation.passes.selection import TrainingPass, training_pass
from vanishgrad.questions.learn.losses import Loss
from vanishgrad.questions.learn.parameters import Parameters
from vanishgrad.questions.learn.tasks import Examples


class BatchGradient(NamedTuple):
    """What a batch says of S seeds.

    Attributes
    ----------
    loss, accuracy : (S,) arrays
    gradient : (S, P) array
        Of the loss, a mean over the sequences and outputs of a seed.
    """

    loss: Array
    accuracy: Array
    gradient: Array


def batch_gradient(
    parameters: Parameters,
    examples: Examples,
    loss: Loss,
    truncation: int | None = None,
    only_keys: bool = False,
    through: TrainingPass | None = None,
) -> BatchGradient:
    """Return loss, accuracy and gradient of each seed along its B / S sequences, seed after seed in `examples`.

    With `only_keys` the gradient is what enters at the steps of the keys alone, read-out left out (zero). A pass that
    is handed in lends its buffers.
    """
    S, cell, (outputs, batch) = parameters.seeds, parameters.cell, examples.weights.shape
    through = through or training_pass(cell, examples.xs.shape[1], batch)
    through.forward(cell, examples.xs)
    width = parameters.W_hy.shape[-1]
    h = through.hidden(outputs)
    z = h @ np.matrix_transpose(parameters.W_hy) + parameters.b_y[:, None]
    targets = examples.targets.reshape(outputs, S, batch // S, *examples.targets.shape[2:])
    weights = examples.weights.reshape(outputs, S, batch // S)
    weights = (weights / weights.sum(axis=(0, 2))[:, None]).astype(z.dtype)
    dz = loss.gradient(z, targets) * weights[..., None]
    cotangents = (dz @ parameters.W_hy).reshape(outputs, batch, width)
    only = examples.keys if only_keys else None
    tensors = through.backward(cotangents, truncation, only)
    tensors["W_hy"] = 0 * parameters.W_hy if only_keys else (np.matrix_transpose(dz) @ h).sum(axis=0)
    tensors["b_y"] = 0 * parameters.b_y if only_keys else dz.sum(axis=(0, 2))
    correct, counts = loss.correct(z, targets)[-examples.judged :], weights[-examples.judged :]
    accuracy = (correct * counts).sum(axis=(0, 2)) / counts.sum(axis=(0, 2))
    return BatchGradient((loss.value(z, targets) * weights).sum(axis=(0, 2)), accuracy, parameters.flattened(tensors))


def key_shares(parameters: Parameters, examples: Examples, loss: Loss) -> Array | None:
    """Return ‖G_key‖ / ‖G‖ of each seed, (S,): how much of the cell's gradient enters at the key's step.

    Contributions are vectors, so that the shares of all steps need not sum to 1.
    """
    if examples.keys is None:
        return None
    size = parameters.flat.shape[1] - parameters.W_hy[0].size - parameters.b_y[0].size
    norms = [
        np.linalg.norm(batch_gradient(parameters, examples, loss, only_keys=only).gradient[:, :size], axis=1)
        for only in (True, False)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        share: Array = norms[0] / norms[1]
    return share
