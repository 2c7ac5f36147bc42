"""Refutations: closed forms, 60-digit arithmetic on random nets, every least change told, trained networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from tests.certificates.nets import DIGITS, KINDS, net, norm, step
from vanishgrad.cells import ACTIVATIONS, LSTM, RNN, Cell
from vanishgrad.certificates import Certificate, CertificateVerdict, ProverVerdict, decided, verify
from vanishgrad.certificates.checking.verdict import Inequalities, Refuted, Undecided
from vanishgrad.certificates.refute import refutations
from vanishgrad.certificates.subject import subject
from vanishgrad.weights.recognition import recurrent_layers

BOUND = 1.0
WEIGHTS = Path(__file__).parents[3] / "shared" / "weights"


@pytest.fixture(autouse=True)
def sixty_digits():
    with mp.workdps(DIGITS):
        yield


def unit(W: float, activation: str = "tanh") -> RNN:
    """Return a network of one unit without bias, whose fixed point at zero input is 0."""
    return RNN(np.array([[W]]), np.array([[1.0]]), np.zeros(1), ACTIVATIONS[activation])


def refuted(cell: Cell, words=()) -> Certificate:
    return next(refutations(cell, BOUND, words))


def verdict(certificate: Certificate, cell: Cell) -> CertificateVerdict:
    try:
        verify(certificate, subject(cell), None, Inequalities())
    except Refuted:
        return CertificateVerdict.INVALID
    except Undecided:
        return CertificateVerdict.INCONCLUSIVE
    return CertificateVerdict.VALID


@pytest.mark.parametrize("W", [1.25, -1.25, 3.0])
@pytest.mark.parametrize("activation", ["tanh", "linear"])
def test_a_unit_is_refuted_below_its_weight(W, activation):
    rho = refuted(unit(W, activation)).claim["rho"]
    assert np.nextafter(abs(W), 0) <= rho <= abs(W)


def test_an_lstm_whose_gates_are_constant_is_refuted_below_its_forget_gate():
    """With W_hh = 0 the state is h = o tanh c, c = f c + i g: eigenvalues 0 and σ(b_f)."""
    cell = LSTM(np.zeros((4, 1)), np.zeros((4, 1)), np.array([0.5, 3.0, 1.0, 0.0]))
    rho = refuted(cell).claim["rho"]
    f = 1 / (1 + mp.exp(-3))
    assert rho <= f < np.nextafter(rho, 1)


def test_a_bound_that_can_be_proved_is_not_refuted():
    outcome = decided(net("rnn", 3, 2, 0.3, 0), BOUND)
    assert outcome.verdict is ProverVerdict.PROVED


def period(cell: Cell, certificate: Certificate) -> tuple[list, list, mp.matrix]:
    """Return a cycle's state, the state a period later, and the period's Jacobian, from the textbook's formulas."""
    limbs = certificate.witness["state"]
    start = s = [mp.fsum(mp.mpf(limb[j]) for limb in limbs) for j in range(cell.state_size)]
    P = mp.eye(cell.state_size)
    for x in certificate.witness["word"]:
        s, J = step(cell, s, np.array(x))
        P = J * P
    return start, s, P


def judge(seed: int) -> None:
    random = np.random.default_rng(seed)
    cell = net(KINDS[seed % len(KINDS)], int(random.integers(1, 4)), 2, float(random.choice([0.5, 1.5, 4.0])), seed)
    words = [random.uniform(-1, 1, (int(random.integers(2, 4)), 2))]
    for certificate in refutations(cell, BOUND, words):
        if verdict(certificate, cell) is not CertificateVerdict.VALID:
            continue
        rho, steps = mp.mpf(certificate.claim["rho"]), len(certificate.witness["word"])
        start, after, P = period(cell, certificate)
        assert mp.norm(mp.matrix(after) - mp.matrix(start)) < mp.mpf("1e-50"), seed
        largest = abs(P[0, 0]) if P.rows == 1 else max(map(abs, mp.eig(P, right=False)))
        assert largest >= rho**steps * (1 - mp.mpf("1e-40")), seed
        for j in (1, 5, 20):
            assert norm(P**j) >= rho ** (j * steps) * (1 - mp.mpf("1e-40")), seed


@pytest.mark.parametrize("seed", range(8))
def test_no_refutation_is_violated_in_60_digits(seed):
    judge(seed)


@pytest.mark.slow
def test_no_refutation_is_violated_in_three_hundred_nets():
    for seed in range(100, 400):
        judge(seed)


