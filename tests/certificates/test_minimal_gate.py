"""The minimal gated unit certified as the GRU that it is: two forms made apart, every claim, tampering, an attack."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tests.certificates.nets import KINDS, net
from vanishgrad.cells import GRU, Cell
from vanishgrad.certificates import CertificateVerdict, CertifyRequest, certify, check, lower, upper, verify
from vanishgrad.certificates.certificate import digest
from vanishgrad.certificates.checking.minimal_gate import as_gru
from vanishgrad.certificates.checking.verdict import Inequalities, Refuted, Undecided
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.subject import CertifiedCell, subject
from vanishgrad.propagation.run import run

VARIANTS = [f"mgu-{reset}-{keep}" for reset, keep in product(("before", "after", "none"), ("new", "old"))]


def as_cell(target: CertifiedCell) -> Cell:
    return GRU(*(target.tensors[name] for name in ("W_hh", "W_hx", "b", "b_hn")), reset=target.reset)


def checkers_form(cell: Cell) -> CertifiedCell:
    return as_gru(subject(cell), Inequalities())


@pytest.mark.parametrize("kind", VARIANTS)
@pytest.mark.parametrize("form", [lambda cell: equivalent_gru(subject(cell)), checkers_form])
def test_the_gru_has_the_states_and_jacobians_of_the_unit(kind, form, rng):
    cell, xs, s0 = net(kind, 5, 3, 1.0, 0), rng.normal(size=(1, 30, 3)), np.zeros((1, 5))
    one, other = (run(each, xs, s0) for each in (cell, as_cell(form(cell))))
    assert np.abs(one.states - other.states).max() <= 1e-13
    mine, theirs = cell.linearise(one, 0, 30), as_cell(form(cell)).linearise(other, 0, 30)
    for t in range(1, 31):
        assert np.abs(mine.dense(t) - theirs.dense(t)).max() <= 1e-13


@pytest.mark.parametrize("kind", VARIANTS)
def test_prover_and_checker_form_the_same_gru(kind):
    cell = net(kind, 4, 2, 1.0, 1)
    one, other = equivalent_gru(subject(cell)), checkers_form(cell)
    assert one.described == other.described
    for name in one.tensors:
        assert np.array_equal(one.tensors[name], other.tensors[name]), name


def test_twice_a_weight_beyond_floating_point_is_undecided():
    cell = net("mgu-none-new", 2, 2, 1.0, 0)
    cell.W_hh[:] = 1e308
    with pytest.raises(Undecided, match="twice a weight"):
        checkers_form(cell)


CLAIMS = {
    "upper": {"input_bound": 0.1, "source": "mgu@gaussian:gain=0.05"},
    "lower": {"input_bound": 0.5, "source": "mgu@gaussian:gain=0.1,forget_bias=5", "claim": "lower"},
    "along": {"input": "white", "steps": 8, "source": "mgu"},
    "refuted": {"input_bound": 1.0, "source": "mgu@gaussian:gain=8", "seed": 1},
}


def written(tmp_path: Path, **request) -> Path:
    path = tmp_path / "c.json"
    for name, content in certify(CertifyRequest(output=str(path), hidden=3, **request)).files.items():
        Path(name).write_bytes(content)
    return path


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("variant", ["", "reset=after,keep=old", "reset=none"])
def test_every_claim_is_proved_checked_and_says_mgu(claim, variant, tmp_path):
    request = dict(CLAIMS[claim])
    request["source"] += (("," if ":" in request["source"] else ":") + variant) if variant else ""
    path = written(tmp_path, **request)
    model = json.loads(path.read_text())["model"]
    keys = dict(each.split("=") for each in variant.split(",") if each)
    assert (model["cell"], model["reset"], model["keep"]) == (
        "mgu",
        keys.get("reset", "before"),
        keys.get("keep", "new"),
    )
    found = check(str(path))
    assert found.verdict is CertificateVerdict.VALID
    assert found.reason.startswith("mgu with 3 units: ")


@pytest.mark.parametrize(
    "change", [{"cell": "gru"}, {"reset": "after"}, {"keep": "old"}, {"keep": None}, {"hidden_size": 4}]
)
def test_a_certificate_of_another_unit_is_invalid_even_with_its_digest(change, tmp_path):
    path = written(tmp_path, **CLAIMS["upper"])
    content = json.loads(path.read_text())
    content["model"] |= change
    content["sha256"] = digest(content)
    path.write_text(json.dumps(content))
    assert check(str(path)).verdict is CertificateVerdict.INVALID


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("mgu")])
def test_a_rho_that_does_not_follow_is_refused(kind):
    cell = net(kind, 3, 2, 0.1, 0)
    certificate = upper(cell, 0.5).certificate
    verify(certificate, subject(cell), None, Inequalities())
    smaller = {**certificate.claim, "rho": certificate.claim["rho"] * (1 - 1e-9)}
    with pytest.raises(Refuted):
        verify(replace(certificate, claim=smaller), subject(cell), None, Inequalities())


def attacked(cell: Cell, bound: float, steps: int, sign: float) -> float:
    """Return ln ‖J_{T:0}‖₂ at the largest (sign 1) or smallest that projected gradient ascent on the inputs reaches."""

    def value(xs: np.ndarray) -> np.ndarray:
        trajectory = run(cell, xs, np.zeros((len(xs), cell.state_size)))
        J, P = cell.linearise(trajectory, 0, steps), np.eye(cell.state_size)
        for t in range(1, steps + 1):
            P = J.dense(t) @ P
        return np.log(np.linalg.norm(P, 2, axis=(1, 2)))

    shape, random = (steps, cell.input_size), np.random.default_rng(0)
    best, nudge = -np.inf, 1e-6 * np.eye(steps * cell.input_size).reshape(-1, *shape)
    for _ in range(3):
        x = random.uniform(-bound, bound, shape)
        for rate in np.geomspace(bound, bound / 100, 25):
            slope = (value(x + nudge) - value(x - nudge)).reshape(shape)
            x = np.clip(x + sign * rate * np.sign(slope), -bound, bound)
            best = max(best, sign * float(value(x[None])[0]))
    return sign * best


@pytest.mark.parametrize("kind", VARIANTS)
def test_no_gradient_ascent_on_the_inputs_leaves_the_bounds(kind):
    cell, bound, steps = net(kind, 3, 2, 0.12, 2, keep=3.0), 0.5, 6
    for prove, sign in ((upper, 1.0), (lower, -1.0)):
        certificate = prove(cell, bound).certificate
        assert certificate is not None
        claimed = np.log(certificate.claim["C"]) + steps * np.log(certificate.claim["rho"])
        assert sign * attacked(cell, bound, steps, sign) <= sign * claimed
