"""`verify`: is the arithmetic right? Each line puts a result beside another way to it that shares no code with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import LSTM, RNN, Cell, StoredTrajectory
from vanishgrad.cells.masked_steps import TAKEN, marks_of
from vanishgrad.curves.jacobian_check import checked_times, complex_step, step_length, tolerance
from vanishgrad.errors import UsageError
from vanishgrad.languages import english
from vanishgrad.models.open import Source, has_own_input, open_models
from vanishgrad.models.options import ModelOptions
from vanishgrad.propagation.products.products import backward_products
from vanishgrad.propagation.run import run

MAX_DIRECTIONS = 64
MAX_INPUT_DIRECTIONS = 4
WORST_CONDITION = 1e8
"""Of a Jacobian, beyond which its determinant in floating point says nothing; saturated networks are beyond."""
DEFAULT_STEPS, MAX_STEPS, MAX_HIDDEN = 20, 200, 64
"""The length of a run, and what the complex step of a whole run still takes seconds for."""
DEFAULT_MODELS = (
    "rnn", "rnn:activation=sigmoid", "lstm", "lstm@chrono", "lstm:coupled=true", "lstm:projection=8", "gru",
    "gru:reset=before", "mgu", "peephole", "janet", "ligru", "indrnn", "mingru", "minlstm", "antisymmetric", "cornn",
    "lru", "mamba:states=4", "mamba2:states=4", "deltanet:heads=2,keys=4", "gated-deltanet:heads=2,keys=4",
    "rwkv7:heads=2,keys=4", "s4d:states=4", "lem", "slstm", "mlstm:heads=2,keys=4", "cfc:backbone=8", "attention",
)  # fmt: skip


@dataclass(frozen=True)
class VerifyRequest(ModelOptions):
    """What to verify: MODEL strings, of a size at which the definition is quick, and weights.

    Attributes
    ----------
    models : tuple
        MODEL strings, paths and mappings of arrays.
    """

    UNUSED = ("trials", "lengths", "padding", "dtype")

    models: tuple[Source, ...] = DEFAULT_MODELS
    hidden: int = field(default=12, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden > MAX_HIDDEN:
            raise UsageError(f"expected --hidden up to {MAX_HIDDEN}, got {self.hidden}; try --hidden {MAX_HIDDEN}")
        _demand_short(self.steps or 1)


@dataclass(frozen=True)
class VerifiedLine:
    """One comparison: its error beside its tolerance, and where it is largest, with both numbers."""

    label: str
    claim: str
    error: float
    tolerance: float
    place: str = ""

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; NaN is not."""
        return self.error <= self.tolerance


@dataclass(frozen=True)
class VerifyResult:
    """All lines of a verification."""

    request: VerifyRequest
    steps: int
    lines: tuple[VerifiedLine, ...]

    @property
    def passed(self) -> bool:
        """Whether every line passed."""
        return all(line.passed for line in self.lines)


def verify(request: VerifyRequest) -> VerifyResult:
    """Verify every model of a request, and every layer of the files that it names."""
    lines: list[VerifiedLine] = []
    is_open = request.is_noise and request.mask is None and not any(map(has_own_input, request.models))
    steps = request.steps or (DEFAULT_STEPS if is_open else None)
    trials = 1 if request.mask is None else None
    for models in open_models(request.models, replace(request, trials=trials, steps=steps)):
        for prepared in models.prepared_subjects():
            alone = prepared.first_trial()
            steps = alone.sequences.steps
            _demand_short(steps)
            label = prepared.subject.label.removeprefix(models.prefix)
            lines.extend(verified(label, alone.subject.cell, alone.sequences.xs, alone.s0, alone.sequences.marks))
    return VerifyResult(request, steps or DEFAULT_STEPS, tuple(lines))


def _demand_short(steps: int) -> None:
    if steps > MAX_STEPS:
        raise UsageError(f"expected --steps up to {MAX_STEPS}, got {steps}; try --steps {MAX_STEPS}")


def verified(
    label: str, cell: Cell, xs: Array, s0: Array | None = None, marks: Array | None = None
) -> Iterator[VerifiedLine]:
    """Yield every line for a cell with one set of weights along inputs (1, T, d), from s_0 (1, m) or 0.

    `marks` (1, T) say which steps are masked: they hand the state on, in the run and in every other way to a result.
    """
    trajectory = run(cell, xs, np.zeros((1, cell.state_size)) if s0 is None else s0, marks)
    unit, condition = tolerance(cell, trajectory.states.dtype), _condition(cell, trajectory)
    for claim, error, units in (
        (english("J_t equals the complex step of the cell"), _jacobian, 1),
        (english("∂s_t/∂x_t equals the complex step of the cell"), _by_input, 1),
        (english("J_t V and W J_t equal the dense products"), _structured, 1),
        (english("∂s_T/∂s_0 equals the complex step of the whole run"), _definition, trajectory.steps),
        (english("det J_t equals its closed form"), _determinant, condition),
        (english("Σ ln σ_i of the product equals Σ ln|det J_t|"), _sum_rule, condition),
        (english("a masked step hands the state on, and J_t is I"), _handed_on, 0),
    ):
        expected_error = error(cell, trajectory, xs) if units <= WORST_CONDITION else None
        if expected_error is not None:
            yield VerifiedLine(label, claim, expected_error.error, units * unit, expected_error.place)