def test_a_cycle_of_a_word_is_found_beside_constants():
    """h = 1.5 h + x is expanding whatever the input; among one constant and a word, both refute below 1.5."""
    cell, word = unit(1.5, "linear"), np.array([[0.5], [-0.25], [0.0]])
    found = {len(each.witness["word"]): each for each in refutations(cell, 0.0, [word, word])}
    for each in (replace(one, claim={**one.claim, "input_bound": BOUND}) for one in found.values()):
        assert verdict(each, cell) is CertificateVerdict.VALID
        assert np.nextafter(1.5, 0) <= each.claim["rho"] <= 1.5
    assert set(found) == {1, 3}


@pytest.fixture(scope="module", params=KINDS)
def shown(request) -> tuple[Cell, Certificate]:
    cell = net(request.param, 3, 2, 1.5, 1)
    certificate = next(each for each in refutations(cell, BOUND) if verdict(each, cell) is CertificateVerdict.VALID)
    return cell, certificate


def moved(certificate: Certificate, name: str, change) -> Certificate:
    return replace(certificate, witness={**certificate.witness, name: change(certificate.witness[name])})


def test_the_last_bit_of_a_weight_is_told(shown):
    cell, certificate = shown
    W = cell.W_hh.copy()
    W[0, 0, 0] = np.nextafter(W[0, 0, 0], np.inf)
    other = cell.with_weights(W_hh=W)
    assert verdict(certificate, other) is CertificateVerdict.INVALID
    resealed = replace(certificate, weights={**certificate.weights, "sha256": subject(other).sha256})
    assert verdict(resealed, other) is not CertificateVerdict.VALID


def test_a_rho_one_unit_larger_is_refused(shown):
    cell, certificate = shown
    larger = float(np.nextafter(certificate.claim["rho"], np.inf))
    assert verdict(replace(certificate, claim={**certificate.claim, "rho": larger}), cell) is CertificateVerdict.INVALID


def test_a_state_that_was_moved_is_refused(shown):
    cell, certificate = shown
    if certificate.witness["word"][0] == [0.0, 0.0] and cell.name == "rnn":
        pytest.skip("the state is 0")

    def change(limbs):
        return [[float(np.nextafter(limbs[0][0], np.inf)), *limbs[0][1:]], *limbs[1:]]

    assert verdict(moved(certificate, "state", change), cell) is CertificateVerdict.INVALID


def test_a_narrower_ball_is_refused(shown):
    cell, certificate = shown
    narrower = moved(certificate, "state_radius", lambda radius: radius * 0.98)
    assert verdict(narrower, cell) is CertificateVerdict.INVALID
    assert verdict(moved(certificate, "eigenvalue_radius", lambda radius: 1e-80), cell) is not CertificateVerdict.VALID


def test_an_input_outside_the_claim_is_refused(shown):
    cell, certificate = shown
    word = [[2.0, *certificate.witness["word"][0][1:]]]
    assert verdict(moved(certificate, "word", lambda _: word), cell) is CertificateVerdict.INVALID


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS.exists(), reason="the trained networks are not here")
@pytest.mark.parametrize(
    ("file", "bound", "least"), [("silero_vad_16k.safetensors", 2.0, 0.98), ("g2p_gru.npz", 1.0, 0.9999)]
)
def test_trained_networks_are_refuted_by_a_constant_input(file, bound, least):
    cell = recurrent_layers(str(WEIGHTS / file)).layers[0].build()
    certificate = next(refutations(cell, bound))
    assert verdict(certificate, cell) is CertificateVerdict.VALID
    assert certificate.claim["rho"] > least


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS.exists(), reason="the trained networks are not here")
def test_the_speech_detector_is_refuted_below_0_999_by_silence():
    """Silence reaches its LSTM as what its own convolutions make of zeros."""
    file = recurrent_layers(str(WEIGHTS / "silero_vad_16k.safetensors"))
    x = np.zeros((129, 4))
    for j, stride in ((1, 1), (2, 2), (3, 2), (4, 1)):
        W, b = (file.tensors[f"conv{j}.{part}"].read().astype(float) for part in ("weight", "bias"))
        padded = np.pad(x, ((0, 0), (1, 1)))
        places = range(0, padded.shape[1] - 2, stride)
        x = np.maximum(np.stack([np.einsum("oik,ik->o", W, padded[:, t : t + 3]) for t in places], 1) + b[:, None], 0)
    outcome = decided(file.layers[0].build(), 2.0, [x[:, 0][None]])
    assert outcome.verdict is ProverVerdict.REFUTED
    assert outcome.certificate.witness["word"] == [x[:, 0].tolist()]
    assert outcome.certificate.claim["rho"] == pytest.approx(0.999187, abs=1e-6)
