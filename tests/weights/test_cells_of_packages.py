"""Files of the packages of recurrent cells: which cell they are, and that its steps are the package's.

The packages' own states and Jacobians lie beside the project, in ../shared/recurrences, or not at all; what is tested
without them are files of the same names, whose steps are those of `tests.reference`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vanishgrad
from tests import reference
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.propagation.run import run
from vanishgrad.weights.recognition import recurrent_layers

RECORDED = Path(__file__).parents[3] / "shared" / "recurrences"
N, D = 4, 3
TOLERANCE = 1e-12
Tensors = dict[str, np.ndarray]


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def summed(file: Tensors) -> np.ndarray:
    return file["bias_ih"] + file["bias_hh"]


def torchrecurrent(gates: int, seen: int, **more: np.ndarray) -> Tensors:
    return {
        "weight_ih": random(gates * N, D), "weight_hh": random(seen * N, N), "bias_ih": random(gates * N),
        "bias_hh": random(seen * N, seed=1), **more,
    }  # fmt: skip


def lem_bias(file: Tensors) -> np.ndarray:
    return file["bias_ih"] + np.concatenate([file["bias_hh"], file["bias_ch"]])


def s4d_step(file: Tensors, Lambda: np.ndarray, log_step: np.ndarray, B: np.ndarray, x, s) -> np.ndarray:
    """Return one step of x' = e^{ΛΔ} x + (e^{ΛΔ} - 1)/Λ B u in complex numbers."""
    held, n = np.exp(Lambda * np.exp(log_step)), len(Lambda)
    z = held * (s[:n] + 1j * s[n:]) + (held - 1) / Lambda * (B @ x)
    return np.concatenate([z.real, z.imag])


def s5_file() -> Tensors:
    Lambda = (-0.5 + 1j * random(N)).astype(np.complex64)
    return {
        "seq.Lambda": Lambda, "seq.log_step": -1 + 0 * random(N), "seq.B": random(N, D, 2),
        "seq.C": Lambda[None], "seq.D": random(D),
    }  # fmt: skip


def s5_step(file: Tensors, x, s) -> np.ndarray:
    B = file["seq.B"] @ np.array([1, 1j])
    return s4d_step(file, file["seq.Lambda"].astype(complex), file["seq.log_step"], B, x, s)


def s4d_kernel_step(file: Tensors, x, s) -> np.ndarray:
    Lambda = (-np.exp(file["kernel.log_A_real"]) + 1j * file["kernel.A_imag"]).ravel()
    return s4d_step(file, Lambda, np.repeat(file["kernel.log_dt"], 2), np.repeat(np.eye(D), 2, axis=0), x, s)


def lru_step(file: Tensors, x, s) -> np.ndarray:
    W_hx = np.concatenate([file["B_re"], file["B_im"]])
    return reference.lru(1, x, s, W_hx, np.zeros(2 * N), file["nu_log"], file["theta_log"], file["gamma_log"])


