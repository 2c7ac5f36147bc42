"""A thousand points of a sweep beside loops over them: `compare` of another checkout, and JAX's jitted `vmap`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parents[2]
N, STEPS = 64, 100
POINTS = {"rnn": 1000, "lstm": 200}
SAMPLE = {"rnn": 25, "lstm": 10}
"""Points by which contenders are timed that take every point by itself; of others ten times as many."""
VMAPPED = (1000, 100, 25)
"""Points of JAX's vmap: all at once, as one would write it, and over fewer, which fit a cache."""
SWEEP = """
import sys, time, vanishgrad
cell, points, jobs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = {"hidden": 64, "steps": 100, "trials": 1, "measure": "rate,horizon", "report": True}
vanishgrad.sweep(f"{cell}@gaussian:gain=1,2", **options)
start = time.process_time(), time.perf_counter()
vanishgrad.sweep(f"{cell}@gaussian:gain=0.5..3/{points}", jobs=jobs, **options)
print(time.process_time() - start[0], time.perf_counter() - start[1])
"""
COMPARE = """
import sys, time, vanishgrad
cell, points, curves = sys.argv[1], int(sys.argv[2]), sys.argv[3]
options = {"hidden": 64, "steps": 100, "trials": 1} | ({"curves": ("state",)} if curves == "state" else {})
vanishgrad.compare([f"{cell}@gaussian:gain=1"], **options)
start = time.process_time()
for i in range(points):
    vanishgrad.compare([f"{cell}@gaussian:gain={0.5 + 2.5 * i / (points - 1):.6g}"], **options)
print(time.process_time() - start, 0)
"""


def seconds(base: str | None, cell: str, rounds: int) -> dict[str, float]:
    """Return the processor time that each contender takes for all points, the sweep's first: least of rounds in turn.

    `compare` measures all curves, or `state` alone, from which rate and horizon are.
    """
    alone, together = SAMPLE[cell], 10 * SAMPLE[cell]
    checkouts = {"compare": HERE, **({"base: compare": Path(base)} if base else {})}
    runs: dict[str, tuple[int, Callable[[], dict[str, float]]]] = {
        "sweep": (together, lambda: {"sweep": _run(HERE, SWEEP, cell, together, 1)[0]})
    }
    for name, checkout in checkouts.items():
        for curves in ("all", "state"):
            label = f"{name} ({curves})"
            runs[label] = alone, partial(_compare, label, checkout, cell, alone, curves)
    if cell == "rnn":
        runs |= {f"jax of {points}": (points, partial(vmap, points)) for points in VMAPPED}
    least = dict[str, float]()
    for _ in range(rounds):
        for points, run in runs.values():
            for name, took in run().items():
                least[name] = min(least.get(name, float("inf")), took * POINTS[cell] / points)
    return least


def _compare(label: str, checkout: Path, *arguments: object) -> dict[str, float]:
    return {label: _run(checkout, COMPARE, *arguments)[0]}


def workers(cell: str, rounds: int) -> dict[str, float]:
    """Return the seconds that pass with two worker processes and with one: two free cores are wanted."""
    least = {"jobs=2": float("inf"), "jobs=1": float("inf")}
    for _ in range(rounds):
        for jobs in (2, 1):
            least[f"jobs={jobs}"] = min(least[f"jobs={jobs}"], _run(HERE, SWEEP, cell, POINTS[cell], jobs)[1])
    return least


def _run(checkout: Path, code: str, *arguments: object) -> tuple[float, float]:
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    text = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    cpu, wall = map(float, text.split())
    return cpu, wall


def vmap(points: int) -> dict[str, float]:
    """Return what JAX takes for rnn: forward `scan`, `jacfwd` of the step, products and norms, vmapped and jitted."""
    try:
        import jax
    except ImportError:
        return {}
    jax.config.update("jax_enable_x64", True)
    from jax import numpy as jnp

    def norms(W_hh: Any, W_hx: Any, xs: Any) -> Any:
        def step(s: Any, x: Any) -> Any:
            return jnp.tanh(W_hh @ s + W_hx @ x)

        def back(P: Any, sx: Any) -> Any:
            P = P @ jax.jacfwd(step)(*sx)
            return P, jnp.linalg.norm(P, ord=2)

        _, states = jax.lax.scan(lambda s, x: (step(s, x), s), jnp.zeros(N), xs)
        return jax.lax.scan(back, jnp.eye(N), (states, xs), reverse=True)[1]

    rng = np.random.default_rng(0)
    gains = np.linspace(0.5, 3, points)[:, None, None]
    W_hh = jnp.asarray(gains * rng.standard_normal((points, N, N)) / N**0.5)
    W_hx, xs = (jnp.asarray(rng.standard_normal(shape)) for shape in ((points, N, N), (STEPS, N)))
    start = time.process_time()
    compiled = jax.jit(jax.vmap(norms, in_axes=(0, 0, None))).lower(W_hh, W_hx / N**0.5, xs).compile()
    compiling = time.process_time() - start
    answer = partial(compiled, W_hh, W_hx / N**0.5, xs)
    answer().block_until_ready()
    start = time.process_time()
    answer().block_until_ready()
    took = time.process_time() - start
    name = f"jax vmap of {points}"
    return {name: took, f"{name}, compiled for it": took + compiling * points / POINTS["rnn"]}
