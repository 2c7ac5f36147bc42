"""Certificates in Coq: what is written, what is refused without Coq; Coq itself in the group `coq`."""

from __future__ import annotations

import re
import shutil
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.certificates.nets import KINDS, net
from vanishgrad.cells import ACTIVATIONS, RNN
from vanishgrad.certificates import CertificateVerdict, certify
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.formal import certify_formally, check_formally
from vanishgrad.certificates.formal import fixed_point as fp
from vanishgrad.certificates.formal.check import check
from vanishgrad.certificates.formal.integer_weights import in_units
from vanishgrad.certificates.formal.methods import METHODS
from vanishgrad.certificates.formal.prove import prove
from vanishgrad.certificates.formal.source import Altered, parse_source
from vanishgrad.certificates.formal.statement import C, rho, weights_of
from vanishgrad.certificates.formal.vanilla import gram_source, max_norm_source
from vanishgrad.certificates.request import CertifyRequest
from vanishgrad.certificates.subject import subject
from vanishgrad.cli.certify import certify as command
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.proofs.coq import compiled_library

BOUND = 0.25


def small(kind: str):
    """Return a net of which a certificate exists."""
    return subject(net(kind, 4, 3, 0.12, seed=0))


@pytest.fixture(params=KINDS)
def target(request):
    return small(request.param)


@pytest.fixture
def source(target):
    return prove(target, None if target.cell == "rnn" else BOUND).source


def test_a_file_says_what_it_was_written_from(source):
    read = parse_source(source.text, "c.v")
    assert read.text == source.text
    assert {name: np.array(value, dtype=object).tolist() for name, value in read.literals.items()} == {
        name: np.array(value, dtype=object).tolist() for name, value in source.literals.items()
    }


def test_the_literals_are_the_weights_exactly(source, target):
    unit = Fraction(1, 2 ** source.number("k"))
    for name, rows in weights_of(source).items():
        exact = [[Fraction(float(each)) for each in row] for row in np.atleast_2d(target.tensors[name])]
        assert [[each * unit for each in row] for row in rows] == exact, name


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "linear", "relu"])
def test_the_rate_of_a_gram_completion_is_the_scaled_norm_and_no_less(rng, activation):
    """μ exceeds ‖ΔWΔ⁻¹‖₂ by the slack of the factorisation, 2⁻²⁴, and n roundings of R at 2⁻²⁸."""
    W = rng.normal(size=(12, 12)) / 12
    target = subject(RNN(W, W, W[0], ACTIVATIONS[activation]))
    found = gram_source(target)
    scale = np.array(found.literals["scale"], dtype=np.float64)
    norm = np.linalg.norm(scale[:, None] * W / scale, 2) * (0.25 if activation == "sigmoid" else 1.0)
    assert norm <= rho(found) <= norm * (1 + 12 * 2.0**-22)


def test_the_rate_of_a_positive_vector_is_the_least_that_passes(rng):
    W = rng.normal(size=(9, 9)) / 30
    found = max_norm_source(subject(RNN(W, W, W[0])))
    x = np.array(found.literals["x"], dtype=np.float64)
    worst = max(Fraction(0), *(sum(Fraction(float(abs(a))) * int(b) for a, b in zip(row, x, strict=True)) / int(xi) for row, xi in zip(W, x, strict=True)))  # fmt: skip
    r = Fraction(found.number("r"), 2 ** found.number("e"))
    assert worst <= r < worst + Fraction(1, 2 ** found.number("e"))


def test_the_factor_bounds_the_change_of_norms(source):
    literals = source.literals
    ratio = max(literals.get("scale", literals.get("x"))) / min(literals.get("scale", literals.get("x")))
    size = 1 if "scale" in literals else len(literals["x"])
    assert C(source) == pytest.approx(size**0.5 * ratio, rel=1e-11)
    assert C(source) ** 2 >= size * ratio**2 * (1 - 1e-15)


def test_the_gated_rate_is_that_of_the_exact_checker(target):
    """The same majorant in two arithmetics: σ to 2⁻³⁰ of its argument's square, and the vector's 20 digits."""
    from vanishgrad.certificates.boxes import InputSet
    from vanishgrad.certificates.methods import _max_norm

    if target.cell == "rnn":
        pytest.skip("an rnn has no gates")
    (other,) = _max_norm(equivalent_gru(target), InputSet(BOUND), {})
    assert rho(prove(target, BOUND).source) == pytest.approx(other.rho, rel=1e-4)