FILES: dict[str, tuple[Tensors, str, dict[str, Any], Any]] = {
    "peephole": (
        torchrecurrent(4, 4, weight_ph=random(3 * N)), "lstm", {},
        lambda f, x, s: reference.peephole(1, x, s, f["weight_hh"], f["weight_ih"], summed(f), f["weight_ph"]),
    ),
    "janet": (
        torchrecurrent(2, 2, beta=np.array(0.7)), "janet", {},
        lambda f, x, s: reference.janet(1, x, s, f["weight_hh"], f["weight_ih"], summed(f), f["beta"].reshape(1)),
    ),
    "ligru": (
        torchrecurrent(2, 2), "ligru", {"cell": "ligru"},
        lambda f, x, s: reference.ligru(1, x, s, f["weight_hh"], f["weight_ih"], summed(f)),
    ),
    "mgu": (
        torchrecurrent(2, 2), "mgu", {"cell": "mgu"},
        lambda f, x, s: reference.mgu(
            1, x, s, f["weight_hh"], f["weight_ih"], f["bias_ih"] + np.pad(f["bias_hh"][:N], (0, N)), f["bias_hh"][N:]
        ),
    ),
    "indrnn": (
        {"weight_ih": random(N, D), "vector_u": random(N), "bias_ih": random(N), "bias_hh": random(N)}, "indrnn", {},
        lambda f, x, s: reference.indrnn(1, x, s, f["weight_ih"], summed(f), f["vector_u"]),
    ),
    "antisymmetric": (
        torchrecurrent(1, 1), "antisymmetric", {"cell": "antisymmetric:epsilon=0.1,gamma=0.05"},
        lambda f, x, s: reference.antisymmetric(
            1, x, s, f["weight_hh"], f["weight_ih"], summed(f), epsilon=0.1, gamma=0.05
        ),
    ),
    "cornn": (
        torchrecurrent(1, 1, weight_ch=random(N, N, seed=2), bias_ch=random(N, seed=3)), "cornn", {},
        lambda f, x, s: reference.cornn(
            1, x, s, np.concatenate([f["weight_hh"], f["weight_ch"]], axis=1), f["weight_ih"], summed(f) + f["bias_ch"]
        ),
    ),
    "lem": (
        torchrecurrent(4, 3, weight_ch=random(N, N, seed=2), bias_ch=random(N, seed=3)), "lem", {},
        lambda f, x, s: reference.lem(
            1, x, s, f["weight_ih"], lem_bias(f), f["weight_hh"], f["weight_ch"], reads="old"
        ),
    ),
    "mingru": (
        {"to_hidden_and_gate.weight": random(2 * N, D)}, "mingru", {},
        lambda f, x, s: reference.mingru(1, x, s, f["to_hidden_and_gate.weight"], np.zeros(2 * N)),
    ),
    "minlstm": (
        {"to_hidden_and_f_i_gate.weight": random(3 * N, D), "to_out.weight": random(D, N)}, "minlstm", {},
        lambda f, x, s: reference.minlstm(1, x, s, f["to_hidden_and_f_i_gate.weight"], np.zeros(3 * N)),
    ),
    "lru": (
        {name: random(N) for name in ("nu_log", "theta_log", "gamma_log")}
        | {"B_re": random(N, D), "B_im": random(N, D, seed=1), "C_re": random(D, N), "C_im": random(D, N), "D": random(D)},
        "lru", {}, lru_step,
    ),
    "s5": (s5_file(), "s4d", {}, s5_step),
    "s4d": (
        {"kernel.log_A_real": random(D, 2), "kernel.A_imag": random(D, 2, seed=1), "kernel.log_dt": random(D),
         "kernel.C": random(D, 2, 2), "D": random(D)},
        "s4d", {}, s4d_kernel_step,
    ),
}  # fmt: skip


def xlstm_step(file: Tensors, x, s) -> np.ndarray:
    """Return xlstm's own (y, c, n, m) step of the CUDA kernel's order, in (y, c/n, ln n + m)."""
    h, r, nu = np.split(s, 3)
    kernel, heads, width = file["_recurrent_kernel_"], 2, 2
    recurrent = np.einsum("hkr,hk->hr", kernel, h.reshape(heads, width)).reshape(heads, 4, width)
    a = recurrent.transpose(1, 0, 2).ravel() + file["_bias_"].reshape(heads, 4, width).transpose(1, 0, 2).ravel() + x
    i, f, z, o = np.split(a, 4)
    held = np.log(reference.sigmoid(f)) + nu
    m = np.maximum(i, held)
    n = np.exp(held - m) + np.exp(i - m)
    c = np.exp(held - m) * r + np.exp(i - m) * np.tanh(z)
    return np.concatenate([reference.sigmoid(o) * c / n, c / n, np.log(n) + m])


def mlstm_step(file: Tensors, x, s) -> np.ndarray:
    _, k, v = np.split(x, 3)
    gates = [file[f"{gate}.weight"] @ x + file[f"{gate}.bias"] for gate in ("igate", "fgate")]
    S = s.reshape(2, 2, 2)  # head, value, key
    written = np.exp(gates[0])[:, None, None] * v.reshape(2, 2, 1) * k.reshape(2, 1, 2) / np.sqrt(2)
    return (reference.sigmoid(gates[1])[:, None, None] * S + written).ravel()


def cfc_step(file: Tensors, x, s) -> np.ndarray:
    cell = {name.removeprefix("rnn_cell."): tensor for name, tensor in file.items()}
    v = 1.7159 * np.tanh(0.666 * (cell["backbone.0.weight"] @ np.concatenate([x, s]) + cell["backbone.0.bias"]))
    f1, f2, a, b = (cell[f"{name}.weight"] @ v + cell[f"{name}.bias"] for name in ("ff1", "ff2", "time_a", "time_b"))
    return np.tanh(f1) * (1 - reference.sigmoid(a + b)) + reference.sigmoid(a + b) * np.tanh(f2)


