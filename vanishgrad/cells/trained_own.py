"""Own cell in training: one set of parameters for each seed."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.own import OwnCell
from vanishgrad.cells.own_step import OwnStep
from vanishgrad.errors import VanishgradError

PREFIX = "params."
"""Before a parameter's name, that it is no other attribute's."""
MOST_CALLS = 2_000_000
"""Calls of a step of NumPy's for one update: about half a minute."""


class TrainedOwnCell(OwnCell):
    """Cells of one step side by side, whose parameters are tensors (S, …), S the number of seeds.

    Parameters
    ----------
    cells : sequence of OwnCell
        One for each seed.

    Raises
    ------
    VanishgradError
        If they have no parameters, or parameters of different shapes.
    """

    def __init__(self, cells: Sequence[OwnCell]) -> None:
        super().__init__(cells[0].step, cells[0].label)
        arrays = [each.step.arrays for each in cells]
        shapes = [{name: array.shape for name, array in each.items()} for each in arrays]
        if not shapes[0] or any(each != shapes[0] for each in shapes):
            raise VanishgradError(
                f"expected params of {self}, arrays of real numbers that have one shape for every seed, got "
                f"{next((each for each in shapes if each != shapes[0]), shapes[0]) or 'none'}; "
                "try vanishgrad.cell(step, state, {'W': W}, …)"
            )
        self._names = tuple(shapes[0])
        vars(self).update({PREFIX + name: np.stack([each[name] for each in arrays]) for name in self._names})

    @property
    def tensors(self) -> tuple[str, ...]:  # type: ignore[override]
        """The parameters."""
        return tuple(PREFIX + name for name in self._names)

    @property
    def trials(self) -> int:
        """The number of seeds S."""
        return len(self.arrays[self._names[0]])

    @property
    def arrays(self) -> dict[str, Array]:
        """Name of a parameter → its numbers, (S, …)."""
        return {name: getattr(self, PREFIX + name) for name in self._names}

    def steps_of(self, sequences: int) -> list[OwnStep]:
        """Return each sequence's step, with the parameters of its seed."""
        steps = [
            self.step.with_arrays({name: each[seed] for name, each in self.arrays.items()})
            for seed in range(self.trials)
        ]
        return [steps[place * len(steps) // sequences] for place in range(sequences)]

    def demand_affordable(self, sequences: int, steps: int) -> None:
        """Refuse a training whose every update would call a step of NumPy's very often.

        Raises
        ------
        VanishgradError
        """
        numbers = sum(array[0].size for array in self.arrays.values())
        calls = sequences * steps * (numbers + self.state_size)
        if self.step.torch is None and calls > MOST_CALLS:
            raise VanishgradError(
                f"expected at most {MOST_CALLS} calls of {self.step.name} an update, got {calls:.3g}: a complex step "
                f"for each of {numbers} numbers at {steps} steps of {sequences} sequences; "
                "try the same step in PyTorch, or a smaller --batch, --seeds or --gaps"
            )

    def npz(self, others: Mapping[str, Array]) -> bytes:
        """Return the parameters of the first seed under their own names, and others beside them, as a file of NumPy."""
        buffer = io.BytesIO()
        np.savez(buffer, **{name: array[0] for name, array in self.arrays.items()}, **others)  # type: ignore[arg-type]
        return buffer.getvalue()
