"""A task in a .npz file of one's own: sequences x, targets y and, if some steps do not count, a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.examples import read_examples
from vanishgrad.questions.learn.losses import CrossEntropy, Squared
from vanishgrad.questions.learn.tasks import Examples, Task, one_hot


class OwnData(Task):
    """Sequences of a file, batches of which are drawn with replacement; a gap g is the last g steps of each."""

    def __init__(self, path: str) -> None:
        x, y, mask = read_examples(path)
        self.name = Path(path).name
        self._x = one_hot(x, int(x.max()) + 1) if x.ndim == 2 else x.astype(np.float64)
        count, steps, self.input_size = self._x.shape
        self.least_gap, self.most_gap = 1, steps
        classes = y.dtype.kind in "iub"
        self.loss = CrossEntropy() if classes else Squared()
        by_step = y.ndim > 1 and y.shape[1] == steps
        y = y if by_step else y[:, None]
        y = y if classes or y.ndim == 3 else y[..., None]
        if y.ndim != (2 if classes else 3):
            raise VanishgradError(
                f"expected y as (N,), (N, T) of classes or (N,), (N, o), (N, T, o) of numbers in {path!r}, got "
                f"{y.shape}; try numpy.savez(…, y=y.reshape(N, …))"
            )
        self._y = np.moveaxis(y.astype(np.int64 if classes else np.float64), 0, 1)
        self.output_size = int(y.max()) + 1 if classes else int(y.shape[-1])
        self._weights = np.ones((len(self._y), count)) if mask is None else self._masked(mask, path)

    def _masked(self, mask: Array, path: str) -> Array:
        if mask.T.shape != self._y.shape[:2]:
            raise VanishgradError(
                f"expected a mask of the steps of y, {self._y.shape[:2][::-1]}, in {path!r}, got {mask.shape}; "
                "try leaving it out"
            )
        return mask.T.astype(np.float64)

    def draw(self, rng: np.random.Generator, gap: int, size: int) -> Examples:
        """Return some of the sequences, the last `gap` steps of each."""
        rows, outputs = rng.integers(0, self._x.shape[0], size), min(len(self._y), gap)
        return Examples(self._x[rows, -gap:], self._y[-outputs:, rows], self._weights[-outputs:, rows], judged=outputs)

    def baseline(self, gap: int) -> float:
        """Return the loss of the best constant: the entropy of the classes, or the variance of the numbers."""
        if isinstance(self.loss, CrossEntropy):
            p = np.bincount(self._y.ravel(), self._weights.ravel())
            p = p[p > 0] / p.sum()
            return float(-(p * np.log(p)).sum())
        mean = np.average(self._y, axis=(0, 1), weights=np.broadcast_to(self._weights[..., None], self._y.shape))
        return float(np.average(((self._y - mean) ** 2).mean(axis=-1), weights=self._weights))