FILES |= {
    "slstm-cuda": (
        {"_recurrent_kernel_": random(2, 2, 8), "_bias_": random(16)}, "slstm", {}, xlstm_step,
    ),
    "mlstm": (
        {"igate.weight": random(2, 12), "fgate.weight": random(2, 12, seed=1), "igate.bias": random(2),
         "fgate.bias": random(2, seed=1), "outnorm.weight": random(4)},
        "mlstm", {}, mlstm_step,
    ),
    "cfc": (
        {"rnn_cell.backbone.0.weight": random(5, D + N), "rnn_cell.backbone.0.bias": random(5)}
        | {f"rnn_cell.{name}.weight": random(N, 5, seed=j) for j, name in enumerate(("ff1", "ff2", "time_a", "time_b"))}
        | {f"rnn_cell.{name}.bias": random(N, seed=j) for j, name in enumerate(("ff1", "ff2", "time_a", "time_b"))},
        "cfc", {}, cfc_step,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_packages_names_is_its_cell(name: str) -> None:
    file, expected, hints, step = FILES[name]
    (layer,) = recurrent_layers(file, **hints)
    assert layer.cell == expected
    cell = layer.build()
    xs, s = random(1, 5, cell.input_size), random(1, cell.state_size)
    states = run(cell, xs, s).states[:, 0]
    for t in range(5):
        np.testing.assert_allclose(states[t + 1], step(file, xs[0, t], states[t]), rtol=0, atol=TOLERANCE)


def mamba_file(prefix: str = "backbone.layers.0.mixer.", E: int = 6, states: int = 4, R: int = 2) -> Tensors:
    own = {
        "A_log": random(E, states), "D": random(E), "conv1d.weight": random(E, 1, 4), "conv1d.bias": random(E),
        "dt_proj.weight": random(E, R), "dt_proj.bias": random(E), "in_proj.weight": random(2 * E, D),
        "out_proj.weight": random(D, E), "x_proj.weight": random(R + 2 * states, E),
    }  # fmt: skip
    return {prefix + name: tensor for name, tensor in own.items()} | {"backbone.norm_f.weight": random(D)}


def test_a_mamba_block_is_driven_through_its_projection_and_its_convolution(tmp_path: Path) -> None:
    file, xs = mamba_file(), random(7, D)
    own = {name.removeprefix("backbone.layers.0.mixer."): tensor for name, tensor in file.items()}
    np.savez(tmp_path / "mamba.npz", **file)
    np.save(tmp_path / "x.npy", xs)
    report = vanishgrad.analyze(tmp_path / "mamba.npz", input=str(tmp_path / "x.npy"))
    x, log_norms, total = xs @ own["in_proj.weight"][:6].T, [0.0], np.zeros((6, 4))
    for t in range(6, -1, -1):
        window = [own["conv1d.weight"][:, 0, 3 - j] * x[t - j] for j in range(4) if t >= j]
        u = sum(window) + own["conv1d.bias"]
        u = u * reference.sigmoid(u)
        a_dt = own["dt_proj.weight"] @ (own["x_proj.weight"][:2] @ u) + own["dt_proj.bias"]
        total = total - np.log1p(np.exp(a_dt))[:, None] * np.exp(own["A_log"])
        log_norms.append(total.max() / np.log(10))
    (model,) = json.loads(report.to_json())["models"]
    np.testing.assert_allclose(model["curves"]["state"]["log10_norm"]["median"], log_norms, rtol=0, atol=1e-11)
    assert any("in_proj and the convolution" in note for note in model["notes"])


def test_inspect_says_a_mambas_time_constants() -> None:
    """A_log = ln 1 … ln N and softplus(b) = 0.01: the n-th state's is 100/n steps."""
    file = mamba_file()
    prefix = "backbone.layers.0.mixer."
    file[prefix + "A_log"] = np.tile(np.log(np.arange(1, 5)), (6, 1))
    file[prefix + "dt_proj.bias"] = np.full(6, np.log(np.expm1(0.01)))
    file[prefix + "A_log"][0, 0] = -30.0
    (layer,) = json.loads(vanishgrad.inspect(file).to_json())["layers"]
    constants = layer["time_constants"]
    assert constants["quantiles"]["0.5"] == pytest.approx(50 - 50 / 3 * 0.5, rel=1e-9)
    assert constants["still_held"] == pytest.approx(1 / 24)
    assert constants["growing"] == 0


def test_layers_that_others_read_out_are_not_stacked(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", **(mamba_file() | mamba_file("backbone.layers.1.mixer.")))
    with pytest.raises(VanishgradError, match="read out by weights of its own"):
        vanishgrad.analyze(tmp_path / "two.npz", stack=("backbone.layers.0.mixer", "backbone.layers.1.mixer"))


@pytest.mark.parametrize(
    ("spoilt", "sentence"),
    [
        ({"weight_ch": random(N, N + 1), **torchrecurrent(4, 3)}, "expected the tensors of a lem"),
        ({"to_hidden_and_gate.weight": random(3, D)}, "expected a matrix of 2·n rows"),
        ({"nu_log": random(N), "theta_log": random(N), "gamma_log": random(N)}, "none named B_re B_im"),
        ({"log_step": random(N), "Lambda": random(N), "B": random(N, D)}, "expected the tensors of an S5 layer"),
        ({"a.A_log": random(6, 4), "a.x_proj.weight": random(10, 6)}, "expected the tensors of a Mamba mixer"),
        ({"_recurrent_kernel_": random(2, 3, 8), "_bias_": random(16)}, "of an sLSTM, got"),
        ({"fgate.weight": random(2, 12), "igate.weight": random(2, 11)}, "expected the gates of an mLSTM"),
        ({"time_a.weight": random(4, 5), "backbone.0.weight": random(5, 6)}, "expected the layers of a CfC"),
        ({"time_a.weight": random(4, 5), "backbone.3.weight": random(5, 5)}, "expected a backbone of one layer"),
        ({**torchrecurrent(3, 3), "weight_ph": random(3 * N)}, "expected peepholes on an LSTM only"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(spoilt: Tensors, sentence: str) -> None:
    with pytest.raises(VanishgradError, match=sentence):
        recurrent_layers(spoilt)


def test_two_gates_name_the_cells_that_they_may_be() -> None:
    with pytest.raises(VanishgradError, match="try --cell mgu or --cell janet or --cell ligru"):
        recurrent_layers(torchrecurrent(2, 2))


@pytest.mark.parametrize("cell", ["antisymmetric:epsilon", "antisymmetric:dt=1", "antisymmetric:gamma=nan", "lstm:x=1"])
def test_numbers_behind_a_cells_name_are_its_own(cell: str) -> None:
    with pytest.raises(UsageError, match="expected the numbers of a cell behind --cell"):
        recurrent_layers(torchrecurrent(1, 1), cell=cell)


RECORDED_FILES = {
    "torchrecurrent_peephole": {}, "torchrecurrent_mgu": {"cell": "mgu"}, "torchrecurrent_ligru": {"cell": "ligru"},
    "cfc": {}, "slstm_cell": {}, "mlstm_cell": {}, "torchrecurrent_indrnn": {}, "torchrecurrent_lem": {}, "mingru": {}, "lru": {}, "s5": {},
    "torchrecurrent_antisymmetric": {"cell": "antisymmetric:epsilon=0.1,gamma=0.05"},
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDED_FILES)
def test_a_recorded_file_has_its_packages_norms(name: str, tmp_path: Path) -> None:
    if not RECORDED.exists():
        pytest.skip("no ../shared/recurrences")
    known = np.load(RECORDED / f"{name}.ref.npz")
    np.save(tmp_path / "x.npy", known["x"])
    report = vanishgrad.analyze(RECORDED / f"{name}.safetensors", input=str(tmp_path / "x.npy"), **RECORDED_FILES[name])
    (model,) = json.loads(report.to_json())["models"]
    norms = np.array(model["curves"]["state"]["log10_norm"]["median"])[known["lags"]]
    # xlstm's states have a gauge: what is measured is what does not depend on it.
    invariant = {"slstm_cell": "log10_invariant", "mlstm_cell": "log10_unstabilised"}.get(name, "log10_state")
    expected = known[invariant] if known[invariant].ndim == 1 else known[invariant].max(axis=1)
    rounding = 5e-4 if name == "slstm_cell" else 1e-11  # its three digits
    np.testing.assert_allclose(norms, expected, rtol=0, atol=max(rounding, float(known["rtol"])))


@pytest.mark.parametrize("layer", [0, 1])
def test_a_recorded_mamba_has_its_packages_norms(layer: int, tmp_path: Path) -> None:
    if not RECORDED.exists():
        pytest.skip("no ../shared/recurrences")
    known = np.load(RECORDED / "mamba.ref.npz")
    np.save(tmp_path / "x.npy", known[f"layer{layer}_u"])
    report = vanishgrad.analyze(
        RECORDED / "mamba.safetensors", input=str(tmp_path / "x.npy"), layer=(f"backbone.layers.{layer}.mixer",)
    )
    (model,) = json.loads(report.to_json())["models"]
    norms = np.array(model["curves"]["state"]["log10_norm"]["median"])[known["lags"]]
    np.testing.assert_allclose(norms, known[f"layer{layer}_log10_state"], rtol=0, atol=float(known["rtol"]))