def _condition(cell: Cell, trajectory: StoredTrajectory) -> float:
    """Return the largest κ₂(J_t): roundoff may change a determinant by so many units."""
    J = np.concatenate([_dense(cell, trajectory, t) for t in range(1, trajectory.steps + 1)])
    sigma = np.linalg.svd(J, compute_uv=False)
    return float((sigma[:, 0] / np.maximum(sigma[:, -1], np.finfo(float).tiny)).max())


def _jacobian(cell: Cell, trajectory: StoredTrajectory, xs: Array) -> _Deviation:
    h = step_length(cell)

    def error(t: int) -> _Deviation:
        s = trajectory.states[t - 1]
        return _relative(
            _dense(cell, trajectory, t) @ _directions(cell),
            _stepped(lambda v: complex_step(cell, t, xs[:, t - 1 : t], s, v, h), cell),
            _rows(cell, t),
        )

    return max(map(error, checked_times(trajectory.steps, _marks(cell, trajectory))))


def _by_input(cell: Cell, trajectory: StoredTrajectory, xs: Array) -> _Deviation:
    t, d = checked_times(trajectory.steps, _marks(cell, trajectory))[-1], cell.input_size
    X = np.random.default_rng(d).standard_normal((1, d, MAX_INPUT_DIRECTIONS))
    tangent = np.empty((1, cell.state_size, X.shape[-1]))
    cell.linearise(trajectory, t - 1, t).input_tangent(t, X, tangent)
    h = step_length(cell)

    def stepped(v: Array) -> Array:
        a_x = cell.input_preactivation(xs[:, t - 1 : t] + 1j * h * v)[0]
        return cell.advance(t, a_x, trajectory.states[t - 1] + 0j)[0].imag / h

    return _relative(tangent, np.stack([stepped(v) for v in X[0].T], axis=-1), _rows(cell, t))


def _structured(cell: Cell, trajectory: StoredTrajectory, xs: Array) -> _Deviation:
    t, m = checked_times(trajectory.steps, _marks(cell, trajectory))[-1], cell.state_size
    linearisation = cell.linearise(trajectory, t - 1, t)
    J = linearisation.dense(t)
    errors = []
    for width in (1, m):
        W = np.random.default_rng(width).standard_normal((1, width, m))
        V, WJ, JV = np.swapaxes(W, 1, 2).copy(), np.empty_like(W), np.empty((1, m, width))
        linearisation.cotangent(t, W, WJ)
        linearisation.tangent(t, V, JV)
        errors += [_relative(WJ, W @ J), _relative(JV, J @ V, _rows(cell, t))]
    return max(errors)


def _definition(cell: Cell, trajectory: StoredTrajectory, xs: Array) -> _Deviation:
    *_, last = backward_products(cell, trajectory, 1)
    (matrix, log_scale), h = last.block(None, None), step_length(cell)

    def end(v: Array) -> Array:
        s = trajectory.states[0] + 1j * h * v
        sequences = cell.input_preactivation(xs).astype(np.complex128)
        for t in (np.flatnonzero(_taken(cell, trajectory)) + 1).tolist():
            s, _ = cell.advance(t, sequences[t - 1], s)
        return s.imag / h

    return _relative(matrix * np.exp(log_scale)[:, None, None] @ _directions(cell), _stepped(end, cell), _rows(cell, 0))


def _determinant(cell: Cell, trajectory: StoredTrajectory, xs: Array) -> _Deviation | None:
    closed = _log_determinants(cell, trajectory)
    if closed is None:
        return None
    by_lu = [float(np.linalg.slogdet(_dense(cell, trajectory, t))[1][0]) for t in range(1, trajectory.steps + 1)]
    return _relative(np.array(by_lu), closed)