@pytest.mark.parametrize("shift", [lambda text: text + " ", lambda text: text.replace("Qed.", "Admitted.", 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_not_what_its_numbers_make_is_refused(kind, shift, tmp_path):
    target = small(kind)
    path = tmp_path / "c.v"
    path.write_text(shift(prove(target, None if kind == "rnn" else BOUND).source.text))
    found = check(str(path), target)
    assert found.verdict is CertificateVerdict.INVALID
    assert "fixed skeleton" in found.reason


@pytest.mark.parametrize(
    "smuggled",
    [
        "Axiom a : False.", "Parameter a : False.", "Unset Guard Checking.", "Load other.", "Drop.",
        'Redirect "x" Print nat.', 'Declare ML Module "ltac_plugin".', "From Coq Require Import ClassicalEpsilon.",
        "Definition n : nat := 3%nat.",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["Lemma checked", "Definition rho", "Print Assumptions"])
def test_no_command_gets_into_a_file(smuggled, place):
    text = prove(small("rnn"), None).source.text
    with pytest.raises(Altered):
        parse_source(text.replace(place, f"{smuggled}\n{place}", 1), "c.v")


@pytest.mark.parametrize("literal", ["(0x1)%Z + (0x1)%Z", "0x1%Z", "ltac:(exact 1%Z)", "", "(0x1)%Z (* *)"])
def test_a_literal_is_a_number_and_nothing_else(literal):
    text = re.sub(r"(Definition r : Z := )\S+\.\n", rf"\g<1>{literal}.\n", prove(small("rnn"), None).source.text)
    with pytest.raises(Altered):
        parse_source(text, "c.v")


@pytest.mark.parametrize("size", ["-5", "1000000000", "9" * 5000, "0x5", ""])
def test_sizes_are_sane(size):
    text = re.sub(r"(Definition w : nat := )\d+", rf"\g<1>{size}", prove(small("rnn"), None).source.text)
    with pytest.raises(Altered):
        parse_source(text, "c.v")


def test_another_file_is_no_certificate(tmp_path):
    path = tmp_path / "c.v"
    path.write_text("Lemma easy : True. Proof. exact I. Qed.")
    with pytest.raises(VanishgradError, match="expected a certificate in Coq"):
        check(str(path), small("rnn"))


def test_the_last_bit_of_a_weight_is_compared(target, source, tmp_path):
    path = tmp_path / "c.v"
    path.write_text(source.text)
    W = target.tensors["W_hh"].copy()
    W[1, 2] = np.nextafter(W[1, 2], np.inf)
    found = check(str(path), replace(target, tensors={**target.tensors, "W_hh": W}))
    assert found.verdict is CertificateVerdict.INVALID
    assert "unit is that of the weights" in found.reason or "bit for bit" in found.reason


@pytest.mark.parametrize(("one", "other"), [("mgu-before-new", "mgu-before-old"), ("mgu-none-new", "mgu-after-new")])
def test_another_convention_of_the_gate_is_refused(one, other, tmp_path):
    path = tmp_path / "c.v"
    path.write_text(prove(small(one), BOUND).source.text)
    found = check(str(path), small(other))
    assert found.verdict is CertificateVerdict.INVALID
    assert "the cell and its functions" in found.reason


@pytest.mark.parametrize("name", ["columns", "U", "V", "N"])
def test_the_last_bit_of_a_literal_is_compared(name, tmp_path):
    kind = {"columns": "rnn", "N": "gru-before"}.get(name, "lstm")
    target = small(kind)
    text = prove(target, None if kind == "rnn" else BOUND).source.text
    changed = re.sub(
        rf"(Definition {name} : .*?\n0x1[0-9a-f]*)([0-9a-f]);",
        lambda match: f"{match[1]}{int(match[2], 16) ^ 1:x};",
        text,
        count=1,
    )
    assert changed != text
    path = tmp_path / "c.v"
    path.write_text(changed)
    found = check(str(path), target)
    assert found.verdict is CertificateVerdict.INVALID
    assert "bit for bit" in found.reason


def test_ragged_literals_are_refused(tmp_path):
    target = small("rnn")
    found = gram_source(target)
    columns = [list(column) for column in found.literals["columns"]]
    columns[0].pop()
    path = tmp_path / "c.v"
    path.write_text(replace(found, literals={**found.literals, "columns": columns}).text)
    assert check(str(path), target).verdict is CertificateVerdict.INVALID


def test_another_cell_is_refused(tmp_path):
    path = tmp_path / "c.v"
    path.write_text(prove(small("gru-after"), BOUND).source.text)
    found = check(str(path), small("gru-before"))
    assert found.verdict is CertificateVerdict.INVALID
    assert "the cell and its functions" in found.reason


@pytest.mark.parametrize("tiny", [5e-324, 1e-310, 1e-40])
def test_denormals_are_refused_in_a_sentence(tiny):
    with pytest.raises(VanishgradError, match=r"expected weights that are 0 or at least 2\^-126 .* got the denormal"):
        in_units({"W_hh": np.array([[0.5, tiny]])})


def test_nan_is_refused_in_a_sentence(tmp_path):
    np.savez(tmp_path / "w.npz", weight_hh_l0=np.full((2, 2), np.nan), weight_ih_l0=np.ones((2, 2)))
    with pytest.raises(VanishgradError, match="expected finite weights"):
        certify_formally(CertifyRequest(str(tmp_path / "w.npz"), str(tmp_path / "c.v"), cell="rnn"))


def test_large_weights_are_inconclusive():
    found = prove(subject(net("rnn", 5, 5, 30.0, seed=0)), None)
    assert found.source is None
    assert "not below 1" in found.reason


@pytest.mark.parametrize("model", ["rnn", "lstm", "gru", "mgu"])
@pytest.mark.parametrize("request_", [{}, {"coq": True}, {"input": "white", "steps": 3}])
def test_weights_whose_squares_leave_the_range_are_inconclusive(model, request_, tmp_path):
    options = {name: value for name, value in request_.items() if name != "coq"}
    bounded = {} if model == "rnn" or options else {"input_bound": 1.0}
    request = CertifyRequest(f"{model}@gaussian:gain=1e308", str(tmp_path / "c.v"), hidden=1, **options, **bounded)
    found = certify_formally(request) if request_.get("coq") else certify(request)
    assert found.files == {}
    assert "no proof is tried with weights above 1e+100" in found.outcome.reason


@pytest.mark.parametrize(
    ("W", "rate"),
    [
        (np.zeros((3, 3)), 0.0), (np.array([[0.5]]), 0.5), (np.eye(3) * 0.25, 0.25),
        (np.eye(4)[[1, 2, 3, 0]], 1.0), (np.array([[1e-30, 0.3], [0.2, -1e-35]]), np.sqrt(0.06)),
    ],
)  # fmt: skip
def test_limiting_weights(W, rate):
    """The least rate there is, for the diagonal that makes it least; found to the digits of that diagonal."""
    found = prove(subject(RNN(W, np.ones((len(W), 1)), np.zeros(len(W)))), None)
    assert min(map(rho, found.tried)) >= rate
    if rate < 1:
        assert min(map(rho, found.tried)) == pytest.approx(rate, rel=1e-3, abs=2.0**-40)
    else:
        assert found.source is None


def test_the_faster_proof_is_taken_where_the_better_one_is_slow(monkeypatch):
    target = subject(RNN(np.eye(4) * 0.5 + 0.01, np.ones((4, 1)), np.zeros(4)))
    assert prove(target, None).source.method == "gram"
    monkeypatch.setattr("vanishgrad.certificates.formal.prove.SECONDS_PER_PRODUCT", 1e9)
    assert prove(target, None).source.method == "max_norm"


# The arithmetic of the checker, against 60 digits.


def real(z: int) -> mp.mpf:
    return mp.mpf(z) / fp.ONE


@given(st.integers(-60 * fp.ONE, 60 * fp.ONE))
def test_bounds_of_sigma_and_tanh(a):
    """(1 + y/2^s)^(2^s) falls short of e^y by y² / 2^(s+1) of itself; σ and tanh by at most that, and a unit or four."""
    with mp.workdps(60):
        exact, tanh = 1 / (1 + mp.exp(-real(a))), mp.tanh(real(a))
        loss = 2 * real(a) ** 2 / 2**fp.S * exact * (1 - exact) + mp.mpf(4) / fp.ONE
        assert exact <= real(fp.sigma_high(a)) <= exact + loss
        assert exact - loss <= real(fp.sigma_low(a)) <= exact
        assert real(fp.tanh_low(a)) <= tanh <= real(fp.tanh_high(a))


unit = st.integers(0, fp.ONE)


@given(unit, unit, unit, unit, unit, st.integers(0, 8))
def test_the_peak_is_an_upper_bound_and_attained(one, other, x, k, G, step):
    lo, hi = sorted((one, other))
    s = Fraction(lo) + Fraction(hi - lo) * step / 8
    found = Fraction(fp.peak(lo, hi, x, k, G), fp.ONE)

    def value(s):
        return (s * x + (fp.ONE - s) * k + s * (fp.ONE - s) * Fraction(G, fp.ONE)) / fp.ONE**2

    assert value(s) <= found
    best = max(value(Fraction(lo)), value(Fraction(hi)))
    if G and lo * 2 * G < (x - k + G) * fp.ONE < hi * 2 * G:
        best = max(best, value(Fraction((x - k + G) * fp.ONE, 2 * G)))
    assert found - best <= Fraction(4, fp.ONE)


@given(st.integers(-(2**45), 2**45), st.integers(0, 2**45))
def test_pieces_cover_a_range(lo, width):
    cuts = [fp.cut(lo, lo + width, piece) for piece in range(fp.GATE_PIECES + 1)]
    assert (cuts[0], cuts[-1]) == (lo, lo + width)
    assert all(one <= other for one, other in pairwise(cuts))


# The command.


def written(tmp_path, *arguments):
    from click.testing import CliRunner

    found = CliRunner().invoke(command, [*arguments], standalone_mode=False)
    if found.exception:
        raise found.exception
    return found.return_value, found.output


def test_a_model_is_written_with_its_weights_beside_it(tmp_path):
    path = tmp_path / "c.v"
    status, out = written(tmp_path, "rnn@gaussian:gain=0.4", "--hidden", "6", "--coq", str(path))
    assert status == 0
    assert out.startswith("for Coq to check, by gram")
    assert {each.name for each in tmp_path.iterdir()} == {"c.v", "c.weights.npz"}


def test_an_inconclusive_proof_writes_nothing(tmp_path):
    status, out = written(tmp_path, "rnn@orthogonal:gain=2", "--hidden", "6", "--coq", str(tmp_path / "c.v"))
    assert (status, list(tmp_path.iterdir())) == (3, [])
    assert out.startswith("inconclusive: ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rnn", "--coq", "c.txt"], "expected --coq FILE.v"),
        (["rnn", "--coq", "c.v", "--claim", "lower"], "expected --coq with an upper bound"),
        (["rnn", "--coq", "c.v", "--output", "c.json"], "--output FILE or --coq FILE.v"),
        (["lstm", "--coq", "c.v"], "expected a finite --input-bound"),
        (["--check", "no-weights-beside-it.v"], "expected the weights"),
    ],
)
def test_what_the_arguments_show_to_be_wrong(arguments, sentence, tmp_path):
    with pytest.raises(UsageError, match=re.escape(sentence)):
        written(tmp_path, *arguments)


def test_without_coq_one_sentence_names_the_packages(tmp_path, monkeypatch):
    path = tmp_path / "c.v"
    written(tmp_path, "rnn@gaussian:gain=0.4", "--hidden", "4", "--coq", str(path))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(VanishgradError, match=r"expected Coq on this machine, got no coqc; try apt-get install coq$"):
        check_formally(str(path))


# Coq itself.


@pytest.fixture(scope="module")
def library():
    with compiled_library("cert") as folder:
        yield folder


@pytest.fixture
def compiled_once(library, monkeypatch):
    """Use one compiled library for many checks; `check` compiles its own each time."""
    monkeypatch.setattr("vanishgrad.certificates.formal.check.compiled_library", lambda *names: nullcontext(library))


@pytest.mark.coq
@pytest.mark.usefixtures("compiled_once")
@pytest.mark.parametrize("method", METHODS)
def test_coq_proves_one_of_each_kind_and_not_with_the_bound_a_unit_lower(method, tmp_path):
    kind = {"gram": "rnn", "max_norm": "rnn"}.get(method, method.replace("_", "-"))
    target = small(kind)
    made = {"gram": gram_source, "max_norm": max_norm_source}
    found = made[method](target) if method in made else prove(target, BOUND).source
    path = tmp_path / "c.v"
    path.write_text(found.text)
    assert check(str(path), target).verdict is CertificateVerdict.VALID
    path.write_text(replace(found, literals={**found.literals, "r": found.number("r") - 1}).text)
    lower = check(str(path), target)
    assert lower.verdict is CertificateVerdict.INVALID
    assert "Coq proves it" in lower.reason


@pytest.mark.coq
@pytest.mark.usefixtures("compiled_once")
@pytest.mark.parametrize("activation", ["sigmoid", "linear", "relu"])
def test_coq_proves_every_activation(activation, tmp_path, rng):
    W = rng.normal(size=(3, 3)) / 6
    target = subject(RNN(W, W, W[0], ACTIVATIONS[activation]))
    path = tmp_path / "c.v"
    path.write_text(max_norm_source(target).text)
    assert check(str(path), target).verdict is CertificateVerdict.VALID


@pytest.mark.coq
def test_the_command_checks_a_file_in_a_folder_of_its_own(tmp_path):
    path = str(tmp_path / "c.v")
    written(tmp_path, "rnn@gaussian:gain=0.4", "--hidden", "4", "--coq", path)
    status, out = written(tmp_path, "--check", path)
    assert status == 0
    assert out.startswith("valid: rnn with 4 units: for every input sequence")
    assert {each.name for each in tmp_path.iterdir()} == {"c.v", "c.weights.npz"}


@pytest.mark.coq
@pytest.mark.usefixtures("compiled_once")
def test_a_run_of_coq_ends_with_its_time(tmp_path):
    path = tmp_path / "c.v"
    target = small("rnn")
    path.write_text(prove(target, None).source.text)
    found = check(str(path), target, seconds=0.01)
    assert found.verdict is CertificateVerdict.INCONCLUSIVE
    assert "Coq ends within" in found.reason
