"""No theorem is violated by a network: a search over random ones, short here and long in CI."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from tests.formal_answer.nets import KINDS, random_run
from vanishgrad.formal_answer import AnswerRequest, answer
from vanishgrad.formal_answer.quantities import attention, retention, scalars
from vanishgrad.formal_answer.quantities.blocks import blocks
from vanishgrad.formal_answer.quantities.separation import closed_gates, example_claims
from vanishgrad.formal_answer.quantities.vanilla import determinant_floor
from vanishgrad.formal_answer.study import study

ROUNDOFF = 1e-9
"""In nats, over a dozen steps of at most six units."""


def searched(count):
    return [pytest.param(range(24)), pytest.param(range(24, count), marks=pytest.mark.slow)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seeds", searched(324))
def test_no_claim_is_violated(kind, seeds):
    for seed in seeds:
        model = study(random_run(kind, seed))
        assert not [claim for claim in model.claims if claim.violated], model.label


@pytest.mark.slow
def test_the_search_reaches_both_answers_of_every_theorem():
    found = Counter(
        (claim.version, claim.speaks)
        for kind in KINDS
        for seed in range(200)
        for claim in study(random_run(kind, seed)).claims
    )
    assert found["T1b", True] >= 3
    assert not found["T1b", False]  # it has no hypothesis: where blocks grow it bounds the growth
    for version in ("T1", "T5b", "T5b1", "T5c", "T6lower", "T6steps", "T7a"):
        assert found[version, True] >= 3, version
        assert found[version, False] >= 3, version


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_curves_keep_between_their_bounds_at_every_lag(kind, seed):
    curves = study(random_run(kind, seed, steps=23)).curves
    assert np.all(curves["lower"] <= curves["memory"] + ROUNDOFF)
    assert np.all(curves["memory"] <= curves["upper"] + ROUNDOFF)


@pytest.mark.parametrize("steps", [4, 7, 25, 53])
def test_blocks_bound_every_lag_of_any_length(steps):
    model = random_run("rnn", 3, steps)
    lags = np.arange(steps + 1)
    for block in blocks(model):
        assert np.all(model.products.curves["memory"] <= block.log_bound(lags) + ROUNDOFF), block.size
    assert np.all(determinant_floor(model) <= model.products.curves["memory"] + ROUNDOFF)


def test_the_built_networks_let_their_theorems_speak():
    claims = example_claims(50)
    assert {claim.version for claim in claims if claim.speaks} == {"T5b", "T5b1", "T5c", "T5d", "T7a"}
    assert not [claim for claim in claims if claim.violated]


def test_separation_keeps_its_promise():
    _, built = closed_gates(loss=0.1)
    assert math.exp(retention.smallest(built)) >= 0.9


@pytest.mark.parametrize("steps", [1, 2, 10, 300])
@pytest.mark.parametrize("seed", range(5))
def test_write_hold_read_never_falls_below_its_floor(steps, seed):
    found = scalars.write_hold_read(steps, seed)
    assert found["measured"] >= found["floor"] >= 0.49


@pytest.mark.parametrize("seeds", searched(324))
def test_attention_keeps_above_its_floor(seeds):
    for seed in seeds:
        found = attention.example(20, seed=seed)
        assert found["smallest"] >= found["floor"] - 1e-14
        assert found["alpha"] >= found["alpha_floor"]


@pytest.mark.parametrize(
    "label",
    ["rnn@identity:gain=0", "lstm@identity:gain=0", "gru@identity:gain=0", "rnn:activation=relu", "rnn:untied=true",
     "lstm:activation=relu", "lstm:hidden=1", "gru:reset=before"],
)  # fmt: skip
def test_degenerate_and_unusual_models(label):
    (model,) = answer(AnswerRequest(models=(label,), hidden=5, steps=30)).models
    assert not [claim for claim in model.claims if claim.violated]