def _sum_rule(cell: Cell, trajectory: StoredTrajectory, xs: Array) -> _Deviation | None:
    """The product's singular values multiply to |det|, None if it is 0; a QR sweep finds them where P has none left."""
    steps, closed = range(1, trajectory.steps + 1), _log_determinants(cell, trajectory)
    if closed is None:
        closed = np.array([np.linalg.slogdet(_dense(cell, trajectory, t))[1][0] for t in steps])
    if not np.isfinite(closed).all():
        return None
    Q, logs = np.eye(cell.state_size)[None], []
    for t in steps:
        Q, R = np.linalg.qr(_dense(cell, trajectory, t) @ Q)
        logs.append(float(np.log(np.abs(np.einsum("bii->bi", R))).sum()))
    return _Deviation(abs(sum(logs) - float(closed.sum())) / (float(np.abs(closed).sum()) or 1.0))


def _log_determinants(cell: Cell, trajectory: StoredTrajectory) -> Array | None:
    """Return ln|det J_t|, (T,): ln|det W| + Σ ln φ' for a vanilla network, and theory's formula for the LSTM.

    LSTM: det J_t = det W_hh^o ∏ f o' φ(c), for the block matrix factors into triangular ones. A masked step's is 1.
    """
    taken = _taken(cell, trajectory)
    closed = _log_determinants_of(
        cell, trajectory.records[taken, 0, : cell.record_size], trajectory.states[1:][taken, 0]
    )
    if closed is None:
        return None
    logs = np.zeros(trajectory.steps)
    logs[taken] = closed
    return logs


def _log_determinants_of(cell: Cell, a: Array, states: Array) -> Array | None:
    """Return the same of taken steps, by their pre-activations a and the states behind them."""
    if type(cell) is RNN and cell.W_hh.ndim == 3:
        return np.linalg.slogdet(cell.W_hh)[1] + np.log(np.abs(cell.activation.dphi(a))).sum(axis=-1)
    if type(cell) is not LSTM:
        return None
    n = cell.hidden_size
    _, f, _, _ = cell.gate_outputs(a)
    do, c = cell.gate_activation.dphi(cell.split(a)[3]), states[:, n:]
    factors = np.abs(f * do * cell.cell_activation.phi(c))
    return np.linalg.slogdet(cell.W_hh[:, 3 * n :])[1] + np.log(factors).sum(axis=-1)


def _handed_on(cell: Cell, trajectory: StoredTrajectory, xs: Array) -> _Deviation | None:
    """Return the largest error of a masked step's state and Jacobian, exactly those of no step; None without one."""
    masked = (np.flatnonzero(~_taken(cell, trajectory)) + 1).tolist()
    if not masked:
        return None
    of_states = np.abs(np.diff(trajectory.states, axis=0)[~_taken(cell, trajectory)]).max()
    of_jacobians = (np.abs(_dense(cell, trajectory, t) - np.eye(cell.state_size)).max() for t in masked)
    return _Deviation(float(max(of_states, *of_jacobians)))


def _marks(cell: Cell, trajectory: StoredTrajectory) -> Array | None:
    """Return the marks (1, T) of a run, None where no step is masked."""
    marks = marks_of(trajectory.records, cell.record_size)
    return None if marks is None else marks.T


def _taken(cell: Cell, trajectory: StoredTrajectory) -> Array:
    """Return which steps are taken, (T,) of bool."""
    marks = _marks(cell, trajectory)
    return np.ones(trajectory.steps, bool) if marks is None else marks[0] == TAKEN


def _dense(cell: Cell, trajectory: StoredTrajectory, t: int) -> Array:
    return cell.linearise(trajectory, t - 1, t).dense(t)


def _directions(cell: Cell) -> Array:
    """Return every unit vector as a column, (m, m), or for a large state `MAX_DIRECTIONS` random ones."""
    m = cell.state_size
    return np.eye(m) if m <= MAX_DIRECTIONS else np.random.default_rng(m).standard_normal((m, MAX_DIRECTIONS))


def _stepped(derivative: Callable[[Array], Array], cell: Cell) -> Array:
    """Return a directional derivative along each of the directions, (1, m, directions)."""
    return np.stack([derivative(direction[None]) for direction in _directions(cell).T], axis=-1)


class _Deviation(NamedTuple):
    """The largest difference, relative to the largest expected number, and where it is."""

    error: float
    place: str = ""


def _rows(cell: Cell, t: int) -> Sequence[str]:
    """Return what each row of a state's derivative stands for, after step t."""
    return [f"{part.name}[{unit}] of s_{t or 'T'}" for part in cell.parts for unit in range(part.size)]


def _relative(values: Array, expected: Array, rows: Sequence[str] = ()) -> _Deviation:
    size, difference = float(np.abs(expected).max()), np.abs(values - expected)
    worst = np.unravel_index(int(np.argmax(difference)), difference.shape)
    place = f"{rows[int(worst[1])]}, direction {worst[2]}: " if len(rows) else ""
    numbers = f"got {float(values[worst]):.6g}, expected {float(expected[worst]):.6g}"
    return _Deviation(float(difference.max()) / (size or 1.0), place + numbers)
