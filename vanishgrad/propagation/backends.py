"""Array backends: the libraries that the engine runs on, NumPy or another one that is imported only if asked for."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vanishgrad.arrays import Array, on_host
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.propagation.checkpoints import Inputs

DEVICES = {"numpy": ("cpu",), "torch": ("cpu", "cuda"), "cupy": ("cuda",)}
"""Backend → the devices that it has, its default first."""


@dataclass(frozen=True)
class Backend:
    """An array library and a device; `demand` finds out whether they are there."""

    name: str = "numpy"
    device: str = "cpu"

    def demand(self) -> None:
        """Import the library.

        Raises
        ------
        VanishgradError
            If the library or the device is missing.
        """
        if self.name == "numpy":
            return
        try:
            library = importlib.import_module(self.name)
            importlib.import_module("array_api_compat")
        except ImportError:
            raise VanishgradError(
                f"expected {self.name} and array-api-compat for --backend {self.name}, got none; "
                f"try pip install 'vanishgrad[{self.name}]'"
            ) from None
        if self.device == "cuda" and not _has_cuda(library):
            hint = "--device cpu" if "cpu" in DEVICES[self.name] else "--backend numpy"
            raise VanishgradError(f"expected a CUDA device for --backend {self.name}, got none; try {hint}")
        if self.name == "torch" and self.device == "cuda":
            library.set_default_device("cuda")  # for arrays that the engine makes without one beside them
        elif self.name == "torch" and "OMP_NUM_THREADS" not in os.environ:
            library.set_num_threads(1)  # threads that wait beside a busy core cost more than they gain

    def array(self, values: Array) -> Array:
        """Return NumPy's values on the device."""
        if self.name == "numpy":
            return values
        library: Any = importlib.import_module(self.name)
        array: Array = (
            library.asarray(values) if self.name == "cupy" else library.asarray(values, device=self.device, copy=True)
        )
        return array

    def cell(self, cell: Cell) -> Cell:
        """Return a cell with its weights on the device."""
        return cell if self.name == "numpy" else cell.with_tensors(self.array)

    def inputs(self, inputs: Inputs) -> Inputs:
        """Return inputs that come to the device block by block."""
        return inputs if self.name == "numpy" else _Moved(inputs, self)


NUMPY = Backend()


def backend(name: str, device: str | None) -> Backend:
    """Return a backend, on its own default device if none is asked for.

    Raises
    ------
    UsageError
        If there is none of that name, or it has no such device.
    """
    if name not in DEVICES:
        raise UsageError(f"expected --backend {', '.join(DEVICES)}, got {name!r}")
    if device is not None and device not in DEVICES[name]:
        backends = ", ".join(each for each, devices in DEVICES.items() if device in devices) or "none"
        raise UsageError(
            f"expected --device {' or '.join(DEVICES[name])} for --backend {name}, got {device!r}; "
            f"backends with it: {backends}"
        )
    return Backend(name, device or DEVICES[name][0])


def _has_cuda(library: Any) -> bool:
    if hasattr(library.cuda, "is_available"):
        return bool(library.cuda.is_available())
    try:
        return int(library.cuda.runtime.getDeviceCount()) > 0
    except library.cuda.runtime.CUDARuntimeError:
        return False


@dataclass(frozen=True, eq=False)
class _Moved:
    inputs: Inputs
    backend: Backend

    def between(self, start: int, stop: int) -> Array:
        return self.backend.array(self.inputs.between(start, stop))


class HostPath(Trajectory):
    """A run on a device, as NumPy's arrays."""

    def __init__(self, path: Trajectory) -> None:
        self._path, self._start = path, on_host(path.start)

    @property
    def start(self) -> Array:
        """s_0, (B, m)."""
        return self._start

    @property
    def steps(self) -> int:
        """The length T."""
        return self._path.steps

    def between(self, start: int, stop: int) -> tuple[Array, Array]:
        """Return s_start … s_stop and the records of the steps between."""
        states, records = self._path.between(start, stop)
        return on_host(states), on_host(records)

    def among(self, trials: slice) -> Trajectory:
        """Return the run of some sequences alone."""
        return HostPath(self._path.among(trials))

    def stretches(self, longest: int) -> Iterator[tuple[int, int]]:
        """Yield (start, stop) of stretches of at most so many steps that fill the run, in the order of time."""
        return self._path.stretches(longest)
