"""The same question put to vanishgrad, to PyTorch and to JAX: ‖∂s_T/∂s_k‖₂ for every k along one sequence.

Each contender takes a `Case` and returns a function without arguments that answers from scratch: forward pass,
Jacobians, products, norms. PyTorch and JAX are used as their documentation recommends: `vmap` of `jacrev` of a step,
chained products, `matrix_norm`; and one jitted `scan`, whose compilation is not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class Case:
    """A cell of n units along T steps."""

    cell: str
    n: int
    steps: int
    dtype: str = "float64"
    batch: int = 1

    def weights(self) -> dict[str, np.ndarray]:
        """PyTorch's law, the same numbers for all."""
        rng, rows, bound = np.random.default_rng(0), GATES[self.cell] * self.n, self.n**-0.5
        shapes = {"W_hx": (rows, self.n), "W_hh": (rows, self.n), "b_x": (rows,), "b_h": (rows,)}
        return {name: rng.uniform(-bound, bound, shape).astype(self.dtype) for name, shape in shapes.items()}

    def inputs(self) -> np.ndarray:
        return np.random.default_rng(1).standard_normal((self.batch, self.steps, self.n)).astype(self.dtype)


Run = Callable[[], Any]


def vanishgrad(
    case: Case, curves: tuple[str, ...] = ("state",), engine: str = "auto", forget_bias: float | None = None
) -> Run:
    from vanishgrad.cells import GRU, LSTM, RNN
    from vanishgrad.curves.measure import measure
    from vanishgrad.curves.processes import blas_threads
    from vanishgrad.curves.request import Scope
    from vanishgrad.propagation.run import run

    W, n, xs = case.weights(), case.n, case.inputs()
    b = W["b_x"] + W["b_h"]
    if forget_bias is not None:
        b[n : 2 * n] = forget_bias
    if case.cell == "gru":
        b[2 * n :] = W["b_x"][2 * n :]
        cell = GRU(W["W_hh"], W["W_hx"], b, W["b_h"][2 * n :])
    else:
        cell = {"rnn": RNN, "lstm": LSTM}[case.cell](W["W_hh"], W["W_hx"], b)
    lengths = np.full(case.batch, case.steps)

    def answer() -> Any:
        with blas_threads(cell.state_size, jobs=1):
            trajectory = run(cell, xs, np.zeros((case.batch, cell.state_size), dtype=case.dtype))
            return measure(cell, trajectory, lengths, None, 1e-3, Scope(curves), engine).curves["state"].log_norm

    return answer


def products(case: Case) -> Run:
    """The bare products of the structured step, (m × g·n)·(g·n × n) for each step and sequence: the physical limit.

    With as many threads as vanishgrad takes.
    """
    from vanishgrad.curves.processes import blas_threads

    rng, m, rows = np.random.default_rng(0), case.n * (2 if case.cell == "lstm" else 1), GATES[case.cell] * case.n
    M = rng.standard_normal((case.batch, m, rows)).astype(case.dtype)
    W = rng.standard_normal((case.batch, rows, case.n)).astype(case.dtype)
    out = np.empty((case.batch, m, case.n), dtype=case.dtype)

    def answer() -> None:
        with blas_threads(m, jobs=1):
            for _ in range(case.steps):
                np.matmul(M, W, out=out)

    return answer


def _step(lib: Any, W: dict[str, Any], cell: str, sigmoid: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    n = W["W_hh"].shape[1]

    def step(s: Any, x: Any) -> Any:
        a, u = W["W_hx"] @ x + W["b_x"], W["W_hh"] @ s[:n] + W["b_h"]
        if cell == "rnn":
            return lib.tanh(a + u)
        if cell == "gru":
            r, z = sigmoid((a + u)[:n]), sigmoid((a + u)[n : 2 * n])
            return (1 - z) * lib.tanh(a[2 * n :] + r * u[2 * n :]) + z * s
        i, f, g, o = ((a + u)[j * n : (j + 1) * n] for j in range(4))
        c = sigmoid(f) * s[n:] + sigmoid(i) * lib.tanh(g)
        return lib.concatenate([sigmoid(o) * lib.tanh(c), c])

    return step


def jacobian_norms(
    W: dict[str, Any], cell: str, m: int, all_curves: bool = False
) -> tuple[Callable[[Any], list[float]], Callable[[Any], Any]]:
    """Return what takes ‖∂s_T/∂s_k‖₂ of one sequence (T, d) by `torch.func`, k downwards, and what takes s_1 … s_T.

    With `all_curves` each lag's ‖∂h_T/∂s_k‖, ‖∂h_T/∂h_k‖, ‖∂c_T/∂c_k‖ and ‖∂h_T/∂x_k‖ too.
    """
    import torch

    step, n = _step(torch, W, cell, torch.sigmoid), W["W_hh"].shape[1]

    def states(xs: Any) -> Any:
        found = [torch.zeros(m, dtype=xs.dtype)]
        for x in xs:
            found.append(step(found[-1], x))
        return torch.stack(found[1:])

    def norms(xs: Any) -> list[float]:
        chunk = max(1, min(len(xs), int(4e9 / (8 * m * 12 * m))))
        with torch.no_grad():
            before = torch.cat([torch.zeros(1, m, dtype=xs.dtype), states(xs)[:-1]])
            J = torch.func.vmap(torch.func.jacrev(step), chunk_size=chunk)(before, xs)
            B = torch.func.vmap(torch.func.jacrev(step, argnums=1), chunk_size=chunk)(before, xs) if all_curves else []
            P, found = torch.eye(m, dtype=xs.dtype), []
            for k in range(len(xs) - 1, -1, -1):
                of_input = [P[:n] @ B[k]] if all_curves else []
                P = P @ J[k]
                others = [P[:n], P[:n, :n], P[n:, n:], *of_input] if all_curves else []
                found += [float(torch.linalg.matrix_norm(each, ord=2)) for each in (P, *others)]
            return found

    return norms, states


def torch(case: Case) -> Run:
    import torch

    W = {name: torch.from_numpy(array) for name, array in case.weights().items()}
    norms, _ = jacobian_norms(W, case.cell, case.n * (2 if case.cell == "lstm" else 1))
    xs = torch.from_numpy(case.inputs()[0])
    return lambda: norms(xs)


def jax(case: Case) -> Run:
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax import numpy as jnp

    W = {name: jnp.asarray(array) for name, array in case.weights().items()}
    xs, m = jnp.asarray(case.inputs()[0]), case.n * (2 if case.cell == "lstm" else 1)
    step = _step(jnp, W, case.cell, jax.nn.sigmoid)

    def norms(xs: Any) -> Any:
        _, states = jax.lax.scan(lambda s, x: (step(s, x), s), jnp.zeros(m, xs.dtype), xs)

        def back(P: Any, sx: Any) -> Any:
            P = P @ jax.jacfwd(step)(*sx)
            return P, jnp.linalg.norm(P, ord=2)

        return jax.lax.scan(back, jnp.eye(m, dtype=xs.dtype), (states, xs), reverse=True)[1]

    compiled = jax.jit(norms).lower(xs).compile()
    return lambda: compiled(xs).block_until_ready()


def peak_megabytes() -> float:
    """Return the most memory that this process has had, where /proc tells; else 0."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
