"""Step of an own cell: the user's function on flat vectors, and its derivatives with what checks them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError

StepFunction: TypeAlias = Callable[[Mapping[str, Any], Any, Mapping[str, Any]], Mapping[str, Any]]
Jacobian: TypeAlias = Callable[[Mapping[str, Any], Any, Mapping[str, Any]], Any]

COMPLEX_STEP = 1e-170
"""Its square underflows, so that the real part is that of the real step."""
DIFFERENCE_STEP = 1e-3
"""Of central differences of the fourth order, whose error is of the order of its fourth power and of u over it."""
DIFFERENCE_ERROR = 1e-7
"""Relative: what they may be off by, a margin of three digits included."""
AGREEMENT = 1e-5
"""Relative difference of complex step and finite differences from which on a step is not analytic."""
TRIED_STATES = 3
"""Random states and inputs at which a step is tried."""


class OwnStep:
    """A step on flat vectors: x (d,) and s (m,), the parts of the state side by side.

    Parameters
    ----------
    function : callable
        ``step(params, x, state) → state``.
    sizes : mapping
        Part → size.
    params : mapping
    input_size : int
    jacobian : callable or None
    """

    def __init__(
        self,
        function: StepFunction,
        sizes: dict[str, int],
        params: dict[str, Any],
        input_size: int,
        jacobian: Jacobian | None,
    ) -> None:
        self._function, self._jacobian = function, jacobian
        self.sizes, self.input_size = sizes, input_size
        self.name = getattr(function, "__name__", type(function).__name__)
        ends = np.cumsum(list(sizes.values())).tolist()
        self._places = {part: slice(end - size, end) for (part, size), end in zip(sizes.items(), ends, strict=True)}
        self._size = ends[-1]
        self.torch: Any = next((_torch_of(each) for each in params.values() if _torch_of(each)), None)
        self._params = self._double(params) if self.torch else params
        self._is_analytic = True
        self._try()

    @property
    def arrays(self) -> dict[str, Array]:
        """Name → numbers of each parameter that is an array of real numbers, or such a tensor, in float64."""
        named = {name: each.numpy() if _torch_of(each) else each for name, each in self._params.items()}
        return {
            name: each.astype(np.float64)
            for name, each in named.items()
            if isinstance(each, np.ndarray) and each.dtype.kind == "f"
        }

    def with_arrays(self, arrays: Mapping[str, Array]) -> OwnStep:
        """Return the same step with other numbers in some of its parameters."""
        other = copy.copy(self)
        other._params = self._params | {name: self._own(array) for name, array in arrays.items()}
        return other

    def _own(self, array: Array) -> Any:
        return self.torch.tensor(array) if self.torch else array

    def by_parameter(self, name: str, x: Array, s: Array, w: Array) -> Array:
        """Return ∂(w · s_t)/∂θ of a parameter of NumPy's: a complex step, or differences, for each of its numbers."""
        array = self.arrays[name]

        def stepped(numbers: Array) -> Array:
            return self.with_arrays({name: numbers})._real(x, s)

        gradient = np.empty(array.size)
        for place, direction in enumerate(np.eye(array.size)):
            along = direction.reshape(array.shape)
            if self._is_analytic:
                derivative = stepped(array + 1j * COMPLEX_STEP * along).imag / COMPLEX_STEP
            else:
                derivative = differences(stepped, array, along)
            gradient[place] = w @ derivative
        return gradient.reshape(array.shape)

    @property
    def derivative_error(self) -> float:
        """Relative error of the derivative of the step itself: that of finite differences where it is not analytic."""
        return 0.0 if self._is_analytic or self.torch else DIFFERENCE_ERROR

    def __call__(self, x: Array, s: Array) -> Array:
        """Return s_t; of complex numbers, which some steps cannot take, with the derivative along the imaginary."""
        is_complex = np.iscomplexobj(s) or np.iscomplexobj(x)
        if not is_complex or (self._is_analytic and not self.torch):
            return self._real(x, s)
        (x, dx), (s, ds) = ((each.real, each.imag / COMPLEX_STEP) for each in (x, s))
        derivative = self._along(x, s, ds) + self._by_input(x, s) @ dx
        return self._real(x, s) + 1j * (COMPLEX_STEP * derivative)

    def _real(self, x: Array, s: Array) -> Array:
        if self.torch:
            with self.torch.no_grad():
                flat: Array = self.flat_torch(self.torch.as_tensor(x), self.torch.as_tensor(s)).numpy()
                return flat
        parts = self._function(self._params, x, {part: s[place] for part, place in self._places.items()})
        return np.concatenate([np.asarray(each) for each in self._in_order(parts)])

    def _in_order(self, parts: Any) -> list[Any]:
        """Return the parts of a state in their order.

        Raises
        ------
        VanishgradError
            If one is missing, or has another shape.
        """
        if not isinstance(parts, Mapping) or set(parts) != set(self.sizes):
            got = ", ".join(map(str, parts)) if isinstance(parts, Mapping) else type(parts).__name__
            raise VanishgradError(
                f"expected {self.name} to return the parts {', '.join(self.sizes)} of the state, got {got}; "
                f"try return {{{', '.join(f'{part!r}: …' for part in self.sizes)}}}"
            )
        for part, size in self.sizes.items():
            shape = tuple(getattr(parts[part], "shape", ()))
            if shape != (size,):
                raise VanishgradError(
                    f"expected {self.name} to return {part} of shape ({size},), got {shape}; "
                    "try one step of one sequence"
                )
        return [parts[part] for part in self.sizes]

    def flat_torch(self, x: Any, s: Any, params: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """Return s_t of a step of PyTorch's, a tensor, some of its parameters other tensors."""
        parts = {part: s[place] for part, place in self._places.items()}
        return self.torch.cat(self._in_order(self._function({**self._params, **params}, x, parts)))

    def _double(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return PyTorch's parameters detached and in float64."""
        return {name: each.detach().double() if _torch_of(each) else each for name, each in params.items()}

    def jacobians(self, x: Array, s: Array) -> tuple[Array, Array]:
        """Return ∂s_t/∂s_{t-1} (m, m) and ∂s_t/∂x_t (m, d)."""
        if self.torch and self._jacobian is None:
            by_input, by_state = self.torch.func.jacrev(self.flat_torch, (0, 1))(*map(self.torch.tensor, (x, s)))
            return by_state.numpy(), by_input.numpy()
        if self._jacobian is None:
            return self.by_state(x, s), self._by_input(x, s)
        whole = self._jacobian(self._params, x, {part: s[place] for part, place in self._places.items()})
        J, B = whole if isinstance(whole, tuple) else (whole, None)
        J, B = np.asarray(J), self._by_input(x, s) if B is None else np.asarray(B)
        if J.shape != (self._size, self._size) or B.shape != (self._size, self.input_size):
            raise VanishgradError(
                f"expected jacobian to return ({self._size}, {self._size}), or a pair of it and ({self._size}, "
                f"{self.input_size}), got {J.shape} and {B.shape}; try the parts in the order {', '.join(self.sizes)}"
            )
        return J, B

    def by_state(self, x: Array, s: Array) -> Array:
        """Return ∂s_t/∂s_{t-1} (m, m), the user's where there is one."""
        if self._jacobian is not None:
            return self.jacobians(x, s)[0]
        if self.torch:
            return self._by_torch(x, s, 1)
        return np.stack([self._along(x, s, e) for e in np.eye(self._size)], axis=-1)

    def _by_input(self, x: Array, s: Array) -> Array:
        if self.torch:
            return self._by_torch(x, s, 0)
        if not self._is_analytic:
            return np.stack([differences(lambda v: self._real(v, s), x, e) for e in np.eye(len(x))], axis=-1)
        steps = [self._real(x + 1j * COMPLEX_STEP * e, s.astype(complex)) for e in np.eye(len(x))]
        return np.stack([each.imag / COMPLEX_STEP for each in steps], axis=-1)

    def _by_torch(self, x: Array, s: Array, argument: int) -> Array:
        tensors = (self.torch.as_tensor(x.copy()), self.torch.as_tensor(s.copy()))
        J: Array = self.torch.func.jacrev(self.flat_torch, argument)(*tensors).numpy()
        return J

    def _along(self, x: Array, s: Array, v: Array) -> Array:
        """Return ∂s_t/∂s_{t-1} v."""
        if self.torch:
            x_t, s_t, v_t = (self.torch.as_tensor(each.copy()) for each in (x, s, v))
            derivative: Array = self.torch.func.jvp(lambda each: self.flat_torch(x_t, each), (s_t,), (v_t,))[1].numpy()
            return derivative
        if not self._is_analytic:
            return differences(lambda each: self._real(x, each), s, v)
        stepped: Array = self._real(x.astype(complex), s + 1j * COMPLEX_STEP * v).imag / COMPLEX_STEP
        return stepped

    def _try(self) -> None:
        """Take steps from random states, and compare the complex step with finite differences.

        Raises
        ------
        VanishgradError
            If the step does not say the same twice, is not finite, or cannot be differentiated.
        """
        rng = np.random.default_rng(0)
        for _ in range(TRIED_STATES):
            x, s, v = (
                rng.standard_normal(self.input_size),
                rng.standard_normal(self._size),
                rng.standard_normal(self._size),
            )
            first, again = self._real(x, s), self._real(x, s)
            if not np.array_equal(first, again, equal_nan=True):
                raise VanishgradError(
                    f"expected {self.name} to return the same state from the same numbers, got another one; "
                    "try drawing random numbers once, outside of it"
                )
            if not np.isfinite(first).all():
                raise VanishgradError(f"expected finite states of {self.name}, got {first}; try smaller parameters")
            if not self.torch:
                self._try_derivative(x, s, v)

    def _try_derivative(self, x: Array, s: Array, v: Array) -> None:
        by_differences = differences(lambda each: self._real(x, each), s, v)
        try:
            stepped, reason = self._along(x, s, v) if self._is_analytic else by_differences, ""
        except (TypeError, ValueError, np.exceptions.ComplexWarning) as refusal:
            stepped, reason = np.full_like(s, np.nan), f" ({refusal})"
        size = float(np.abs(by_differences).max()) or 1.0
        errors = np.abs(stepped - by_differences) / size
        if np.all(errors <= AGREEMENT):
            return
        worst = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
        part = next(name for name, place in self._places.items() if place.start <= worst < place.stop)
        if self._jacobian is None:
            raise VanishgradError(
                f"expected {self.name} to be analytic, got {stepped[worst]:.6g} by a complex step and "
                f"{by_differences[worst]:.6g} by finite differences for unit {worst - self._places[part].start} of "
                f"{part}{reason}; try np.where instead of abs, real or a norm of complex numbers, or jacobian=…"
            )
        self._is_analytic = False


def differences(function: Callable[[Array], Array], x: Array, v: Array) -> Array:
    """Return the derivative of a function along v by central differences of the fourth order."""
    h = DIFFERENCE_STEP / max(float(np.abs(v).max()), np.finfo(float).tiny)
    near, far = (function(x + k * h * v) - function(x - k * h * v) for k in (1, 2))
    derivative: Array = (8 * near - far) / (12 * h)
    return derivative


def _torch_of(tensor: Any) -> Any:
    """Return the module torch where something is a tensor of PyTorch's, else None."""
    if type(tensor).__module__.partition(".")[0] != "torch":
        return None
    import torch

    return torch
