"""A check of a report decides as the run that made it did."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.check.formats import to_junit, to_markdown, to_text
from vanishgrad.questions.check.judge import CheckRequest, judgement

HALVES = {"weight_hh_l0": np.eye(3) / 2, "weight_ih_l0": np.zeros((3, 1))}
"""A linear network whose Jacobian products are 2^-lag I exactly."""


def asked(horizon=None, horizons=(), threshold=1e-3, baseline=None) -> CheckRequest:
    return CheckRequest(
        report="r.json", curve="state", horizon=horizon, horizons=dict(horizons), threshold=threshold, max_rate=None,
        baseline=baseline,
    )  # fmt: skip


def report(threshold: float):
    return vanishgrad.analyze(HALVES, cell="rnn", activation="linear", input="zeros", steps=60, threshold=threshold)


def reached(threshold: float, at: float | None = None) -> tuple[int | None, int]:
    """Return the horizon of a report and of its check, at the report's own threshold or at another one."""
    typed = report(threshold).typed
    request = asked(horizon=1, threshold=at or threshold)
    return typed.models[0].curves["state"].horizon, judgement(typed, request).layers[0].horizon


@pytest.mark.parametrize("lag", range(1, 59))
def test_a_norm_that_equals_the_threshold_is_judged_as_the_report_has_it(lag):
    horizon, checked = reached(2.0**-lag)
    assert checked == horizon


@pytest.mark.parametrize("towards", [0.0, 1.0])
def test_a_threshold_a_roundoff_away_is_judged_as_the_report_has_it(towards):
    for lag in (3, 10, 40):
        horizon, checked = reached(math.nextafter(2.0**-lag, towards))
        assert checked == horizon


def test_at_another_threshold_equal_logarithms_are_not_below():
    for lag in (3, 10, 40):
        assert reached(1e-3, at=2.0**-lag)[1] == lag


def factors(**by_layer: float):
    """Return the report of linear networks of one unit, each with its factor a step, over 100 steps."""
    weights = {}
    for name, factor in by_layer.items():
        path = name.replace("_", ".")
        weights |= {f"{path}.weight_hh_l0": np.eye(1) * factor, f"{path}.weight_ih_l0": np.zeros((1, 1))}
    return vanishgrad.analyze(weights, cell="rnn", activation="linear", input="zeros", steps=100).typed


REPORT = factors(encoder_a=0.5, encoder_b=0.9, decoder=0.99)
"""Horizons 9, 65 and > 100 at 1e-3."""


def needs(request: CheckRequest, **more) -> list[tuple[str, int, bool]]:
    document = judgement(REPORT, request, **more)
    return [(layer.label, layer.needs, layer.passed) for layer in document.layers]


def test_a_layers_own_horizon_stands_before_its_paths_and_that_before_the_one_of_all():
    request = asked(5, {"encoder": 20, "encoder.a": 9})
    assert needs(request) == [("encoder.a.0", 9, True), ("encoder.b.0", 20, True), ("decoder.0", 5, True)]


def test_a_horizon_of_no_layer_is_refused_with_the_nearest():
    with pytest.raises(VanishgradError, match=r"got 'encode.a'; try encoder.a.0"):
        judgement(REPORT, asked(5, {"encode.a": 20}))


def test_a_layer_without_a_horizon_is_refused():
    with pytest.raises(VanishgradError, match=r"expected decoder.0 in a --horizon of its own"):
        judgement(REPORT, asked(None, {"encoder": 2}))
    with pytest.raises(UsageError, match=r"expected --horizon or --baseline"):
        asked()


def test_no_layer_falls_behind_the_baseline():
    before = factors(encoder_a=0.6, encoder_b=0.9, decoder=0.98)
    document = judgement(REPORT, asked(baseline="before.json"), baseline=before)
    assert [(layer.label, layer.needs, layer.was, layer.passed) for layer in document.layers] == [
        ("encoder.a.0", 13, 13, False), ("encoder.b.0", 65, 65, True), ("decoder.0", 100, 100, True),
    ]  # fmt: skip
    with_a_horizon = judgement(REPORT, asked(5, baseline="before.json"), baseline=before)
    assert [layer.needs for layer in with_a_horizon.layers] == [5, 5, 5]


def test_a_layer_that_the_baseline_has_not_needs_a_horizon():
    before = factors(encoder_a=0.6, other=0.9)
    with pytest.raises(VanishgradError, match=r"expected encoder.b.0 in the baseline"):
        judgement(REPORT, asked(baseline="before.json"), baseline=before)
    layers = judgement(REPORT, asked(None, {"encoder.b": 3, "decoder": 2}, baseline="b"), baseline=before).layers
    assert [(layer.needs, layer.was) for layer in layers] == [(13, 13), (3, None), (2, None)]


def test_the_only_layers_of_two_reports_are_the_same_one():
    document = judgement(factors(new=0.5), asked(baseline="b"), baseline=factors(old=0.6))
    assert (document.layers[0].was, document.passed) == (13, False)


def test_a_layer_that_only_the_baseline_has_fails_and_is_named():
    before = factors(encoder_a=0.4, encoder_b=0.9, decoder=0.99, head=0.8)
    document = judgement(REPORT, asked(baseline="b"), baseline=before)
    assert (document.passed, document.missing) == (False, ["head.0"])
    assert all("head.0: in the baseline and not here" in write(document) for write in (to_text, to_markdown, to_junit))
    assert judgement(REPORT, asked(baseline="b"), is_partial=True, baseline=before).passed


def test_a_baseline_along_another_input_is_noted():
    before = vanishgrad.analyze(HALVES, cell="rnn", activation="linear", input="white", steps=70).typed
    document = judgement(report(1e-3).typed, asked(baseline="b"), baseline=before)
    (note,) = document.baseline_notes
    assert note.endswith("the baseline was measured along white over 70 steps, this along zeros over 60 steps")
    assert all(note in write(document) for write in (to_text, to_markdown, to_junit))
    assert judgement(report(1e-3).typed, asked(baseline="b"), baseline=report(1e-3).typed).baseline_notes == []
