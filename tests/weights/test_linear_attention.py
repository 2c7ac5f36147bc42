"""Files of linear attention, Mamba-2, Qwen3-Next's gated DeltaNet and RWKV-7: their states, norms and time constants.

The packages' own states and norms lie beside the project, in ../shared/recurrences, or not at all; what is tested without
them are files of the same names, beside plain loops over the published equations.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from tests.reference import sigmoid, silu
from vanishgrad.errors import VanishgradError
from vanishgrad.propagation.run import run
from vanishgrad.weights.recognition import recurrent_layers

RECORDED = Path(__file__).parents[3] / "shared" / "recurrences"
T, D = 9, 6
Tensors = dict[str, np.ndarray]


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def softplus(a: np.ndarray) -> np.ndarray:
    return np.log(1 + np.exp(a))


def recorded(name: str):
    if not RECORDED.exists():
        pytest.skip("no ../shared/recurrences")
    return np.load(RECORDED / f"{name}.ref.npz")


def norms(path: Path, x: np.ndarray, lags: np.ndarray, folder: Path, **options: object) -> np.ndarray:
    np.save(folder / "x.npy", x)
    report = vanishgrad.analyze(path, input=str(folder / "x.npy"), **options)
    (model,) = json.loads(report.to_json())["models"]
    assert model["engine"]["name"] in ("key-side", "diagonal")
    return np.array(model["curves"]["state"]["log10_norm"]["median"])[lags]


def states(layer, x: np.ndarray) -> np.ndarray:
    """S_1 … S_T of a layer along x (T, d), (T, n, d_k)."""
    cell = layer.build()
    found = run(cell, layer.front(x[None]), np.zeros((1, cell.state_size))).states[1:, 0]
    return found.reshape(len(x), cell.hidden_size, -1)


def test_qwen3_nexts_layer_has_its_states_and_norms(tmp_path: Path) -> None:
    known, path = recorded("qwen3next_gated_deltanet"), RECORDED / "qwen3next_gated_deltanet.safetensors"
    (layer,) = recurrent_layers(path, cell="gated-deltanet:keys=4").layers
    expected = np.swapaxes(known["states"], -1, -2).reshape(len(known["x"]), -1, 4)
    np.testing.assert_allclose(states(layer, known["x"]), expected, rtol=0, atol=1e-6)
    found = norms(path, known["x"], known["lags"], tmp_path, cell="gated-deltanet:keys=4")
    np.testing.assert_allclose(found, known["log10_key_side"].max(axis=-1), rtol=0, atol=float(known["rtol"]))


def test_a_key_size_that_no_file_holds_is_asked_for() -> None:
    recorded("qwen3next_gated_deltanet")
    with pytest.raises(
        VanishgradError, match=r"expected 8 rows of keys to be heads of 3 .* try --cell gated-deltanet:keys"
    ):
        recurrent_layers(RECORDED / "qwen3next_gated_deltanet.safetensors")


def norm(x: np.ndarray, file: Tensors, stem: str, groups: int = 1, epsilon: float = 1e-5) -> np.ndarray:
    """A layer norm over the last axis, in groups."""
    y = x.reshape(*x.shape[:-1], groups, -1)
    y = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + epsilon)
    return y.reshape(x.shape) * file[f"{stem}.weight"] + file[f"{stem}.bias"]


def shifted(x: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(x[:1]), x[:-1]]) - x


def time_mix(x: np.ndarray, first: np.ndarray | None, file: Tensors, stem: str) -> tuple[np.ndarray, np.ndarray]:
    """A whole time mix of RWKV-7 by a plain loop: its output, and its values."""
    own = {name.removeprefix(stem): each.squeeze() for name, each in file.items() if name.startswith(stem)}
    r, w, k, v, a, g = (x + shifted(x) * own[f"x_{each}"] for each in "rwkvag")
    (H, N), C = own["r_k"].shape, x.shape[-1]
    r, k, v_own = r @ own["receptance.weight"].T, k @ own["key.weight"].T, v @ own["value.weight"].T
    w = np.exp(-0.606531 * sigmoid(own["w0"] + np.tanh(w @ own["w1"]) @ own["w2"]))
    a = sigmoid(own["a0"] + a @ own["a1"] @ own["a2"])
    g = sigmoid(g @ own["g1"]) @ own["g2"]
    v = v_own if first is None else v_own + (first - v_own) * sigmoid(own["v0"] + v @ own["v1"] @ own["v2"])
    kappa = (k * own["k_k"]).reshape(-1, H, N)
    kappa /= np.linalg.norm(kappa, axis=-1, keepdims=True)
    k = k * (1 + (a - 1) * own["k_a"])
    r, w, k, u, a = (each.reshape(-1, H, N) for each in (r, w, k, v, a))
    S, y = np.zeros((H, N, N)), np.zeros((len(x), H, N))
    for t in range(len(x)):
        for h in range(H):
            erase = np.outer(kappa[t, h], a[t, h] * kappa[t, h])
            S[h] = S[h] @ (np.diag(w[t, h]) - erase) + np.outer(u[t, h], k[t, h])
            y[t, h] = S[h] @ r[t, h]
    y = norm(y.reshape(-1, C), {f"ln_x.{each}": own[f"ln_x.{each}"] for each in ("weight", "bias")}, "ln_x", H, 64e-5)
    y = y + ((r * k * own["r_k"]).sum(-1, keepdims=True) * u).reshape(-1, C)
    return (y * g) @ own["output.weight"].T, v


def rwkv7_layers(file: Tensors, ids: np.ndarray) -> list[np.ndarray]:
    """What the time mixes of a two-layer model read."""
    x = norm(file["emb.weight"][ids], file, "blocks.0.ln0")
    below = norm(x, file, "blocks.0.ln1")
    x = x + time_mix(below, None, file, "blocks.0.att.")[0]
    y = norm(x, file, "blocks.0.ln2")
    hidden = np.maximum((y + shifted(y) * file["blocks.0.ffn.x_k"].squeeze()) @ file["blocks.0.ffn.key.weight"].T, 0)
    x = x + hidden**2 @ file["blocks.0.ffn.value.weight"].T
    return [below, norm(x, file, "blocks.1.ln1")]


@pytest.mark.torch
@pytest.mark.parametrize("place", [0, 1])
def test_rwkv_7s_layers_have_their_states_and_norms(place: int, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    known, path = recorded("rwkv7"), RECORDED / "rwkv7.pth"
    file = {name: each.double().numpy() for name, each in torch.load(path, weights_only=True).items()}
    x = rwkv7_layers(file, known["input_ids"])[place]
    layer = recurrent_layers(path).layers[place]
    if place == 0:
        expected = known["layer0_states"].reshape(len(x), 8, 4)
        np.testing.assert_allclose(states(layer, x), expected, rtol=0, atol=1e-5)
    found = norms(path, x, known["lags"], tmp_path, layer=(layer.name,))
    expected = known[f"layer{place}_log10_key_side"].max(axis=-1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=float(known["rtol"]))


def mamba2_file(groups: int, E: int = 6, N: int = 3, H: int = 2) -> Tensors:
    return {
        "layers.0.mixer.in_proj.weight": random(2 * E + 2 * groups * N + H, D),
        "layers.0.mixer.conv1d.weight": random(E + 2 * groups * N, 1, 4),
        "layers.0.mixer.conv1d.bias": random(E + 2 * groups * N),
        "layers.0.mixer.A_log": random(H), "layers.0.mixer.dt_bias": random(H, seed=1),
        "layers.0.mixer.D": np.ones(H), "layers.0.mixer.norm.weight": np.ones(E),
        "layers.0.mixer.out_proj.weight": random(D, E),
    }  # fmt: skip


def mamba2_states(file: Tensors, x: np.ndarray, groups: int, E: int = 6, N: int = 3, H: int = 2):
    """S_1 … S_T, (T, E, N), and ln α, (T, H), by the published equations step by step."""
    own = {name.rpartition("mixer.")[2]: each for name, each in file.items()}
    projected = x @ own["in_proj.weight"].T
    before, S, by_step, logs = np.zeros((4, E + 2 * groups * N)), np.zeros((E, N)), [], []
    for row in projected:
        before = np.concatenate([before[1:], row[None, E : 2 * E + 2 * groups * N]])
        u_B_C = silu((before * own["conv1d.weight"][:, 0].T).sum(0) + own["conv1d.bias"])
        step = softplus(row[-H:] + own["dt_bias"])
        logs.append(-step * np.exp(own["A_log"]))
        for j in range(E):
            h = j // (E // H)
            B = u_B_C[E : E + groups * N].reshape(groups, N)[h // (H // groups)]
            S[j] = np.exp(logs[-1][h]) * S[j] + step[h] * u_B_C[j] * B
        by_step.append(S.copy())
    return np.array(by_step), np.array(logs)


@pytest.mark.parametrize("groups", [1, 2])
def test_a_mamba_2_mixer_is_read_with_its_convolution(groups: int, tmp_path: Path) -> None:
    file, x = mamba2_file(groups), random(T, D, seed=2)
    np.savez(tmp_path / "model.npz", **file)
    options = {"cell": f"mamba2:groups={groups}"}
    (layer,) = recurrent_layers(tmp_path / "model.npz", **options).layers
    assert (layer.cell, layer.hidden_size, layer.input_size) == ("mamba2", 6, D)
    expected, logs = mamba2_states(file, x, groups)
    np.testing.assert_allclose(states(layer, x), expected, rtol=1e-12, atol=1e-12)
    lags = np.arange(1, T + 1)
    sums = np.cumsum(logs[::-1], axis=0).max(axis=-1) / np.log(10)
    found = norms(tmp_path / "model.npz", x, lags, tmp_path, **options)
    np.testing.assert_allclose(found, sums, rtol=1e-12, atol=1e-12)


def test_inspect_reads_the_time_constants_of_heads(tmp_path: Path) -> None:
    """At zero input ln α = -softplus(dt_bias) e^{A_log}."""
    file = mamba2_file(1)
    np.savez(tmp_path / "model.npz", **file)
    (layer,) = json.loads(vanishgrad.inspect(tmp_path / "model.npz").to_json())["layers"]
    tau = 1 / (softplus(file["layers.0.mixer.dt_bias"]) * np.exp(file["layers.0.mixer.A_log"]))
    quantiles = layer["time_constants"]["quantiles"]
    assert min(quantiles.values()) >= tau.min() * (1 - 1e-12)
    assert max(quantiles.values()) <= tau.max() * (1 + 1e-12)


def test_shapes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    file = mamba2_file(1)
    file["layers.0.mixer.dt_bias"] = random(3)
    np.savez(tmp_path / "model.npz", **file)
    with pytest.raises(VanishgradError, match=r"expected the tensors of a Mamba-2 mixer, .* got .*dt_bias"):
        recurrent_layers(tmp_path / "model.npz")
